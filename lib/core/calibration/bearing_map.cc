/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bearing_map.h"
#include <algorithm>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

double bearing_map::operator()(double azimuth) const
{
    if (!is_line) {
        return azimuth + offset;
    }
    return std::asin(std::clamp(slope * std::sin(azimuth) + offset, -1.0, 1.0));
}

void bearing_map::apply(array_parameters& parameters) const
{
    Eigen::MatrixXd& p = parameters.positions;
    for (int l = 0; l < parameters.num_elements(); ++l) {
        const double x = p(l, 0);
        const double y = p(l, 1);
        if (is_line) {
            p(l, 0) = x / slope;
            parameters.gains(l) *= std::polar(1.0, -2.0 * M_PI * p(l, 0) * offset);
        } else {
            p(l, 0) = x * std::cos(offset) + y * std::sin(offset);
            p(l, 1) = y * std::cos(offset) - x * std::sin(offset);
        }
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
