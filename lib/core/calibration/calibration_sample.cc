/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_sample.h"
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Noise so far below the signal is rounding, and would give a covariance endless weight.
constexpr double noise_floor = 1e-12;

double noise_power(const Eigen::VectorXd& values, int num_sources, std::size_t snapshots)
{
    const double looks = static_cast<double>(snapshots);
    const double power = looks > num_sources
                             ? sampled_noise_power(values, num_sources, looks)
                             : values.tail(values.size() - num_sources).mean();
    return std::max({ power, rounding_of(values), noise_floor * values(0) });
}

} // namespace

eigenvalue_margins
margins(const Eigen::VectorXd& values, int num_sources, std::size_t snapshots)
{
    // A source below the first bears on the fit with more noise than signal; a further
    // source below the second does not bend it.
    constexpr double source_margin = 2.0;
    constexpr double least_source = 4.0;
    constexpr double noise_margin = 1.12;
    constexpr double least_noise = 2.2;

    const int n = static_cast<int>(values.size());
    const int num_noise = n - num_sources;
    const double power = noise_power(values, num_sources, snapshots);
    eigenvalue_margins result;
    result.weakest_source = values(num_sources - 1) / power;
    result.source_limit =
        std::max(least_source, source_margin * noise_edge(n, snapshots));
    result.strongest_noise =
        values(num_sources) / std::max(values.tail(num_noise).mean(), power);
    result.noise_limit = least_noise;
    if (num_noise > 1) {
        const double degrees = static_cast<double>(snapshots) - num_sources;
        result.noise_limit =
            std::max(least_noise, noise_margin * ratio_threshold(num_noise, degrees));
    }
    return result;
}

void assign(const eigendecomposition& eigen,
            int num_sources,
            std::size_t snapshots,
            const Eigen::MatrixXcd& coupling,
            calibration_sample& sample)
{
    const double power = noise_power(eigen.values, num_sources, snapshots);
    const double looks = static_cast<double>(snapshots);
    const Eigen::VectorXd signal = debiased(eigen.values, num_sources, power, looks);
    sample.null_weights =
        power / looks * signal.array() / (signal.array() - power).square();
    sample.signal_subspace = eigen.vectors.leftCols(num_sources);
    if (coupling.size() > 0) {
        const Eigen::MatrixXcd freed =
            coupling.partialPivLu().solve(sample.signal_subspace);
        const Eigen::HouseholderQR<Eigen::MatrixXcd> qr(freed);
        sample.signal_subspace =
            qr.householderQ() * Eigen::MatrixXcd::Identity(freed.rows(), freed.cols());
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
