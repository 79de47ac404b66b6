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
    if (music.allFinite() && try_from(music)) {
        return;
    }
    std::vector<Eigen::VectorXd> others =
        other_directions(centre, d_covariance, d_snapshots, music);
    const bool has_ratio = d_snapshots >= static_cast<std::size_t>(d_covariance.rows());
    if (!has_ratio && music.allFinite()) {
        others.resize(std::min(others.size(), starts_without_ratio));
    }
    for (const Eigen::VectorXd& azimuth : others) {
        if (try_from(azimuth)) {
            return;
        }
    }
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
