/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/null_function.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {
// Newton's method stops when a step is below this (radians): rounding of the slope moves
// the zero by about as much.
constexpr double converged_step = 1e-13;
// Bisection alone would need 45 halvings of a 2 degree bracket to get there.
constexpr int most_steps = 60;
} // namespace

null_function::null_function(const antenna_array& array,
                             const Eigen::MatrixXcd& signal_subspace)
    : d_array(array), d_signal_subspace(signal_subspace)
{
}

double null_function::value(double azimuth) const
{
    const Eigen::VectorXcd a = d_array.steering(azimuth);
    const Eigen::VectorXcd noise_part =
        a - d_signal_subspace * (d_signal_subspace.adjoint() * a);
    return noise_part.squaredNorm() / a.squaredNorm();
}

null_function::expansion null_function::at(double azimuth) const
{
    const auto [a, a1] = d_array.manifold(azimuth);
    const Eigen::VectorXcd a2 = d_array.azimuth_second_derivative(azimuth);
    const Eigen::VectorXcd y = a - d_signal_subspace * (d_signal_subspace.adjoint() * a);
    const double projected_rate =
        a1.squaredNorm() - (d_signal_subspace.adjoint() * a1).squaredNorm();

    // f = D / S with D = a^H Pn a and S = a^H a, each with two derivatives.
    const double d0 = y.squaredNorm();
    const double d1 = 2.0 * a1.dot(y).real();
    const double d2 = 2.0 * (a2.dot(y).real() + projected_rate);
    const double s0 = a.squaredNorm();
    const double s1 = 2.0 * a1.dot(a).real();
    const double s2 = 2.0 * (a2.dot(a).real() + a1.squaredNorm());

    expansion f;
    f.value = d0 / s0;
    f.slope = (d1 - f.value * s1) / s0;
    f.curvature = (d2 - 2.0 * f.slope * s1 - f.value * s2) / s0;
    return f;
}

double null_function::minimum(double lower, double start, double upper) const
{
    double x = start;
    for (int step = 0; step < most_steps; ++step) {
        const expansion f = at(x);
        (f.slope > 0.0 ? upper : lower) = x;
        double next = x - f.slope / f.curvature;
        if (!(f.curvature > 0.0 && next > lower && next < upper)) {
            next = 0.5 * (lower + upper);
        }
        const double moved = std::abs(next - x);
        x = next;
        if (moved < converged_step) {
            break;
        }
    }
    return x;
}

} // namespace core
} // namespace bearing
} // namespace gr
