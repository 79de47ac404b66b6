/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief MUSIC for signals too wide for one covariance: bearings with predicted standard
 * deviations, and a pseudo-spectrum.
 * \ingroup bearing
 *
 * Input: items of M * N * N complex float from bearing::subband_covariance with the same
 * num_subbands, sample_rate and bandwidth.
 *
 * Output (may stay unconnected): the pseudo-spectrum in dB, num_points floats an item,
 * over the grid of azimuths that grid_deg() returns.
 *
 * Messages in `calibration` and out `bearings` as of bearing::music; power_db is the power
 * in all sub-bands that were used. A calibration holds for the whole band.
 *
 * An `rx_freq` tag is the new centre frequency of an array that was built with a
 * wavelength.
 *
 * Method: core::wideband_music_estimator (M. Wax, T.-J. Shan, T. Kailath 1984; H. Wang, M.
 * Kaveh 1985). `std_deg` is NaN, and the status says why, where the predicted deviation
 * would not hold; with combination "coherent" also for sources that are echoes of each
 * other: not_identifiable.
 */
class BEARING_API wideband_music : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<wideband_music> sptr;

    /*!
     * \param array geometry, wavelength at the centre of the band, and calibration, N >= 2
     * elements
     * \param num_sources K, 1 .. N-1; 0: count them
     * \param num_subbands M, 3 .. 1024
     * \param sample_rate Hz, > 0
     * \param bandwidth share of the sample rate that the sub-bands fill, in (0, 1]
     * \param center_frequency Hz, > 0, of the wavelengths that the array's geometry is in;
     * of no effect on an array with a wavelength, which tells it
     * \param combination "incoherent", of the sub-bands' null functions, or "coherent", of
     * their covariances, which resolves echoes
     * \param snapshots number behind each sub-band while no `snapshots` tag tells; 0:
     * unknown
     * \param num_points points of the spectrum, >= 2, fixed; a power of two is best
     * \param limits_deg first and last azimuth of the spectrum and the search, in
     * degrees; empty: the array's whole range
     * \param heading_deg direction of the array's +y axis, clockwise from north, in
     * degrees
     * \param counting "ratio", "mdl" or "aic", how sources are counted
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     int num_subbands,
                     double sample_rate,
                     double bandwidth = 0.8,
                     double center_frequency = 0.0,
                     const std::string& combination = "incoherent",
                     int snapshots = 0,
                     int num_points = 512,
                     const std::vector<double>& limits_deg = {},
                     double heading_deg = 0.0,
                     const std::string& counting = "ratio");

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
    //! "incoherent" or "coherent". \throws std::invalid_argument for anything else
    virtual void set_combination(const std::string& combination) = 0;
    //! Azimuths of the spectrum's points in degrees.
    virtual std::vector<double> grid_deg() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_H */
