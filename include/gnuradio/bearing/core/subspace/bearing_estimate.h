/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/status.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What an estimator found in one covariance.
 *
 * The vectors with one value a source are num_sources long and sorted by power, strongest
 * first; directions that could not be found are NaN and stand last.
 */
struct BEARING_API bearing_estimate {
    //! K: given, or counted
    int num_sources = 0;
    //! theta in radians, clockwise from +y; in [-pi/2, pi/2] or [0, 2 pi)
    Eigen::VectorXd azimuth;
    //! which of the two ranges it is
    bool is_front_only = false;
    //! predicted standard deviation in radians; NaN where it is not trustworthy
    Eigen::VectorXd deviation;
    //! source power per element, dB relative to 1
    Eigen::VectorXd power_db;
    //! source power per element over noise power per element, dB
    Eigen::VectorXd snr_db;
    //! ok when every azimuth and, for estimators that predict one, every deviation holds
    core::status status = core::status::ok;
    //! pseudo-spectrum in dB over \p grid; empty for estimators without one
    Eigen::VectorXd spectrum_db;
    //! azimuths in radians; empty for estimators without a spectrum
    Eigen::VectorXd grid;
    //! elevation in radians up from the x-y plane, one a source; empty: not searched
    Eigen::VectorXd elevation;
    //! of elevation, radians; also NaN, whatever the status, where a flat array cannot tell
    //! elevations apart (near its own plane)
    Eigen::VectorXd elevation_deviation;
    //! distance from the origin in the array's unit, one a source; empty: not searched;
    //! infinite: not told apart from a source far away
    Eigen::VectorXd range;
    //! of range; also NaN, whatever the status, where 1 / range is too uncertain for it
    Eigen::VectorXd range_deviation;
    //! pseudo-spectrum in dB over grid (rows) and one of the next two (columns); empty
    //! unless kept
    Eigen::MatrixXd map_db;
    //! elevations in radians at which sources were looked for; empty: not searched
    Eigen::VectorXd elevation_grid;
    //! inverse ranges likewise, one over the array's unit
    Eigen::VectorXd inverse_range_grid;
    //! roots of the null polynomial inside the unit circle, nearest to it first; empty for
    //! estimators that find no roots
    Eigen::VectorXcd roots;
};

//! An azimuth in the range the array reports: [0, 2 pi), or unchanged for front-only ones.
BEARING_API double reported_azimuth(const antenna_array& array, double azimuth);

//! 10 log10(power), not below -200 dB.
BEARING_API double to_db(double power);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H */
