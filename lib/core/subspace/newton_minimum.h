/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_NEWTON_MINIMUM_H
#define INCLUDED_BEARING_CORE_SUBSPACE_NEWTON_MINIMUM_H

#include <gnuradio/bearing/core/subspace/null_function.h>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The minimum of a function of azimuth, in radians, between \p lower and \p upper, to
 * rounding error: Newton's method on the slope, kept inside a bracket by bisection.
 *
 * \param f gives a null_function::expansion by at(azimuth)
 * \param start lies in the bracket, and f falls from both ends towards it
 * \param at_minimum what f is there, but for a step too small to matter
 */
template <typename Function>
double newton_minimum(const Function& f,
                      double lower,
                      double start,
                      double upper,
                      null_function::expansion& at_minimum)
{
    // Newton's method converges quadratically: a step below this, in radians, leaves an
    // error of its square times how fast the curvature changes, at most 4 pi a wavelength
    // of the aperture, which is what rounding of the slope leaves.
    constexpr double converged_newton_step = 1e-9;
    // Bisection stops when a step is below this. It alone would need 45 halvings of a
    // 2 degree bracket to get there.
    constexpr double converged_step = 1e-13;
    constexpr int most_steps = 60;

    double x = start;
    for (int step = 0; step < most_steps; ++step) {
        at_minimum = f.at(x);
        (at_minimum.slope > 0.0 ? upper : lower) = x;
        double next = x - at_minimum.slope / at_minimum.curvature;
        const bool is_newton = at_minimum.curvature > 0.0 && next > lower && next < upper;
        if (!is_newton) {
            next = 0.5 * (lower + upper);
        }
        const double moved = std::abs(next - x);
        x = next;
        if (moved < (is_newton ? converged_newton_step : converged_step)) {
            break;
        }
    }
    return x;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_NEWTON_MINIMUM_H */
