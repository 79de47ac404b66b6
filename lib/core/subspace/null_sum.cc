/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "null_sum.h"
#include <cmath>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr int most_rounds = 60;
// Of the azimuth, in radians: rounding.
constexpr double smallest_step = 1e-14;
} // namespace

void null_sum::add(const antenna_array& array, const Eigen::MatrixXcd& signal_subspace)
{
    d_terms.emplace_back(array, signal_subspace);
    d_weights.push_back(1.0);
}

void null_sum::set_weights(std::vector<double> weights)
{
    d_weights = std::move(weights);
}

null_function::expansion null_sum::at(double azimuth) const
{
    null_function::expansion sum{ 0.0, 0.0, 0.0 };
    for (std::size_t m = 0; m < d_terms.size(); ++m) {
        if (d_weights[m] == 0.0) {
            continue;
        }
        const null_function::expansion f = d_terms[m].at(azimuth);
        sum.value += d_weights[m] * f.value;
        sum.slope += d_weights[m] * f.slope;
        sum.curvature += d_weights[m] * f.curvature;
    }
    return sum;
}

double null_sum::minimum(double lower, double start, double upper) const
{
    double azimuth = start;
    for (int round = 0; round < most_rounds; ++round) {
        const null_function::expansion f = at(azimuth);
        (f.slope > 0.0 ? upper : lower) = azimuth;
        double next = azimuth - f.slope / f.curvature;
        if (!(f.curvature > 0.0 && next >= lower && next <= upper)) {
            next = 0.5 * (lower + upper);
        }
        const bool is_settled = std::abs(next - azimuth) < smallest_step;
        azimuth = next;
        if (is_settled) {
            break;
        }
    }
    return azimuth;
}

} // namespace core
} // namespace bearing
} // namespace gr
