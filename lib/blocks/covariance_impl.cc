/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_impl.h"
#include "pmt_number.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {

namespace {

constexpr int max_elements = 64;

// The relative rate only tells how large upstream buffers should be: twice its inverse, or
// GNU Radio's 8192 samples if that is more. Larger ones are filled and emptied in fewer
// calls. Measured with bm_flowgraph, T = 4096, in turn on two cores: 16384 samples in place
// of 8192 raise the throughput of 5 / 16 / 32 channels 1.6 / 1.3 / 1.3 times, 32768 2.2 /
// 1.4 / 1.4 times; with 131072 the second-level cache is full, and from 16 channels on
// they lower it. Items may be longer than any buffer, so there is a limit.
constexpr int largest_buffer_hint = 16384;

// More would not be worth the delay where items queue up: a buffer holds twice as many.
constexpr std::size_t hops_per_hint = 2;

// Tags of N inputs at one place, several times over.
constexpr std::size_t reserved_tags = 256;

// The estimators take the tag `snapshots` for nonsense above this.
constexpr double most_snapshots = std::numeric_limits<int>::max();

// A time stamp that is further off than this many samples is not jitter.
constexpr double largest_jitter = 0.5;

// More lost samples than this are no number to reckon with.
constexpr std::uint64_t max_advance = 1ull << 62;

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");
const pmt::pmt_t snapshots_key = pmt::intern("snapshots");
const pmt::pmt_t window_key = pmt::intern("window");
const pmt::pmt_t hop_key = pmt::intern("hop");

void require_rate(double sample_rate)
{
    if (!(std::isfinite(sample_rate) && sample_rate >= 0.0)) {
        throw std::invalid_argument("covariance: sample_rate is " +
                                    std::to_string(sample_rate) +
                                    "; it must be finite and > 0 Hz, or 0 for unknown");
    }
}

// Parameters that are negative must not become sizes.
core::sliding_covariance_config checked_config(int snapshots, int hop, double forgetting)
{
    if (snapshots < 1) {
        throw std::invalid_argument("covariance: snapshots is " +
                                    std::to_string(snapshots) + "; it must be >= 1");
    }
    if (hop < 0) {
        throw std::invalid_argument("covariance: hop is " + std::to_string(hop) +
                                    "; it must be >= 0");
    }
    core::sliding_covariance_config config;
    config.snapshots = static_cast<std::size_t>(snapshots);
    config.hop = static_cast<std::size_t>(hop);
    config.forgetting = forgetting;
    return config;
}

void require_elements(int num_elements)
{
    if (num_elements < 1 || num_elements > max_elements) {
        throw std::invalid_argument(
            "covariance: num_elements is " + std::to_string(num_elements) +
            "; it must be from 1 to " + std::to_string(max_elements));
    }
}

} // namespace

covariance::sptr covariance::make(
    int num_elements, int snapshots, double sample_rate, int hop, double forgetting)
{
    // Here, because the signatures of the block would reject a size of 0 in other words.
    require_elements(num_elements);
    require_rate(sample_rate);
    return gnuradio::make_block_sptr<covariance_impl>(
        num_elements, snapshots, sample_rate, hop, forgetting);
}

covariance_impl::sums covariance_impl::make_sums(int num_elements, const window& asked)
{
    const core::sliding_covariance_config config =
        checked_config(asked.snapshots, asked.hop, asked.forgetting);
    try {
        return std::make_unique<core::sliding_covariance>(num_elements, config);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string("covariance: ") + error.what());
    }
}

covariance_impl::covariance_impl(
    int num_elements, int snapshots, double sample_rate, int hop, double forgetting)
    : gr::block(
          "covariance",
          gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex)),
          gr::io_signature::make(1, 1, num_elements * num_elements * sizeof(gr_complex))),
      d_num_elements(num_elements),
      d_asked{ snapshots, hop, forgetting },
      d_sums(make_sums(num_elements, d_asked)),
      d_channels(num_elements)
{
    d_freq.of_input.resize(num_elements);
    d_rate.of_input.resize(num_elements);
    if (sample_rate > 0.0) {
        d_rate.in_force = sample_rate;
        d_rate.of_input.assign(num_elements, sample_rate);
    }
    // Room for the tags of most calls, so that it need not be found while samples wait.
    d_waiting.reserve(reserved_tags);
    d_latest.reserve(reserved_tags);
    d_tags.reserve(reserved_tags);
    d_window.reserve(reserved_tags);
    // N streams become one, and samples may be left out: tags are placed by this block.
    set_tag_propagation_policy(TPP_DONT);
    set_relative_rate(
        1,
        std::min<std::size_t>(hops_per_hint * d_sums->config().hop, largest_buffer_hint));
}

