/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_REPORT_SCHEDULE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_REPORT_SCHEDULE_H

#include "stream_time.h"
#include "tuning_list.h"
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {

//! \throws std::invalid_argument unless the seconds between two reports are finite and >= 0
inline double checked_interval(double interval)
{
    if (!(std::isfinite(interval) && interval >= 0.0)) {
        throw std::invalid_argument("interval is " + std::to_string(interval) +
                                    "; it must be finite and >= 0 seconds");
    }
    return interval;
}

/*!
 * \brief When something that runs tells the world about itself: at once when its \p State
 * is not what was told last, else when the interval has passed in stream time, or by the
 * clock where the stream tells no time. Each tuning is told about by itself.
 */
template <class State>
class report_schedule
{
public:
    //! \param interval in seconds
    explicit report_schedule(double interval) : d_interval(interval) {}
    void set_interval(double interval) { d_interval = interval; }

    //! Whether the tuning of \p frequency is to be told about now, an item of time \p now
    //! having come; if so, takes it as told.
    bool
    is_due(std::optional<double> frequency, State state, std::optional<stream_time> now)
    {
        const told newer{ frequency, std::move(state), now, clock::now() };
        // Tunings are told apart already: a tolerance of 0.
        told* last = d_told.find(frequency, 0.0);
        if (!last) {
            d_told.add(newer);
            return true;
        }
        const double seconds = last->seconds_to(newer);
        // A recording that begins again jumps back in time.
        if (last->state == newer.state && seconds >= 0.0 && seconds < d_interval) {
            return false;
        }
        *last = newer;
        return true;
    }

private:
    using clock = std::chrono::steady_clock;

    struct told {
        std::optional<double> frequency;
        State state;
        std::optional<stream_time> at;
        clock::time_point at_clock;

        double seconds_to(const told& newer) const
        {
            if (at && newer.at) {
                return newer.at->samples_since(*at, 1.0);
            }
            return std::chrono::duration<double>(newer.at_clock - at_clock).count();
        }
    };

    double d_interval;
    tuning_list<told> d_told;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_REPORT_SCHEDULE_H */
