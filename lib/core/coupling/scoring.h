/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_SCORING_H
#define INCLUDED_BEARING_CORE_COUPLING_SCORING_H

#include "covariance_point.h"
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <Eigen/Dense>
#include <cstddef>

// What Fisher scoring, bounds and error bars share.

namespace gr {
namespace bearing {
namespace core {

//! L^-1 of R = L L^H; empty when R is not positive definite.
Eigen::MatrixXcd whitener(const Eigen::MatrixXcd& covariance);

//! L Re tr(R^-1 dR_i R^-1 dR_j); empty when R is not positive definite.
Eigen::MatrixXd fisher_information(const covariance_point& point, std::size_t snapshots);

//! S^-1, m x m. \throws std::invalid_argument unless S is and is positive definite
Eigen::MatrixXd precision(const weight_prior& prior, Eigen::Index num_weights);

//! The inverse, by way of unit diagonals so that units do not matter; empty where the
//! information is singular.
Eigen::MatrixXd inverse_information(const Eigen::MatrixXd& information);

//! Damped Newton: solves (H + lambda diag(H)) s = -g, diagonals of zero steadied.
Eigen::VectorXd damped_step(const Eigen::MatrixXd& curvature,
                            const Eigen::VectorXd& gradient,
                            double damping);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_SCORING_H */
