/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_SENSOR_TAGS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_SENSOR_TAGS_H

#include "placed_tag.h"
#include "stream_time.h"
#include <gnuradio/tags.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

//! What the tags on one sample of N streams say.
struct tagged_sample {
    std::uint64_t offset = 0;
    //! all of them, each once
    std::vector<gr::tag_t> tags;
    //! samples are missing before it: a `gap` tag says so, or `rx_time` jumps
    bool has_gap = false;
    bool has_jump = false;
    //! a radio frequency in Hz, the first or another than before
    std::optional<double> rx_freq;
    //! tags whose value makes no sense; sample rates that differ from the stream's
    std::size_t num_bad = 0;
    std::size_t num_other_rates = 0;
};

/*!
 * \brief Follows `rx_time`, `gap`, `rx_freq` and `rx_rate` of N streams that belong
 * together, at a sample rate that is known.
 *
 * A tag on one stream counts for all. All that the streams say on one sample is one event.
 */
class sensor_tags
{
public:
    //! \param sample_rate Hz, > 0
    explicit sensor_tags(double sample_rate);

    //! Samples are counted anew, and nothing is known of their time and frequency.
    void start();
    //! Takes the tags of all streams from a sample on that next() has not yet told of; in
    //! any order, and also several times.
    void load(std::vector<gr::tag_t>& tags);

    //! Where the next tags are; absent: none are left.
    std::optional<std::uint64_t> next_offset() const;
    //! What they say, once.
    const tagged_sample& next();

    //! Time of a sample; absent while unknown. Samples before the last `rx_time` are
    //! counted back.
    std::optional<stream_time> time_of(std::uint64_t offset) const;

private:
    void follow(const gr::tag_t& tag, const std::optional<stream_time>& predicted);

    const double d_rate;
    std::vector<placed_tag> d_tags; // samples are offsets, ascending
    std::size_t d_next = 0;
    std::uint64_t d_first_untold = 0;
    tagged_sample d_sample;

    std::optional<double> d_freq;
    std::optional<stream_time> d_anchor;
    std::uint64_t d_anchor_offset = 0;
    std::optional<stream_time> d_told_time;  // of the present sample
    std::optional<std::uint64_t> d_num_lost; // before it; 0: unknown
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_SENSOR_TAGS_H */
