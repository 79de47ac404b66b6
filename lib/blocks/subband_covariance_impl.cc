/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_number.h"
#include "subband_covariance_impl.h"
#include <gnuradio/fft/fft.h>
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {

namespace {

constexpr int max_elements = 64;

// The relative rate only tells how large upstream buffers should be: twice its inverse.
// Items may be longer than any buffer, so beyond this it would ask for memory in vain.
constexpr int largest_buffer_hint = 4096;

constexpr int page_size = 4096; // bytes

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");
const pmt::pmt_t snapshots_key = pmt::intern("snapshots");

bool is_own(const pmt::pmt_t& key)
{
    return pmt::eq(key, time_key) || pmt::eq(key, freq_key) || pmt::eq(key, rate_key) ||
           pmt::eq(key, gap_key) || pmt::eq(key, snapshots_key);
}

void require_snapshots(int snapshots, const core::subband_config& config)
{
    const int frame = core::subband_frame_length(config);
    if (snapshots < frame) {
        throw std::invalid_argument(
            "snapshots is " + std::to_string(snapshots) + "; " +
            std::to_string(config.num_subbands) + " sub-bands in a bandwidth of " +
            std::to_string(config.bandwidth) + " take at least a frame of " +
            std::to_string(frame) + " samples");
    }
}

} // namespace

subband_covariance::sptr subband_covariance::make(int num_elements,
                                                  int snapshots,
                                                  int num_subbands,
                                                  double sample_rate,
                                                  double bandwidth)
{
    // Here, because the signatures of the block would reject a size of 0 in other words.
    if (num_elements < 1 || num_elements > max_elements) {
        throw std::invalid_argument("num_elements is " + std::to_string(num_elements) +
                                    "; it must be from 1 to " +
                                    std::to_string(max_elements));
    }
    const core::subband_config config{ num_subbands, bandwidth };
    require_snapshots(snapshots, config);
    core::subband_frequencies(config, sample_rate);
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    return gnuradio::make_block_sptr<subband_covariance_impl>(
        num_elements, snapshots, sample_rate, config);
}

subband_covariance_impl::subband_covariance_impl(int num_elements,
                                                 int snapshots,
                                                 double sample_rate,
                                                 const core::subband_config& config)
    : gr::block("subband_covariance",
                gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex)),
                gr::io_signature::make(1,
                                       1,
                                       config.num_subbands * num_elements * num_elements *
                                           sizeof(gr_complex))),
      d_num_elements(num_elements),
      d_sample_rate(sample_rate),
      d_config(config),
      d_staged_snapshots(snapshots),
      d_snapshots(snapshots),
      d_accumulator(std::in_place, num_elements, config),
      d_channels(num_elements),
      d_tags(sample_rate)
{
    // N streams become one, and samples may be left out: tags are placed by this block.
    set_tag_propagation_policy(TPP_DONT);
    set_relative_rate(1, std::min(snapshots, largest_buffer_hint));
    // A buffer ends where a page of memory does. It gets so many items in any case, but with a
    // warning where fewer are asked for.
    const int item_size = config.num_subbands * num_elements * num_elements *
                          static_cast<int>(sizeof(gr_complex));
    // GNU Radio tells of every such call.
    const std::string level = log_level();
    set_log_level("error");
    set_min_output_buffer(page_size / std::gcd(page_size, item_size));
    set_log_level(level);
}

subband_covariance_impl::~subband_covariance_impl()
{
    // FFTW makes and destroys plans in one thread at a time.
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    d_accumulator.reset();
}

bool subband_covariance_impl::start()
{
    // Samples between stop and start are missing, and nobody knows how many: neither the
    // unfinished item nor the time goes on.
    d_accumulator->reset();
    d_tags.start();
    d_waiting.clear();
    d_item_start = nitems_read(0);
    d_is_rate_told = false;
    d_freq.reset();
    d_lost.reset();
    // Built from strings, and it does not change while the flowgraph runs.
    d_source = alias_pmt();
    return block::start();
}

void subband_covariance_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Any number of samples brings an item nearer.
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), 1);
}

void subband_covariance_impl::set_snapshots(int snapshots)
{
    require_snapshots(snapshots, d_config);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_staged_snapshots = snapshots;
}

int subband_covariance_impl::snapshots() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_staged_snapshots;
}

std::vector<double> subband_covariance_impl::frequencies() const
{
    const Eigen::VectorXd hertz = core::subband_frequencies(d_config, d_sample_rate);
    return { hertz.begin(), hertz.end() };
}

void subband_covariance_impl::load_tags(std::size_t size)
{
    d_loaded.clear();
    for (int input = 0; input < d_num_elements; ++input) {
        get_tags_in_window(d_window, input, 0, size);
        d_loaded.insert(d_loaded.end(), d_window.begin(), d_window.end());
    }
    d_tags.load(d_loaded);
}

// Samples are missing before the next item, in addition to those that are known already.
void subband_covariance_impl::lose(std::uint64_t samples)
{
    const std::uint64_t countable =
        std::numeric_limits<std::uint64_t>::max() - d_lost.value_or(0);
    const bool is_known = samples > 0 && samples <= countable && d_lost.value_or(1) > 0;
    d_lost = is_known ? d_lost.value_or(0) + samples : 0;
}

// Puts tags of other blocks aside for the item.
void subband_covariance_impl::keep(const tagged_sample& sample)
{
    std::copy_if(sample.tags.begin(),
                 sample.tags.end(),
                 std::back_inserter(d_waiting),
                 [](const gr::tag_t& tag) { return !is_own(tag.key); });
}

