/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/calibration/peak_derivative.h>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double two_pi = 2.0 * M_PI;
constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };

Eigen::VectorXcd noise_part(const Eigen::MatrixXcd& signal_subspace,
                            const Eigen::VectorXcd& x)
{
    return x - signal_subspace * (signal_subspace.adjoint() * x);
}

} // namespace

peak_derivative differentiate_peak(const array_parameters& parameters,
                                   const Eigen::MatrixXcd& signal_subspace,
                                   double azimuth)
{
    const Eigen::Index n = parameters.gains.size();
    if (parameters.positions.rows() != n || parameters.positions.cols() != 3 ||
        signal_subspace.rows() != n) {
        throw std::invalid_argument(
            "positions have " + std::to_string(parameters.positions.rows()) +
            " rows and signal_subspace " + std::to_string(signal_subspace.rows()) +
            "; both must have as many as there are gains, " + std::to_string(n));
    }
    const Eigen::Vector2d u(std::sin(azimuth), std::cos(azimuth));
    const Eigen::Vector2d turned(u(1), -u(0)); // du/dtheta
    // The phase of each element, its first and its second derivative.
    const Eigen::VectorXd phase = two_pi * parameters.positions.leftCols<2>() * u;
    const Eigen::ArrayXd rate = two_pi * parameters.positions.leftCols<2>() * turned;
    const Eigen::ArrayXcd v =
        phase.unaryExpr([](double x) { return std::polar(1.0, x); });

    const Eigen::VectorXcd a = parameters.gains.array() * v;
    const Eigen::VectorXcd a1 = imaginary_unit * rate * a.array();
    const Eigen::VectorXcd a2 =
        (-imaginary_unit * phase.array() - rate.square()) * a.array();
    const Eigen::VectorXcd y = noise_part(signal_subspace, a);
    const Eigen::VectorXcd y1 = noise_part(signal_subspace, a1);

    peak_derivative result;
    result.curvature = 2.0 * (a1.dot(y1) + a2.dot(y)).real();
    const double scale = -2.0 / result.curvature;
    result.gains =
        scale * v.conjugate() * (-imaginary_unit * rate * y.array() + y1.array());
    result.positions.setZero(n, 3);
    for (int axis = 0; axis < 2; ++axis) {
        const Eigen::ArrayXcd by_position = two_pi * imaginary_unit * u(axis) * a.array();
        // d/dp of a1 = j rate a
        const Eigen::ArrayXcd slope_by_position =
            two_pi * (imaginary_unit * turned(axis) - u(axis) * rate) * a.array();
        result.positions.col(axis) = scale * (slope_by_position.conjugate() * y.array() +
                                              by_position.conjugate() * y1.array())
                                                 .real();
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
