/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/decibels.h>
#include <volk/volk.h>
#include <algorithm>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

void to_decibels(Eigen::VectorXd& power, double lowest, double highest, double sign)
{
    constexpr double decibels_per_octave = 3.010299956639812; // 10 log10(2)
    const double floor = std::max<double>(lowest, std::numeric_limits<float>::min());
    const double ceiling = std::min<double>(highest, std::numeric_limits<float>::max());
    // On the stack, and enough for VOLK to be at its best.
    constexpr Eigen::Index most = 512;
    alignas(64) float octaves[most];
    for (Eigen::Index first = 0; first < power.size(); first += most) {
        const Eigen::Index count = std::min(most, power.size() - first);
        double* const values = power.data() + first;
        for (Eigen::Index g = 0; g < count; ++g) {
            // In this order NaN becomes the floor.
            const double value = values[g] > floor ? values[g] : floor;
            octaves[g] = static_cast<float>(value < ceiling ? value : ceiling);
        }
        volk_32f_log2_32f(octaves, octaves, static_cast<unsigned int>(count));
        for (Eigen::Index g = 0; g < count; ++g) {
            values[g] = sign * decibels_per_octave * octaves[g];
        }
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
