/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gain_state.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

antenna_array without_gains(const antenna_array& array)
{
    calibration_state offsets;
    offsets.positions = array.calibration().positions;
    return array.with_calibration(offsets);
}

calibration_state own_calibration(const antenna_array& array)
{
    return array_parameters::of(array).calibration(array);
}

calibration_state calibration_with(const antenna_array& array,
                                   const Eigen::VectorXcd& gains)
{
    array_parameters parameters = array_parameters::of(array);
    parameters.gains = gains;
    return parameters.calibration(array);
}

Eigen::MatrixXd real_form(const Eigen::MatrixXcd& z)
{
    Eigen::MatrixXd form(2 * z.rows(), 2 * z.cols());
    form << z.real(), -z.imag(), z.imag(), z.real();
    return form;
}

void set_deviations(const Eigen::VectorXcd& gains,
                    const Eigen::MatrixXd& covariance,
                    calibration_state& calibration)
{
    // That of a uniform phase.
    static const double nothing_known = M_PI / std::sqrt(3.0);

    const Eigen::Index n = gains.size();
    const Eigen::MatrixXcd common = gains * gains.adjoint() / gains.squaredNorm();
    const Eigen::MatrixXd apart = real_form(Eigen::MatrixXcd::Identity(n, n) - common);
    const Eigen::MatrixXd left = apart * covariance * apart.transpose();

    calibration.sigma_phase_rad.setConstant(n, nothing_known);
    calibration.sigma_log_gain.setConstant(n, nothing_known);
    const double smallest = 1e-12 * gains.cwiseAbs().maxCoeff();
    for (Eigen::Index l = 0; l < n; ++l) {
        const double power = std::norm(gains(l));
        if (power <= smallest * smallest) {
            continue;
        }
        Eigen::Matrix2d block;
        block << left(l, l), left(l, n + l), left(n + l, l), left(n + l, n + l);
        const Eigen::Vector2d along(gains(l).real() / power, gains(l).imag() / power);
        const Eigen::Vector2d across(-along(1), along(0));
        const auto deviation = [&block](const Eigen::Vector2d& direction) {
            const double variance = direction.dot(block * direction);
            return std::min(std::sqrt(std::max(variance, 0.0)), nothing_known);
        };
        calibration.sigma_log_gain(l) = deviation(along);
        calibration.sigma_phase_rad(l) = deviation(across);
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
