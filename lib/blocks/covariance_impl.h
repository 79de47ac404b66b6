/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H
#define INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H

#include "stream_time.h"
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/covariance.h>
#include <gnuradio/tags.h>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

class covariance_impl : public covariance
{
public:
    covariance_impl(int num_elements, int snapshots, double sample_rate);

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void set_snapshots(int snapshots) override;
    int snapshots() const override;
    int num_elements() const override { return d_num_elements; }

private:
    // A tag and the sample, counted from the first one of this work call, that it is on.
    struct placed_tag {
        std::uint64_t sample;
        int input;
        gr::tag_t tag;
    };
    // Another block's tag that waits for its item.
    struct waiting_tag {
        std::uint64_t position;
        gr::tag_t tag;
    };
    // What the inputs tell about their frequency, or their sample rate, in Hz.
    struct input_numbers {
        // Each input for itself; the first number that any of them tells holds for all.
        std::vector<std::optional<double>> of_input;
        // Of the inputs that changed last, the lowest one's.
        std::optional<double> in_force;
        pmt::pmt_t value = pmt::PMT_NIL; // for the next item, as it came
    };
    // Samples lost at one place or before one item.
    struct loss {
        std::uint64_t samples = 0;
        bool is_known = true;
    };

    void apply_snapshots();
    void load_tags(int num_samples);
    void follow_tags(std::size_t first, std::size_t last);
    bool follow_numbers(const pmt::pmt_t& key,
                        std::size_t first,
                        std::size_t last,
                        input_numbers& numbers);
    void ignore_tag(const gr::tag_t& tag);
    void keep_tag(const gr::tag_t& tag);
    void move_anchor(std::optional<double> rate);
    void restart();
    void write_item(gr_complex* out, std::uint64_t item);

    const int d_num_elements;

    mutable std::mutex d_mutex; // guards the staged value only
    int d_staged_snapshots;

    // Everything below belongs to the thread that runs general_work().
    std::size_t d_snapshots;
    core::covariance_accumulator d_accumulator;
    std::vector<const gr_complex*> d_channels;
    pmt::pmt_t d_snapshots_value;

    std::uint64_t d_position = 0;   // samples consumed since start()
    std::uint64_t d_item_start = 0; // position of the present item's first sample

    input_numbers d_rate;
    input_numbers d_freq;
    // The last rx_time and its position: all times are counted from here.
    std::optional<stream_time> d_anchor;
    std::uint64_t d_anchor_position = 0;

    // What the next item will carry.
    std::optional<loss> d_loss;
    std::vector<waiting_tag> d_waiting;

    std::vector<placed_tag> d_tags;
    std::vector<gr::tag_t> d_window;
    std::uint64_t d_ignored_tags = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H */
