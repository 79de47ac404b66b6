/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_GAIN_STATE_H
#define INCLUDED_BEARING_CORE_CALIBRATION_GAIN_STATE_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <Eigen/Dense>

// What the closed forms, which fit gains alone, have in common.

namespace gr {
namespace bearing {
namespace core {

//! The array without its gains and coupling: its phasors at the offsets in force.
antenna_array without_gains(const antenna_array& array);

//! The array's own calibration, gauged, with offsets filled; no deviations.
calibration_state own_calibration(const antenna_array& array);

//! The same with these gains in place of its own.
calibration_state calibration_with(const antenna_array& array,
                                   const Eigen::VectorXcd& gains);

/*!
 * \brief Fills sigma_phase_rad and sigma_log_gain: deviations of each gain's relative
 * error, less the best common factor, which matters to no one.
 *
 * Of a gain that is lost in its error they say that nothing is known: at most those of a
 * phase anywhere on the circle.
 *
 * \param gains g, N, in any gauge
 * \param covariance of the errors of [Re g, Im g], 2 N x 2 N
 */
void set_deviations(const Eigen::VectorXcd& gains,
                    const Eigen::MatrixXd& covariance,
                    calibration_state& calibration);

//! [Re Z, -Im Z; Im Z, Re Z]: what Z does to [Re g, Im g].
Eigen::MatrixXd real_form(const Eigen::MatrixXcd& z);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_GAIN_STATE_H */
