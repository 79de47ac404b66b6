/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <algorithm>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

Eigen::Index half_width(smoothing_width width, Eigen::Index k)
{
    return std::max<Eigen::Index>(
        width.narrowest / 2,
        static_cast<Eigen::Index>(width.share * static_cast<double>(k)));
}

} // namespace

Eigen::VectorXd smooth_spectrum(const Eigen::VectorXd& power,
                                smoothing_width width,
                                spectrum_sides sides,
                                Eigen::Index num_samples)
{
    const bool is_one_sided = sides == spectrum_sides::one;
    const Eigen::Index size = is_one_sided ? num_samples / 2 + 1 : num_samples;
    if (num_samples < 1 || power.size() != size) {
        throw std::invalid_argument(
            "smooth_spectrum: power has " + std::to_string(power.size()) +
            " values; a spectrum of " + std::to_string(num_samples) + " samples has " +
            std::to_string(size));
    }
    if (!(width.share >= 0.0 && width.share < 1.0) || width.narrowest < 0) {
        throw std::invalid_argument("smooth_spectrum: width has share " +
                                    std::to_string(width.share) + " and narrowest " +
                                    std::to_string(width.narrowest) +
                                    "; they must be 0 <= share < 1 and narrowest >= 0");
    }

    // One-sided bins are the first half of a circle of all T: that is their even
    // continuation at both ends. Three turns, so that no box leaves the sums.
    const Eigen::Index turn = num_samples;
    const auto at = [&](Eigen::Index k) {
        k %= turn;
        return power(is_one_sided ? std::min(k, turn - k) : k);
    };
    Eigen::VectorXd sum(3 * turn + 1);
    sum(0) = 0.0;
    for (Eigen::Index k = 0; k < 3 * turn; ++k) {
        sum(k + 1) = sum(k) + at(k);
    }

    Eigen::VectorXd result(size);
    for (Eigen::Index k = 0; k < size; ++k) {
        // Beyond the whole circle there is nothing new.
        const Eigen::Index half =
            std::min(half_width(width, std::min(k, turn - k)), (turn - 1) / 2);
        const Eigen::Index centre = turn + k;
        result(k) = (sum(centre + half + 1) - sum(centre - half)) /
                    static_cast<double>(2 * half + 1);
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
