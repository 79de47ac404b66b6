/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_IMPL_H
#define INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_IMPL_H

#include "placed_tag.h"
#include "stream_time.h"
#include <gnuradio/bearing/channel_tags.h>
#include <gnuradio/tags.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

class channel_tags_impl : public channel_tags
{
public:
    channel_tags_impl(int num_elements,
                      const std::vector<double>& offsets,
                      int decimation,
                      double delay,
                      int memory,
                      double sample_rate,
                      double center_frequency);

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    int num_elements() const override { return d_num_elements; }
    std::vector<double> offsets() const override { return d_offsets; }

private:
    // Another block's tag that waits for the next sample to come out.
    struct waiting_tag {
        std::uint64_t position;
        int stream;
        gr::tag_t tag;
    };
    // What a stream tells of itself, in Hz, as it was before the filter.
    struct stream_number {
        std::optional<double> told;
        bool is_waiting = false; // for the next sample to come out
    };
    // Samples before the filter.
    struct loss {
        std::uint64_t samples = 0;
        bool is_known = true;
    };

    void load_tags(int num_samples);
    void follow_tags(std::size_t first, std::size_t last);
    bool follow_number(const gr::tag_t& tag, stream_number& number);
    void ignore_tag(const gr::tag_t& tag);
    void warn_of_other_rate(const gr::tag_t& tag, std::optional<double> told);
    void keep_tag(int stream, const gr::tag_t& tag);
    void add_loss(std::uint64_t samples, bool is_known);
    std::optional<stream_time> time_at(std::uint64_t position, double earlier) const;
    void follow_drift(const stream_time& told, const stream_time& predicted);
    void assume_frequency();
    void write_tags(std::uint64_t sample);

    const int d_num_elements;
    const std::vector<double> d_offsets;
    const int d_num_streams;
    const std::uint64_t d_decimation;
    const double d_delay;
    const std::uint64_t d_memory;
    const double d_sample_rate;
    const double d_center_frequency;

    std::uint64_t d_position = 0; // samples consumed since start()
    std::uint64_t d_leave_out = 0;

    // Before the filter; of the streams, the one that told last.
    std::optional<double> d_rate;
    // The time that others are reckoned from, and where it holds.
    std::optional<stream_time> d_anchor;
    std::uint64_t d_anchor_position = 0;

    // What the next sample will carry.
    bool d_has_tags = false;
    bool d_is_first = true;
    bool d_has_time = false;
    std::optional<loss> d_loss;
    std::vector<stream_number> d_freqs;
    std::vector<stream_number> d_rates;
    std::vector<waiting_tag> d_waiting;

    pmt::pmt_t d_source;
    std::vector<placed_tag> d_tags; // samples from the first one of this call
    std::vector<gr::tag_t> d_window;
    std::uint64_t d_ignored_tags = 0;
    bool d_has_warned_of_rates = false;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_IMPL_H */
