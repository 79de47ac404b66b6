/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief MUSIC: bearings with predicted standard deviations, and a pseudo-spectrum.
 * \ingroup bearing
 *
 * Input: covariance items of N * N complex float from bearing::covariance.
 *
 * Output (may stay unconnected): the pseudo-spectrum in dB, num_points floats an item,
 * over the grid of azimuths that grid_deg() returns.
 *
 * Message in `calibration`: a dict with any of `gains`, `positions`, `coupling`,
 * `sigma_phase_rad`, `sigma_log_gain`, `reference`, `frequency`, `time`; a missing key
 * leaves that part unchanged. One that does not fit the array is ignored with a warning.
 *
 * A calibration with a `frequency` is applied to items whose `rx_freq` is within a
 * thousandth of it, and to items that tell none; each frequency has its own. One without
 * is applied to all.
 *
 * Message out `bearings`: one PDU per item, cons(dict, f32vector angles_deg), strongest
 * source first. The dict holds `rx_time`, `rx_freq`, `method`, `status`, `num_sources`,
 * `snapshots`, `std_deg`, `true_bearing_deg` (heading + angle, in [0, 360)), `power_db`,
 * `snr_db`; what is unknown is PMT_NIL, angles that could not be found are NaN. A search
 * over two coordinates adds `elevation_deg` and `elevation_std_deg`, or `range_m` and
 * `range_std_m` (in the array's unit: metres, or wavelengths when it has no wavelength;
 * infinite: not told apart from a source far away).
 *
 * An `rx_freq` tag replaces the wavelength of an array that was built with one.
 *
 * Method: core::music_estimator (R. O. Schmidt 1986), or core::music_2d_estimator.
 * `std_deg` is NaN, and the status says why, where the predicted deviation would not hold.
 */
class BEARING_API music : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<music> sptr;

    /*!
     * \param array geometry, wavelength and calibration, N >= 2 elements
     * \param num_sources K, 1 .. N-1; 0: count them
     * \param snapshots number behind each item while no `snapshots` tag tells; 0:
     * unknown
     * \param num_points points of the spectrum, >= 2, fixed; a power of two is best
     * \param limits_deg first and last azimuth of the spectrum and the search, in
     * degrees; empty: the array's whole range
     * \param heading_deg direction of the array's +y axis, clockwise from north, in
     * degrees
     * \param counting "ratio", "mdl" or "aic", how sources are counted
     * \param search "azimuth" alone, of sources far away on the horizon;
     * "azimuth_elevation", of sources far away (not by a line); or "azimuth_range", of
     * sources near by on the horizon. The spectrum is then the highest over the second
     * coordinate.
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     int snapshots = 0,
                     int num_points = 512,
                     const std::vector<double>& limits_deg = {},
                     double heading_deg = 0.0,
                     const std::string& counting = "ratio",
                     const std::string& search = "azimuth");

    //! \throws std::invalid_argument unless 0 <= num_sources < N
    virtual void set_num_sources(int num_sources) = 0;
    //! \throws std::invalid_argument unless finite
    virtual void set_heading_deg(double heading_deg) = 0;
    //! New limits for the same number of points; empty: the whole range.
    //! \throws std::invalid_argument naming limits_deg
    virtual void set_limits_deg(const std::vector<double>& limits_deg) = 0;
    //! Replaces the whole calibration; parts that \p calibration lacks are those of the
    //! array as drawn. \throws std::invalid_argument when it does not fit the array
    virtual void set_calibration(const core::calibration_state& calibration) = 0;
    //! Azimuths of the spectrum's points in degrees.
    virtual std::vector<double> grid_deg() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_MUSIC_H */
