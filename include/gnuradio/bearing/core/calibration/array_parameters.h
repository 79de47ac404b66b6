/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ARRAY_PARAMETERS_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ARRAY_PARAMETERS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! An element this much weaker than the strongest, in amplitude, is dead: a fit finds in it
//! what noise makes of nothing.
constexpr double dead_gain = 0.05;

/*!
 * \brief What a calibrator fits: the gain and the place of each element, in wavelengths.
 *
 *     a_n(theta) = g_n exp(+j 2 pi p_n . u(theta))
 *
 * on the horizon, u = (sin theta, cos theta, 0); from a source at range r, near by,
 * a_n = g_n exp(-j 2 pi (|r u - p_n| - r)).
 *
 * Data cannot tell a common gain, a common phase or a common shift of all elements. While
 * fitting they are pinned by impose_gauge(); what leaves a calibrator is in the gauge of
 * calibration_state: g = 1 and delta = 0 at the reference element.
 */
struct BEARING_API array_parameters {
    //! g, N
    Eigen::VectorXcd gains;
    //! p + delta in wavelengths, N x 3
    Eigen::MatrixXd positions;

    //! Those of an array with its calibration; a coupling in it is left out.
    static array_parameters of(const antenna_array& array);

    int num_elements() const { return static_cast<int>(gains.size()); }

    //! ||g||^2 = N, arg sum g = 0, and no offset from \p drawn, which has N elements, at the
    //! reference of calibration(): ranges of sources near by count from its origin.
    void impose_gauge(const antenna_array& drawn);

    /*!
     * \brief The calibration that makes \p drawn behave so.
     *
     * Gains and position offsets, in the unit of \p drawn, with g = 1 and delta = 0 at
     * the reference: that of the calibration in force of \p drawn, or 0; the strongest
     * element instead when that one is dead.
     */
    calibration_state calibration(const antenna_array& drawn) const;
};

/*!
 * \brief What the data cannot tell about an array's orientation without known bearings.
 *
 * A line: tilt and stretch, an affine map of sin(theta), which takes two known bearings
 * well apart. Any other array: its rotation, which takes one.
 */
enum class orientation {
    unknown,      //!< shape only: bearings are right but for the map
    partly_known, //!< a line with one known bearing: not its stretch
    known
};
//! "unknown", "partly_known" or "known"
BEARING_API const char* to_string(orientation o);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ARRAY_PARAMETERS_H */
