/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE channel_tags
#include "allocation_counter.h"
#include "block_driver.h"
#include <gnuradio/bearing/channel_tags.h>
#include <boost/test/unit_test.hpp>
#include <vector>

using gr::bearing::channel_tags;

// Where no tag comes, nothing is asked of the heap, not even while samples are left out.
BOOST_AUTO_TEST_CASE(streams_without_tags_allocate_nothing_after_the_first_call)
{
    constexpr int num_elements = 5;
    const std::vector<double> offsets = { -1e5, 0.0, 1e5 };
    const int streams = num_elements * static_cast<int>(offsets.size());
    block_driver driver(channel_tags::make(num_elements, offsets, 8, 20.5, 700, 1e6),
                        streams,
                        streams,
                        8192);
    const std::vector<gr_complex> samples(512, gr_complex(1.0f, -1.0f));
    std::uint64_t total = 0;
    bool is_first = true;
    for (const int size : { 512, 1, 300, 512, 77, 512, 400 }) {
        for (int stream = 0; stream < streams; ++stream) {
            driver.feed(stream, samples.data(), size);
        }
        for (int done = 0; done < size; is_first = false) {
            done += driver.work(4096);
            total += is_first ? 0 : driver.allocations();
        }
    }
    BOOST_TEST(total == 0);
}
