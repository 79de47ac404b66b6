/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_H
#define INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief What the receivers of an array deliver when transmitters stand, or move, around
 * it. \ingroup bearing
 *
 * Outputs: N coherent streams of complex float, one an element, white noise of the given
 * power included. The first sample of every stream carries the tags `rx_time`, `rx_rate`
 * and, when a centre frequency is given, `rx_freq`.
 *
 * Lists hold one value for each of the K sources, or a single value for all of them.
 *
 * The same seed gives the same samples, whatever the scheduler does; a restart of the
 * flowgraph continues the stream and tags its first sample anew.
 */
class BEARING_API array_simulator : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<array_simulator> sptr;

    /*!
     * \param array the array as drawn; its calibration, if any, is part of the truth
     * \param angles_deg azimuth of each source at the start, degrees clockwise from +y;
     * its length is K (empty: noise only)
     * \param snr_db SNR per element of each source in dB
     * \param sample_rate in Hz, > 0
     * \param errors gain, position and coupling errors of the receivers
     * \param rates_deg azimuth rate of each source, degrees a second
     * \param frequencies offset of each source from the centre, Hz, within half the
     * rate
     * \param modulation "noise" or "tone"
     * \param coherent every source carries the first one's waveform (multipath)
     * \param phase_drift_deg random phase drift of the receivers: standard deviation
     * after one minute, degrees; element 0 does not drift
     * \param center_frequency in Hz for the `rx_freq` tag; it also replaces the
     * wavelength of an array that was built with one. 0: neither
     * \param start_time of the first sample in seconds, for the `rx_time` tag
     * \param noise_power E|n|^2 at each element
     * \param seed of the random numbers
     * \param throttle deliver no faster than sample_rate, by the wall clock
     * \param elevations_deg elevation of each source, degrees
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     const std::vector<double>& angles_deg,
                     const std::vector<double>& snr_db = { 20.0 },
                     double sample_rate = 1e6,
                     const core::calibration_state& errors = {},
                     const std::vector<double>& rates_deg = { 0.0 },
                     const std::vector<double>& frequencies = { 0.0 },
                     const std::string& modulation = "noise",
                     bool coherent = false,
                     double phase_drift_deg = 0.0,
                     double center_frequency = 0.0,
                     double start_time = 0.0,
                     double noise_power = 1.0,
                     int seed = 1,
                     bool throttle = false,
                     const std::vector<double>& elevations_deg = { 0.0 });

    //! Puts the sources at new azimuths, K values in degrees. \throws
    //! std::invalid_argument
    virtual void set_angles_deg(const std::vector<double>& angles_deg) = 0;
    //! SNR per element, K values (or 1 for all) in dB. \throws std::invalid_argument
    virtual void set_snr_db(const std::vector<double>& snr_db) = 0;
    //! Azimuth of each source, degrees, \p seconds after the first sample; while
    //! set_angles_deg() is not used it holds for the past and the future.
    virtual std::vector<double> angles_deg_at(double seconds) const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_H */
