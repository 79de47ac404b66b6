/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_DIFFMUSIC_H
#define INCLUDED_GNURADIO_BEARING_DIFFMUSIC_H

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
 * \brief Calibrates the array while it runs, from whatever it hears.
 * \ingroup bearing
 *
 * Input: covariance items of N * N complex float from bearing::covariance; no output.
 *
 * Message out `calibration`: what the estimators take, a dict with `gains`, `positions`,
 * `sigma_phase_rad`, `sigma_log_gain`, `reference` (from the first accepted item on),
 * `frequency` and `time` (seconds; PMT_NIL: unknown), and
 *  - `status`: symbol "learning", "tracking" or "frozen",
 *  - `orientation`: symbol "unknown", "partly_known" or "known",
 *  - `ambiguity`: symbol, what bearings lack for that: "tilt" (a line without known
 *    bearings: its tilt and stretch), "stretch" (a line with one), "north" (any other
 *    array without one) or "none",
 *  - `loss`: double, about 1 when the array is calibrated; NaN before anything is known,
 *  - `restarts`, `rollbacks`: uint64, step changes recovered from, returns to a good
 *    state,
 *  - `counts`: dict from symbol to uint64, see counts().
 * One comes at once when status, orientation or restarts change, else at most one an
 * interval.
 *
 * Message in `truth`: where sources are known to be, a dict with
 *  - `angles_deg`: f32vector, degrees clockwise from +y, at most num_sources; empty:
 *    nothing is known any more,
 *  - `start`, `stop`: tuples (uint64 seconds, double fraction) in stream time. Without
 *    start it counts from now on; without stop until another one replaces it: one that
 *    starts later, or came later for the same time,
 *  - `range_m`: f32vector, distances of transmitters near by in the array's unit, beyond
 *    the farthest element.
 * It counts for items that lie wholly within its time, to a microsecond (for those that
 * begin within it, while their duration is unknown); items without `rx_time` are known only by messages
 * without start and stop that came while the time was unknown. Messages whose times
 * overlap must agree to 0.1 degrees, else none of them counts there. At most 64 wait.
 *
 * Each tuning has a calibrator of its own: an `rx_freq` further than frequency_tolerance
 * from those known gets a new one; of more than eight the one that was out of use longest
 * is forgotten. For an array that was built with a wavelength the tag replaces it.
 *
 * The stream never waits: where an update takes more than a quarter of an item's duration
 * (by the tags `snapshots` and `rx_rate`), a thread of the block does it; of more than
 * eight items that wait, the oldest is skipped. Without those tags every item is used.
 *
 * State file: what was learnt at each tuning, as JSON (core::save_calibrators()), written
 * by the block's thread whenever save_interval has passed, and when the flowgraph stops,
 * if something is new. It is replaced as a whole, so that it can be read after a loss of
 * power at any instant. It is read when the block is made; one that cannot be read, or is
 * for another array, is renamed to path + ".bad" with a warning, and all is learnt anew.
 *
 * Method: core::diffmusic_online.
 */
class BEARING_API diffmusic : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<diffmusic> sptr;

    /*!
     * \param array as drawn, with the calibration to start from, N >= 3 elements
     * \param num_sources M, 1 .. N-1, in every item
     * \param snapshots number behind each item while no `snapshots` tag tells; 0:
     * unknown, then items are not used
     * \param path of the state file, in a folder that can be written; empty: none
     * \param interval between messages, seconds of stream time (of the clock where the
     * stream tells none), >= 0
     * \param save_interval between writings of the state file, seconds of the clock, > 0
     * \param labelled_buffer, unlabelled_buffer how many of the latest items are
     * remembered
     * \param label_lifetime items for which a label is remembered
     * \param fit_positions whether element positions are fitted, or gains alone
     * \param frequency_tolerance part of the frequency within which one calibration
     * holds, >= 0, < 1. The estimators apply a calibration within 1e-3; at ten wavelengths
     * between elements and their receivers that is 3.6 degrees of phase
     * \param threading "auto" (as above), "inline": every item is used, the stream waits;
     * "worker": the block's thread does all updates
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     int snapshots = 0,
                     const std::string& path = "",
                     double interval = 1.0,
                     double save_interval = 60.0,
                     int labelled_buffer = 20,
                     int unlabelled_buffer = 32,
                     int label_lifetime = 600,
                     bool fit_positions = true,
                     double frequency_tolerance = 1e-3,
                     const std::string& threading = "auto");

    //! \throws std::invalid_argument unless finite and >= 0
    virtual void set_interval(double interval) = 0;
    //! \throws std::invalid_argument unless finite and > 0
    virtual void set_save_interval(double save_interval) = 0;

    // Of the tuning that was in use last:

    //! The present calibration.
    virtual core::calibration_state calibration() const = 0;
    //! "learning", "tracking" or "frozen"
    virtual std::string status() const = 0;
    //! "unknown", "partly_known" or "known"
    virtual std::string orientation() const = 0;
    //! Running null function over its expectation; NaN before the first accepted item.
    virtual double loss() const = 0;
    //! Step changes it recovered from.
    virtual std::uint64_t restarts() const = 0;
    //! How often it went back to its last good state.
    virtual std::uint64_t rollbacks() const = 0;

    /*!
     * \brief What became of items and of truth messages, at all tunings.
     *
     * Items, each under one: "accepted", "bad_data", "weak", "too_many_sources",
     * "close_sources", "off_model", "bad_label" (see core::update_outcome), "busy"
     * (skipped, the block's thread was behind) and "unknown_snapshots". Besides, items
     * for which a truth message counted: "labelled", and those for which truth messages
     * disagreed: "truth_contradictory".
     *
     * Messages that are not used: "truth_malformed", "truth_outside_view" (angles that
     * the array cannot see), "truth_too_many" (more angles than sources),
     * "truth_expired" (its time went by without an item) and "truth_dropped" (more than
     * 64 waited).
     */
    virtual std::map<std::string, std::uint64_t> counts() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_DIFFMUSIC_H */