void subband_covariance_impl::restart(std::uint64_t offset)
{
    d_accumulator->reset();
    d_item_start = offset;
    // Tags of the samples that are given up wait for the next item, the last one of each
    // key: where no item is ever finished they must not pile up.
    for (auto tag = d_waiting.begin(); tag != d_waiting.end();) {
        const bool is_superseded =
            std::any_of(tag + 1, d_waiting.end(), [&tag](const gr::tag_t& later) {
                return later.offset > tag->offset && pmt::eq(later.key, tag->key);
            });
        tag = is_superseded ? d_waiting.erase(tag) : tag + 1;
    }
}

// Takes what the tags on a sample tell, which is not yet in the accumulator.
void subband_covariance_impl::follow(std::uint64_t offset)
{
    const std::optional<stream_time> predicted = d_tags.time_of(offset);
    const tagged_sample& sample = d_tags.next();
    if (sample.num_bad > 0 && !d_has_warned_of_values) {
        d_has_warned_of_values = true;
        d_logger->warn("a tag at sample {} has a value that makes no sense; it and all "
                       "further such values are ignored",
                       offset);
    }
    if (sample.num_other_rates > 0 && !d_has_warned_of_rates) {
        d_has_warned_of_rates = true;
        d_logger->warn("tag rx_rate at sample {} differs from sample_rate, {} Hz, which "
                       "stays in force",
                       offset,
                       d_sample_rate);
    }
    if (sample.has_gap || sample.has_jump) {
        // Inputs, and both kinds of report, tell of the same loss.
        std::uint64_t told = 0;
        double jump = 0.0;
        for (const gr::tag_t& tag : sample.tags) {
            if (pmt::eq(tag.key, gap_key)) {
                told = std::max(told, count_from_pmt(tag.value).value_or(0));
            } else if (pmt::eq(tag.key, time_key) && predicted) {
                const std::optional<stream_time> time = stream_time::from_pmt(tag.value);
                jump = std::max(
                    jump, time ? time->samples_since(*predicted, d_sample_rate) : 0.0);
            }
        }
        if (told == 0 && jump < 9e18) { // what a counter can tell
            told = static_cast<std::uint64_t>(std::llround(jump));
        }
        lose(told);
    }
    if (sample.rx_freq) {
        d_freq = sample.rx_freq;
    }
    keep(sample);
    if (sample.has_gap || sample.has_jump || sample.rx_freq) {
        restart(offset);
    }
}

void subband_covariance_impl::write_item(gr_complex* out,
                                         std::uint64_t item,
                                         std::uint64_t end)
{
    const double worth = core::subband_snapshots(d_accumulator->num_frames());
    d_accumulator->covariance(out);

    const std::optional<stream_time> time = d_tags.time_of(d_item_start);
    if (time) {
        add_item_tag(0, item, time_key, time->to_pmt(), d_source);
    }
    if (!d_is_rate_told) {
        add_item_tag(0, item, rate_key, pmt::from_double(d_sample_rate), d_source);
        d_is_rate_told = true;
    }
    if (d_freq) {
        add_item_tag(0, item, freq_key, pmt::from_double(*d_freq), d_source);
        d_freq.reset();
    }
    add_item_tag(0,
                 item,
                 snapshots_key,
                 pmt::from_uint64(static_cast<std::uint64_t>(worth)),
                 d_source);
    if (d_lost) {
        add_item_tag(0, item, gap_key, pmt::from_uint64(*d_lost), d_source);
        d_lost.reset();
    }
    for (const gr::tag_t& tag : d_waiting) {
        add_item_tag(0, item, tag.key, tag.value, tag.srcid);
    }
    d_waiting.clear();

    d_accumulator->reset();
    d_item_start = end;
}

int subband_covariance_impl::general_work(int noutput_items,
                                          gr_vector_int& ninput_items,
                                          gr_vector_const_void_star& input_items,
                                          gr_vector_void_star& output_items)
{
    gr_complex* out = static_cast<gr_complex*>(output_items[0]);
    const std::size_t item_size =
        static_cast<std::size_t>(d_config.num_subbands) * d_num_elements * d_num_elements;
    const std::size_t size = static_cast<std::size_t>(
        *std::min_element(ninput_items.begin(), ninput_items.end()));
    const std::uint64_t first = nitems_read(0);
    load_tags(size);

    std::size_t used = 0;
    int produced = 0;
    while (used < size && produced < noutput_items) {
        if (d_tags.next_offset() == first + used) {
            follow(first + used);
        }
        if (d_accumulator->num_samples() == 0) {
            d_snapshots = static_cast<std::size_t>(snapshots());
        }
        // Tags are followed where they stand, so no run of samples goes beyond the next.
        const std::size_t limit =
            d_tags.next_offset()
                ? std::min<std::size_t>(*d_tags.next_offset() - first, size)
                : size;
        const std::size_t run =
            std::min(limit - used, d_snapshots - d_accumulator->num_samples());
        for (int k = 0; k < d_num_elements; ++k) {
            d_channels[k] = static_cast<const gr_complex*>(input_items[k]) + used;
        }
        d_accumulator->update(d_channels.data(), run);
        used += run;
        if (d_accumulator->num_samples() == d_snapshots) {
            write_item(out, nitems_written(0) + produced, first + used);
            out += item_size;
            ++produced;
        }
    }
    consume_each(used);
    return produced;
}

} // namespace bearing
} // namespace gr
