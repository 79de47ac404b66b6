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

// Interned once: a message is made for every item.
const pmt::pmt_t rx_time_key = pmt::intern("rx_time");
const pmt::pmt_t rx_freq_key = pmt::intern("rx_freq");
const pmt::pmt_t method_key = pmt::intern("method");
const pmt::pmt_t status_key = pmt::intern("status");
const pmt::pmt_t num_sources_key = pmt::intern("num_sources");
const pmt::pmt_t snapshots_key = pmt::intern("snapshots");
const pmt::pmt_t std_deg_key = pmt::intern("std_deg");
const pmt::pmt_t true_bearing_deg_key = pmt::intern("true_bearing_deg");
const pmt::pmt_t power_db_key = pmt::intern("power_db");
const pmt::pmt_t snr_db_key = pmt::intern("snr_db");
const pmt::pmt_t elevation_deg_key = pmt::intern("elevation_deg");
const pmt::pmt_t elevation_std_deg_key = pmt::intern("elevation_std_deg");
const pmt::pmt_t range_m_key = pmt::intern("range_m");
const pmt::pmt_t range_std_m_key = pmt::intern("range_std_m");

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
    const auto add = [&dict](const pmt::pmt_t& key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, key, value);
    };
    add(rx_time_key, item.rx_time);
    add(rx_freq_key, item.rx_freq ? pmt::from_double(*item.rx_freq) : pmt::PMT_NIL);
    add(method_key, pmt::intern(method));
    add(status_key, pmt::intern(core::to_string(estimate.status)));
    add(num_sources_key, pmt::from_uint64(estimate.num_sources));
    add(snapshots_key, item.snapshots ? pmt::from_uint64(item.snapshots) : pmt::PMT_NIL);
    add(std_deg_key, to_f32vector(to_floats(estimate.deviation, degrees_per_radian)));
    add(true_bearing_deg_key,
        to_f32vector(to_true_bearings(estimate.azimuth, heading_deg)));
    add(power_db_key, to_f32vector(to_floats(estimate.power_db)));
    add(snr_db_key, to_f32vector(to_floats(estimate.snr_db)));
    if (estimate.elevation_grid.size() > 0) {
        add(elevation_deg_key,
            to_f32vector(to_floats(estimate.elevation, degrees_per_radian)));
        add(elevation_std_deg_key,
            to_f32vector(to_floats(estimate.elevation_deviation, degrees_per_radian)));
    }
    if (estimate.inverse_range_grid.size() > 0) {
        add(range_m_key, to_f32vector(to_floats(estimate.range)));
        add(range_std_m_key, to_f32vector(to_floats(estimate.range_deviation)));
    }
    return pmt::cons(dict, to_f32vector(to_degrees(estimate.azimuth)));
}

} // namespace bearing
} // namespace gr
