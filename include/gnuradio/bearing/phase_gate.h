/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_PHASE_GATE_H
#define INCLUDED_GNURADIO_BEARING_PHASE_GATE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/apply_calibration.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/block.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace gr {
namespace bearing {

/*!
 * \brief Holds back the samples of N receivers until their phases are known.
 * \ingroup bearing
 *
 * Inputs and outputs: N streams of complex float. The gate closes at a start and exactly
 * at the sample where phases may have changed: at a `gap` tag, an `rx_time` more than
 * half a sample from the predicted one, any `rx_freq` tag (a radio that tunes to where it
 * was has new phases too), an `rx_rate` that differs. Whoever calibrates then orders
 * measure() and at last open(); an order names the closure that it is for, and one for an
 * earlier closure is ignored, so that what was measured before a retune never opens the
 * gate after it.
 *
 * Streams whose `rx_time` tags say that they do not begin together are brought together:
 * what the later ones lack of the earlier ones is dropped. Streams that are 1e9 samples
 * apart and more cannot be: the gate closes (reason `apart`), says so in the log, and stays
 * closed until they are not. It stays closed as well while `rx_freq` of the streams differ.
 *
 * Tags pass with their samples. On the first sample after a closure each stream has
 * `rx_time`, `rx_freq` and `rx_rate` where they are known, the last of other tags that
 * came meanwhile, and `gap`: samples that are missing since the one before, lost and held
 * back ones together (uint64; 0: an unknown number). The first sample after a start has no
 * `gap`.
 *
 * Message out `events`: dicts with `event` (a symbol), `closure` (uint64) and
 *  - `closed`: `reason` (symbol), `rx_time` of the first sample held back, if it is known;
 *  - `measured`: `covariance` (c64vector, column-major N x N) and `snapshots` (uint64);
 *    without snapshots an order to measure only waits, and there is no covariance;
 *  - `opened`: `missing` (uint64), what the tag `gap` says.
 */
class BEARING_API phase_gate : virtual public gr::block
{
public:
    typedef std::shared_ptr<phase_gate> sptr;
    //! Seconds and a fraction of one, as `rx_time` has them.
    typedef std::pair<std::uint64_t, double> time_pair;

    /*!
     * \param num_elements N, 1 .. 64
     * \param correction the block that reads all outputs of this one, and divides by the
     * gains of the calibration that open() hands it; absent: gains are not used
     * \param sample_rate in Hz, for `rx_time` arithmetic until an `rx_rate` tag tells
     * better; 0: unknown
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements,
                     const apply_calibration::sptr& correction = nullptr,
                     double sample_rate = 0.0);

    /*!
     * \brief Orders a measurement: \p discard samples are left out, of \p snapshots the
     * covariance is told. A later order replaces it.
     * \param not_before where `rx_time` is known, samples are left out up to this time
     * first, and \p discard after it: what is on its way does not count
     */
    virtual void measure(std::uint64_t closure,
                         std::uint64_t discard,
                         std::uint64_t snapshots,
                         const std::optional<time_pair>& not_before = {}) = 0;

    /*!
     * \brief Orders to pass samples, after \p discard of them, with \p calibration in
     * force from the first one on; \p not_before as in measure().
     *
     * Samples from before the closure are never divided by the new gains: the gate stays
     * closed until the correction has read all that it has been given.
     *
     * \throws std::invalid_argument when the correction refuses the calibration
     */
    virtual void open(std::uint64_t closure,
                      std::uint64_t discard,
                      const core::calibration_state& calibration = {},
                      const std::optional<time_pair>& not_before = {}) = 0;

    //! Closes the gate at the next sample, as a retune does.
    virtual void close() = 0;

    virtual int num_elements() const = 0;
    //! Samples of each stream that came out, and that were held back, since start().
    virtual std::uint64_t passed() const = 0;
    virtual std::uint64_t held_back() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_PHASE_GATE_H */
