/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_PALINDROMIC_H
#define INCLUDED_BEARING_TESTS_PALINDROMIC_H

#include <Eigen/Dense>
#include <complex>

//! The palindromic coefficients c_0 .. c_n of prod (z - r_i)(1/z - conj(r_i)), non-negative on
//! the circle.
inline Eigen::VectorXcd coefficients_from(const Eigen::VectorXcd& roots)
{
    const Eigen::Index n = roots.size();
    Eigen::VectorXcd polynomial = Eigen::VectorXcd::Zero(n + 1);
    polynomial(0) = 1.0;
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index k = i + 1; k > 0; --k) {
            polynomial(k) = polynomial(k - 1) - roots(i) * polynomial(k);
        }
        polynomial(0) *= -roots(i);
    }
    // Autocorrelation: coefficient of z^k is sum_m p_(m+k) conj(p_m).
    Eigen::VectorXcd coefficients(n + 1);
    for (Eigen::Index k = 0; k <= n; ++k) {
        coefficients(k) =
            polynomial.head(n + 1 - k).dot(polynomial.segment(k, n + 1 - k));
    }
    return coefficients;
}

#endif /* INCLUDED_BEARING_TESTS_PALINDROMIC_H */
