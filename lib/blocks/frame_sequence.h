/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_SEQUENCE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_SEQUENCE_H

#include "heimdall_frame.h"
#include <algorithm>
#include <cstdint>
#include <optional>

namespace gr {
namespace bearing {

/*!
 * \brief Counts the samples that are missing between frames that are delivered.
 *
 * What is known: frames that came and were left out have as many samples as they say,
 * unless they are of a kind whose length says nothing of the time it took; where numbers
 * of frames (v1) are missing, these are taken for frames like the one before, unless frames
 * of such a kind may be among them: beside one that came, or as many as a run of them has.
 * Unknown: what a new connection or a change of tuning (v2) lies between.
 */
class frame_sequence
{
public:
    //! A new connection: where its frames start is unknown.
    void reconnect();
    //! A frame came and is left out.
    void skip(const heimdall_frame& frame);
    //! A frame is delivered. Samples of each channel missing between it and the one that
    //! was delivered before; 0: an unknown number; absent: none, or it is the first.
    std::optional<std::uint64_t> deliver(const heimdall_frame& frame);

private:
    void follow(const heimdall_frame& frame);

    bool d_has_delivered = false;
    bool d_has_gap = false;
    bool d_is_known = true;
    std::uint64_t d_lost = 0; // since the last frame that was delivered
    // Of this connection:
    std::optional<heimdall_frame> d_previous;
    std::uint32_t d_run = 0;          // frames that are not timed, up to the previous one
    std::uint32_t d_shortest_run = 0; // 0: there was none
};

inline void frame_sequence::reconnect()
{
    d_previous.reset();
    d_run = d_shortest_run = 0;
    d_has_gap = true;
    d_is_known = false;
}

// What lies between the frame before and this one.
inline void frame_sequence::follow(const heimdall_frame& frame)
{
    if (d_previous && frame.index && d_previous->index) {
        // Modulo 2^32, as the server counts.
        const std::uint32_t missing = *frame.index - *d_previous->index - 1;
        if (missing != 0) {
            d_has_gap = true;
            // Numbers that go back are those of a server that has started anew.
            const bool may_be_untimed = !d_previous->is_timed || !frame.is_timed ||
                                        (d_shortest_run > 0 && missing >= d_shortest_run);
            d_is_known = d_is_known && !may_be_untimed && missing < (1u << 31);
            d_lost += std::uint64_t(missing) * d_previous->num_samples;
        }
    }
    if (d_previous && frame.tuning != d_previous->tuning) {
        d_has_gap = true;
        d_is_known = false;
    }
    if (!frame.is_timed) {
        ++d_run;
    } else if (d_run > 0) {
        d_shortest_run = d_shortest_run > 0 ? std::min(d_shortest_run, d_run) : d_run;
        d_run = 0;
    }
    d_previous = frame;
}

inline void frame_sequence::skip(const heimdall_frame& frame)
{
    follow(frame);
    d_has_gap = true;
    d_is_known = d_is_known && frame.is_timed && frame.use != frame_use::retuning;
    d_lost += frame.num_samples;
}

inline std::optional<std::uint64_t> frame_sequence::deliver(const heimdall_frame& frame)
{
    follow(frame);
    std::optional<std::uint64_t> lost;
    if (d_has_delivered && d_has_gap) {
        lost = d_is_known ? d_lost : 0;
    }
    d_has_delivered = true;
    d_has_gap = false;
    d_is_known = true;
    d_lost = 0;
    return lost;
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_SEQUENCE_H */