bool covariance_impl::start()
{
    // Samples between stop and start are missing, and nobody knows how many: neither the
    // unfinished item nor the time goes on.
    d_sums->reset();
    d_position = 0;
    d_anchor.reset();
    d_loss.reset();
    d_waiting.clear();
    // Built from strings, and it does not change while the flowgraph runs.
    d_source = alias_pmt();
    return block::start();
}

bool covariance_impl::stop()
{
    if (d_ignored_tags > 1) {
        d_logger->warn("{} tag values that make no sense were ignored", d_ignored_tags);
    }
    d_ignored_tags = 0;
    return block::stop();
}

void covariance_impl::forecast(int, gr_vector_int& ninput_items_required)
{
    // Any number of samples brings an item nearer, and waiting for more of them does not
    // pay: asking for 512, 1024 or 2048 at a time changed the throughput by less than runs
    // of the same differ.
    std::fill(ninput_items_required.begin(), ninput_items_required.end(), 1);
}

// Calls change(window) on what was asked for last.
template <typename Change>
void covariance_impl::stage(Change change)
{
    const std::lock_guard<std::mutex> one_setter(d_setter_mutex);
    window asked = d_asked; // only setters write it
    change(asked);
    sums staged = make_sums(d_num_elements, asked);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_asked = asked;
    d_staged.swap(staged);
    d_is_staged = true;
}

void covariance_impl::set_window(int snapshots, int hop, double forgetting)
{
    stage([&](window& asked) { asked = { snapshots, hop, forgetting }; });
}

void covariance_impl::set_snapshots(int snapshots)
{
    stage([&](window& asked) { asked.snapshots = snapshots; });
}

void covariance_impl::set_hop(int hop)
{
    stage([&](window& asked) { asked.hop = hop; });
}

void covariance_impl::set_forgetting(double forgetting)
{
    stage([&](window& asked) { asked.forgetting = forgetting; });
}

int covariance_impl::snapshots() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_asked.snapshots;
}

int covariance_impl::hop() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_asked.hop;
}

double covariance_impl::forgetting() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_asked.forgetting;
}

// True when samples that had been gathered make an item of the new window.
bool covariance_impl::apply_window()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (!d_is_staged) {
        return false;
    }
    d_staged->resume(*d_sums);
    d_staged.swap(d_sums);
    d_is_staged = false;
    return d_sums->is_complete();
}

void covariance_impl::load_tags(int num_samples)
{
    load_by_sample(
        d_num_elements,
        [&](int stream, std::vector<gr::tag_t>& found) {
            get_tags_in_window(found, stream, 0, num_samples);
            return nitems_read(stream);
        },
        d_window,
        d_tags);
}

void covariance_impl::ignore_tag(const gr::tag_t& tag)
{
    if (d_ignored_tags++ == 0) {
        d_logger->warn("tag {} at sample {} has a value that makes no sense; it and all "
                       "further such values are ignored",
                       pmt::symbol_to_string(tag.key),
                       tag.offset);
    }
}

// Puts a tag of another block aside for the item; one that several inputs carry, once.
void covariance_impl::keep_tag(const gr::tag_t& tag)
{
    for (auto other = d_waiting.rbegin();
         other != d_waiting.rend() && other->position == d_position;
         ++other) {
        if (pmt::eq(other->tag.key, tag.key) && pmt::equal(other->tag.value, tag.value)) {
            return;
        }
    }
    d_waiting.push_back({ d_position, tag });
}

