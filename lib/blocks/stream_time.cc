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
    return stream_time(*seconds, *fraction);
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
    const std::int64_t carried = static_cast<std::int64_t>(whole) +
                                 static_cast<std::int64_t>(std::floor(fraction));
    if (carried < 0 && static_cast<std::uint64_t>(-carried) > d_seconds) {
        return std::nullopt;
    }
    return stream_time(d_seconds + static_cast<std::int64_t>(whole), fraction);
}

double stream_time::samples_since(const stream_time& earlier, double rate) const
{
    // The difference of unsigned seconds wraps to the right signed value.
    const std::int64_t seconds = static_cast<std::int64_t>(d_seconds - earlier.d_seconds);
    return static_cast<double>(seconds) * rate + (d_fraction - earlier.d_fraction) * rate;
}

} // namespace bearing
} // namespace gr
