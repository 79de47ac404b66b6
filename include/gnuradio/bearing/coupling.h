/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_COUPLING_H
#define INCLUDED_GNURADIO_BEARING_COUPLING_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief Mutual coupling and bearings found together, while the array runs.
 * \ingroup bearing
 *
 * Input: covariance items of N * N complex float from bearing::covariance. No stream
 * output.
 *
 * Message in `calibration`: a dict with any of `gains`, `positions`, `sigma_phase_rad`,
 * `sigma_log_gain`, `reference`, `frequency`, `time`; a missing key leaves that part
 * unchanged, and a `coupling` is not used: it is what is looked for. One that does not fit
 * the array is ignored with a warning. One with a `frequency` is applied to items whose
 * `rx_freq` is within a thousandth of it, and to items that tell none.
 *
 * Message out `bearings`: one PDU per item, cons(dict, f32vector angles_deg), strongest
 * source first. The dict holds `rx_time`, `rx_freq`, `method` ("coupling"), `status`,
 * `num_sources`, `snapshots`, `std_deg`, `true_bearing_deg` (heading + angle, in
 * [0, 360)), `power_db`, `snr_db`, and
 *  - `glrt`, `glrt_limit`: double, how much worse the model is than any covariance, and
 *    above which value it is wrong (false alarms 1 %); NaN where it cannot tell,
 *  - `is_gated`: bool, bearings are those without correction by this item: of MUSIC with
 *    what others told of the coupling, and without any as long as none did. Status
 *    ("low_snr", "unresolved" or "not_identifiable") and reason say why,
 *  - `reason`: symbol, a sentence behind a status other than "ok" and, with prior
 *    "covariance", behind missing deviations, with dots in place of measured values;
 *    PMT_NIL: none.
 * What is unknown is PMT_NIL, angles that could not be found are NaN.
 *
 * Message out `calibration`: what the estimators take, a dict with `coupling` (c32vector,
 * column-major N x N; once something is learnt), `frequency` and `time` (of the item, in
 * seconds; PMT_NIL: unknown), and
 *  - `status`: symbol "learning" or "tracking",
 *  - `glrt`: double, of the latest item,
 *  - `scenes`: uint64, items that the average is made of,
 *  - `restarts`: uint64, how often all was learnt anew.
 * One comes at once when status or restarts change, else, when there is something new, at
 * most one an interval.
 *
 * Each tuning learns for itself: an `rx_freq` further than a thousandth from those known
 * begins anew; of more than eight the one that was out of use longest is forgotten. For an
 * array that was built with a wavelength the tag replaces it. Where weights do not fit
 * the new wavelength the status is "not_identifiable", and the reason says so.
 *
 * A thread of the block does the work, and items wait in the stream's own buffer. Where an
 * item lasts shorter (by the tags `snapshots` and `rx_rate`) than the work on one takes on
 * average, and more than eight wait, the oldest are skipped; else none is lost.
 *
 * Method: core::coupling_estimator and, over several items, core::coupling_tracker.
 */
class BEARING_API coupling : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<coupling> sptr;

    /*!
     * \param array geometry, wavelength, gains and position offsets; a uniform line or
     * circle for priors "none" and "covariance", one that weights are for else
     * \param num_sources K, 1 .. N-1; 0: count them
     * \param coefficients of the coupling, c_0 = 1 included: elements next to each other,
     * next but one, ..; not used with priors "gaussian" and "coupling"
     * \param prior "none": Toeplitz on lines, circulant on circles; "gaussian", "coupling":
     * simulated antennas, without and with a diffusion model; "covariance": a diffusion
     * model of covariances
     * \param snapshots number behind each item while no `snapshots` tag tells; 0:
     * unknown
     * \param heading_deg direction of the array's +y axis, clockwise from north, in
     * degrees
     * \param counting "ratio", "mdl" or "aic", how sources are counted
     * \param criterion "ml", maximum likelihood, or "frobenius", a covariance fit to
     * compare with
     * \param weights file; empty: the one among those installed that is for the array
     * \param memory items after which one counts 1/e in the average; 0: each stands for
     * itself, as it must with prior "covariance" and criterion "frobenius"
     * \param interval between messages `calibration`, seconds of stream time (of the clock
     * where the stream tells none), >= 0
     * \throws std::invalid_argument naming the parameter
     * \throws std::runtime_error for a weights file that is missing or damaged
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     int coefficients = 3,
                     const std::string& prior = "none",
                     int snapshots = 0,
                     double heading_deg = 0.0,
                     const std::string& counting = "ratio",
                     const std::string& criterion = "ml",
                     const std::string& weights = "",
                     double memory = 100.0,
                     double interval = 1.0);

    //! What was learnt of the coupling stays. \throws std::invalid_argument unless
    //! 0 <= num_sources < N, and few enough for the coefficients
    virtual void set_num_sources(int num_sources) = 0;
    //! \throws std::invalid_argument unless finite
    virtual void set_heading_deg(double heading_deg) = 0;
    //! \throws std::invalid_argument unless finite and >= 0
    virtual void set_interval(double interval) = 0;
    //! Replaces gains and positions; parts that \p calibration lacks are those of the
    //! array as drawn, and its coupling is not used. \throws std::invalid_argument when it
    //! does not fit the array
    virtual void set_calibration(const core::calibration_state& calibration) = 0;

    // Of the tuning that was in use last:

    //! Its coupling (empty before anything is learnt), frequency and time.
    virtual core::calibration_state calibration() const = 0;
    //! "learning" or "tracking"
    virtual std::string status() const = 0;
    //! Items that the average is made of.
    virtual std::uint64_t scenes() const = 0;
    //! How often all was learnt anew.
    virtual std::uint64_t restarts() const = 0;

    //! What became of items, at all tunings: their number by status, and "busy", those
    //! that were skipped. Besides, "gated": those whose bearings are without correction.
    virtual std::map<std::string, std::uint64_t> counts() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COUPLING_H */
