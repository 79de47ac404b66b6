/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_PHASE_GATE_IMPL_H
#define INCLUDED_GNURADIO_BEARING_PHASE_GATE_IMPL_H

#include "placed_tag.h"
#include "stream_time.h"
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/phase_gate.h>
#include <gnuradio/tags.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

class phase_gate_impl : public phase_gate
{
public:
    phase_gate_impl(int num_elements,
                    const apply_calibration::sptr& correction,
                    double sample_rate);

    bool start() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void measure(std::uint64_t closure,
                 std::uint64_t discard,
                 std::uint64_t snapshots,
                 const std::optional<time_pair>& not_before) override;
    void open(std::uint64_t closure,
              std::uint64_t discard,
              const core::calibration_state& calibration,
              const std::optional<time_pair>& not_before) override;
    void close() override;

    int num_elements() const override { return d_num_elements; }
    std::uint64_t passed() const override { return d_passed; }
    std::uint64_t held_back() const override { return d_held_back; }

private:
    struct order {
        std::uint64_t closure = 0;
        std::uint64_t discard = 0;
        std::uint64_t snapshots = 0; // still to be measured
        bool is_to_open = false;
        core::calibration_state calibration;
        std::optional<stream_time> not_before; // until it is added to discard
    };
    // What a stream has told of itself, in Hz and in time.
    struct stream_state {
        std::optional<double> frequency;
        std::optional<double> rate;
        // The last time that was told, and the sample that it was told at.
        std::optional<stream_time> anchor;
        std::uint64_t anchor_position = 0;
        // Tags before this sample have been followed.
        std::uint64_t followed = 0;
        // Samples that the stream is ahead of others.
        std::uint64_t to_skip = 0;
    };
    // Another block's tag that waits for the gate to open.
    struct waiting_tag {
        int stream;
        gr::tag_t tag;
    };

    void take_orders();
    void load_tags(int num_samples);
    void follow_tags(std::size_t first, std::size_t last);
    void keep_tags(std::size_t first, std::size_t last);
    void pass_tags(std::size_t first, std::size_t last, std::uint64_t item);
    bool align(std::uint64_t used);
    bool skip(const gr_vector_int& ninput_items);
    void shut(const char* reason);
    void tell_closed(std::uint64_t used);
    void tell_measured();
    void add_loss(std::uint64_t samples, bool is_known);
    std::optional<stream_time> time_at(int stream, std::uint64_t position) const;
    void wait_for_time(std::uint64_t used);
    std::uint64_t hold_back(const gr_vector_const_void_star& input_items,
                            std::uint64_t used,
                            std::uint64_t run);
    bool is_tuned_alike() const;
    bool is_due_to_open(int produced);
    void let_through(std::uint64_t used);

    const int d_num_elements;
    const apply_calibration::sptr d_correction;
    const double d_sample_rate;

    std::mutex d_mutex; // guards the next two
    std::optional<order> d_staged;
    bool d_is_close_asked = false;

    std::atomic<std::uint64_t> d_passed{ 0 };
    std::atomic<std::uint64_t> d_held_back{ 0 };

    // Everything below belongs to the thread that runs general_work().
    bool d_is_open = false;
    // Never starts over, so that orders of an earlier run are not mistaken for new ones.
    std::uint64_t d_closure = 0;
    const char* d_untold = nullptr; // reason of a closure that was not yet told
    std::optional<order> d_order;
    core::covariance_accumulator d_sums;
    std::vector<const gr_complex*> d_channels;

    std::vector<stream_state> d_streams;
    std::vector<bool> d_is_told;   // for follow_tags(): streams that tell their time
    std::vector<double> d_offsets; // for align(): times in samples
    bool d_is_aligned = true;
    bool d_is_apart = false; // too far for dropping samples
    bool d_has_warned = false;
    bool d_is_first = true; // nothing came out since start()
    std::uint64_t d_missing = 0;
    bool d_is_missing_known = true;
    std::vector<waiting_tag> d_waiting;

    pmt::pmt_t d_source;
    std::vector<placed_tag> d_tags;
    std::vector<gr::tag_t> d_window;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_PHASE_GATE_IMPL_H */
