/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sensor_levels.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Noise powers of good sensors further apart than this are not believed: with few sensors
// the likelihood has a maximum where one sensor is without noise and explains all.
constexpr double widest_ratio = 1e6;

} // namespace

Eigen::MatrixXd leverage(const Eigen::MatrixXd& response_power,
                         const Eigen::VectorXd& gamma,
                         const std::vector<bool>& is_good)
{
    Eigen::MatrixXd result = response_power;
    for (Eigen::Index i = 0; i < result.cols(); ++i) {
        result.col(i) *= is_good[i] ? 1.0 / gamma(i) : 0.0;
    }
    for (Eigen::Index k = 0; k < result.rows(); ++k) {
        const double sum = result.row(k).sum();
        if (sum > 0.0) {
            result.row(k) /= sum;
        }
    }
    return result;
}

Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& leverage,
                              const std::vector<bool>& is_good)
{
    const Eigen::Index num_sensors = residual_power.cols();
    const Eigen::ArrayXd weight =
        q.unaryExpr([](double value) { return value > 0.0 ? 1.0 / value : 0.0; });
    const Eigen::ArrayXd counts = (weight > 0.0).cast<double>();

    Eigen::VectorXd gamma = Eigen::VectorXd::Ones(num_sensors);
    double largest = 0.0;
    for (Eigen::Index i = 0; i < num_sensors; ++i) {
        if (is_good[i]) {
            const double freedom = (counts * (1.0 - leverage.col(i).array())).sum();
            const double power = (weight * residual_power.col(i).array()).sum();
            gamma(i) = freedom > 0.0 ? power / freedom : 0.0;
            largest = std::max(largest, gamma(i));
        }
    }
    if (!(largest > 0.0) || !std::isfinite(largest)) {
        return Eigen::VectorXd::Ones(num_sensors);
    }
    double log_sum = 0.0;
    int num_good = 0;
    for (Eigen::Index i = 0; i < num_sensors; ++i) {
        if (is_good[i]) {
            gamma(i) = std::max(gamma(i), largest / widest_ratio);
            log_sum += std::log(gamma(i));
            ++num_good;
        }
    }
    const double mean = std::exp(log_sum / num_good);
    for (Eigen::Index i = 0; i < num_sensors; ++i) {
        if (is_good[i]) {
            gamma(i) /= mean;
        }
    }
    return gamma;
}

Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& response_power,
                              const Eigen::VectorXd& gamma,
                              const std::vector<bool>& is_good)
{
    return sensor_levels(
        residual_power, q, leverage(response_power, gamma, is_good), is_good);
}

} // namespace core
} // namespace bearing
} // namespace gr
