/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_TIME_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_TIME_H

#include <pmt/pmt.h>
#include <cstdint>
#include <optional>

namespace gr {
namespace bearing {

/*!
 * \brief A point in stream time, as the `rx_time` tag tells it: whole seconds and a
 * fraction in [0, 1).
 *
 * A single double cannot hold seconds since 1970 to better than 0.2 microseconds; kept
 * apart, seconds and fraction are good to 1e-16 s. Count samples from one reference
 * instead of advancing step by step, and no error adds up.
 */
class stream_time
{
public:
    stream_time() = default;
    //! \param fraction in seconds, finite; whole seconds in it are carried over. Seconds
    //! wrap where they cannot be counted.
    stream_time(std::uint64_t seconds, double fraction);

    //! Reads a tuple (uint64 seconds, double fraction); absent when \p value is anything
    //! else.
    static std::optional<stream_time> from_pmt(const pmt::pmt_t& value);
    //! The tuple (uint64 seconds, double fraction).
    pmt::pmt_t to_pmt() const;

    std::uint64_t seconds() const { return d_seconds; }
    double fraction() const { return d_fraction; }

    //! The time \p samples later (earlier if negative) at \p rate > 0 in Hz; absent
    //! before second 0 and after second 2^64 - 1. Rounded once, however many samples.
    std::optional<stream_time> advanced(std::int64_t samples, double rate) const;
    //! Samples at \p rate in Hz from \p earlier to this.
    double samples_since(const stream_time& earlier, double rate) const;

private:
    std::uint64_t d_seconds = 0;
    double d_fraction = 0.0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_TIME_H */
