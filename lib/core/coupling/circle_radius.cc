/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "circle_radius.h"
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr double tolerance = 1e-6; // wavelengths
} // namespace

std::optional<double> circle_radius(const antenna_array& array)
{
    const int n = array.num_elements();
    if (n < 3) {
        return std::nullopt;
    }
    Eigen::MatrixXd p = array.positions() / array.wavelength().value_or(1.0);
    p.rowwise() -= Eigen::RowVector3d(p.colwise().mean());
    const Eigen::VectorXd distance = p.rowwise().norm();
    const double radius = distance.mean();
    const double side = 2.0 * radius * std::sin(M_PI / n);
    for (int k = 0; k < n; ++k) {
        // No two elements share a place: steps of one side never turn back.
        const double step = (p.row((k + 1) % n) - p.row(k)).norm();
        if (!(std::abs(distance(k) - radius) <= tolerance) ||
            !(std::abs(step - side) <= tolerance) || !(std::abs(p(k, 2)) <= tolerance)) {
            return std::nullopt;
        }
    }
    return radius;
}

} // namespace core
} // namespace bearing
} // namespace gr
