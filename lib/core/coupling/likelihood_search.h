/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_LIKELIHOOD_SEARCH_H
#define INCLUDED_BEARING_CORE_COUPLING_LIKELIHOOD_SEARCH_H

#include "fit_errors.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <Eigen/Dense>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The best of the likelihood's optima: from MUSIC's directions, and from others where
 * the likelihood ratio shows that these led nowhere.
 */
class likelihood_search
{
public:
    //! \param snapshots L; 0: unknown, then likelihoods are those of N snapshots and there is
    //! no ratio
    //! \param noise_power where fits begin
    likelihood_search(const coupled_covariance& model,
                      const Eigen::MatrixXcd& covariance,
                      std::size_t snapshots,
                      const std::optional<weight_prior>& prior,
                      double noise_power);

    //! \param music directions; may hold NaN
    //! \param centre the array with the coupling at the model's centre
    void run(const Eigen::VectorXd& music, const antenna_array& centre);

    const likelihood_fit& likelihood() const { return d_likelihood; }
    const std::optional<weight_prior>& prior() const { return d_prior; }
    //! the scene that begins with those directions
    coupled_scene start(const Eigen::VectorXd& azimuth) const;

    //! iterations are those of all fits; the cost is infinite when nothing was found
    const coupled_fit& best() const { return d_best; }
    const fit_errors& errors() const { return d_errors; }
    //! likelihood_fit::likelihood_ratio() and its limit; NaN where they cannot tell
    double ratio() const { return d_ratio; }
    double limit() const { return d_limit; }
    //! false: only coupling that no antennas have explains the data
    bool is_plausible() const { return d_is_plausible; }
    //! true: another optimum is nearly as likely, with other directions or another coupling.
    //! Looked for where the noise subspace has little to spare.
    bool has_rival() const;
    //! false: the noise subspace has nothing to spare over directions and weights; powers have
    //! to tell the rest, there may be other optima, and errors are larger than predicted
    bool is_told_by_noise_subspace(Eigen::Index num_sources) const;

private:
    bool try_from(const Eigen::VectorXd& azimuth);
    bool could_be_coupling(const Eigen::VectorXd& weights) const;
    bool has_known_coupling() const;
    Eigen::Index num_spare(Eigen::Index num_sources) const;
    bool may_have_rivals(Eigen::Index num_sources) const;
    bool is_another(const coupled_scene& scene) const;

    const coupled_covariance& d_model;
    Eigen::MatrixXcd d_covariance;
    std::size_t d_snapshots;
    std::optional<weight_prior> d_prior;
    double d_noise_power;
    likelihood_fit d_likelihood;
    coupled_fit d_best;
    fit_errors d_errors;
    double d_ratio = std::numeric_limits<double>::quiet_NaN();
    double d_limit = std::numeric_limits<double>::quiet_NaN();
    bool d_is_plausible = true;
    std::vector<coupled_fit> d_fits; // plausible ones, where rivals are looked for
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_LIKELIHOOD_SEARCH_H */
