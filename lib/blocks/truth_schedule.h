/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_SCHEDULE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_SCHEDULE_H

#include "truth_message.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Which known directions belong to which item of a stream.
 *
 * A label counts for items that lie wholly between its start and its stop. One without
 * a stop ends where another one begins that starts later, or came later for the same
 * time. Where labels overlap they must agree, then the newest counts; where they do not,
 * none does. An item without a time is known only by a label that has neither start nor
 * stop.
 *
 * Times are compared to a microsecond. Of more than max_labels the oldest are dropped.
 */
class truth_schedule
{
public:
    static constexpr std::size_t max_labels = 64;

    //! \param label one without a start counts from \p now on
    //! \param now in stream time; absent: unknown
    void add(truth_label label, std::optional<stream_time> now);

    //! What is known about an item.
    struct verdict {
        const truth_label* label = nullptr; //!< null: nothing; until the next call
        bool is_contradictory = false;      //!< labels disagree
    };
    //! \param start, stop of the item; both the same where its duration is unknown; absent:
    //! unknown
    verdict at(std::optional<stream_time> start, std::optional<stream_time> stop);

    //! labels whose time went by without an item
    std::uint64_t expired() const { return d_expired; }
    //! labels that were too many
    std::uint64_t dropped() const { return d_dropped; }

private:
    struct entry {
        truth_label label;
        bool is_open; // came without a stop
        bool is_used = false;
    };
    void expire(const stream_time& now);

    std::vector<entry> d_entries; // as they came
    std::uint64_t d_expired = 0;
    std::uint64_t d_dropped = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_SCHEDULE_H */
