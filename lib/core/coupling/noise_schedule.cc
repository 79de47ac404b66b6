/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

noise_schedule::noise_schedule(int steps, double beta_first, double beta_last)
{
    if (steps < 2) {
        throw std::invalid_argument("steps: " + std::to_string(steps) +
                                    "; allowed are 2 and above");
    }
    if (!(beta_first > 0.0 && beta_first < 1.0)) {
        throw std::invalid_argument("beta_first: " + std::to_string(beta_first) +
                                    "; allowed is the open interval from 0 to 1");
    }
    if (!(beta_last >= beta_first && beta_last < 1.0)) {
        throw std::invalid_argument("beta_last: " + std::to_string(beta_last) +
                                    "; allowed is from beta_first to below 1");
    }
    d_beta = Eigen::VectorXd::LinSpaced(steps, beta_first, beta_last);
    d_alpha_bar.resize(steps);
    double product = 1.0;
    for (int t = 0; t < steps; ++t) {
        product *= 1.0 - d_beta(t);
        d_alpha_bar(t) = product;
    }
}

std::vector<int> noise_schedule::descent(int count) const
{
    if (count < 2 || count > steps()) {
        throw std::invalid_argument("count: " + std::to_string(count) +
                                    "; allowed are 2 .. " + std::to_string(steps()));
    }
    std::vector<int> result(count);
    for (int k = 0; k < count; ++k) {
        const double place = 1.0 - static_cast<double>(k) / (count - 1);
        result[k] = static_cast<int>(std::lround(place * (steps() - 1)));
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
