/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_IMPL_H
#define INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_IMPL_H

#include "kraken_client.h"
#include <gnuradio/bearing/kraken_source.h>
#include <atomic>
#include <optional>

namespace gr {
namespace bearing {

class kraken_source_impl : public kraken_source
{
public:
    kraken_source_impl(const kraken_server& server,
                       double frequency,
                       const std::vector<double>& gain_db);
    ~kraken_source_impl() override;

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_frequency(double frequency) override;
    void set_gain(const std::vector<double>& gain_db) override;
    int num_elements() const override { return d_num_elements; }
    double frequency() const override { return d_client.frequency(); }
    double sample_rate() const override { return d_client.sample_rate(); }
    std::string state() const override { return d_client.state(); }
    bool is_receiving() const override { return d_client.is_receiving(); }
    std::map<std::string, std::uint64_t> counters() const override;

private:
    void tag(std::uint64_t offset, const pmt::pmt_t& key, const pmt::pmt_t& value);
    void tag_frame(std::uint64_t offset);
    void copy(int num_samples, int done, gr_vector_void_star& output_items);
    void take_command(const pmt::pmt_t& message);
    void take_setting(const pmt::pmt_t& key, const pmt::pmt_t& value);
    void tell_status();

    const int d_num_elements;
    kraken_client d_client;

    std::optional<queued_frame> d_frame; // the one that is being delivered
    std::uint32_t d_position = 0;        // samples of it that were
    std::atomic<bool> d_has_frame{ false };
    std::optional<heimdall_frame> d_tagged; // what the tags have told
    pmt::pmt_t d_source = pmt::PMT_F;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_IMPL_H */
