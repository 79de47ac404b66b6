/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "spectrum_box.h"
#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

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

    Eigen::VectorXd result(size);
    spectrum_box(width, sides, static_cast<int>(num_samples))
        .smooth(power.data(), result.data());
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
