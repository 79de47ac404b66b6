/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "channel_tags_impl.h"
#include "pmt_number.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {

namespace {

constexpr int max_elements = 64;
constexpr int max_channels = 1024;

// Positions in samples before the filter are counted in 64 bits.
constexpr int max_decimation = 1 << 20;

// What a time stamp may be off without samples being lost, beside the rounding of its
// place: samples before the filter.
constexpr double largest_jitter = 0.5;

// How far one time stamp moves the reckoning at most, in samples behind the filter: less
// than what blocks behind this one take for a loss.
constexpr double largest_move = 0.25;

// Sample rates that differ by less, relatively, are the same in another unit's rounding.
constexpr double rate_tolerance = 1e-6;

// More lost samples than this are no number to reckon with.
constexpr std::uint64_t max_advance = 1ull << 61;

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");

[[noreturn]] void
reject(const std::string& name, const std::string& value, const std::string& allowed)
{
    throw std::invalid_argument("channel_tags: " + name + " is " + value +
                                "; it must be " + allowed);
}

int num_streams(int num_elements, std::size_t num_channels)
{
    return num_elements * static_cast<int>(num_channels);
}

} // namespace

channel_tags::sptr channel_tags::make(int num_elements,
                                      const std::vector<double>& offsets,
                                      int decimation,
                                      double delay,
                                      int memory,
                                      double sample_rate,
                                      double center_frequency)
{
    // Here, because the signatures of the block would reject a size of 0 in other words.
    if (num_elements < 1 || num_elements > max_elements) {
        reject("num_elements", std::to_string(num_elements), "from 1 to 64");
    }
    if (offsets.empty() || offsets.size() > max_channels) {
        reject("offsets",
               "a list of " + std::to_string(offsets.size()),
               "a list of 1 to 1024 frequencies");
    }
    for (const double offset : offsets) {
        if (!std::isfinite(offset)) {
            reject("offsets", std::to_string(offset), "finite, in Hz");
        }
    }
    if (decimation < 1 || decimation > max_decimation) {
        reject("decimation", std::to_string(decimation), "from 1 to 1048576");
    }
    // Half samples, because times are counted in them.
    if (!(delay >= 0.0 && delay <= 1e9 && 2.0 * delay == std::floor(2.0 * delay))) {
        reject("delay", std::to_string(delay), "a multiple of 0.5 from 0 to 1e9 samples");
    }
    if (memory < 0) {
        reject("memory", std::to_string(memory), ">= 0 samples");
    }
    if (!(std::isfinite(sample_rate) && sample_rate >= 0.0)) {
        reject("sample_rate",
               std::to_string(sample_rate),
               "finite and > 0 Hz, or 0 for unknown");
    }
    // A channel at a frequency that is not positive is none.
    const double lowest = *std::min_element(offsets.begin(), offsets.end());
    if (!(center_frequency == 0.0 ||
          (std::isfinite(center_frequency) && center_frequency > 0.0 &&
           center_frequency + lowest > 0.0))) {
        reject("center_frequency",
               std::to_string(center_frequency),
               "finite and > " + std::to_string(std::max(-lowest, 0.0)) +
                   " Hz, or 0 for unknown");
    }
    return gnuradio::make_block_sptr<channel_tags_impl>(
        num_elements, offsets, decimation, delay, memory, sample_rate, center_frequency);
}

channel_tags_impl::channel_tags_impl(int num_elements,
                                     const std::vector<double>& offsets,
                                     int decimation,
                                     double delay,
                                     int memory,
                                     double sample_rate,
                                     double center_frequency)
    : gr::block("channel_tags",
                gr::io_signature::make(num_streams(num_elements, offsets.size()),
                                       num_streams(num_elements, offsets.size()),
                                       sizeof(gr_complex)),
                gr::io_signature::make(num_streams(num_elements, offsets.size()),
                                       num_streams(num_elements, offsets.size()),
                                       sizeof(gr_complex))),
      d_num_elements(num_elements),
      d_offsets(offsets),
      d_num_streams(num_streams(num_elements, offsets.size())),
      d_decimation(decimation),
      d_delay(delay),
      d_memory(memory),
      d_sample_rate(sample_rate),
      d_center_frequency(center_frequency),
      d_freqs(d_num_streams),
      d_rates(d_num_streams)
{
    // Samples are left out, and tags are rewritten: this block places them.
    set_tag_propagation_policy(TPP_DONT);
}

