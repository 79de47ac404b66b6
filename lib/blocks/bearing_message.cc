/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bearing_message.h"
#include <cmath>
#include <vector>

namespace gr {
namespace bearing {

namespace {

constexpr double degrees_per_radian = 180.0 / M_PI;

std::vector<float> to_floats(const Eigen::VectorXd& values, double scale = 1.0)
{
    std::vector<float> floats(values.size());
    for (Eigen::Index k = 0; k < values.size(); ++k) {
        floats[k] = static_cast<float>(scale * values(k));
    }
    return floats;
}

// A double just below 360 rounds to 360.0f, which is off the range [0, 360).
float below_full_circle(float degrees) { return degrees >= 360.0f ? 0.0f : degrees; }

std::vector<float> to_degrees(const Eigen::VectorXd& azimuth)
{
    std::vector<float> degrees = to_floats(azimuth, degrees_per_radian);
    for (float& angle : degrees) {
        angle = below_full_circle(angle);
    }
    return degrees;
}

std::vector<float> to_true_bearings(const Eigen::VectorXd& azimuth, double heading_deg)
{
    std::vector<float> bearings(azimuth.size());
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        const double turned =
            std::fmod(heading_deg + degrees_per_radian * azimuth(k), 360.0);
        bearings[k] =
            below_full_circle(static_cast<float>(turned < 0.0 ? turned + 360.0 : turned));
    }
    return bearings;
}

pmt::pmt_t to_f32vector(const std::vector<float>& values)
{
    return pmt::init_f32vector(values.size(), values);
}

} // namespace

pmt::pmt_t bearing_message(const core::bearing_estimate& estimate,
                           const std::string& method,
                           double heading_deg,
                           const item_info& item)
{
    pmt::pmt_t dict = pmt::make_dict();
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::intern(key), value);
    };
    add("rx_time", item.rx_time);
    add("rx_freq", item.rx_freq ? pmt::from_double(*item.rx_freq) : pmt::PMT_NIL);
    add("method", pmt::intern(method));
    add("status", pmt::intern(core::to_string(estimate.status)));
    add("num_sources", pmt::from_uint64(estimate.num_sources));
    add("snapshots", item.snapshots ? pmt::from_uint64(item.snapshots) : pmt::PMT_NIL);
    add("std_deg", to_f32vector(to_floats(estimate.deviation, degrees_per_radian)));
    add("true_bearing_deg",
        to_f32vector(to_true_bearings(estimate.azimuth, heading_deg)));
    add("power_db", to_f32vector(to_floats(estimate.power_db)));
    add("snr_db", to_f32vector(to_floats(estimate.snr_db)));
    if (estimate.elevation_grid.size() > 0) {
        add("elevation_deg",
            to_f32vector(to_floats(estimate.elevation, degrees_per_radian)));
        add("elevation_std_deg",
            to_f32vector(to_floats(estimate.elevation_deviation, degrees_per_radian)));
    }
    if (estimate.inverse_range_grid.size() > 0) {
        add("range_m", to_f32vector(to_floats(estimate.range)));
        add("range_std_m", to_f32vector(to_floats(estimate.range_deviation)));
    }
    return pmt::cons(dict, to_f32vector(to_degrees(estimate.azimuth)));
}

} // namespace bearing
} // namespace gr
