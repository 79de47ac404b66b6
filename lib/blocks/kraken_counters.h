/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_COUNTERS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_COUNTERS_H

#include "heimdall_frame.h"
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief What became of all that a server sent, and of the connections to it.
 *
 * Whole frames that came are delivered, dropped, waiting, or of no use:
 * frames_received = frames_delivered + frames_dropped + frames_queued + one counter for
 * each reason in frame_use but `usable`.
 */
struct kraken_counters {
    using counter = std::atomic<std::uint64_t>;

    counter frames_received{ 0 };
    counter frames_delivered{ 0 };
    counter frames_dropped{ 0 }; // the flowgraph was too slow, or stopped
    std::array<counter, num_frame_uses> frames_of_use{};
    counter samples_delivered{ 0 }; // of each channel
    counter samples_lost{ 0 };      // of each channel, where the number is known
    counter gaps{ 0 };
    counter clock_corrections{ 0 };
    counter bad_header{ 0 };
    counter channel_count{ 0 }; // frames refused: not as many channels as asked for
    counter partial_frames{ 0 };
    counter timeouts{ 0 };
    counter connections{ 0 };
    counter connections_lost{ 0 };
    counter connection_failures{ 0 };
    counter control_sent{ 0 }; // settings that the server took
    counter control_refused{ 0 };
    counter control_failures{ 0 };
    counter bad_commands{ 0 };

    //! By name.
    std::map<std::string, std::uint64_t> all() const;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_COUNTERS_H */
