/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_LOG_LIMIT_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_LOG_LIMIT_H

#include <chrono>

namespace gr {
namespace bearing {

//! Keeps a log readable: 10 lines a minute, then none until the minute is over.
class log_limit
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    //! Whether there may be a line; one that may not be is remembered.
    bool admits(time_point now)
    {
        if (d_num_lines == 0 || now - d_since > interval) {
            d_since = now;
            d_num_lines = 0;
        }
        if (d_num_lines >= most_lines) {
            ++d_num_left_out;
            return false;
        }
        ++d_num_lines;
        return true;
    }
    //! Lines that were left out, once the minute is over; it forgets them. 0: none, or it is
    //! not over.
    int take_left_out(time_point now)
    {
        if (d_num_left_out == 0 || !(now - d_since > interval)) {
            return 0;
        }
        const int count = d_num_left_out;
        d_num_left_out = 0;
        d_num_lines = 0;
        return count;
    }

private:
    static constexpr int most_lines = 10;
    static constexpr std::chrono::seconds interval{ 60 };

    time_point d_since;
    int d_num_lines = 0;
    int d_num_left_out = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_LOG_LIMIT_H */
