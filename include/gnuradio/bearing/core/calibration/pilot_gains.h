/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PILOT_GAINS_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PILOT_GAINS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/array/status.h>
#include <Eigen/Dense>
#include <cstddef>
#include <limits>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! Gains from sources at known directions.
struct pilot_gains_result {
    /*!
     * Gains, and the array's own offsets and coupling, with g = 1 and delta = 0 at its
     * reference. With known snapshots also sigma_phase_rad and sigma_log_gain, those of
     * the error that is left when the best common factor is taken out (a common factor
     * does not matter). The array's own gains, without deviations, unless status is ok or
     * model_mismatch.
     */
    calibration_state calibration;
    //! Weighted mean of the null function a^H Pn a / a^H a at the known directions, 0 .. 1;
    //! NaN where there is no fit.
    double residual = std::numeric_limits<double>::quiet_NaN();
    /*!
     * ok; bad_data: no covariance is usable, or none of its directions known; low_snr: no
     * signal subspace stands clear of the noise; not_identifiable: other gains fit as well;
     * model_mismatch, with known snapshots: more signals than there are columns of
     * directions, or the fit leaves more than noise explains, directions or positions being
     * wrong (deviations are then widened by as much).
     */
    core::status status = core::status::bad_data;
};

/*!
 * \brief Complex gains of the elements from sources at known directions, in closed form.
 *
 * At a known direction the response B g, B = C diag(v), v the array's phasors, lies in the
 * signal subspace, so g is the eigenvector of
 *
 *     sum_ki w_ki B_ki^H Pn_k B_ki    relative to    sum_ki w_ki B_ki^H B_ki
 *
 * with the smallest eigenvalue: no start, no iteration. The weights w_ki = 1 / (a^H U_k a),
 * U = s2 sum_m lambda_m / (lambda_m - s2)^2 e_m e_m^H, are those of independent errors of
 * Pn a; several sources take them from the gains of the unweighted fit.
 *
 * Positions and coupling are taken as the array has them; its gains do not matter. An
 * element that hears nothing but its receiver's noise gets a gain near 0. Covariances that
 * check_covariance() refuses (also for a dead channel), and those in which not exactly M
 * eigenvalues stand clear of the noise, are left out.
 *
 * Reference: A. J. Weiss, B. Friedlander, "Eigenstructure methods for direction finding
 * with sensor gain and phase uncertainties", Circuits Systems Signal Process. 9(3), 1990.
 *
 * \param covariances K of N x N
 * \param array N elements
 * \param azimuth radians, K x M for M sources in each covariance, 1 <= M < N; NaN where
 * unknown
 * \param elevation radians, K x M; empty: all on the horizon
 * \param snapshots T behind each covariance; 0: unknown
 * \throws std::invalid_argument naming the parameter: sizes that disagree, an infinite
 * angle, an azimuth behind an array that sees its front only, no covariance
 */
BEARING_API pilot_gains_result
pilot_gains(const std::vector<Eigen::MatrixXcd>& covariances,
            const antenna_array& array,
            const Eigen::MatrixXd& azimuth,
            const Eigen::MatrixXd& elevation = {},
            std::size_t snapshots = 0);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_PILOT_GAINS_H */