bool channel_tags_impl::start()
{
    // Filters start empty, and what was in the buffers is gone: nothing goes on.
    d_position = 0;
    d_leave_out = d_memory;
    d_rate.reset();
    if (d_sample_rate > 0.0) {
        d_rate = d_sample_rate;
    }
    d_anchor.reset();
    d_has_tags = d_center_frequency > 0.0;
    d_is_first = true;
    d_has_time = false;
    d_loss.reset();
    d_has_warned_of_rates = false;
    std::fill(d_freqs.begin(), d_freqs.end(), stream_number());
    std::fill(d_rates.begin(), d_rates.end(), stream_number());
    d_waiting.clear();
    // Built from strings, and it does not change while the flowgraph runs.
    d_source = alias_pmt();
    return block::start();
}

bool channel_tags_impl::stop()
{
    if (d_ignored_tags > 1) {
        d_logger->warn("{} tag values that make no sense were ignored", d_ignored_tags);
    }
    d_ignored_tags = 0;
    return block::stop();
}

void channel_tags_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Samples that are left out need no room.
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), 1);
}

void channel_tags_impl::load_tags(int num_samples)
{
    load_by_sample(
        d_num_streams,
        [&](int stream, std::vector<gr::tag_t>& found) {
            get_tags_in_window(found, stream, 0, num_samples);
            return nitems_read(stream);
        },
        d_window,
        d_tags);
}

void channel_tags_impl::ignore_tag(const gr::tag_t& tag)
{
    if (d_ignored_tags++ == 0) {
        d_logger->warn("tag {} at sample {} has a value that makes no sense; it and all "
                       "further such values are ignored",
                       pmt::symbol_to_string(tag.key),
                       tag.offset);
    }
}

// Takes a frequency or a rate. True when it differs from what the stream told before.
bool channel_tags_impl::follow_number(const gr::tag_t& tag, stream_number& number)
{
    const std::optional<double> told = positive_from_pmt(tag.value);
    if (!told) {
        ignore_tag(tag);
        return false;
    }
    const bool is_changed = number.told && number.told != told;
    number.told = told;
    number.is_waiting = true;
    return is_changed;
}

// Offsets and filters are for the rate that was given.
void channel_tags_impl::warn_of_other_rate(const gr::tag_t& tag,
                                           std::optional<double> told)
{
    if (d_has_warned_of_rates || !told || d_sample_rate == 0.0 ||
        std::abs(*told - d_sample_rate) <= rate_tolerance * d_sample_rate) {
        return;
    }
    d_has_warned_of_rates = true;
    d_logger->warn(
        "tag rx_rate at sample {} is {} Hz, and differs from sample_rate, {} Hz, "
        "which the filters and their offsets are for",
        tag.offset,
        *told,
        d_sample_rate);
}

// Puts a tag of another block aside. Copies that a channelizer makes of one count once;
// where no sample comes out, only the last of each key is kept: they must not pile up.
void channel_tags_impl::keep_tag(int stream, const gr::tag_t& tag)
{
    const auto is_replaced = [&](const waiting_tag& waiting) {
        return waiting.stream == stream && pmt::eq(waiting.tag.key, tag.key) &&
               (waiting.position != d_position ||
                pmt::equal(waiting.tag.value, tag.value));
    };
    d_waiting.erase(std::remove_if(d_waiting.begin(), d_waiting.end(), is_replaced),
                    d_waiting.end());
    d_waiting.push_back({ d_position, stream, tag });
}

void channel_tags_impl::add_loss(std::uint64_t samples, bool is_known)
{
    d_loss = d_loss.value_or(loss());
    const std::uint64_t countable =
        std::numeric_limits<std::uint64_t>::max() - d_loss->samples;
    d_loss->is_known = d_loss->is_known && is_known && samples <= countable;
    d_loss->samples += std::min(samples, countable);
}

