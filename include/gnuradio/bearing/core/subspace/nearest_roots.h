/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NEAREST_ROOTS_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NEAREST_ROOTS_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>
#include <memory>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

class circle_grids;

/*!
 * \brief The roots of a palindromic polynomial f = sum_(k=-n..n) c_k z^k, c_-k = conj(c_k),
 * that are nearest to the unit circle: what root-MUSIC needs of them.
 *
 * The minima of f on the circle give starting points, Newton's method with repulsion
 * (O. Aberth 1973) takes them to roots, and a certificate says that there are no nearer
 * ones. Where it does not, roots_inside() finds them all.
 *
 * The certificate, for roots r_1 .. r_K (inside, with images 1/r*) and a radius rho below
 * theirs:
 * - within degree |p / p'| of any point a polynomial p has a root (Laguerre), so discs around
 *   the r_k that are apart hold a root each;
 * - h is f with these pairs moved inwards to t_k, |t_k| < |r_k|: f times prod (z - t)(1/z - t*)
 *   over prod (z - r)(1/z - r*), a palindromic polynomial of degree n. Where Re h > 0 on |z| =
 *   rho, and so on |z| = 1/rho, it is positive between them, by the minimum principle of
 *   harmonic functions: h has no root there, and f none but the r_k. (The t_k fill the dips
 *   that a division alone would make peaks.)
 * - on |z| = rho Re h is a real trigonometric polynomial of degree n. From M samples, the
 *   lowest and highest l and u, |Re h - (l + u) / 2| <= A = (u - l) / (2 cos(pi n / M))
 *   (H. Ehlich, K. Zeller, "Schwankung von Polynomen zwischen Gitterpunkten", Math. Z. 86,
 *   1964), and its second derivative is n^2 A at most (S. Bernstein). Between two samples it
 *   therefore lies above the lower one less n^2 A / 8 times their distance squared; where that
 *   does not tell, the middle is looked at.
 * Rounding and the size of the discs are bounded and counted against it.
 */
class BEARING_API nearest_roots
{
public:
    //! \param degree the largest n to come; beyond 128 roots_inside() is always taken
    //! \throws std::invalid_argument for a negative degree
    explicit nearest_roots(int degree);

    /*!
     * \brief The roots nearest to the circle, nearest first.
     *
     * \param coefficients c_0 .. c_n as for roots_inside(), n up to that of the constructor
     * \param count K
     * \returns K roots where the certificate holds; else all, as roots_inside() does
     */
    Eigen::VectorXcd find(const Eigen::VectorXcd& coefficients, int count) const;

    //! The K roots by Newton's method; absent where the certificate fails.
    std::optional<Eigen::VectorXcd> find_by_newton(const Eigen::VectorXcd& coefficients,
                                                   int count) const;

private:
    int d_degree;
    std::shared_ptr<const circle_grids> d_grids; // immutable, so copies share them
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NEAREST_ROOTS_H */
