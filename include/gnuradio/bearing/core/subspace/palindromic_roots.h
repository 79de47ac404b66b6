/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_PALINDROMIC_ROOTS_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_PALINDROMIC_ROOTS_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Roots of the palindromic polynomial sum_(k=-n..n) c_k z^k with c_-k = conj(c_k).
 *
 * They come in pairs z, 1/z*; one of each pair is returned. c_0 is raised by 1e-12 of
 * itself (real coefficients: 1e-11), so that rounding leaves no pair split along the circle;
 * where truncation takes the function below zero, by up to 1e-6. Directions do not move
 * by more than about that share.
 *
 * \param coefficients c_0 .. c_n; c_0 is real and the function they describe on the unit
 * circle is not negative
 * \returns the n roots with |z| <= 1, nearest to the circle first; fewer where leading
 * coefficients vanish; none where a coefficient is not finite or all are zero
 */
BEARING_API Eigen::VectorXcd roots_inside(const Eigen::VectorXcd& coefficients);

/*!
 * \brief The same for real coefficients, by half the degree.
 *
 * In x = z + 1/z the polynomial is c_0 + 2 sum_k c_k T_k(x/2), real and of degree n.
 *
 * \returns as above; roots that are not real come in pairs conjugate to the bit, the one
 * with Im z > 0 first, and real ones have Im z = 0 exactly
 */
BEARING_API Eigen::VectorXcd roots_inside(const Eigen::VectorXd& coefficients);

/*!
 * \brief What roots_inside() falls back to, and is tested against: the eigenvalues of the
 * companion matrix, or, of real coefficients, of the Chebyshev colleague pencil by QZ.
 *
 * Slower by a factor of four to eighty, and the same roots.
 */
BEARING_API Eigen::VectorXcd roots_inside_by_qr(const Eigen::VectorXcd& coefficients);
BEARING_API Eigen::VectorXcd roots_inside_by_qz(const Eigen::VectorXd& coefficients);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_PALINDROMIC_ROOTS_H */