// The time of the sample before the filter that stands at \p position, or \p earlier
// samples earlier.
std::optional<stream_time> channel_tags_impl::time_at(std::uint64_t position,
                                                      double earlier) const
{
    if (!d_anchor || (!d_rate && (position != d_anchor_position || earlier != 0.0))) {
        return std::nullopt;
    }
    const std::uint64_t samples = (position - d_anchor_position) * d_decimation;
    const std::int64_t half_samples =
        2 * static_cast<std::int64_t>(samples) - static_cast<std::int64_t>(2.0 * earlier);
    return d_anchor->advanced(half_samples, 2.0 * d_rate.value_or(1.0));
}

// Two clocks drift apart, however good they are. What a time stamp differs by beyond the
// rounding of its place is followed, slowly.
void channel_tags_impl::follow_drift(const stream_time& told,
                                     const stream_time& predicted)
{
    const double difference = told.samples_since(predicted, *d_rate);
    const double rounding = 0.5 * d_decimation;
    const double most = largest_move * d_decimation;
    const double beyond = difference - std::clamp(difference, -rounding, rounding);
    if (beyond == 0.0) {
        return;
    }
    // In thousandths of a sample.
    d_anchor = predicted.advanced(std::llround(1e3 * std::clamp(beyond, -most, most)),
                                  1e3 * *d_rate);
    d_anchor_position = d_position;
}

// Takes the tags [first, last) of d_tags, all of which are on the sample at d_position.
void channel_tags_impl::follow_tags(std::size_t first, std::size_t last)
{
    std::optional<stream_time> time;
    std::optional<std::uint64_t> reported; // lost samples, 0: unknown
    std::optional<std::uint64_t> jumped;
    bool is_retuned = false;
    std::optional<double> paced_anew;
    const std::optional<stream_time> predicted = time_at(d_position, 0.0);

    for (std::size_t i = first; i < last; ++i) {
        const gr::tag_t& tag = d_tags[i].tag;
        const int stream = d_tags[i].stream;
        if (pmt::eq(tag.key, time_key)) {
            const std::optional<stream_time> told = stream_time::from_pmt(tag.value);
            if (!told) {
                ignore_tag(tag);
                continue;
            }
            time = time ? time : told;
            if (predicted && d_rate) {
                const double jump = told->samples_since(*predicted, *d_rate);
                // Either tag was moved by up to half an output sample.
                if (std::abs(jump) > d_decimation + largest_jitter) {
                    // Back in time, or further than a counter can tell: unknown.
                    const bool is_known = jump > 0.0 && jump < 2e18;
                    jumped = std::max<std::uint64_t>(jumped.value_or(0),
                                                     is_known ? std::llround(jump) : 0);
                }
            }
        } else if (pmt::eq(tag.key, gap_key)) {
            // Whatever its value, samples are missing here.
            const std::optional<std::uint64_t> told = count_from_pmt(tag.value);
            if (!told) {
                ignore_tag(tag);
            }
            reported = std::max(reported.value_or(0), told.value_or(0));
        } else if (pmt::eq(tag.key, freq_key)) {
            is_retuned = follow_number(tag, d_freqs[stream]) || is_retuned;
        } else if (pmt::eq(tag.key, rate_key)) {
            follow_number(tag, d_rates[stream]);
            paced_anew = d_rates[stream].told;
            warn_of_other_rate(tag, paced_anew);
        } else {
            keep_tag(stream, tag);
        }
    }

    const bool is_paced_anew = paced_anew && d_rate && paced_anew != d_rate;
    if (is_paced_anew || (paced_anew && !d_rate)) {
        // Times are counted at the new rate from here on.
        d_anchor = predicted;
        d_anchor_position = d_position;
        d_rate = paced_anew;
    }
    if (reported || jumped) {
        // Streams, and both kinds of report, tell of the same loss.
        const std::uint64_t samples =
            reported.value_or(0) > 0 ? *reported : jumped.value_or(0);
        add_loss(samples, samples > 0);
        // The lost samples took their time; it is unknown after an unknown number of
        // them.
        d_anchor.reset();
        if (predicted && d_rate && samples > 0 && samples < max_advance) {
            d_anchor = predicted->advanced(samples, *d_rate);
            d_anchor_position = d_position;
        }
    }
    if (reported || jumped || is_retuned || is_paced_anew) {
        add_loss(0, true);
        d_leave_out = d_memory;
    }
    if (time) {
        if (!d_anchor || reported || jumped) {
            d_anchor = time;
            d_anchor_position = d_position;
        } else if (predicted && d_rate) {
            // What only confirms the prediction is no better than it.
            follow_drift(*time, *predicted);
        }
        d_has_time = true;
    }
    d_has_time = d_has_time || (d_anchor && (reported || jumped));
    d_has_tags = true;
}

