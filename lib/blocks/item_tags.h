/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_ITEM_TAGS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_ITEM_TAGS_H

#include "stream_time.h"
#include <gnuradio/tags.h>
#include <pmt/pmt.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

//! What a stream of covariance items tells about one of them.
struct item_info {
    //! tuple (uint64 seconds, double fraction) of its first sample; PMT_NIL: unknown
    pmt::pmt_t rx_time = pmt::PMT_NIL;
    //! radio frequency in Hz, > 0; absent: unknown
    std::optional<double> rx_freq;
    //! number of snapshots that it is worth; 0: unknown
    std::size_t snapshots = 0;
    //! number of snapshots from its first to its last; 0: as many as it is worth
    std::size_t window = 0;
    //! number of snapshots from its first to the next item's; 0: as many as it is worth
    std::size_t hop = 0;
    //! samples a second in Hz, > 0; absent: unknown
    std::optional<double> rx_rate;

    //! Time of the sample after its last; absent: unknown.
    std::optional<stream_time> end() const;
    //! Seconds from its first sample to the next item's; absent: unknown.
    std::optional<double> interval() const;
};

/*!
 * \brief Follows the tags `rx_time`, `rx_freq`, `rx_rate`, `snapshots`, `window`, `hop`
 * and `gap` of a stream of covariance items.
 *
 * `rx_freq`, `rx_rate` and `snapshots` hold until another value comes, `window` and `hop`
 * until the next `snapshots`. `rx_time` belongs to the item it stands on; an item without
 * one follows the item before it by that item's hop at the sample rate in force, if both
 * are known. That is not so, and the time
 * is unknown, where samples may be missing in between: at a `gap`, at a change of
 * `rx_freq` or `rx_rate`, and where item numbers start anew. Tags of another type or with
 * values that make no sense are ignored.
 */
class item_tags
{
public:
    //! \param snapshots number behind each item while no tag tells; 0: unknown
    explicit item_tags(std::size_t snapshots);

    //! Takes the tags of the items that next() will be asked for, in any order, and leaves
    //! memory that can be used for the next ones.
    void load(std::vector<gr::tag_t>&& tags);

    //! What is known about the item with absolute number \p offset; offsets ascend.
    const item_info& next(std::uint64_t offset);

private:
    void take(const gr::tag_t& tag);

    item_info d_item;
    // The item's first sample comes d_samples after d_reference.
    std::optional<stream_time> d_reference;
    std::int64_t d_samples = 0;
    std::uint64_t d_next_offset = 0;
    std::vector<gr::tag_t> d_tags; // ascending
    std::size_t d_next_tag = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_ITEM_TAGS_H */
