/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sensor_levels.h"
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Noise powers of sensors further apart than this are not believed: with few sensors
// the likelihood has a maximum where one sensor is without noise and explains all.
constexpr double widest_ratio = 1e6;

} // namespace

Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& leverage)
{
    const Eigen::Index num_sensors = residual_power.cols();
    const Eigen::ArrayXd weight =
        q.unaryExpr([](double value) { return value > 0.0 ? 1.0 / value : 0.0; });
    const Eigen::ArrayXd counts = (weight > 0.0).cast<double>();

    Eigen::VectorXd gamma(num_sensors);
    for (Eigen::Index i = 0; i < num_sensors; ++i) {
        const double freedom = (counts * (1.0 - leverage.col(i).array())).sum();
        const double power = (weight * residual_power.col(i).array()).sum();
        gamma(i) = freedom > 0.0 ? power / freedom : 0.0;
    }
    const double largest = gamma.maxCoeff();
    if (!(largest > 0.0) || !std::isfinite(largest)) {
        return Eigen::VectorXd::Ones(num_sensors);
    }
    gamma = gamma.cwiseMax(largest / widest_ratio);
    return gamma / std::exp(gamma.array().log().mean());
}

} // namespace core
} // namespace bearing
} // namespace gr
