/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "phase_gate_impl.h"
#include "pmt_number.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {

namespace {

constexpr int max_elements = 64;

// A time stamp that is further off than this many samples is not jitter.
constexpr double largest_jitter = 0.5;

// Streams further apart than this cannot be brought together by dropping samples.
constexpr double largest_offset = 1e9;

// Hz between channels that are tuned alike: less is rounding.
constexpr double frequency_tolerance = 1.0;

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");
const pmt::pmt_t events_port = pmt::intern("events");
const pmt::pmt_t event_key = pmt::intern("event");
const pmt::pmt_t closure_key = pmt::intern("closure");
const pmt::pmt_t reason_key = pmt::intern("reason");
const pmt::pmt_t covariance_key = pmt::intern("covariance");
const pmt::pmt_t snapshots_key = pmt::intern("snapshots");
const pmt::pmt_t missing_key = pmt::intern("missing");

pmt::pmt_t make_event(const char* name, std::uint64_t closure)
{
    pmt::pmt_t event = pmt::make_dict();
    event = pmt::dict_add(event, event_key, pmt::intern(name));
    return pmt::dict_add(event, closure_key, pmt::from_uint64(closure));
}

std::optional<stream_time> to_time(const std::optional<phase_gate::time_pair>& time)
{
    if (!time) {
        return std::nullopt;
    }
    if (!std::isfinite(time->second)) {
        throw std::invalid_argument("phase_gate: not_before has the fraction " +
                                    std::to_string(time->second) + "; it must be finite");
    }
    return stream_time(time->first, time->second);
}

} // namespace

phase_gate::sptr phase_gate::make(int num_elements,
                                  const apply_calibration::sptr& correction,
                                  double sample_rate)
{
    // Here, because the signatures of the block would reject a size of 0 in other words.
    if (num_elements < 1 || num_elements > max_elements) {
        throw std::invalid_argument(
            "phase_gate: num_elements is " + std::to_string(num_elements) +
            "; it must be from 1 to " + std::to_string(max_elements));
    }
    if (!(std::isfinite(sample_rate) && sample_rate >= 0.0)) {
        throw std::invalid_argument("phase_gate: sample_rate is " +
                                    std::to_string(sample_rate) +
                                    "; it must be finite and > 0 Hz, or 0 for unknown");
    }
    return gnuradio::make_block_sptr<phase_gate_impl>(
        num_elements, correction, sample_rate);
}

phase_gate_impl::phase_gate_impl(int num_elements,
                                 const apply_calibration::sptr& correction,
                                 double sample_rate)
    : gr::block("phase_gate",
                gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex)),
                gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex))),
      d_num_elements(num_elements),
      d_correction(correction),
      d_sample_rate(sample_rate),
      d_sums(num_elements),
      d_channels(num_elements),
      d_streams(num_elements),
      d_is_told(num_elements),
      d_offsets(num_elements)
{
    // Samples are left out: this block places the tags.
    set_tag_propagation_policy(TPP_DONT);
    message_port_register_out(events_port);
}

bool phase_gate_impl::start()
{
    d_passed = 0;
    d_held_back = 0;
    d_is_first = true;
    d_missing = 0;
    d_is_missing_known = true;
    d_is_aligned = true;
    d_is_apart = false;
    d_waiting.clear();
    d_streams.assign(d_num_elements, stream_state());
    if (d_sample_rate > 0.0) {
        for (stream_state& stream : d_streams) {
            stream.rate = d_sample_rate;
        }
    }
    d_source = alias_pmt();
    shut("start");
    return block::start();
}

void phase_gate_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Samples that are held back need no room.
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), 1);
}

void phase_gate_impl::measure(std::uint64_t closure,
                              std::uint64_t discard,
                              std::uint64_t snapshots,
                              const std::optional<time_pair>& not_before)
{
    const std::optional<stream_time> time = to_time(not_before);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_staged = order{ closure, discard, snapshots, false, {}, time };
}

