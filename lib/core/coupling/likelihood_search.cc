/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fit_quality.h"
#include "likelihood_search.h"
#include "starting_scenes.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Elements answer to their own field more than to their neighbours'. Couplings farther from
// the centre than this, in its norm, are mirror images of the true one: with all coefficients
// of a circle and one source, C and the bearing half a turn away fit exactly as well.
constexpr double strongest_coupling = 0.9;
// What such a coupling has to explain better, in nats, to be believed.
constexpr double mirror_penalty = 25.0;
// Without a likelihood ratio nothing tells when to stop: only the likeliest are tried.
constexpr std::size_t starts_without_ratio = 3;

// Optima less likely than the best by more than this, in nats, are none.
constexpr double largest_gap = 15.0;
// Optima nearer to each other than so many deviations are one.
constexpr double one_optimum = 5.0;
// Real constraints that the noise subspace must have to spare for predicted errors to hold, and
// for the best optimum to be the only one. Measured on lines and circles of 3 to 8 elements.
constexpr Eigen::Index spare_for_errors = 2;
constexpr Eigen::Index spare_for_one_optimum = 3;
// Directions spread over the range. On a circle about one in three of them leads to the best
// optimum; rivals take more.
constexpr int spread_for_best = 12;
constexpr int spread_for_rivals = 36;
// Fits that lead somewhere take about seven.
constexpr int most_iterations = 50;

double penalised(const coupled_fit& fit, bool is_plausible)
{
    return fit.cost + (is_plausible ? 0.0 : mirror_penalty);
}

} // namespace

likelihood_search::likelihood_search(const coupled_covariance& model,
                                     const Eigen::MatrixXcd& covariance,
                                     std::size_t snapshots,
                                     const std::optional<weight_prior>& prior,
                                     double noise_power)
    : d_model(model),
      d_covariance(covariance),
      d_snapshots(snapshots),
      d_prior(prior),
      d_noise_power(noise_power),
      d_likelihood(model,
                   covariance,
                   snapshots > 0 ? snapshots
                                 : static_cast<std::size_t>(covariance.rows()))
{
    d_best.cost = std::numeric_limits<double>::infinity();
}

void likelihood_search::run(const Eigen::VectorXd& music, const antenna_array& centre)
{
    const bool looks_for_rivals = may_have_rivals(music.size());
    if (music.allFinite() && try_from(music) && !looks_for_rivals) {
        return;
    }
    std::vector<Eigen::VectorXd> others =
        other_directions(centre,
                         d_covariance,
                         d_snapshots,
                         music,
                         looks_for_rivals ? spread_for_rivals : spread_for_best);
    const bool has_ratio = d_snapshots >= static_cast<std::size_t>(d_covariance.rows());
    if (!has_ratio && music.allFinite()) {
        others.resize(std::min(others.size(), starts_without_ratio));
    }
    for (const Eigen::VectorXd& azimuth : others) {
        if (try_from(azimuth) && !looks_for_rivals) {
            return;
        }
    }
}

// N - K noise eigenvectors are orthogonal to K sources: so many real constraints on directions
// and weights. What they leave open only the powers can tell.
Eigen::Index likelihood_search::num_spare(Eigen::Index num_sources) const
{
    return 2 * num_sources * (d_covariance.rows() - num_sources) -
           d_model.model().num_weights() - num_sources;
}

// Beforehand, or there is none to be found.
bool likelihood_search::has_known_coupling() const
{
    return d_prior || d_model.model().num_weights() == 0;
}

bool likelihood_search::is_told_by_noise_subspace(Eigen::Index num_sources) const
{
    return has_known_coupling() || num_spare(num_sources) >= spare_for_errors;
}

bool likelihood_search::may_have_rivals(Eigen::Index num_sources) const
{
    return !has_known_coupling() && num_spare(num_sources) >= spare_for_errors &&
           num_spare(num_sources) < spare_for_one_optimum;
}

bool likelihood_search::is_another(const coupled_scene& scene) const
{
    const coupled_scene& best = d_best.scene;
    const Eigen::Index m = best.weights.size();
    if (d_errors.covariance.size() == 0) {
        return true;
    }
    const Eigen::VectorXd deviation = d_errors.covariance.diagonal().cwiseSqrt();
    for (Eigen::Index j = 0; j < m; ++j) {
        if (std::abs(scene.weights(j) - best.weights(j)) > one_optimum * deviation(j)) {
            return true;
        }
    }
    for (Eigen::Index k = 0; k < best.azimuth.size(); ++k) {
        double nearest = std::numeric_limits<double>::infinity();
        for (const double azimuth : scene.azimuth) {
            nearest = std::min(
                nearest, std::abs(std::remainder(azimuth - best.azimuth(k), 2.0 * M_PI)));
        }
        if (nearest > one_optimum * deviation(m + k)) {
            return true;
        }
    }
    return false;
}

bool likelihood_search::has_rival() const
{
    return std::any_of(d_fits.begin(), d_fits.end(), [this](const coupled_fit& fit) {
        return fit.cost <= d_best.cost + largest_gap && is_another(fit.scene);
    });
}

coupled_scene likelihood_search::start(const Eigen::VectorXd& azimuth) const
{
    const Eigen::VectorXd weights =
        d_prior ? d_prior->mean
                : Eigen::VectorXd::Zero(d_model.model().num_weights()).eval();
    return scene_of(d_model, weights, azimuth, d_covariance, d_noise_power);
}

bool likelihood_search::could_be_coupling(const Eigen::VectorXd& weights) const
{
    const Eigen::MatrixXcd& mean = d_model.model().mean();
    return d_prior || (d_model.model().coupling(weights) - mean).norm() <=
                          strongest_coupling * mean.norm();
}

// Whether that is where the search may end.
bool likelihood_search::try_from(const Eigen::VectorXd& azimuth)
{
    const coupled_fit found =
        d_likelihood.minimise(start(azimuth), d_prior, false, most_iterations);
    const int iterations = d_best.iterations + found.iterations;
    const bool is_plausible = could_be_coupling(found.scene.weights);
    if (is_plausible && may_have_rivals(azimuth.size())) {
        d_fits.push_back(found);
    }
    if (penalised(found, is_plausible) < penalised(d_best, d_is_plausible)) {
        d_best = found;
        d_is_plausible = is_plausible;
        d_errors =
            likelihood_errors(d_model, found.scene, d_likelihood.snapshots(), d_prior);
        if (d_snapshots > 0) {
            d_ratio = d_likelihood.likelihood_ratio(found.scene);
        }
        if (std::isfinite(d_ratio)) {
            d_limit = likelihood_ratio_limit(
                static_cast<int>(d_covariance.rows()), d_snapshots, d_errors.parameters);
        }
    }
    d_best.iterations = iterations;
    return d_ratio <= d_limit && d_is_plausible;
}

} // namespace core
} // namespace bearing
} // namespace gr
