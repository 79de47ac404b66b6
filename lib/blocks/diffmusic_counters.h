/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_DIFFMUSIC_COUNTERS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_DIFFMUSIC_COUNTERS_H

#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace gr {
namespace bearing {

//! What became of items and messages, beside a calibrator's own outcomes.
enum class diffmusic_event {
    busy,
    unknown_snapshots,
    labelled,
    truth_contradictory,
    truth_malformed,
    truth_outside_view,
    truth_too_many,
    truth_expired,
    truth_dropped,
    num_events
};
//! "busy", ...
const char* to_string(diffmusic_event event);

//! Counts them; from any thread.
class diffmusic_counters
{
public:
    void add(core::update_outcome outcome)
    {
        ++d_outcomes[static_cast<std::size_t>(outcome)];
    }
    //! Returns how often the event came before.
    std::uint64_t add(diffmusic_event event)
    {
        return d_events[static_cast<std::size_t>(event)]++;
    }
    void set(diffmusic_event event, std::uint64_t count)
    {
        d_events[static_cast<std::size_t>(event)] = count;
    }

    std::map<std::string, std::uint64_t> all() const;

private:
    using count = std::atomic<std::uint64_t>;
    static constexpr auto num_outcomes =
        static_cast<std::size_t>(core::update_outcome::num_outcomes);
    static constexpr auto num_events =
        static_cast<std::size_t>(diffmusic_event::num_events);

    std::array<count, num_outcomes> d_outcomes{};
    std::array<count, num_events> d_events{};
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_DIFFMUSIC_COUNTERS_H */
