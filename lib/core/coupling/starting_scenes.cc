/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "starting_scenes.h"
#include <gnuradio/bearing/core/subspace/subspace_fit.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Two sources this far to either side, over the aperture, fall together in MUSIC.
constexpr double half_a_pair = 0.3;
// Fractions of these fill an interval evenly from the first few on, in any dimension.
constexpr double golden = 0.6180339887498949;
constexpr double lowest_power = 1e-3;

// The whole range, away from a line's ends.
double spread_azimuth(const antenna_array& array, double fraction)
{
    constexpr double widest = 65.0 * M_PI / 180.0;
    return array.is_front_only() ? widest * (2.0 * fraction - 1.0)
                                 : 2.0 * M_PI * fraction;
}

} // namespace

antenna_array centre_array(const coupled_covariance& model)
{
    const Eigen::MatrixXcd& mean = model.model().mean();
    if (mean.isIdentity(0.0)) {
        return model.array();
    }
    calibration_state coupling;
    coupling.coupling = mean;
    return model.array().calibrated(coupling);
}

coupled_scene scene_of(const coupled_covariance& model,
                       const Eigen::VectorXd& weights,
                       const Eigen::VectorXd& azimuth,
                       const Eigen::MatrixXcd& covariance,
                       double noise_power)
{
    coupled_scene scene;
    scene.weights = weights;
    scene.azimuth = azimuth;
    scene.noise_power = noise_power;
    const Eigen::MatrixXcd response =
        model.model().coupling(weights) *
        model.array().steering(azimuth, Eigen::VectorXd::Zero(azimuth.size()));
    // A^+ (R - s2 I) A^+H: those of least squares, where they are positive.
    const Eigen::MatrixXcd inverse =
        response.completeOrthogonalDecomposition().pseudoInverse();
    const double power = covariance.diagonal().real().mean();
    scene.power = (inverse * covariance * inverse.adjoint()).diagonal().real() -
                  noise_power * inverse.rowwise().squaredNorm();
    scene.power = scene.power.cwiseMax(lowest_power * power);
    return scene;
}

music_estimator
plain_music(const antenna_array& array, int num_sources, count_method counting)
{
    // As few points as there may be.
    return { array, angle_grid::whole_range(array, 2), { num_sources, counting } };
}

std::vector<Eigen::VectorXd> other_directions(const antenna_array& centre,
                                              const Eigen::MatrixXcd& covariance,
                                              std::size_t snapshots,
                                              const Eigen::VectorXd& found,
                                              int num_spread)
{
    const int num_sources = static_cast<int>(found.size());
    std::vector<Eigen::VectorXd> result;
    const subspace_fit_estimator fit(centre, { num_sources });
    const Eigen::VectorXd fitted = fit.estimate(covariance, snapshots).azimuth;
    if (fitted.allFinite()) {
        result.push_back(fitted);
    }
    const double apart = half_a_pair / std::max(centre.aperture(), half_a_pair);
    for (int k = 0; found.allFinite() && k < num_sources; ++k) {
        for (int other = 0; other < num_sources; ++other) {
            if (other != k) {
                Eigen::VectorXd pair = found;
                pair(k) -= apart;
                pair(other) = found(k) + apart;
                result.push_back(pair);
            }
        }
    }
    for (int start = 0; start < num_spread; ++start) {
        Eigen::VectorXd spread(num_sources);
        for (int k = 0; k < num_sources; ++k) {
            // Roots of x^(k+1) = golden: a lattice of its own in each direction.
            const double step = std::pow(golden, 1.0 / (k + 1.0));
            const double place = 0.5 + step * (start + 1) + k / double(num_sources);
            spread(k) = spread_azimuth(centre, place - std::floor(place));
        }
        result.push_back(spread);
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
