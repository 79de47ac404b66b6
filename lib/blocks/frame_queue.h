/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_QUEUE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_QUEUE_H

#include "heimdall_frame.h"
#include "stream_time.h"
#include <condition_variable>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

//! A frame on its way from the connection to the flowgraph.
struct queued_frame {
    heimdall_frame header;
    //! samples missing before it, 0: an unknown number; absent: none
    std::optional<std::uint64_t> lost;
    //! of its first sample, where that is told
    std::optional<stream_time> time;
    std::unique_ptr<std::uint8_t[]> samples;
    std::size_t capacity = 0; // bytes of samples
};

/*!
 * \brief Whole frames between a thread that fills them and one that empties them, in
 * memory that is used again and is bounded: at most 256 frames, and 256 MiB or two frames,
 * whichever is more.
 */
class frame_queue
{
public:
    frame_queue() { d_empty.reserve(most_frames); }

    //! A frame with room for \p size bytes; absent when the bounds do not allow another
    //! one. The filling thread has at most one at a time.
    std::optional<queued_frame> take_empty(std::size_t size);
    //! Puts a filled frame at the end.
    void push(queued_frame&& frame);
    //! Takes the first frame, waiting at most that long for one.
    std::optional<queued_frame> pop(std::chrono::milliseconds wait);
    //! A frame that is no longer needed, filled or not.
    void give_back(queued_frame&& frame);
    //! Throws all frames away; how many there were.
    std::size_t clear();

    //! Frames that wait.
    std::size_t size() const;
    //! All that is allocated.
    std::size_t bytes() const;

private:
    static constexpr std::size_t most_frames = 256;
    static constexpr std::size_t most_bytes = std::size_t(1) << 28;

    void forget_empty(std::size_t smallest, std::size_t largest);

    mutable std::mutex d_mutex; // guards all below
    std::condition_variable d_filled;
    std::deque<queued_frame> d_frames;
    std::vector<queued_frame> d_empty;
    std::size_t d_in_use = 0; // frames, wherever they are, that are not in d_empty
    std::size_t d_bytes = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_FRAME_QUEUE_H */
