/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_H
#define INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <gnuradio/block.h>
#include <gnuradio/gr_complex.h>
#include <Eigen/Dense>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Signals that propagate along N sensors, out of noise, while they come in.
 * \ingroup bearing
 *
 * Inputs: N streams, one a sensor. Outputs: N streams of signal, what sum_k P_k s0_k is at
 * each sensor; after them 0 .. K streams of the sources s0_k. Output item k is the
 * estimate for input item k; it comes out latency() items later, and at the end of the
 * stream all that went in comes out.
 *
 * Tags keep the items they stand on, so `rx_time` stays right; one that several inputs
 * carry comes out once on each output. Where samples are missing, by a `gap` tag (uint64
 * lost samples, 0: unknown) or an `rx_time` more than half a sample from the predicted
 * one, and at another `rx_freq`, the filters start anew, as if zeros were on both sides.
 * At another `rx_freq` spectra are forgotten; of complex streams it replaces the centre
 * frequency, unless the propagators' tables do not cover the band around it.
 *
 * Message out `spectra`: a dict with
 *  - `frequency`: f32vector, Hz, F,
 *  - `noise_psd`, `source_psd`: f32vectors, two-sided power densities, row-major F x N and
 *    F x K,
 *  - `sensor_noise`: f32vector, noise power of each sensor relative to their geometric mean,
 *  - `velocity_scale`: f32vector, K, see velocity; NaN: unknown,
 *  - `status`: symbol, see core::propagator_stream::status(),
 *  - `rx_time`: tuple (uint64 seconds, double fraction) of the first item of the block of
 *    outputs that the spectra made; PMT_NIL: unknown,
 *  - `restarts`: uint64, how often the filters started anew,
 *  - `counts`: dict from symbol to uint64, see counts().
 * One comes when the interval has passed in stream time, when status or restarts changed,
 * and at the end.
 *
 * Message in `bearings`: PDUs cons(dict, f32vector angles_deg) of the estimators. The
 * propagators that are plane waves turn to the strongest bearings, each to the nearest;
 * where `elevation_deg` is there, it counts. Messages with a status other than "ok"
 * are ignored, and angles that are NaN leave a wave where it is.
 *
 * Method: core::propagator_stream.
 */
template <class T>
class BEARING_API propagator_ls : virtual public gr::block
{
public:
    typedef std::shared_ptr<propagator_ls<T>> sptr;

    /*!
     * \param propagators one for each of K sources, all of N sensors, N <= 64
     * \param sample_rate Hz
     * \param mode "ls", "ridge" or "wiener"
     * \param noise "common" or "per_sensor"
     * \param mu of wiener, >= 0: 1 is minimum mean square error, more leaks less
     * \param ridge of ridge, >= 0, relative to P^H P of one sensor with gain 1
     * \param block_length M, samples of an FFT; 0: by the propagators
     * \param averaging of the spectra, in blocks, >= 1
     * \param align whether channels are delayed by whole samples first, which shortens
     * filters
     * \param taper share of the band below Nyquist over which the filters fade out, 0 .. 1
     * \param source_psd, noise_psd where known: F x K, and F x 1 or F x N two-sided power
     * densities, unit^2 / Hz, at the bins of a block: F = M / 2 + 1 of real streams, M of
     * complex; empty: estimated
     * \param center_frequency of complex streams, Hz; 0: the propagators' own
     * \param interval between messages, seconds of stream time, >= 0; 0: every block
     * \param velocity "off"; "report": how much faster waves are than the propagators say
     * is estimated from one block each interval, in a thread of its own, averaged and told
     * from half an interval later on; "apply": and the propagators are scaled by it, while
     * it is within 0.95 .. 1.05
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const std::vector<core::propagator>& propagators,
                     double sample_rate,
                     const std::string& mode = "wiener",
                     const std::string& noise = "common",
                     double mu = 1.0,
                     std::optional<double> ridge = std::nullopt,
                     int block_length = 0,
                     double averaging = 4.0,
                     bool align = true,
                     double taper = 0.0,
                     const Eigen::MatrixXd& source_psd = Eigen::MatrixXd(),
                     const Eigen::MatrixXd& noise_psd = Eigen::MatrixXd(),
                     double center_frequency = 0.0,
                     double interval = 1.0,
                     const std::string& velocity = "off");

    // Changes at run time, faded over one block:

    //! \throws std::invalid_argument as make()
    virtual void set_mode(const std::string& mode) = 0;
    //! \throws std::invalid_argument unless finite and >= 0
    virtual void set_mu(double mu) = 0;
    //! \throws std::invalid_argument when there are not as many of as many sensors, or
    //! when they need longer filters, naming block_length
    virtual void set_propagators(const std::vector<core::propagator>& propagators) = 0;

    //! As they are in force, turned and scaled.
    virtual std::vector<core::propagator> propagators() const = 0;

    virtual int num_sensors() const = 0;
    virtual int num_sources() const = 0;
    //! Most items that go in before the first comes out.
    virtual int latency() const = 0;
    //! M, L and how many samples each block yields
    virtual int block_length() const = 0;
    virtual int support() const = 0;
    virtual int hop() const = 0;

    //! "ok", "learning", "bad_data", "no_source" or "not_identifiable"
    virtual std::string status() const = 0;
    virtual core::stream_spectra spectra() const = 0;
    //! Noise power of each sensor relative to their geometric mean, N.
    virtual Eigen::VectorXd sensor_noise() const = 0;
    //! True velocity over that of the propagators as given, K; NaN: unknown.
    virtual Eigen::VectorXd velocity_scale() const = 0;
    //! How often the filters started anew.
    virtual std::uint64_t restarts() const = 0;

    /*!
     * \brief What happened, each with its number.
     *
     * Reasons to start anew: "gap", "jump" (of rx_time) and "retuned". Messages of port
     * bearings: "bearings_followed", "bearings_ignored" (another status, or no angle) and
     * "bearings_malformed". "refused": changes by bearing, velocity or rx_freq that the
     * block's length or the propagators' tables do not allow. "bad_tags": tags with values that make no
     * sense; "other_rate": rx_rate tags that contradict sample_rate.
     */
    virtual std::map<std::string, std::uint64_t> counts() const = 0;
};

typedef propagator_ls<float> propagator_ls_ff;
typedef propagator_ls<gr_complex> propagator_ls_cc;

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_H */
