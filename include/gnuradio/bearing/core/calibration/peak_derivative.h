/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PEAK_DERIVATIVE_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PEAK_DERIVATIVE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How a peak of the MUSIC spectrum moves when the array's parameters do.
 *
 * The peak is where D_theta = dD/dtheta = 0, D = a^H (I - Es Es^H) a, so by the implicit
 * function theorem d theta / dz = -D_theta,z / D_theta,theta.
 */
struct peak_derivative {
    //! D_theta,theta; not positive: there is no minimum of D, and what follows means
    //! nothing
    double curvature;
    //! dtheta/dRe g + j dtheta/dIm g in radians, N
    Eigen::VectorXcd gains;
    //! dtheta/dp in radians per wavelength, N x 3; z has no influence
    Eigen::MatrixXd positions;
};

/*!
 * \brief The derivative of a peak without a softmax over a grid.
 * \param parameters the array, whose norm does not depend on the direction
 * \param signal_subspace Es, N x M, orthonormal columns
 * \param azimuth of the peak in radians, to rounding: see null_function::minimum()
 * \throws std::invalid_argument for sizes that disagree
 *
 * Reference: B. Chatelier et al., ICC 2025 (arXiv 2411.15144), whose soft peaks it replaces.
 */
BEARING_API peak_derivative differentiate_peak(const array_parameters& parameters,
                                               const Eigen::MatrixXcd& signal_subspace,
                                               double azimuth);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PEAK_DERIVATIVE_H */
