/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_number.h"
#include "stream_time.h"
#include <cmath>

namespace gr {
namespace bearing {

stream_time::stream_time(std::uint64_t seconds, double fraction)
    : d_seconds(seconds), d_fraction(fraction)
{
    const double whole = std::floor(fraction);
    d_seconds += static_cast<std::int64_t>(whole);
    d_fraction -= whole;
    // A tiny negative fraction rounds up to exactly 1.
    if (d_fraction >= 1.0) {
        d_seconds += 1;
        d_fraction = 0.0;
    }
}

std::optional<stream_time> stream_time::from_pmt(const pmt::pmt_t& value)
{
    if (!pmt::is_tuple(value) || pmt::length(value) != 2) {
        return std::nullopt;
    }
    const std::optional<std::uint64_t> seconds = count_from_pmt(pmt::tuple_ref(value, 0));
    const std::optional<double> fraction = real_from_pmt(pmt::tuple_ref(value, 1));
    // More than a second's fraction either way is not a time but a mix-up of units.
    if (!seconds || !fraction || !(*fraction >= 0.0 && *fraction <= 1.0)) {
        return std::nullopt;
    }
    const stream_time time(*seconds, *fraction);
    if (time.d_seconds < *seconds) { // a fraction of 1 carried beyond what can be counted
        return std::nullopt;
    }
    return time;
}

pmt::pmt_t stream_time::to_pmt() const
{
    return pmt::make_tuple(pmt::from_uint64(d_seconds), pmt::from_double(d_fraction));
}

std::optional<stream_time> stream_time::advanced(std::int64_t samples, double rate) const
{
    const double count = static_cast<double>(samples);
    const double whole = std::floor(count / rate);
    // Beyond what whole seconds can count, at a rate that is next to nothing.
    if (!(std::abs(whole) < 9e18)) {
        return std::nullopt;
    }
    // fma rounds once, so the samples beyond the last whole second are exact even where
    // count / rate has no fraction bits left.
    const double fraction = std::fma(-whole, rate, count) / rate + d_fraction;
    const stream_time time(d_seconds + static_cast<std::int64_t>(whole), fraction);
    // Unsigned seconds wrap before second 0 and beyond the last one that can be counted.
    const bool has_wrapped =
        samples < 0 ? time.d_seconds > d_seconds : time.d_seconds < d_seconds;
    return has_wrapped ? std::nullopt : std::optional<stream_time>(time);
}

double stream_time::samples_since(const stream_time& earlier, double rate) const
{
    const double seconds = d_seconds < earlier.d_seconds
                               ? -static_cast<double>(earlier.d_seconds - d_seconds)
                               : static_cast<double>(d_seconds - earlier.d_seconds);
    return seconds * rate + (d_fraction - earlier.d_fraction) * rate;
}

} // namespace bearing
} // namespace gr
