/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CRAMER_RAO_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CRAMER_RAO_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The sources that a bound is asked for: their powers at an element, of noise of power 1.
 * \param azimuth, snr_db, snapshots as for cramer_rao_deviation(), which see for the errors
 * \returns K powers
 */
BEARING_API Eigen::VectorXd source_powers(const antenna_array& array,
                                          const Eigen::VectorXd& azimuth,
                                          const Eigen::VectorXd& snr_db,
                                          std::size_t snapshots);

/*!
 * \brief Stochastic Cramer-Rao bound of the directions: no unbiased estimator has a
 * smaller standard deviation.
 *
 * Uncorrelated Gaussian sources in white noise of power 1, everything but the manifold
 * unknown: with A = [a(theta_k)], D = [da/dtheta_k], P = diag(snr), R = A P A^H + I,
 *
 *     CRB = 1 / (2 M) * ( Re[ (D^H (I - A A^+) D) o (P A^H R^-1 A P)^T ] )^-1
 *
 * Reference: P. Stoica, A. Nehorai, "Performance study of conditional and unconditional
 * direction-of-arrival estimation", IEEE Trans. ASSP 38(10), 1990.
 *
 * \param azimuth K directions in radians, 1 <= K < N
 * \param snr_db SNR per element of each source in dB, K (or 1 value for all)
 * \param snapshots M >= 1
 * \returns K standard deviations in radians; NaN where the scene cannot be resolved at
 * all
 * \throws std::invalid_argument naming the parameter
 */
BEARING_API Eigen::VectorXd cramer_rao_deviation(const antenna_array& array,
                                                 const Eigen::VectorXd& azimuth,
                                                 const Eigen::VectorXd& snr_db,
                                                 std::size_t snapshots);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CRAMER_RAO_H */
