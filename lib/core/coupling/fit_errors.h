/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_FIT_ERRORS_H
#define INCLUDED_BEARING_CORE_COUPLING_FIT_ERRORS_H

#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <Eigen/Dense>
#include <cstddef>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! How far a fit may be off.
struct fit_errors {
    Eigen::MatrixXd covariance; //!< of the errors of x; empty: unknown
    double parameters = 0.0;    //!< that the data tell, of x
    //! Fisher's, of x in the data alone; empty: not of a likelihood
    Eigen::MatrixXd information = {};
};

//! Of the likelihood's maximum: the inverse of Fisher's information, a prior's part included.
fit_errors likelihood_errors(const coupled_covariance& model,
                             const coupled_scene& scene,
                             std::size_t snapshots,
                             const std::optional<weight_prior>& prior);

//! Of a least-squares fit to R^, whose entries vary as R (x) R* / L: with J the derivatives
//! of R, (J^H J)^-1 J^H (R (x) R*) J (J^H J)^-1 / L.
fit_errors least_squares_errors(const coupled_covariance& model,
                                const coupled_scene& scene,
                                std::size_t snapshots);

//! What the data alone say of w once all else is fitted to them.
//! \param information Fisher's, of x at \p scene
weight_evidence evidence_of_weights(const likelihood_fit& fit,
                                    const coupled_scene& scene,
                                    const Eigen::MatrixXd& information);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_FIT_ERRORS_H */
