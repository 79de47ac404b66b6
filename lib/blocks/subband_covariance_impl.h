/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_IMPL_H
#define INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_IMPL_H

#include "sensor_tags.h"
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <gnuradio/bearing/subband_covariance.h>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

class subband_covariance_impl : public subband_covariance
{
public:
    subband_covariance_impl(int num_elements,
                            int snapshots,
                            double sample_rate,
                            const core::subband_config& config);
    ~subband_covariance_impl() override;

    bool start() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void set_snapshots(int snapshots) override;
    int snapshots() const override;
    int num_elements() const override { return d_num_elements; }
    int num_subbands() const override { return d_config.num_subbands; }
    std::vector<double> frequencies() const override;

private:
    void load_tags(std::size_t size);
    void follow(std::uint64_t offset);
    void lose(std::uint64_t samples);
    void keep(const tagged_sample& sample);
    void restart(std::uint64_t offset);
    void write_item(gr_complex* out, std::uint64_t item, std::uint64_t end);

    const int d_num_elements;
    const double d_sample_rate;
    const core::subband_config d_config;

    mutable std::mutex d_mutex; // guards d_staged_snapshots
    int d_staged_snapshots;

    // Everything below belongs to the thread that runs general_work().
    std::size_t d_snapshots; // of the item that is being filled
    std::optional<core::subband_accumulator> d_accumulator; // until the destructor
    std::vector<const gr_complex*> d_channels;
    std::uint64_t d_item_start = 0; // its first sample

    pmt::pmt_t d_source;
    sensor_tags d_tags;
    std::vector<gr::tag_t> d_window;
    std::vector<gr::tag_t> d_loaded;
    std::vector<gr::tag_t> d_waiting; // other blocks' tags, for the item

    // To be told with the next item.
    bool d_is_rate_told = false;
    std::optional<double> d_freq;
    std::optional<std::uint64_t> d_lost; // 0: unknown
    bool d_has_warned_of_values = false;
    bool d_has_warned_of_rates = false;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_IMPL_H */
