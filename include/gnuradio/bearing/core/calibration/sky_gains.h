/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_SKY_GAINS_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_SKY_GAINS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/array/status.h>
#include <Eigen/Dense>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

//! How a sky is fitted.
struct sky_gains_config {
    //! first from the array's own gains, then from random phases; >= 1
    int starts = 10;
    //! most alternations of powers and gains in each; >= 1
    int iterations = 300;
    //! of the random phases; the same seed gives the same result
    unsigned seed = 1;
};

//! Gains from many sources at known directions.
struct sky_gains_result {
    /*!
     * Gains, and the array's own offsets and coupling, with g = 1 and delta = 0 at its
     * reference. sigma_phase_rad and sigma_log_gain are those of the error that is left
     * when the best common factor is taken out, with the noise that the fit leaves. The
     * array's own gains, without deviations, unless status is ok.
     */
    calibration_state calibration;
    //! power of each source at an element of gain 1, S; NaN where there is no fit
    Eigen::VectorXd power;
    //! what the fit leaves of the cross-correlations, norm over norm, 0 .. 1; NaN where
    //! there is no fit
    double residual = std::numeric_limits<double>::quiet_NaN();
    /*!
     * ok; bad_data: not finite, not Hermitian, or without any cross-correlation; low_snr:
     * noise would fit as well; not_identifiable: other gains, or other powers, fit as well,
     * or there are no more data than unknowns.
     */
    core::status status = core::status::bad_data;
};

/*!
 * \brief Complex gains of the elements from one covariance of many weak sources at known
 * directions, such as a sky of navigation satellites; there may be more of them than
 * elements.
 *
 *     R_ij = sum_s P_s a_i(s) conj(a_j(s)), i != j,    a(s) = C diag(g) v(s)
 *
 * The diagonal, which holds the noise, is ignored. Alternates between the powers P >= 0
 * (non-negative least squares, C. L. Lawson, R. J. Hanson 1974, in the normal equations)
 * and the gains (each side of R in turn by linear least squares, every second time averaged
 * with the last: S. Salvini, S. J. Wijnholds, "Fast gain calibration in radio astronomy
 * using alternating direction implicit methods", Astron. Astrophys. 571, 2014), from
 * several starts, of which the one with the lowest residual wins.
 *
 * Every cross-correlation counts alike. The gain of an element that hears nothing is 0 but for
 * noise; of a dead channel exactly. Only the deviations take the diagonal into account: without
 * a plausible one (R with it positive semidefinite) they hold for weak sources only. They
 * include the noise of the sources themselves, to first order.
 *
 * \param covariance R, N x N; NaN on the diagonal is no harm
 * \param array N elements; its positions and coupling are taken as they are
 * \param azimuth radians, S >= 1
 * \param elevation radians, S; below the horizon is allowed
 * \throws std::invalid_argument naming the parameter: sizes that disagree, no direction,
 * one that is not finite, a bad config
 */
BEARING_API sky_gains_result
sky_gains(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
          const antenna_array& array,
          const Eigen::VectorXd& azimuth,
          const Eigen::VectorXd& elevation,
          const sky_gains_config& config = {});

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_SKY_GAINS_H */
