/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "newton_minimum.h"
#include "null_sum.h"
#include <utility>

namespace gr {
namespace bearing {
namespace core {

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
    null_function::expansion unused;
    return newton_minimum(*this, lower, start, upper, unused);
}

} // namespace core
} // namespace bearing
} // namespace gr
