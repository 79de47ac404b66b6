/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "frame_queue.h"
#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace gr {
namespace bearing {

// Those whose capacity is not from smallest to largest.
void frame_queue::forget_empty(std::size_t smallest, std::size_t largest)
{
    const auto is_misfit = [&](const queued_frame& frame) {
        const bool is_one = frame.capacity < smallest || frame.capacity > largest;
        d_bytes -= is_one ? frame.capacity : 0;
        return is_one;
    };
    d_empty.erase(std::remove_if(d_empty.begin(), d_empty.end(), is_misfit),
                  d_empty.end());
}

std::optional<queued_frame> frame_queue::take_empty(std::size_t size)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (d_in_use >= most_frames) {
        return std::nullopt;
    }
    // Where sizes have changed, what does not fit this one does not fit the next; and memory of
    // a few large frames is not kept for the sake of many small ones.
    constexpr std::size_t most_times_too_large = 4;
    forget_empty(size, most_times_too_large * size);
    // The one that was used last is the one that the cache still knows.
    if (!d_empty.empty()) {
        queued_frame frame = std::move(d_empty.back());
        d_empty.pop_back();
        ++d_in_use;
        return frame;
    }
    constexpr std::size_t filled_and_emptied = 2;
    if (d_bytes + size > most_bytes && d_in_use >= filled_and_emptied) {
        return std::nullopt;
    }
    queued_frame frame;
    // Not initialised: pages that no bytes come for are never used.
    frame.samples.reset(new (std::nothrow) std::uint8_t[size]);
    if (!frame.samples) {
        return std::nullopt;
    }
    frame.capacity = size;
    d_bytes += size;
    ++d_in_use;
    return frame;
}

void frame_queue::push(queued_frame&& frame)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_frames.push_back(std::move(frame));
    }
    d_filled.notify_one();
}

std::optional<queued_frame> frame_queue::pop(std::chrono::milliseconds wait)
{
    std::unique_lock<std::mutex> lock(d_mutex);
    d_filled.wait_for(lock, wait, [this] { return !d_frames.empty(); });
    if (d_frames.empty()) {
        return std::nullopt;
    }
    queued_frame frame = std::move(d_frames.front());
    d_frames.pop_front();
    return frame;
}

void frame_queue::give_back(queued_frame&& frame)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    --d_in_use;
    d_empty.push_back(std::move(frame));
}

std::size_t frame_queue::clear()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    const std::size_t count = d_frames.size();
    for (const queued_frame& frame : d_frames) {
        d_bytes -= frame.capacity;
    }
    d_in_use -= count;
    d_frames.clear();
    forget_empty(std::numeric_limits<std::size_t>::max(), 0); // all of them
    return count;
}

std::size_t frame_queue::size() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_frames.size();
}

std::size_t frame_queue::bytes() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_bytes;
}

} // namespace bearing
} // namespace gr
