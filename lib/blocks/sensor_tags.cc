/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_number.h"
#include "sensor_tags.h"
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace bearing {

namespace {

// A time stamp that is further off than this many samples is not jitter.
constexpr double largest_jitter = 0.5;

// More lost samples than this are no number to reckon with.
constexpr std::uint64_t max_advance = 1ull << 62;

// Sample rates that differ by less are the same in another unit's rounding.
constexpr double rate_tolerance = 1e-6;

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");

bool is_same(const gr::tag_t& a, const gr::tag_t& b)
{
    return pmt::eq(a.key, b.key) && pmt::equal(a.value, b.value);
}

} // namespace

sensor_tags::sensor_tags(double sample_rate) : d_rate(sample_rate) {}

void sensor_tags::start()
{
    d_tags.clear();
    d_next = 0;
    d_first_untold = 0;
    d_freq.reset();
    d_anchor.reset();
}

void sensor_tags::load(std::vector<gr::tag_t>& tags)
{
    d_tags.clear();
    for (const gr::tag_t& tag : tags) {
        if (tag.offset >= d_first_untold) {
            d_tags.push_back({ tag.offset, 0, d_tags.size(), tag });
        }
    }
    sort_by_sample(d_tags);
    d_next = 0;
}

std::optional<std::uint64_t> sensor_tags::next_offset() const
{
    return d_next < d_tags.size() ? std::optional<std::uint64_t>(d_tags[d_next].sample)
                                  : std::nullopt;
}

std::optional<stream_time> sensor_tags::time_of(std::uint64_t offset) const
{
    if (!d_anchor) {
        return std::nullopt;
    }
    return d_anchor->advanced(static_cast<std::int64_t>(offset - d_anchor_offset),
                              d_rate);
}

void sensor_tags::follow(const gr::tag_t& tag,
                         const std::optional<stream_time>& predicted)
{
    const bool is_repeated =
        std::any_of(d_sample.tags.begin(),
                    d_sample.tags.end(),
                    [&tag](const gr::tag_t& other) { return is_same(tag, other); });
    if (is_repeated) {
        return;
    }
    d_sample.tags.push_back(tag);
    if (pmt::eq(tag.key, time_key)) {
        const std::optional<stream_time> told = stream_time::from_pmt(tag.value);
        if (!told) {
            ++d_sample.num_bad;
            return;
        }
        if (predicted &&
            std::abs(told->samples_since(*predicted, d_rate)) > largest_jitter) {
            d_sample.has_jump = true;
        }
        d_told_time = d_told_time ? d_told_time : told;
    } else if (pmt::eq(tag.key, gap_key)) {
        // Whatever its value, samples are missing here.
        const std::optional<std::uint64_t> told = count_from_pmt(tag.value);
        d_sample.num_bad += told ? 0 : 1;
        d_sample.has_gap = true;
        d_num_lost = std::max(d_num_lost.value_or(0), told.value_or(0));
    } else if (pmt::eq(tag.key, freq_key)) {
        const std::optional<double> told = positive_from_pmt(tag.value);
        if (!told) {
            ++d_sample.num_bad;
        } else if (!d_sample.rx_freq) { // the lowest stream's counts
            d_sample.rx_freq = told;
        }
    } else if (pmt::eq(tag.key, rate_key)) {
        const std::optional<double> told = positive_from_pmt(tag.value);
        if (!told) {
            ++d_sample.num_bad;
        } else if (std::abs(*told - d_rate) > rate_tolerance * d_rate) {
            ++d_sample.num_other_rates;
        }
    }
}

const tagged_sample& sensor_tags::next()
{
    // Its tags' memory is used again.
    std::vector<gr::tag_t> tags = std::move(d_sample.tags);
    tags.clear();
    d_sample = tagged_sample();
    d_sample.tags = std::move(tags);
    d_sample.offset = d_tags[d_next].sample;
    d_told_time.reset();
    d_num_lost.reset();
    const std::optional<stream_time> predicted = time_of(d_sample.offset);
    while (d_next < d_tags.size() && d_tags[d_next].sample == d_sample.offset) {
        follow(d_tags[d_next++].tag, predicted);
    }
    d_first_untold = d_sample.offset + 1;

    if (d_num_lost && predicted) {
        // The lost samples took their time; it is unknown after an unknown number of them.
        d_anchor.reset();
        if (*d_num_lost > 0 && *d_num_lost < max_advance) {
            d_anchor = predicted->advanced(*d_num_lost, d_rate);
            d_anchor_offset = d_sample.offset;
        }
    }
    if (d_told_time) {
        d_anchor = d_told_time;
        d_anchor_offset = d_sample.offset;
    }
    if (d_sample.rx_freq == d_freq) {
        d_sample.rx_freq.reset();
    } else if (d_sample.rx_freq) {
        d_freq = d_sample.rx_freq;
    }
    return d_sample;
}

} // namespace bearing
} // namespace gr
