/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_PLACED_TAG_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_PLACED_TAG_H

#include <gnuradio/tags.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace bearing {

//! A tag of one of several streams.
struct placed_tag {
    std::uint64_t sample; //!< that it is on, from wherever the block counts
    int stream;
    std::size_t order; //!< of loading
    gr::tag_t tag;
};

//! Into the order of samples; at one sample, of loading.
inline void sort_by_sample(std::vector<placed_tag>& tags)
{
    // Not std::stable_sort, which allocates.
    std::sort(tags.begin(), tags.end(), [](const placed_tag& a, const placed_tag& b) {
        return a.sample != b.sample ? a.sample < b.sample : a.order < b.order;
    });
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_PLACED_TAG_H */
