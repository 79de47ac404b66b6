/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ALIGNMENT_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ALIGNMENT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Root mean square periodic error of one set of bearings, in the best permutation.
 *
 * min over permutations of sqrt(mean_i e_i^2), e = the error modulo a turn, in
 * [-pi, pi); modulo pi, in [-pi/2, pi/2), for an array that looks forward only, so that
 * nothing counts for more than a right angle.
 *
 * \param estimated, truth azimuths in radians, M each; NaN when an estimate is NaN
 * \throws std::invalid_argument for sizes that disagree, M = 0 or M > 12
 */
BEARING_API double permuted_error(const antenna_array& array,
                                  const Eigen::VectorXd& estimated,
                                  const Eigen::VectorXd& truth);

/*!
 * \brief Bearings after the best map that unlabelled data leaves free: for reports, to tell
 * the shape of a calibrated array from its orientation.
 *
 * A line: sin(theta) -> alpha sin(theta) + beta; any other array: theta -> theta + rho.
 * The map is the least squares one; with \p robust, Tukey's biweight keeps wrong bearings
 * (sources that were not resolved) from bending it. Within each row estimates are paired
 * with the truth in the best permutation first, and again after the map.
 *
 * \param estimated, truth azimuths in radians, K x M; rows with NaN are passed through
 * \returns mapped estimates, K x M, each row in the order of truth
 * \throws std::invalid_argument for sizes that disagree
 */
BEARING_API Eigen::MatrixXd aligned(const antenna_array& array,
                                    const Eigen::MatrixXd& estimated,
                                    const Eigen::MatrixXd& truth,
                                    bool robust = false);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ALIGNMENT_H */
