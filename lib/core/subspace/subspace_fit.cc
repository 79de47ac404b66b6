/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include "projection_fit.h"
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <gnuradio/bearing/core/subspace/subspace_fit.h>
#include <gnuradio/bearing/core/subspace/subspace_fit_accuracy.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// F with F F^H the matrix that the directions shall explain.
Eigen::MatrixXcd target_factor(const eigendecomposition& eigen,
                               const signal_part& signal,
                               fit_criterion criterion)
{
    Eigen::VectorXd weights;
    if (criterion == fit_criterion::wsf) {
        weights =
            fitting_weights(eigen.values.head(signal.dimension), signal.noise_power);
    } else {
        // A multiple of I adds to the criterion what no direction can change.
        weights = eigen.values.array() - eigen.values.minCoeff();
    }
    return eigen.vectors.leftCols(weights.size()) * weights.cwiseSqrt().asDiagonal();
}

// Of directions that ran into each other one is left.
Eigen::VectorXd told_apart(const Eigen::VectorXd& azimuth)
{
    Eigen::VectorXd apart = azimuth;
    for (Eigen::Index k = 1; k < azimuth.size(); ++k) {
        for (Eigen::Index i = 0; i < k; ++i) {
            if (std::abs(std::remainder(azimuth(k) - azimuth(i), 2.0 * M_PI)) <
                2.0 * projection_residual::closest_angles) {
                apart(k) = nan;
            }
        }
    }
    return apart;
}

} // namespace

fit_criterion fit_criterion_from_string(const std::string& name)
{
    if (name == "wsf") {
        return fit_criterion::wsf;
    }
    if (name == "dml") {
        return fit_criterion::dml;
    }
    throw std::invalid_argument("criterion is '" + name + "'; it must be 'wsf' or 'dml'");
}

subspace_fit_estimator::subspace_fit_estimator(antenna_array array,
                                               subspace_fit_config config)
    : d_frame(std::move(array)), d_config(config)
{
    require_num_sources(d_frame.array(), d_config.num_sources);
    d_search = std::make_shared<const alternating_projection>(d_frame.array());
}

bearing_estimate
subspace_fit_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                                 std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    const int num_sources = analysis.num_sources;
    bearing_estimate estimate = nothing_found(array(), num_sources, analysis.status);
    if (analysis.status != status::ok) {
        return estimate;
    }
    signal_part signal = above_noise(
        analysis.eigen.values, num_sources, analysis.noise_power, snapshots, 1.0);
    if (signal.dimension == 0) { // the best guess there is
        signal = { num_sources, analysis.noise_power };
    }
    const Eigen::MatrixXcd factor =
        target_factor(analysis.eigen, signal, d_config.criterion);
    if (!(factor.squaredNorm() > 0.0)) {
        estimate.status = status::no_source;
        return estimate;
    }
    const std::vector<Eigen::VectorXd> fits =
        d_search->search(array(), factor, num_sources);
    const Eigen::VectorXd azimuth = told_apart(fits.front());
    for (int k = 0; k < num_sources; ++k) {
        if (std::isfinite(azimuth(k))) {
            estimate.azimuth(k) = reported_azimuth(array(), azimuth(k));
        }
    }
    fill_powers(array(), covariance, signal.noise_power, estimate);
    const plug_in_accuracy accuracy = predict_fit_plug_in(
        analysis.eigen, array(), azimuth, snapshots, d_config.criterion);
    estimate.deviation = accuracy.deviation;
    estimate.status = accuracy.status;
    // Other directions that explain the data as well: nobody can tell which are true.
    const auto explains = [&](const Eigen::VectorXd& other) {
        return supports_directions(analysis.eigen, array(), other, snapshots);
    };
    const auto any_explains = [&](const std::vector<Eigen::VectorXd>& others) {
        return std::any_of(others.begin(), others.end(), explains);
    };
    const bool is_one_of_several =
        estimate.deviation.array().isFinite().any() &&
        (std::any_of(fits.begin() + 1, fits.end(), explains) ||
         any_explains(d_search->rivals(array(), factor, fits.front())));
    if (is_one_of_several || array().is_ambiguous(-M_PI_2, M_PI_2)) {
        estimate.deviation.setConstant(nan);
        estimate.status = status::not_identifiable;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
