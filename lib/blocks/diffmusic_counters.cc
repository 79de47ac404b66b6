/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "diffmusic_counters.h"

namespace gr {
namespace bearing {

const char* to_string(diffmusic_event event)
{
    switch (event) {
    case diffmusic_event::busy:
        return "busy";
    case diffmusic_event::unknown_snapshots:
        return "unknown_snapshots";
    case diffmusic_event::labelled:
        return "labelled";
    case diffmusic_event::truth_contradictory:
        return "truth_contradictory";
    case diffmusic_event::truth_malformed:
        return "truth_malformed";
    case diffmusic_event::truth_outside_view:
        return "truth_outside_view";
    case diffmusic_event::truth_too_many:
        return "truth_too_many";
    case diffmusic_event::truth_expired:
        return "truth_expired";
    case diffmusic_event::truth_dropped:
        return "truth_dropped";
    case diffmusic_event::num_events:
        break;
    }
    return "";
}

std::map<std::string, std::uint64_t> diffmusic_counters::all() const
{
    std::map<std::string, std::uint64_t> counts;
    for (std::size_t k = 0; k < d_outcomes.size(); ++k) {
        counts[core::to_string(static_cast<core::update_outcome>(k))] = d_outcomes[k];
    }
    for (std::size_t k = 0; k < d_events.size(); ++k) {
        counts[to_string(static_cast<diffmusic_event>(k))] = d_events[k];
    }
    return counts;
}

} // namespace bearing
} // namespace gr
