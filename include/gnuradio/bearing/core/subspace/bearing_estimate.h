/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H

#include <gnuradio/bearing/api.h>
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
    //! roots of the null polynomial inside the unit circle, nearest to it first; empty for
    //! estimators that find no roots
    Eigen::VectorXcd roots;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEARING_ESTIMATE_H */
