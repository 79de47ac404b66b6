/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_FITTED_MANIFOLD_H
#define INCLUDED_BEARING_CORE_SUBSPACE_FITTED_MANIFOLD_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The geometry of a set of K directions: A, its derivative D, the projector P_A on
 * A's columns, and what follows from them.
 */
class fitted_manifold
{
public:
    /*!
     * \param array must outlive this object
     * \param azimuth K in radians, no two of them equal
     */
    fitted_manifold(const antenna_array& array, const Eigen::VectorXd& azimuth);

    const antenna_array& array() const { return d_array; }
    int num_sources() const { return static_cast<int>(d_a.cols()); }
    //! A^+, K x N
    const Eigen::MatrixXcd& inverse() const { return d_inverse; }
    //! (A^H A)^-1
    Eigen::MatrixXcd gram_inverse() const;
    //! (I - P_A) times N x r vectors
    Eigen::MatrixXcd left_of(const Eigen::MatrixXcd& vectors) const;

    //! Re[S o (D^H (I - P_A) D)^T] with o the entrywise product, K x K
    Eigen::MatrixXd information(const Eigen::MatrixXcd& s) const;

    /*!
     * \brief Covariance of the gradient that the calibration's stated errors cause.
     *
     * sum_l [s_phase,l^2 Im(q_l) Im(q_l)^T + s_gain,l^2 Re(q_l) Re(q_l)^T] with
     * q_kl = (S E^H)_kl (C^H (I - P_A) D)_lk, E the elements' responses before coupling C.
     */
    Eigen::MatrixXd calibration_information(const Eigen::MatrixXcd& s) const;

    //! What each element brings to the outputs, of sources with covariance S, N.
    Eigen::ArrayXd element_power(const Eigen::MatrixXcd& s) const;

    // Distances are in spatial frequency, radians an element: that of the uniform line of
    // as many elements whose steering vectors enclose the same angle.

    //! What takes a small difference in azimuth of source k into that measure.
    double measure(Eigen::Index k) const;
    //! From source k, at most two beamwidths: farther ones do not influence each other.
    double distance_to_nearest(Eigen::Index k) const;

private:
    double of_a_line() const;

    const antenna_array& d_array;
    Eigen::MatrixXcd d_a;
    Eigen::MatrixXcd d_d;
    Eigen::MatrixXcd d_basis; // orthonormal, of the columns of A
    Eigen::MatrixXcd d_projected_d;
    Eigen::MatrixXcd d_inverse;
    Eigen::MatrixXcd d_response; // of the elements, before coupling
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_FITTED_MANIFOLD_H */