void phase_gate_impl::open(std::uint64_t closure,
                           std::uint64_t discard,
                           const core::calibration_state& calibration,
                           const std::optional<time_pair>& not_before)
{
    const std::optional<stream_time> time = to_time(not_before);
    if (d_correction) {
        // A block of its own throws what the correction would throw later, in work().
        apply_calibration::make(d_num_elements, calibration);
    }
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_staged = order{ closure, discard, 0, true, calibration, time };
}

void phase_gate_impl::close()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_is_close_asked = true;
}

void phase_gate_impl::take_orders()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (d_is_close_asked) {
        d_is_close_asked = false;
        shut("asked");
    }
    if (d_staged) {
        if (d_staged->closure == d_closure && !d_is_open) {
            d_order = std::move(d_staged);
            d_sums.reset();
        }
        d_staged.reset();
    }
}

// Samples from here on are of another phase, until somebody tells which.
void phase_gate_impl::shut(const char* reason)
{
    d_is_open = false;
    d_order.reset();
    ++d_closure;
    d_untold = reason;
}

// The sample at \p used is the first one that is held back.
void phase_gate_impl::tell_closed(std::uint64_t used)
{
    pmt::pmt_t event =
        pmt::dict_add(make_event("closed", d_closure), reason_key, pmt::intern(d_untold));
    const std::optional<stream_time> time = time_at(0, nitems_read(0) + used);
    if (time) {
        event = pmt::dict_add(event, time_key, time->to_pmt());
    }
    d_untold = nullptr;
    message_port_pub(events_port, event);
}

void phase_gate_impl::load_tags(int num_samples)
{
    load_by_sample(
        d_num_elements,
        [&](int stream, std::vector<gr::tag_t>& found) {
            get_tags_in_window(found, stream, 0, num_samples);
            const std::uint64_t followed = d_streams[stream].followed;
            found.erase(std::remove_if(
                            found.begin(),
                            found.end(),
                            [&](const gr::tag_t& tag) { return tag.offset < followed; }),
                        found.end());
            return nitems_read(stream);
        },
        d_window,
        d_tags);
}

void phase_gate_impl::add_loss(std::uint64_t samples, bool is_known)
{
    const std::uint64_t countable = std::numeric_limits<std::uint64_t>::max() - d_missing;
    d_is_missing_known = d_is_missing_known && is_known && samples <= countable;
    d_missing += std::min(samples, countable);
}

std::optional<stream_time> phase_gate_impl::time_at(int stream,
                                                    std::uint64_t position) const
{
    const stream_state& state = d_streams[stream];
    if (!state.anchor) {
        return std::nullopt;
    }
    if (position == state.anchor_position) {
        return state.anchor;
    }
    if (!state.rate) {
        return std::nullopt;
    }
    return state.anchor->advanced(position - state.anchor_position, *state.rate);
}

