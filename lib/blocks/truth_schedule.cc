/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "truth_schedule.h"
#include <algorithm>
#include <utility>

namespace gr {
namespace bearing {

namespace {

using optional_time = std::optional<stream_time>;

// Whoever reckons with seconds since 1970 in one double rounds to 0.24 microseconds.
constexpr double rounding = 1e-6; // s

bool is_after(const stream_time& a, const stream_time& b)
{
    return a.samples_since(b, 1.0) > rounding;
}

// Starts: an absent one is before all others.
bool starts_after(const optional_time& a, const optional_time& b)
{
    return a && (!b || is_after(*a, *b));
}

// Whether a label of these limits tells about all of an item, and about any of it.
bool covers(const truth_label& label,
            const optional_time& start,
            const optional_time& stop)
{
    if (!start || !stop) {
        return !label.start && !label.stop;
    }
    return !starts_after(label.start, start) &&
           (!label.stop ||
            (is_after(*label.stop, *start) && !is_after(*stop, *label.stop)));
}

bool overlaps(const truth_label& label,
              const optional_time& start,
              const optional_time& stop)
{
    if (covers(label, start, stop)) {
        return true;
    }
    return start && stop && (!label.stop || is_after(*label.stop, *start)) &&
           (!label.start || is_after(*stop, *label.start));
}

} // namespace

void truth_schedule::add(truth_label label, std::optional<stream_time> now)
{
    entry added{ std::move(label), false };
    added.is_open = !added.label.stop;
    optional_time& start = added.label.start;
    optional_time& stop = added.label.stop;
    if (!start) {
        start = now;
    }
    const auto is_replaced = [&start](const entry& other) {
        return other.is_open && !starts_after(other.label.start, start) &&
               !starts_after(start, other.label.start);
    };
    d_entries.erase(std::remove_if(d_entries.begin(), d_entries.end(), is_replaced),
                    d_entries.end());
    for (entry& other : d_entries) {
        const optional_time& begin = other.label.start;
        optional_time& end = other.label.stop;
        if (other.is_open && starts_after(start, begin) &&
            (!end || is_after(*end, *start))) {
            end = start;
        }
        if (added.is_open && starts_after(begin, start) &&
            (!stop || is_after(*stop, *begin))) {
            stop = begin;
        }
    }
    if (d_entries.size() == max_labels) {
        d_entries.erase(d_entries.begin());
        ++d_dropped;
    }
    d_entries.push_back(std::move(added));
}

void truth_schedule::expire(const stream_time& now)
{
    const auto is_over = [this, &now](const entry& one) {
        if (!one.label.stop || is_after(*one.label.stop, now)) {
            return false;
        }
        d_expired += one.is_used || one.label.azimuth.size() == 0 ? 0 : 1;
        return true;
    };
    d_entries.erase(std::remove_if(d_entries.begin(), d_entries.end(), is_over),
                    d_entries.end());
}

truth_schedule::verdict truth_schedule::at(std::optional<stream_time> start,
                                           std::optional<stream_time> stop)
{
    if (start) {
        expire(*start);
    }
    const auto newest =
        std::find_if(d_entries.rbegin(), d_entries.rend(), [&](const entry& one) {
            return covers(one.label, start, stop);
        });
    if (newest == d_entries.rend()) {
        return {};
    }
    const bool all_agree =
        std::all_of(d_entries.begin(), d_entries.end(), [&](const entry& other) {
            return !overlaps(other.label, start, stop) ||
                   newest->label.agrees_with(other.label);
        });
    // A label that is disputed did have its items.
    newest->is_used = true;
    if (!all_agree) {
        return { nullptr, true };
    }
    return { newest->label.azimuth.size() > 0 ? &newest->label : nullptr, false };
}

} // namespace bearing
} // namespace gr
