/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kraken_counters.h"

namespace gr {
namespace bearing {

std::map<std::string, std::uint64_t> kraken_counters::all() const
{
    std::map<std::string, std::uint64_t> values = {
        { "frames_received", frames_received },
        { "frames_delivered", frames_delivered },
        { "frames_dropped", frames_dropped },
        { "samples_delivered", samples_delivered },
        { "samples_lost", samples_lost },
        { "gaps", gaps },
        { "clock_corrections", clock_corrections },
        { "bad_header", bad_header },
        { "channel_count", channel_count },
        { "partial_frames", partial_frames },
        { "timeouts", timeouts },
        { "connections", connections },
        { "connections_lost", connections_lost },
        { "connection_failures", connection_failures },
        { "control_sent", control_sent },
        { "control_refused", control_refused },
        { "control_failures", control_failures },
        { "bad_commands", bad_commands },
    };
    for (std::size_t use = 0; use < num_frame_uses; ++use) {
        if (static_cast<frame_use>(use) != frame_use::usable) {
            values[name_of(static_cast<frame_use>(use))] = frames_of_use[use];
        }
    }
    return values;
}

} // namespace bearing
} // namespace gr