// Takes the tags [first, last) of d_tags, all of which are on one sample.
void phase_gate_impl::follow_tags(std::size_t first, std::size_t last)
{
    const char* reason = nullptr;
    bool is_lost = false;
    bool is_reported = false;
    bool is_timed = false;
    std::fill(d_is_told.begin(), d_is_told.end(), false);
    std::uint64_t reported = 0; // samples, 0: unknown
    std::uint64_t jumped = 0;
    for (std::size_t i = first; i < last; ++i) {
        const gr::tag_t& tag = d_tags[i].tag;
        stream_state& stream = d_streams[d_tags[i].stream];
        stream.followed = tag.offset + 1;
        if (pmt::eq(tag.key, time_key)) {
            const std::optional<stream_time> told = stream_time::from_pmt(tag.value);
            if (!told) {
                continue;
            }
            const std::optional<stream_time> predicted =
                time_at(d_tags[i].stream, tag.offset);
            if (predicted && stream.rate) {
                const double jump = told->samples_since(*predicted, *stream.rate);
                if (std::abs(jump) > largest_jitter) {
                    is_lost = true;
                    const bool is_known = jump > 0.0 && jump < 9e18;
                    jumped = std::max<std::uint64_t>(jumped,
                                                     is_known ? std::llround(jump) : 0);
                    reason = "rx_time";
                }
            }
            stream.anchor = told;
            stream.anchor_position = tag.offset;
            d_is_told[d_tags[i].stream] = true;
            is_timed = true;
        } else if (pmt::eq(tag.key, gap_key)) {
            is_lost = true;
            is_reported = true;
            reported = std::max(reported, count_from_pmt(tag.value).value_or(0));
            reason = "gap";
        } else if (pmt::eq(tag.key, freq_key)) {
            const std::optional<double> told = positive_from_pmt(tag.value);
            stream.frequency = told ? told : stream.frequency;
            reason = "rx_freq";
        } else if (pmt::eq(tag.key, rate_key)) {
            const std::optional<double> told = positive_from_pmt(tag.value);
            if (told && stream.rate && told != stream.rate) {
                reason = "rx_rate";
                const std::optional<stream_time> now =
                    time_at(d_tags[i].stream, tag.offset);
                stream.anchor = now;
                stream.anchor_position = tag.offset;
            }
            stream.rate = told ? told : stream.rate;
        }
    }
    if (is_lost) {
        // Streams, and both kinds of report, tell of the same loss.
        const std::uint64_t samples = reported > 0 ? reported : jumped;
        add_loss(samples, samples > 0);
    }
    if (is_reported) {
        // All streams lost the samples; those that do not tell their time are later by
        // as much.
        for (int k = 0; k < d_num_elements; ++k) {
            stream_state& stream = d_streams[k];
            if (!d_is_told[k]) {
                stream.anchor = reported > 0 && stream.anchor && stream.rate
                                    ? stream.anchor->advanced(reported, *stream.rate)
                                    : std::nullopt;
            }
        }
    }
    if (reason) {
        shut(reason);
    }
    // A radio that lost samples of its own says so by its time alone.
    d_is_aligned = d_is_aligned && (is_reported || !is_timed);
}

// How far each stream is ahead of the latest of them, where all know their time. True when
// there is nothing to drop.
bool phase_gate_impl::align(std::uint64_t used)
{
    d_is_aligned = true;
    d_is_apart = false;
    const std::optional<double> rate = d_streams[0].rate;
    const std::optional<stream_time> origin = time_at(0, nitems_read(0) + used);
    if (!rate || !origin) {
        return true;
    }
    double latest = 0.0;
    for (int k = 0; k < d_num_elements; ++k) {
        const std::optional<stream_time> time = time_at(k, nitems_read(k) + used);
        if (!time) {
            return true;
        }
        d_offsets[k] = time->samples_since(*origin, *rate);
        latest = std::max(latest, d_offsets[k]);
    }
    const double earliest = *std::min_element(d_offsets.begin(), d_offsets.end());
    if (!(latest - earliest < largest_offset)) {
        d_is_apart = true;
        shut("apart");
        if (!d_has_warned) {
            d_has_warned = true;
            d_logger->warn("the rx_time of the streams differ by {:g} s; nothing passes "
                           "until they are less than 1e9 samples apart",
                           (latest - earliest) / *rate);
        }
        return true;
    }
    bool is_together = true;
    for (int k = 0; k < d_num_elements; ++k) {
        const double behind = latest - d_offsets[k];
        if (behind > largest_jitter) {
            d_streams[k].to_skip = std::llround(behind);
            is_together = false;
        }
    }
    if (!is_together && d_is_open) {
        shut("rx_time");
    }
    return is_together;
}

// Drops samples of streams that begin too early. False when there are none.
bool phase_gate_impl::skip(const gr_vector_int& ninput_items)
{
    bool is_skipping = false;
    for (int k = 0; k < d_num_elements; ++k) {
        std::uint64_t& left = d_streams[k].to_skip;
        if (left == 0) {
            continue;
        }
        is_skipping = true;
        std::uint64_t count = std::min<std::uint64_t>(left, ninput_items[k]);
        left -= count;
        // What a tag says on the way changes how much there is to drop. Those that have
        // been followed have said it.
        get_tags_in_window(d_window, k, 0, count);
        for (const gr::tag_t& tag : d_window) {
            const std::uint64_t place = tag.offset - nitems_read(k);
            if (tag.offset >= d_streams[k].followed && place < count) {
                count = place;
                left = 0;
                d_is_aligned = false;
            }
        }
        consume(k, static_cast<int>(count));
    }
    return is_skipping;
}

