/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "spectrum_box.h"
#include <algorithm>

namespace gr {
namespace bearing {
namespace core {

spectrum_box::spectrum_box(smoothing_width width, spectrum_sides sides, int num_samples)
{
    const bool is_one_sided = sides == spectrum_sides::one;
    const int size = is_one_sided ? num_samples / 2 + 1 : num_samples;
    // Beyond the whole circle there is nothing new.
    const auto half_width = [&](int k) {
        const int from_zero = std::min(k, num_samples - k);
        return std::min(
            std::max(width.narrowest / 2, static_cast<int>(width.share * from_zero)),
            (num_samples - 1) / 2);
    };
    int before = 0;
    int after = 0;
    for (int k = 0; k < size; ++k) {
        before = std::max(before, half_width(k) - k);
        after = std::max(after, half_width(k) + k - (size - 1));
    }
    // One-sided bins are the first half of a circle of all: that is their even continuation
    // at both ends.
    const auto on_circle = [&](int k) {
        k = (k + 2 * num_samples) % num_samples;
        return is_one_sided ? std::min(k, num_samples - k) : k;
    };
    for (int k = -before; k < 0; ++k) {
        d_before.push_back(on_circle(k));
    }
    for (int k = size; k < size + after; ++k) {
        d_after.push_back(on_circle(k));
    }
    for (int k = 0; k < size; ++k) {
        const int half = half_width(k);
        d_begin.push_back(before + k - half);
        d_end.push_back(before + k + half + 1);
        d_share.push_back(1.0 / (2 * half + 1));
    }
    d_sum.resize(before + size + after + 1);
}

void spectrum_box::smooth(const double* power, double* result)
{
    const int size = static_cast<int>(d_share.size());
    double* next = d_sum.data();
    double sum = 0.0;
    *next++ = sum;
    for (const int k : d_before) {
        *next++ = sum += power[k];
    }
    for (int k = 0; k < size; ++k) {
        *next++ = sum += power[k];
    }
    for (const int k : d_after) {
        *next++ = sum += power[k];
    }
    for (int k = 0; k < size; ++k) {
        result[k] = (d_sum[d_end[k]] - d_sum[d_begin[k]]) * d_share[k];
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
