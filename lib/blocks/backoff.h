/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_BACKOFF_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_BACKOFF_H

#include <algorithm>
#include <chrono>
#include <random>

namespace gr {
namespace bearing {

//! How long to wait between attempts: 0.1 s, and twice as long each time, up to 5 s; a
//! quarter more or less, so that receivers that lost a server together do not come back
//! all at once.
class backoff
{
public:
    std::chrono::steady_clock::duration next()
    {
        const std::chrono::duration<double> wait = d_wait * d_jitter(d_generator);
        d_wait = std::min(2.0 * d_wait, longest);
        return std::chrono::duration_cast<std::chrono::steady_clock::duration>(wait);
    }
    void reset() { d_wait = first; }

private:
    static constexpr std::chrono::duration<double> first{ 0.1 };
    static constexpr std::chrono::duration<double> longest{ 5.0 };

    std::chrono::duration<double> d_wait = first;
    std::minstd_rand d_generator{ std::random_device{}() };
    std::uniform_real_distribution<double> d_jitter{ 0.75, 1.25 };
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_BACKOFF_H */
