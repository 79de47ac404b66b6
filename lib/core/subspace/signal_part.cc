/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

double noise_edge(Eigen::Index num_elements, std::size_t snapshots)
{
    return snapshots == 0
               ? 1.0
               : std::pow(1.0 + std::sqrt(static_cast<double>(num_elements) / snapshots),
                          2);
}

double
sampled_noise_power(const Eigen::VectorXd& values, Eigen::Index dimension, double looks)
{
    return values.tail(values.size() - dimension).mean() * looks / (looks - dimension);
}

double rounding_of(const Eigen::VectorXd& values)
{
    const Eigen::Index n = values.size();
    return std::max(n * std::numeric_limits<double>::epsilon() * values(0),
                    -4.0 * values(n - 1));
}

bool is_off_endfire(const antenna_array& array, double azimuth, double deviation)
{
    // The quadratic part of the error is half of this times its linear part.
    constexpr double largest_distortion = 0.25;
    return !array.is_front_only() ||
           deviation * std::abs(std::tan(azimuth)) < largest_distortion;
}

signal_part above_noise(const Eigen::VectorXd& values,
                        int num_sources,
                        double noise_power,
                        std::size_t snapshots,
                        double margin)
{
    const Eigen::Index n = values.size();
    const double limit = margin * noise_edge(n, snapshots) * noise_power;
    signal_part part{ 0, noise_power };
    while (part.dimension < num_sources && values(part.dimension) > limit) {
        ++part.dimension;
    }
    if (part.dimension < num_sources &&
        snapshots > static_cast<std::size_t>(num_sources)) {
        // The largest of the noise eigenvalues were not among the N-K smallest.
        part.noise_power = std::max(
            noise_power,
            sampled_noise_power(values, part.dimension, static_cast<double>(snapshots)));
    }
    return part;
}

Eigen::VectorXd debiased(const Eigen::VectorXd& values,
                         Eigen::Index dimension,
                         double noise_power,
                         double looks)
{
    constexpr int rounds = 3;
    constexpr double floor = 1.02;
    const double excess =
        static_cast<double>(values.size() - dimension) / looks * noise_power;
    Eigen::VectorXd result = values.head(dimension);
    for (double& value : result) {
        const double sample_value = value;
        for (int round = 0; round < rounds; ++round) {
            value = std::max(sample_value / (1.0 + excess / (value - noise_power)),
                             floor * noise_power);
        }
    }
    return result;
}

Eigen::VectorXd fitting_weights(const Eigen::VectorXd& values, double noise_power)
{
    const Eigen::ArrayXd signal = (values.array() - noise_power).max(0.0);
    return (signal > 0.0).select(signal.square() / values.array(), 0.0);
}

} // namespace core
} // namespace bearing
} // namespace gr
