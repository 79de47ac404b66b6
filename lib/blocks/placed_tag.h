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

/*!
 * \brief The tags of all streams, in the order of their samples; at one sample, in the order
 * of streams.
 *
 * \param window_of window_of(stream, found) puts the tags of a stream into \p found and
 * returns the offset from which samples are counted
 * \param found memory to use again
 */
template <class Window>
void load_by_sample(int num_streams,
                    Window window_of,
                    std::vector<gr::tag_t>& found,
                    std::vector<placed_tag>& tags)
{
    tags.clear();
    for (int stream = 0; stream < num_streams; ++stream) {
        const std::uint64_t first = window_of(stream, found);
        for (const gr::tag_t& tag : found) {
            tags.push_back({ tag.offset - first, stream, tags.size(), tag });
        }
    }
    sort_by_sample(tags);
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_PLACED_TAG_H */
