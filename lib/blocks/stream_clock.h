/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_CLOCK_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_CLOCK_H

#include "stream_time.h"
#include <cmath>
#include <cstdint>
#include <optional>

namespace gr {
namespace bearing {

/*!
 * \brief Time of a stream whose frames are stamped by a clock that jitters: counted in
 * samples from the first stamp on, so that the jitter of later ones is no gap.
 *
 * The clock of the stamps and that of the samples part slowly, or one is set: where all
 * stamps of ten seconds are more than a tenth of a second off to the same side, the count
 * starts anew.
 */
class stream_clock
{
public:
    //! A frame follows the one before.
    //! \param told its stamp
    //! \param num_samples in it
    //! \param rate samples a second, > 0
    //! \return the time to count from, if the count starts anew here
    std::optional<stream_time>
    follow(const stream_time& told, std::uint64_t num_samples, double rate)
    {
        std::optional<stream_time> start;
        const std::optional<stream_time> predicted =
            d_start ? d_start->advanced(static_cast<std::int64_t>(d_samples), d_rate)
                    : std::nullopt;
        if (!predicted || rate != d_rate) {
            start = told;
        } else {
            const double off = told.samples_since(*predicted, rate) / rate;
            if (d_watched == 0 || std::abs(off) < std::abs(d_least)) {
                d_least = off;
            }
            d_has_sides = d_has_sides || (d_watched > 0 && (off < 0) != (d_side < 0));
            d_side = off;
            d_watched += num_samples;
            if (static_cast<double>(d_watched) > watch_seconds * rate) {
                if (!d_has_sides && std::abs(d_least) > largest_error) {
                    start = told;
                    d_is_corrected = true;
                }
                d_watched = 0;
                d_has_sides = false;
            }
        }
        if (start) {
            d_start = start;
            d_samples = 0;
            d_rate = rate;
            d_watched = 0;
            d_has_sides = false;
        }
        d_samples += num_samples;
        return start;
    }
    //! What follows does not follow what was.
    void restart() { d_start.reset(); }
    //! Whether the count has started anew by itself since this was asked for last.
    bool was_corrected()
    {
        const bool was = d_is_corrected;
        d_is_corrected = false;
        return was;
    }

private:
    static constexpr double watch_seconds = 10.0;
    static constexpr double largest_error = 0.1; // seconds

    std::optional<stream_time> d_start;
    std::uint64_t d_samples = 0; // from d_start to the next frame
    double d_rate = 0.0;
    std::uint64_t d_watched = 0; // samples
    double d_least = 0.0;        // seconds
    double d_side = 0.0;
    bool d_has_sides = false;
    bool d_is_corrected = false;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_STREAM_CLOCK_H */
