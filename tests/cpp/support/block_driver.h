/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_BLOCK_DRIVER_H
#define INCLUDED_BEARING_TESTS_BLOCK_DRIVER_H

#include "allocation_counter.h"
#include <gnuradio/block.h>
#include <gnuradio/block_detail.h>
#include <gnuradio/buffer.h>
#include <gnuradio/buffer_reader.h>
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

/*!
 * \brief Runs a block's general_work() as GNU Radio's scheduler would, with GNU Radio's own
 * buffers, but in the caller's thread and only when told to.
 */
class block_driver
{
public:
    //! \param inputs, outputs how many are connected
    //! \param capacity items that a buffer holds at least
    block_driver(gr::block_sptr block, int inputs, int outputs, int capacity)
        : d_block(block),
          d_detail(gr::make_block_detail(inputs, outputs)),
          d_available(inputs),
          d_in(inputs),
          d_out(outputs)
    {
        for (int k = 0; k < inputs; ++k) {
            const std::size_t size = block->input_signature()->sizeof_stream_item(k);
            d_sources.push_back(gr::make_buffer(capacity, size, 1, 1, block));
            d_detail->set_input(k, gr::buffer_add_reader(d_sources[k], 0, block, 0));
        }
        for (int k = 0; k < outputs; ++k) {
            const std::size_t size = block->output_signature()->sizeof_stream_item(k);
            d_detail->set_output(k, gr::make_buffer(capacity, size, 1, 1, block));
            d_sinks.push_back(gr::buffer_add_reader(d_detail->output(k), 0, block, 0));
        }
        block->set_detail(d_detail);
        block->start();
    }
    ~block_driver()
    {
        d_block->stop();
        d_block->set_detail(nullptr);
    }
    block_driver(const block_driver&) = delete;
    block_driver& operator=(const block_driver&) = delete;

    //! Gives an input \p items of the block's item size; it must have room for them.
    void feed(int input, const void* items, int number)
    {
        std::memcpy(d_sources[input]->write_pointer(),
                    items,
                    number * d_sources[input]->get_sizeof_item());
        d_sources[input]->update_write_pointer(number);
    }

    //! A tag on the next item that an input is given.
    void tag(int input, const pmt::pmt_t& key, const pmt::pmt_t& value)
    {
        gr::tag_t tag;
        tag.offset = d_sources[input]->nitems_written();
        tag.key = key;
        tag.value = value;
        d_sources[input]->add_item_tag(tag);
    }

    //! Calls general_work() once, for at most \p room items; what comes out is thrown
    //! away. Returns the number of items consumed on input 0, or made if there is none.
    int work(int room)
    {
        for (std::size_t k = 0; k < d_in.size(); ++k) {
            d_available[k] = d_detail->input(k)->items_available();
            d_in[k] = d_detail->input(k)->read_pointer();
        }
        for (std::size_t k = 0; k < d_out.size(); ++k) {
            d_out[k] = d_detail->output(k)->write_pointer();
            room = std::min(room, d_detail->output(k)->space_available());
        }
        const std::uint64_t before = d_in.empty() ? 0 : d_detail->nitems_read(0);
        const std::uint64_t count = allocation_counter::count;
        const int made = d_block->general_work(room, d_available, d_in, d_out);
        d_allocations = allocation_counter::count - count;
        d_detail->produce_each(std::max(made, 0));
        for (const gr::buffer_reader_sptr& sink : d_sinks) {
            sink->update_read_pointer(sink->items_available());
        }
        return d_in.empty() ? made : static_cast<int>(d_detail->nitems_read(0) - before);
    }

    //! Of the last call of general_work(), in its own thread.
    std::uint64_t allocations() const { return d_allocations; }

private:
    gr::block_sptr d_block;
    gr::block_detail_sptr d_detail;
    std::vector<gr::buffer_sptr> d_sources;
    std::vector<gr::buffer_reader_sptr> d_sinks;
    gr_vector_int d_available;
    gr_vector_const_void_star d_in;
    gr_vector_void_star d_out;
    std::uint64_t d_allocations = 0;
};

#endif /* INCLUDED_BEARING_TESTS_BLOCK_DRIVER_H */
