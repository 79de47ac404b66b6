/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_dict.h"
#include "pmt_vector.h"
#include "truth_message.h"
#include <algorithm>
#include <cmath>
#include <string>

namespace gr {
namespace bearing {

namespace {

constexpr double radians_per_degree = M_PI / 180.0;

// Two messages about one source differ by rounding, or by how far it went in between.
constexpr double same_azimuth = 0.1 * radians_per_degree;
constexpr double same_range = 0.01;

// Single precision turns 90 degrees into something a little beyond.
constexpr double view_tolerance_deg = 1e-4;

[[noreturn]] void reject(const std::string& key, const std::string& must_be)
{
    throw bad_truth(truth_fault::malformed, key + " must be " + must_be);
}

Eigen::VectorXd
azimuths(const pmt::pmt_t& message, const core::antenna_array& array, int num_sources)
{
    const std::optional<Eigen::VectorXd> degrees =
        real_vector_from_pmt(value_of(message, "angles_deg"));
    if (!degrees || !degrees->allFinite()) {
        reject("angles_deg", "an f32vector of finite angles in degrees");
    }
    if (degrees->size() > num_sources) {
        throw bad_truth(truth_fault::too_many,
                        "angles_deg holds " + std::to_string(degrees->size()) +
                            " angles; there are " + std::to_string(num_sources) +
                            " sources");
    }
    Eigen::VectorXd seen = *degrees;
    for (double& angle : seen) {
        if (!array.is_front_only()) {
            angle = std::remainder(angle, 360.0);
            continue;
        }
        if (std::abs(angle) > 90.0 + view_tolerance_deg) {
            throw bad_truth(truth_fault::outside_view,
                            "angles_deg holds " + std::to_string(angle) +
                                "; this array sees -90 to 90 degrees");
        }
        angle = std::clamp(angle, -90.0, 90.0);
    }
    return seen * radians_per_degree;
}

Eigen::VectorXd
ranges(const pmt::pmt_t& message, const core::antenna_array& array, Eigen::Index count)
{
    const pmt::pmt_t value = value_of(message, "range_m");
    if (pmt::is_null(value)) {
        return {};
    }
    const std::optional<Eigen::VectorXd> range = real_vector_from_pmt(value);
    // A calibrator takes no source among the elements.
    const double radius = array.positions().rowwise().norm().maxCoeff();
    if (!range || range->size() != count || !(range->array() > radius).all()) {
        reject("range_m",
               "an f32vector of distances, one an angle, each more than that of the "
               "farthest element, " +
                   std::to_string(radius));
    }
    return *range;
}

std::optional<stream_time> time_of(const pmt::pmt_t& message, const char* key)
{
    const pmt::pmt_t value = value_of(message, key);
    if (pmt::is_null(value)) {
        return std::nullopt;
    }
    const std::optional<stream_time> time = stream_time::from_pmt(value);
    if (!time) {
        reject(key, "a tuple (uint64 seconds, double fraction in [0, 1])");
    }
    return time;
}

} // namespace

bool truth_label::agrees_with(const truth_label& other) const
{
    if (azimuth.size() != other.azimuth.size()) {
        return false;
    }
    const auto range_of = [](const truth_label& label, Eigen::Index k) {
        return label.range.size() > 0 ? label.range(k) : HUGE_VAL;
    };
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        bool is_found = false;
        for (Eigen::Index l = 0; l < azimuth.size() && !is_found; ++l) {
            const double turn = std::remainder(azimuth(k) - other.azimuth(l), 2.0 * M_PI);
            const double ratio = range_of(*this, k) / range_of(other, l);
            // Two infinite ranges have no ratio.
            is_found = std::abs(turn) <= same_azimuth &&
                       (std::isnan(ratio) || std::abs(ratio - 1.0) <= same_range);
        }
        if (!is_found) {
            return false;
        }
    }
    return true;
}

truth_label truth_from_pmt(const pmt::pmt_t& message,
                           const core::antenna_array& array,
                           int num_sources)
{
    // PMT_NIL is the empty dict.
    if (!pmt::is_dict(message)) {
        throw bad_truth(truth_fault::malformed, "the message must be a dict");
    }
    truth_label label;
    label.azimuth = azimuths(message, array, num_sources);
    label.range = ranges(message, array, label.azimuth.size());
    label.start = time_of(message, "start");
    label.stop = time_of(message, "stop");
    if (label.start && label.stop &&
        label.stop->samples_since(*label.start, 1.0) <= 0.0) {
        reject("stop", "later than start");
    }
    return label;
}

} // namespace bearing
} // namespace gr
