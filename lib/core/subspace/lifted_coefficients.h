/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_LIFTED_COEFFICIENTS_H
#define INCLUDED_BEARING_CORE_SUBSPACE_LIFTED_COEFFICIENTS_H

#include <Eigen/Dense>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

// A leading coefficient below this share of c_0 is rounding error: its roots
// lie at zero and at infinity.
constexpr double vanishing_coefficient = 1e-14;
// c_0 is raised by this share. Without noise the function touches zero on the
// circle, and rounding of its coefficients (up to 1e-13 of c_0 with tens of
// elements) takes it below: a double root then splits along the circle, not
// across it. This keeps it above, and moves roots along the radius by its
// square root at most. The real form loses more to rounding.
constexpr double lift_complex = 1e-12;
constexpr double lift_real = 1e-11;

//! c_0 .. c_n of a palindromic polynomial with c_0 raised, as far as they do not vanish;
//! empty where they are not finite.
template <typename vector>
vector lifted_without_vanishing(const vector& coefficients, double lift)
{
    if (coefficients.size() == 0 || !coefficients.allFinite()) {
        return {};
    }
    Eigen::Index size = coefficients.size();
    const double smallest = vanishing_coefficient * std::abs(coefficients(0));
    while (size > 1 && std::abs(coefficients(size - 1)) <= smallest) {
        --size;
    }
    vector kept = coefficients.head(size);
    kept(0) *= 1.0 + lift;
    return kept;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_LIFTED_COEFFICIENTS_H */
