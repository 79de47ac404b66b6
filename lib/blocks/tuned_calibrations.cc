/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "tuned_calibrations.h"
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace bearing {

bool is_tuned_to(double frequency, double center, double tolerance)
{
    return std::abs(frequency - center) <= tolerance * center;
}

tuned_calibrations::tuned_calibrations(const core::calibration_state& calibration)
    : d_latest(calibration)
{
    if (calibration.frequency) {
        d_bound.push_back(calibration);
    } else {
        d_general = calibration;
    }
}

void tuned_calibrations::update(const core::calibration_state& newer)
{
    d_latest = d_latest.updated_by(newer);
    if (!newer.frequency) {
        d_general = d_general.updated_by(newer);
        for (core::calibration_state& bound : d_bound) {
            bound = bound.updated_by(newer);
        }
        return;
    }
    core::calibration_state renewed = at(newer.frequency).updated_by(newer);
    const auto is_superseded = [&newer](const core::calibration_state& bound) {
        return is_tuned_to(*newer.frequency, *bound.frequency);
    };
    d_bound.erase(std::remove_if(d_bound.begin(), d_bound.end(), is_superseded),
                  d_bound.end());
    if (d_bound.size() == max_tunings) {
        d_bound.erase(d_bound.begin());
    }
    d_bound.push_back(std::move(renewed));
}

const core::calibration_state&
tuned_calibrations::at(std::optional<double> frequency) const
{
    if (!frequency) {
        return d_latest;
    }
    const core::calibration_state* nearest = &d_general;
    double smallest = tuning_tolerance;
    for (const core::calibration_state& bound : d_bound) {
        const double distance = std::abs(*frequency / *bound.frequency - 1.0);
        if (distance <= smallest) {
            smallest = distance;
            nearest = &bound;
        }
    }
    return *nearest;
}

bool tuned_calibrations::is_for_others(double frequency) const
{
    return !d_bound.empty() && &at(frequency) == &d_general;
}

std::vector<core::calibration_state> tuned_calibrations::all() const
{
    std::vector<core::calibration_state> calibrations = d_bound;
    calibrations.push_back(d_general);
    calibrations.push_back(d_latest);
    return calibrations;
}

} // namespace bearing
} // namespace gr
