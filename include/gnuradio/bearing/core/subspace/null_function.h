/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_FUNCTION_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_FUNCTION_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief f(theta) = a^H Pn a / a^H a, the MUSIC null function, in [0, 1].
 *
 * Pn = I - Es Es^H projects on the noise subspace; the MUSIC pseudo-spectrum is 1 / f.
 * The derivatives are analytic, so a minimum can be refined far below any grid's step.
 * Evaluation allocates nothing; an object serves one thread at a time.
 *
 * Reference: R. O. Schmidt, "Multiple emitter location and signal parameter estimation",
 * IEEE Trans. Antennas Propag. 34(3), 1986.
 */
class BEARING_API null_function
{
public:
    /*!
     * \param array manifold; must outlive this object
     * \param signal_subspace Es, N x K, orthonormal columns
     */
    null_function(const antenna_array& array, const Eigen::MatrixXcd& signal_subspace);

    struct expansion {
        double value;     //!< f
        double slope;     //!< df/dtheta
        double curvature; //!< d2f/dtheta2
    };

    //! f at an azimuth in radians
    double value(double azimuth) const;
    //! f and its first two derivatives with respect to azimuth
    expansion at(double azimuth) const;

    /*!
     * \brief The minimum of f between \p lower and \p upper (radians), to rounding error.
     *
     * Newton's method on the slope, kept inside a bracket by bisection; \p start lies in
     * the bracket and f falls from both ends towards it.
     */
    double minimum(double lower, double start, double upper) const;
    //! The same, and what f is there, but for a step of Newton's method too small to
    //! matter.
    double minimum(double lower, double start, double upper, expansion& at_minimum) const;

private:
    // The real and the imaginary parts of some vectors, a column each.
    struct parts {
        Eigen::MatrixXd real;
        Eigen::MatrixXd imag;
    };

    // The manifold and its first \p derivatives into d_manifold.
    void steer(double azimuth, int derivatives) const;
    // Es^H times column \p of of d_manifold, into the same column of d_inside.
    void project(int of) const;
    // Pn a into d_noise_part, from the column of a in d_inside; its squared norm.
    double noise_part() const;

    const Eigen::MatrixXd& d_waves;
    const Eigen::VectorXcd& d_gains;
    const Eigen::MatrixXcd& d_coupling;
    const parts d_subspace; // Es

    mutable parts d_manifold;   // a, a', a''
    mutable parts d_inside;     // Es^H a, Es^H a'
    mutable parts d_noise_part; // Pn a
    mutable parts d_uncoupled;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_NULL_FUNCTION_H */
