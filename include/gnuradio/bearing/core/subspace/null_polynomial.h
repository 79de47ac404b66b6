/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_POLYNOMIAL_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_POLYNOMIAL_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief MUSIC's null function a^H Pn a as a palindromic polynomial
 * sum_(k=-n..n) c_k z^k, c_-k = conj(c_k), on the unit circle.
 *
 * Its roots come in pairs z, 1/z*, those of the sources near the circle: root-MUSIC.
 */
class BEARING_API null_polynomial
{
public:
    virtual ~null_polynomial() = default;

    //! c_0 .. c_n for a signal subspace Us (N x D, orthonormal columns), Pn = I - Us Us^H.
    virtual Eigen::VectorXcd
    coefficients(const Eigen::MatrixXcd& signal_subspace) const = 0;
};

/*!
 * \brief The exact one of a uniform line with gains and coupling, of degree N - 1 in
 * z = exp(j 2 pi d sin(theta) / lambda) (A. J. Barabell 1983). Position offsets are left
 * out.
 */
class BEARING_API line_null_polynomial : public null_polynomial
{
public:
    //! \param frame of a uniform line
    explicit line_null_polynomial(const variant_frame& frame);
    Eigen::VectorXcd coefficients(const Eigen::MatrixXcd& signal_subspace) const override;

private:
    Eigen::MatrixXcd d_response; // T of a = T v; empty: identity
    Eigen::VectorXcd d_total;    // the coefficients of a^H a
};

/*!
 * \brief That of any array, in z = exp(j theta): the Fourier series of the null function.
 *
 * The null function has the period 2 pi and hardly any harmonics beyond x = 4 pi r /
 * lambda, r the largest distance of an element from the centroid: n = x + 6.5 x^(1/3), at
 * least x + 10, leaves less than 1e-8 of it out (harmonic n is a Bessel function J_n(x) at
 * most, which falls off over a range of x^(1/3)). It holds for any calibration and needs no
 * grid, no virtual array and no sector.
 *
 * Source: M. Ruebsamen, A. B. Gershman, "Direction-of-arrival estimation for nonuniform
 * sensor arrays: from manifold separation to Fourier domain MUSIC methods", IEEE Trans.
 * SP 57(2), 2009.
 */
class BEARING_API fourier_null_polynomial : public null_polynomial
{
public:
    //! \throws std::invalid_argument for arrays of more than about 34 wavelengths, whose
    //! polynomial has too many roots
    explicit fourier_null_polynomial(const antenna_array& array);
    Eigen::VectorXcd coefficients(const Eigen::MatrixXcd& signal_subspace) const override;

    //! n
    int degree() const { return static_cast<int>(d_cosines.rows()) - 1; }

private:
    Eigen::MatrixXcd d_manifold; // N x Q, at azimuths 2 pi q / Q
    Eigen::VectorXd d_total;     // a^H a there, Q
    Eigen::MatrixXd d_cosines;   // cos(2 pi k q / Q) / Q, (n + 1) x Q
    Eigen::MatrixXd d_sines;     // and -sin
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_POLYNOMIAL_H */