// Keeps the last tag of each key and stream for when the gate opens.
void phase_gate_impl::keep_tags(std::size_t first, std::size_t last)
{
    for (std::size_t i = first; i < last; ++i) {
        const placed_tag& placed = d_tags[i];
        const pmt::pmt_t& key = placed.tag.key;
        if (pmt::eq(key, time_key) || pmt::eq(key, freq_key) || pmt::eq(key, rate_key) ||
            pmt::eq(key, gap_key)) {
            continue;
        }
        const auto is_same = [&](const waiting_tag& waiting) {
            return waiting.stream == placed.stream && pmt::eq(waiting.tag.key, key);
        };
        const auto found = std::find_if(d_waiting.begin(), d_waiting.end(), is_same);
        if (found != d_waiting.end()) {
            found->tag = placed.tag;
        } else {
            d_waiting.push_back({ placed.stream, placed.tag });
        }
    }
}

void phase_gate_impl::pass_tags(std::size_t first, std::size_t last, std::uint64_t item)
{
    for (std::size_t i = first; i < last; ++i) {
        const gr::tag_t& tag = d_tags[i].tag;
        add_item_tag(d_tags[i].stream, item, tag.key, tag.value, tag.srcid);
    }
}

// Samples up to the time that the order names are left out as well, the present one being
// at \p used. A time that is further off than a counter can tell makes no sense.
void phase_gate_impl::wait_for_time(std::uint64_t used)
{
    if (!d_order || !d_order->not_before) {
        return;
    }
    const std::optional<stream_time> now = time_at(0, nitems_read(0) + used);
    if (now && d_streams[0].rate) {
        const double ahead = d_order->not_before->samples_since(*now, *d_streams[0].rate);
        if (ahead > 0.0 && ahead < largest_offset) {
            d_order->discard += static_cast<std::uint64_t>(std::ceil(ahead));
        }
    }
    d_order->not_before.reset();
}

// Of \p run samples that do not pass, as many as the present order takes in one go.
std::uint64_t phase_gate_impl::hold_back(const gr_vector_const_void_star& input_items,
                                         std::uint64_t used,
                                         std::uint64_t run)
{
    if (d_order && d_order->discard > 0) {
        run = std::min(run, d_order->discard);
        d_order->discard -= run;
    } else if (d_order && d_order->snapshots > 0) {
        run = std::min(run, d_order->snapshots);
        d_order->snapshots -= run;
        for (int k = 0; k < d_num_elements; ++k) {
            d_channels[k] = static_cast<const gr_complex*>(input_items[k]) + used;
        }
        d_sums.update(d_channels.data(), run);
    }
    if (d_order && !d_order->is_to_open && d_order->discard == 0 &&
        d_order->snapshots == 0) {
        tell_measured();
    }
    add_loss(run, true);
    d_held_back += run;
    return run;
}

void phase_gate_impl::tell_measured()
{
    const std::uint64_t snapshots = d_sums.num_snapshots();
    pmt::pmt_t event = pmt::dict_add(
        make_event("measured", d_closure), snapshots_key, pmt::from_uint64(snapshots));
    if (snapshots > 0) {
        const Eigen::MatrixXcd covariance = d_sums.covariance();
        event = pmt::dict_add(event,
                              covariance_key,
                              pmt::init_c64vector(covariance.size(), covariance.data()));
    }
    d_order.reset();
    d_sums.reset();
    message_port_pub(events_port, event);
}

// Channels that are tuned one after the other are apart meanwhile.
bool phase_gate_impl::is_tuned_alike() const
{
    double lowest = std::numeric_limits<double>::infinity();
    double highest = -lowest;
    for (const stream_state& stream : d_streams) {
        if (stream.frequency) {
            lowest = std::min(lowest, *stream.frequency);
            highest = std::max(highest, *stream.frequency);
        }
    }
    return !(highest - lowest > frequency_tolerance);
}