// Takes what the tags [first, last) of d_tags, all on one sample, tell with \p key. True
// when an input tells something new.
bool covariance_impl::follow_numbers(const pmt::pmt_t& key,
                                     std::size_t first,
                                     std::size_t last,
                                     input_numbers& numbers)
{
    std::optional<int> changed; // the lowest input with something new
    for (std::size_t i = first; i < last; ++i) {
        const gr::tag_t& tag = d_tags[i].tag;
        if (!pmt::eq(tag.key, key)) {
            continue;
        }
        const std::optional<double> told = positive_from_pmt(tag.value);
        if (!told) {
            ignore_tag(tag);
            continue;
        }
        const int input = d_tags[i].stream;
        std::optional<double>& own = numbers.of_input[input];
        const bool is_new = told != own;
        own = told;
        if (!numbers.in_force) {
            std::fill(numbers.of_input.begin(), numbers.of_input.end(), told);
        }
        if (is_new) {
            changed = changed.value_or(input); // tags come in the order of inputs
        }
        // An input that repeats what is not in force has nothing to say to the item.
        if (is_new ? changed == input : told == numbers.in_force) {
            numbers.in_force = told;
            numbers.value = tag.value;
        }
    }
    return changed.has_value();
}

// Counts times from the present position from now on; those before it at \p rate.
void covariance_impl::move_anchor(std::optional<double> rate)
{
    if (!d_anchor || d_anchor_position == d_position) {
        return;
    }
    if (rate) {
        d_anchor = d_anchor->advanced(d_position - d_anchor_position, *rate);
    } else {
        d_anchor.reset();
    }
    d_anchor_position = d_position;
}

void covariance_impl::restart()
{
    d_sums->reset();
    // Tags of the samples that are given up wait for the next item, the last one of each
    // key: where no item is ever finished they must not pile up.
    const auto is_superseded = [this](const waiting_tag& earlier) {
        return std::any_of(
            d_waiting.begin(), d_waiting.end(), [&earlier](const waiting_tag& later) {
                return later.position > earlier.position &&
                       pmt::eq(later.tag.key, earlier.tag.key);
            });
    };
    d_latest.clear();
    std::remove_copy_if(
        d_waiting.begin(), d_waiting.end(), std::back_inserter(d_latest), is_superseded);
    d_waiting.swap(d_latest);
}

// Takes the tags [first, last) of d_tags, all of which are on the sample at d_position,
// which is not yet in the sums.
void covariance_impl::follow_tags(std::size_t first, std::size_t last)
{
    std::optional<stream_time> time;
    std::optional<loss> reported;
    std::optional<loss> jumped;
    std::optional<stream_time> predicted;
    const std::optional<double> rate = d_rate.in_force; // up to this sample
    if (d_anchor && rate) {
        predicted = d_anchor->advanced(d_position - d_anchor_position, *rate);
    }

    for (std::size_t i = first; i < last; ++i) {
        const gr::tag_t& tag = d_tags[i].tag;
        if (pmt::eq(tag.key, time_key)) {
            const std::optional<stream_time> told = stream_time::from_pmt(tag.value);
            if (!told) {
                ignore_tag(tag);
                continue;
            }
            if (predicted) {
                const double jump = told->samples_since(*predicted, *rate);
                if (std::abs(jump) > largest_jitter) {
                    jumped = jumped.value_or(loss());
                    // Back in time, or further than a counter can tell: unknown.
                    const bool is_known = jump > 0.0 && jump < 9e18;
                    jumped->samples = std::max<std::uint64_t>(
                        jumped->samples, is_known ? std::llround(jump) : 0);
                }
            }
            time = time ? time : told;
        } else if (pmt::eq(tag.key, gap_key)) {
            // Whatever its value, samples are missing here.
            const std::optional<std::uint64_t> told = count_from_pmt(tag.value);
            if (!told) {
                ignore_tag(tag);
            }
            reported = reported.value_or(loss());
            reported->samples = std::max(reported->samples, told.value_or(0));
        } else if (!pmt::eq(tag.key, freq_key) && !pmt::eq(tag.key, rate_key) &&
                   !pmt::eq(tag.key, snapshots_key) && !pmt::eq(tag.key, window_key) &&
                   !pmt::eq(tag.key, hop_key)) {
            keep_tag(tag);
        }
    }

    if (reported || jumped) {
        // Inputs, and both kinds of report, tell of the same loss.
        std::uint64_t samples = reported ? reported->samples : 0;
        samples = samples > 0 || !jumped ? samples : jumped->samples;
        d_loss = d_loss.value_or(loss());
        const std::uint64_t countable =
            std::numeric_limits<std::uint64_t>::max() - d_loss->samples;
        d_loss->is_known = d_loss->is_known && samples > 0 && samples <= countable;
        d_loss->samples += std::min(samples, countable);
        // The lost samples took their time; it is unknown after an unknown number of
        // them.
        d_anchor.reset();
        if (predicted && samples > 0 && samples < max_advance) {
            d_anchor = predicted->advanced(samples, *rate);
            d_anchor_position = d_position;
        }
    }
    const bool is_retuned = follow_numbers(freq_key, first, last, d_freq);
    const bool is_paced_anew = follow_numbers(rate_key, first, last, d_rate);
    if (reported || jumped || is_retuned || is_paced_anew) {
        restart();
    }
    if (d_rate.in_force != rate) {
        move_anchor(rate);
    }
    if (time) {
        d_anchor = time;
        d_anchor_position = d_position;
    }
}

