/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel_choice.h"
#include "spectrum_kernel.h"
#include <gnuradio/bearing/core/subspace/decibels.h>

namespace gr {
namespace bearing {
namespace core {

void to_decibels(Eigen::VectorXd& power,
                 double lowest,
                 double highest,
                 double sign,
                 const std::string& kernel)
{
    constexpr double decibels_per_octave = 3.010299956639812; // 10 log10(2)
    chosen_kernel(kernel)->decibels(
        power.data(), power.size(), sign * decibels_per_octave, lowest, highest);
}

} // namespace core
} // namespace bearing
} // namespace gr