// Opens if it is ordered, and if no sample from before the closure is still to be divided.
bool phase_gate_impl::is_due_to_open(int produced)
{
    return d_order && d_order->is_to_open && d_order->discard == 0 && produced == 0 &&
           !d_is_apart && is_tuned_alike() &&
           (!d_correction || d_correction->nitems_read(0) == nitems_written(0));
}

// The sample at \p used is the first to come out after a closure.
void phase_gate_impl::let_through(std::uint64_t used)
{
    if (d_correction) {
        d_correction->set_calibration(d_order->calibration);
    }
    d_order.reset();
    const std::uint64_t item = nitems_written(0);
    const std::uint64_t missing = d_is_missing_known ? d_missing : 0;
    for (int k = 0; k < d_num_elements; ++k) {
        const stream_state& stream = d_streams[k];
        const std::optional<stream_time> time = time_at(k, nitems_read(k) + used);
        if (time) {
            add_item_tag(k, item, time_key, time->to_pmt(), d_source);
        }
        if (stream.rate) {
            add_item_tag(k, item, rate_key, pmt::from_double(*stream.rate), d_source);
        }
        if (stream.frequency) {
            add_item_tag(
                k, item, freq_key, pmt::from_double(*stream.frequency), d_source);
        }
        if (!d_is_first) {
            add_item_tag(k, item, gap_key, pmt::from_uint64(missing), d_source);
        }
    }
    for (const waiting_tag& waiting : d_waiting) {
        add_item_tag(
            waiting.stream, item, waiting.tag.key, waiting.tag.value, waiting.tag.srcid);
    }
    d_waiting.clear();
    d_missing = 0;
    d_is_missing_known = true;
    d_is_first = false;
    d_is_open = true;
    message_port_pub(events_port,
                     pmt::dict_add(make_event("opened", d_closure),
                                   missing_key,
                                   pmt::from_uint64(missing)));
}

int phase_gate_impl::general_work(int noutput_items,
                                  gr_vector_int& ninput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star& output_items)
{
    take_orders();
    if (skip(ninput_items)) {
        return 0;
    }
    const std::uint64_t size = static_cast<std::uint64_t>(
        *std::min_element(ninput_items.begin(), ninput_items.end()));
    load_tags(static_cast<int>(size));

    std::uint64_t used = 0;
    std::size_t tag = 0;
    int produced = 0;
    while (used < size && produced < noutput_items) {
        const std::size_t first_tag = tag;
        while (tag < d_tags.size() && d_tags[tag].sample == used) {
            ++tag;
        }
        if (tag > first_tag) {
            follow_tags(first_tag, tag);
            if (!d_is_aligned && !align(used)) {
                keep_tags(first_tag, tag);
                break;
            }
        }
        wait_for_time(used);
        if (!d_is_open && is_due_to_open(produced)) {
            keep_tags(first_tag, tag);
            let_through(used);
        } else if (d_is_open) {
            pass_tags(first_tag, tag, nitems_written(0) + produced);
        } else {
            keep_tags(first_tag, tag);
        }
        const std::uint64_t limit = tag < d_tags.size() ? d_tags[tag].sample : size;
        std::uint64_t run = limit - used;
        if (d_is_open) {
            run = std::min<std::uint64_t>(run, noutput_items - produced);
            for (int k = 0; k < d_num_elements; ++k) {
                std::memcpy(static_cast<gr_complex*>(output_items[k]) + produced,
                            static_cast<const gr_complex*>(input_items[k]) + used,
                            run * sizeof(gr_complex));
            }
            produced += static_cast<int>(run);
            d_passed += run;
        } else {
            if (d_untold) {
                tell_closed(used);
            }
            run = hold_back(input_items, used, run);
        }
        used += run;
    }
    consume_each(static_cast<int>(used));
    return produced;
}

} // namespace bearing
} // namespace gr
