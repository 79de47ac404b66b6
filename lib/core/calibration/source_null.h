/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_SOURCE_NULL_H
#define INCLUDED_BEARING_CORE_CALIBRATION_SOURCE_NULL_H

#include "calibration_sample.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The null function D = a^H Pn a at one source, and what Gauss-Newton needs of it.
 *
 * Each element's parameters turn or scale its own a_n only, so every derivative of D
 * follows from B = diag(conj a) Es: c = diag(conj a) Pn a and Q = diag(conj a) Pn diag(a),
 * and all of them are relative to a_n (change of log gain, of phase).
 *
 * Keeps its storage: evaluate() allocates nothing after the first time.
 */
class source_null
{
public:
    explicit source_null(int num_elements);

    //! At an azimuth in radians, far away or at \p range in wavelengths.
    void evaluate(const array_parameters& parameters,
                  const calibration_sample& sample,
                  double azimuth,
                  double range = std::numeric_limits<double>::infinity());

    //! D over its expectation at a true direction: about 1 on a calibrated array
    double depth() const { return d_value / (d_variance * d_noise_dimension); }
    //! what sampling gives to each dimension of Pn a
    double variance() const { return d_variance; }

    //! c, N
    const Eigen::VectorXcd& correlation() const { return d_correlation; }
    //! 2 pi times the derivative of each element's path along x (axis 0) or y (1), N:
    //! radians of phase for a wavelength of offset
    const Eigen::MatrixXd& phase_by_position() const { return d_phase_by_position; }
    //! Q, N x N, real and imaginary part
    void fill_curvature(Eigen::MatrixXd& real, Eigen::MatrixXd& imag) const;
    //! Q_ll, of one element
    double own_curvature(Eigen::Index element) const
    {
        return d_power(element) - d_projection.row(element).squaredNorm();
    }

    //! da/dtheta = j rho a: Q rho, q = rho^T Q rho and Im(c)^T rho. Far sources only.
    const Eigen::VectorXcd& azimuth_coupling() const { return d_azimuth_coupling; }
    double azimuth_curvature() const { return d_azimuth_curvature; }
    double azimuth_slope() const { return d_azimuth_slope; }
    //! What Newton's method adds to the azimuth to find the minimum; 0 where D is not
    //! convex.
    double newton_step() const;

private:
    Eigen::VectorXcd d_phasor;      // a
    Eigen::MatrixXcd d_projection;  // B, N x M
    Eigen::VectorXcd d_in_subspace; // b = Es^H a, M
    Eigen::VectorXcd d_correlation;
    Eigen::VectorXd d_power; // |a_n|^2
    Eigen::MatrixXd d_phase_by_position;
    Eigen::VectorXd d_rate;         // rho
    Eigen::VectorXd d_acceleration; // of the phase, by azimuth
    Eigen::VectorXcd d_azimuth_coupling;
    Eigen::VectorXcd d_rate_in_subspace;
    double d_value = 0.0;
    double d_variance = 1.0;
    double d_noise_dimension = 1.0;
    double d_azimuth_curvature = 0.0;
    double d_azimuth_slope = 0.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_SOURCE_NULL_H */