// For the first sample to come out, where no stream has told its frequency.
void channel_tags_impl::assume_frequency()
{
    const auto has_told = [](const stream_number& number) {
        return number.told.has_value();
    };
    if (d_center_frequency > 0.0 &&
        std::none_of(d_freqs.begin(), d_freqs.end(), has_told)) {
        std::fill(
            d_freqs.begin(), d_freqs.end(), stream_number{ d_center_frequency, true });
    }
}

void channel_tags_impl::write_tags(std::uint64_t sample)
{
    if (d_is_first) {
        assume_frequency();
        d_is_first = false;
    }
    const std::optional<stream_time> time =
        d_has_time ? time_at(d_position, d_delay) : std::nullopt;
    const pmt::pmt_t time_value = time ? time->to_pmt() : pmt::PMT_NIL;
    pmt::pmt_t gap_value;
    if (d_loss) {
        // What is missing is told to be so, however little it is.
        const std::uint64_t missing = std::max<std::uint64_t>(
            d_loss->samples / d_decimation +
                (d_loss->samples % d_decimation * 2 >= d_decimation ? 1 : 0),
            1);
        gap_value = pmt::from_uint64(d_loss->is_known ? missing : 0);
    }
    for (int stream = 0; stream < d_num_streams; ++stream) {
        if (time) {
            add_item_tag(stream, sample, time_key, time_value, d_source);
        }
        stream_number& rate = d_rates[stream];
        if (rate.is_waiting) {
            add_item_tag(stream,
                         sample,
                         rate_key,
                         pmt::from_double(*rate.told / static_cast<double>(d_decimation)),
                         d_source);
            rate.is_waiting = false;
        }
        stream_number& freq = d_freqs[stream];
        if (freq.is_waiting) {
            const double offset = d_offsets[stream / d_num_elements];
            add_item_tag(stream,
                         sample,
                         freq_key,
                         pmt::from_double(*freq.told + offset),
                         d_source);
            freq.is_waiting = false;
        }
        if (d_loss) {
            add_item_tag(stream, sample, gap_key, gap_value, d_source);
        }
    }
    for (const waiting_tag& waiting : d_waiting) {
        add_item_tag(waiting.stream,
                     sample,
                     waiting.tag.key,
                     waiting.tag.value,
                     waiting.tag.srcid);
    }
    d_loss.reset();
    d_waiting.clear();
    d_has_time = false;
    d_has_tags = false;
}

int channel_tags_impl::general_work(int noutput_items,
                                    gr_vector_int& ninput_items,
                                    gr_vector_const_void_star& input_items,
                                    gr_vector_void_star& output_items)
{
    const std::uint64_t size = static_cast<std::uint64_t>(
        *std::min_element(ninput_items.begin(), ninput_items.end()));
    load_tags(size);

    std::uint64_t used = 0;
    std::size_t tag = 0;
    int produced = 0;
    while (used < size && produced < noutput_items) {
        std::size_t next_tag = tag;
        while (next_tag < d_tags.size() && d_tags[next_tag].sample == used) {
            ++next_tag;
        }
        if (next_tag > tag) {
            follow_tags(tag, next_tag);
            tag = next_tag;
        }
        const std::uint64_t limit = tag < d_tags.size() ? d_tags[tag].sample : size;
        std::uint64_t run = limit - used;
        if (d_leave_out > 0) {
            run = std::min(run, d_leave_out);
            d_leave_out -= run;
            if (d_loss) {
                add_loss(run * d_decimation, true);
            }
        } else {
            run = std::min<std::uint64_t>(run, noutput_items - produced);
            if (d_has_tags) {
                write_tags(nitems_written(0) + produced);
            }
            for (int stream = 0; stream < d_num_streams; ++stream) {
                std::memcpy(static_cast<gr_complex*>(output_items[stream]) + produced,
                            static_cast<const gr_complex*>(input_items[stream]) + used,
                            run * sizeof(gr_complex));
            }
            produced += run;
        }
        used += run;
        d_position += run;
    }
    consume_each(used);
    return produced;
}

} // namespace bearing
} // namespace gr
