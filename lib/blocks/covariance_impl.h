/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H
#define INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H

#include "placed_tag.h"
#include "stream_time.h"
#include <gnuradio/bearing/core/covariance/sliding_covariance.h>
#include <gnuradio/bearing/covariance.h>
#include <gnuradio/tags.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

class covariance_impl : public covariance
{
public:
    covariance_impl(
        int num_elements, int snapshots, double sample_rate, int hop, double forgetting);

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void set_window(int snapshots, int hop, double forgetting) override;
    void set_snapshots(int snapshots) override;
    void set_hop(int hop) override;
    void set_forgetting(double forgetting) override;
    int snapshots() const override;
    int hop() const override;
    double forgetting() const override;
    int num_elements() const override { return d_num_elements; }

private:
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
    // The value of a tag, made anew only when it changes.
    struct told_count {
        std::uint64_t count = 0;
        pmt::pmt_t value;

        const pmt::pmt_t& of(std::uint64_t present)
        {
            if (!value || present != count) {
                count = present;
                value = pmt::from_uint64(present);
            }
            return value;
        }
    };
    // Samples lost at one place or before one item.
    struct loss {
        std::uint64_t samples = 0;
        bool is_known = true;
    };

    // The window as it was asked for.
    struct window {
        int snapshots;
        int hop;
        double forgetting;
    };
    using sums = std::unique_ptr<core::sliding_covariance>;

    static sums make_sums(int num_elements, const window& asked);
    template <typename Change>
    void stage(Change change);
    bool apply_window();
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

    std::mutex d_setter_mutex;  // lets one setter finish before the next
    mutable std::mutex d_mutex; // guards the next three
    window d_asked;
    // Made where it is asked for, so that general_work() need not allocate; after the
    // change it holds what general_work() has given up.
    sums d_staged;
    bool d_is_staged = false;

    // Everything below belongs to the thread that runs general_work().
    sums d_sums;
    std::vector<const gr_complex*> d_channels;
    told_count d_told_snapshots;
    told_count d_told_window;
    told_count d_told_hop;
    pmt::pmt_t d_source; // of the tags that this block makes

    std::uint64_t d_position = 0; // samples consumed since start()

    input_numbers d_rate;
    input_numbers d_freq;
    // The last rx_time and its position: all times are counted from here.
    std::optional<stream_time> d_anchor;
    std::uint64_t d_anchor_position = 0;

    // What the next item will carry.
    std::optional<loss> d_loss;
    std::vector<waiting_tag> d_waiting;
    std::vector<waiting_tag> d_latest; // for restart()

    std::vector<placed_tag> d_tags; // samples from the first one of this call
    std::vector<gr::tag_t> d_window;
    std::uint64_t d_ignored_tags = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COVARIANCE_IMPL_H */