void covariance_impl::write_item(gr_complex* out, std::uint64_t item)
{
    d_sums->covariance(out);

    const std::optional<double> rate = d_rate.in_force;
    const std::uint64_t start = d_position - d_sums->config().snapshots;
    if (d_anchor && (rate || d_anchor_position == start)) {
        const std::int64_t samples = static_cast<std::int64_t>(start) -
                                     static_cast<std::int64_t>(d_anchor_position);
        const std::optional<stream_time> time =
            d_anchor->advanced(samples, rate.value_or(1.0));
        if (time) {
            add_item_tag(0, item, time_key, time->to_pmt(), d_source);
        }
    }
    if (!pmt::is_null(d_rate.value)) {
        add_item_tag(0, item, rate_key, d_rate.value, d_source);
        d_rate.value = pmt::PMT_NIL;
    }
    if (!pmt::is_null(d_freq.value)) {
        add_item_tag(0, item, freq_key, d_freq.value, d_source);
        d_freq.value = pmt::PMT_NIL;
    }
    const std::uint64_t snapshots =
        std::llround(std::min(d_sums->num_snapshots(), most_snapshots));
    add_item_tag(0, item, snapshots_key, d_told_snapshots.of(snapshots), d_source);
    // After `snapshots`, which says that there are none.
    const core::sliding_covariance_config& config = d_sums->config();
    if (config.hop != snapshots) {
        add_item_tag(0, item, window_key, d_told_window.of(config.snapshots), d_source);
        add_item_tag(0, item, hop_key, d_told_hop.of(config.hop), d_source);
    }
    if (d_loss) {
        add_item_tag(0,
                     item,
                     gap_key,
                     pmt::from_uint64(d_loss->is_known ? d_loss->samples : 0),
                     d_source);
        d_loss.reset();
    }
    for (const waiting_tag& waiting : d_waiting) {
        add_item_tag(0, item, waiting.tag.key, waiting.tag.value, waiting.tag.srcid);
    }
    d_waiting.clear();
}

int covariance_impl::general_work(int noutput_items,
                                  gr_vector_int& ninput_items,
                                  gr_vector_const_void_star& input_items,
                                  gr_vector_void_star& output_items)
{
    // Samples that a longer window had gathered may be enough for a shorter one.
    bool is_due = apply_window();

    gr_complex* out = static_cast<gr_complex*>(output_items[0]);
    const std::size_t size = static_cast<std::size_t>(
        *std::min_element(ninput_items.begin(), ninput_items.end()));
    load_tags(size);

    std::size_t used = 0;
    std::size_t tag = 0;
    int produced = 0;
    while (true) {
        if (is_due) {
            write_item(out, nitems_written(0) + produced);
            out += d_num_elements * d_num_elements;
            if (++produced == noutput_items) {
                break;
            }
        }
        if (used == size) {
            break;
        }
        std::size_t next_tag = tag;
        while (next_tag < d_tags.size() && d_tags[next_tag].sample == used) {
            ++next_tag;
        }
        if (next_tag > tag) {
            follow_tags(tag, next_tag);
            tag = next_tag;
        }
        // Tags are followed where they stand, so no run of samples goes beyond the next.
        const std::size_t limit = tag < d_tags.size() ? d_tags[tag].sample : size;
        for (int k = 0; k < d_num_elements; ++k) {
            d_channels[k] = static_cast<const gr_complex*>(input_items[k]) + used;
        }
        const std::size_t run = d_sums->update(d_channels.data(), limit - used);
        used += run;
        d_position += run;
        is_due = d_sums->is_complete();
    }
    consume_each(used);
    return produced;
}

} // namespace bearing
} // namespace gr
