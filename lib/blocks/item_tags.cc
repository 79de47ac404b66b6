/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "item_tags.h"
#include "pmt_number.h"
#include <algorithm>
#include <limits>
#include <utility>

namespace gr {
namespace bearing {

namespace {

// Where the ITU Radio Regulations let radio waves end, in Hz. A frequency beyond it is a
// mistake, and would ask for grids as fine as its wavelength.
constexpr double highest_radio_frequency = 3e12;

// As many as the block's parameter can tell, so that sums of them do not overflow.
constexpr std::uint64_t most_snapshots = std::numeric_limits<int>::max();

// A number in (0, limit]; absent when the tag holds anything else.
std::optional<double> positive_from_pmt(const pmt::pmt_t& value, double limit)
{
    const std::optional<double> number = real_from_pmt(value);
    return number && *number > 0.0 && *number <= limit ? number : std::nullopt;
}

// 0 where it makes no sense.
std::size_t number_of_snapshots(const gr::tag_t& tag)
{
    const std::uint64_t count = count_from_pmt(tag.value).value_or(0);
    return count <= most_snapshots ? count : 0;
}

const pmt::pmt_t rx_time_key = pmt::mp("rx_time");
const pmt::pmt_t rx_freq_key = pmt::mp("rx_freq");
const pmt::pmt_t rx_rate_key = pmt::mp("rx_rate");
const pmt::pmt_t snapshots_key = pmt::mp("snapshots");
const pmt::pmt_t window_key = pmt::mp("window");
const pmt::pmt_t hop_key = pmt::mp("hop");
const pmt::pmt_t gap_key = pmt::mp("gap");

} // namespace

std::optional<stream_time> item_info::end() const
{
    const std::optional<stream_time> start = stream_time::from_pmt(rx_time);
    if (!start || !rx_rate || snapshots == 0) {
        return std::nullopt;
    }
    return start->advanced(static_cast<std::int64_t>(window > 0 ? window : snapshots),
                           *rx_rate);
}

std::optional<double> item_info::interval() const
{
    if (!rx_rate || snapshots == 0) {
        return std::nullopt;
    }
    return static_cast<double>(hop > 0 ? hop : snapshots) / *rx_rate;
}

item_tags::item_tags(std::size_t snapshots) { d_item.snapshots = snapshots; }

void item_tags::load(std::vector<gr::tag_t>&& tags)
{
    d_tags.swap(tags);
    // Those of one stream are, and sorting takes memory.
    if (!std::is_sorted(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare)) {
        std::stable_sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    }
    d_next_tag = 0;
}

const item_info& item_tags::next(std::uint64_t offset)
{
    if (offset != d_next_offset || !d_item.rx_rate || d_item.snapshots == 0) {
        d_reference.reset();
    }
    d_samples +=
        static_cast<std::int64_t>(d_item.hop > 0 ? d_item.hop : d_item.snapshots);
    d_next_offset = offset + 1;

    // The item's own time outranks whatever the other tags say about the time before.
    std::optional<stream_time> own_time;
    for (; d_next_tag < d_tags.size() && d_tags[d_next_tag].offset <= offset;
         ++d_next_tag) {
        const gr::tag_t& tag = d_tags[d_next_tag];
        if (pmt::eq(tag.key, rx_time_key)) {
            const std::optional<stream_time> time = stream_time::from_pmt(tag.value);
            own_time = time ? time : own_time;
        } else {
            take(tag);
        }
    }
    if (own_time) {
        d_reference = own_time;
        d_samples = 0;
    }
    d_item.rx_time = pmt::PMT_NIL;
    if (d_reference) {
        const std::optional<stream_time> time =
            d_samples == 0 ? d_reference
                           : d_reference->advanced(d_samples, *d_item.rx_rate);
        d_item.rx_time = time ? time->to_pmt() : pmt::PMT_NIL;
    }
    return d_item;
}

void item_tags::take(const gr::tag_t& tag)
{
    if (pmt::eq(tag.key, gap_key)) {
        d_reference.reset();
    } else if (pmt::eq(tag.key, rx_freq_key)) {
        const std::optional<double> freq =
            positive_from_pmt(tag.value, highest_radio_frequency);
        if (freq && freq != d_item.rx_freq) {
            d_item.rx_freq = freq;
            d_reference.reset();
        }
    } else if (pmt::eq(tag.key, rx_rate_key)) {
        const std::optional<double> rate =
            positive_from_pmt(tag.value, std::numeric_limits<double>::max());
        if (rate && rate != d_item.rx_rate) {
            d_item.rx_rate = rate;
            d_reference.reset();
        }
    } else if (pmt::eq(tag.key, snapshots_key)) {
        if (const std::size_t snapshots = number_of_snapshots(tag)) {
            d_item.snapshots = snapshots;
            d_item.window = 0;
            d_item.hop = 0;
        }
    } else if (pmt::eq(tag.key, window_key)) {
        d_item.window = number_of_snapshots(tag);
    } else if (pmt::eq(tag.key, hop_key)) {
        d_item.hop = number_of_snapshots(tag);
    }
}

} // namespace bearing
} // namespace gr
