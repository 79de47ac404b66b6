/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/chi_squared_quantile.h>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

double chi_squared_quantile(double freedom, double deviations)
{
    const double variance = 2.0 / (9.0 * freedom);
    return freedom * std::pow(1.0 - variance + deviations * std::sqrt(variance), 3);
}

} // namespace core
} // namespace bearing
} // namespace gr
