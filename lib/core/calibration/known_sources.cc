/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "known_sources.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr double degrees_per_radian = 180.0 / M_PI;
// Labels given in degrees arrive with rounding errors.
constexpr double limit_tolerance = 1e-9;
} // namespace

void require_calibratable(const antenna_array& array, int num_sources)
{
    const int n = array.num_elements();
    if (n < 3) {
        throw std::invalid_argument("array has " + std::to_string(n) +
                                    " elements; calibration needs at least 3");
    }
    if (num_sources < 1 || num_sources >= n) {
        throw std::invalid_argument(
            "num_sources is " + std::to_string(num_sources) + "; an array of " +
            std::to_string(n) + " elements calibrates on 1 to " + std::to_string(n - 1));
    }
}

int num_fitted_axes(const antenna_array& array, bool fit_positions)
{
    if (!fit_positions) {
        return 0;
    }
    return array.is_front_only() ? 1 : 2;
}

void set_known(const antenna_array& array,
               const Eigen::VectorXd& azimuth,
               const Eigen::VectorXd& range,
               calibration_sample& sample)
{
    const int num_sources = sample.num_sources();
    if (azimuth.size() > num_sources) {
        throw std::invalid_argument(
            "labels: " + std::to_string(azimuth.size()) + " directions; there are " +
            std::to_string(num_sources) + " sources, so at most as many can be known");
    }
    if (range.size() != 0 && range.size() != azimuth.size()) {
        throw std::invalid_argument(
            "range has " + std::to_string(range.size()) + " values and labels " +
            std::to_string(azimuth.size()) + "; both must be equally many");
    }
    const double wavelength = array.wavelength().value_or(1.0);
    const double radius = array.positions().rowwise().norm().maxCoeff();
    sample.azimuth.setZero(num_sources);
    sample.depth.setZero(num_sources);
    sample.is_doubtful = false;
    sample.range.setConstant(num_sources, far_away);
    sample.num_known = 0;
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        if (std::isnan(azimuth(k))) {
            continue;
        }
        const double limit = array.is_front_only() ? 0.5 * M_PI : 2.0 * M_PI;
        if (!(std::abs(azimuth(k)) <= limit + limit_tolerance)) {
            throw std::invalid_argument(
                "labels: " + std::to_string(azimuth(k) * degrees_per_radian) +
                " degrees is outside the field of view, " +
                (array.is_front_only() ? "-90 .. 90" : "-360 .. 360"));
        }
        sample.azimuth(sample.num_known) = azimuth(k);
        if (range.size() > 0 && std::isfinite(range(k))) {
            if (range(k) <= radius) {
                throw std::invalid_argument(
                    "range is " + std::to_string(range(k)) +
                    "; a source must be farther from the origin than the elements, " +
                    std::to_string(radius));
            }
            sample.range(sample.num_known) = range(k) / wavelength;
        }
        ++sample.num_known;
    }
}

void known_bearings::add(const calibration_sample& sample)
{
    for (int k = 0; k < sample.num_known; ++k) {
        ++d_count;
        d_lowest = std::min(d_lowest, std::sin(sample.azimuth(k)));
        d_highest = std::max(d_highest, std::sin(sample.azimuth(k)));
    }
}

orientation known_bearings::orientation() const
{
    if (d_count == 0) {
        return core::orientation::unknown;
    }
    return d_is_front_only && d_highest - d_lowest < well_apart
               ? core::orientation::partly_known
               : core::orientation::known;
}

free_map known_bearings::left_free() const
{
    free_map map;
    switch (orientation()) {
    case core::orientation::unknown:
        map.tilt = map.stretch = d_is_front_only;
        map.rotation = !d_is_front_only;
        break;
    case core::orientation::partly_known:
        map.stretch = true;
        map.fixed = 0.5 * (d_lowest + d_highest);
        break;
    case core::orientation::known:
        break;
    }
    return map;
}

} // namespace core
} // namespace bearing
} // namespace gr
