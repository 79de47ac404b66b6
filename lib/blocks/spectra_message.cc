/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "spectra_message.h"
#include <vector>

namespace gr {
namespace bearing {

namespace {

// Row-major: all values of a frequency together.
pmt::pmt_t to_f32vector(const Eigen::MatrixXd& values)
{
    std::vector<float> floats;
    floats.reserve(values.size());
    for (Eigen::Index row = 0; row < values.rows(); ++row) {
        for (Eigen::Index col = 0; col < values.cols(); ++col) {
            floats.push_back(static_cast<float>(values(row, col)));
        }
    }
    return pmt::init_f32vector(floats.size(), floats);
}

} // namespace

pmt::pmt_t spectra_message(const spectra_report& report)
{
    pmt::pmt_t counts = pmt::make_dict();
    for (const auto& [name, count] : report.counts) {
        counts = pmt::dict_add(counts, pmt::intern(name), pmt::from_uint64(count));
    }
    pmt::pmt_t message = pmt::make_dict();
    const auto add = [&message](const char* key, const pmt::pmt_t& value) {
        message = pmt::dict_add(message, pmt::intern(key), value);
    };
    add("frequency", to_f32vector(report.spectra.frequency));
    add("noise_psd", to_f32vector(report.spectra.noise_psd));
    add("source_psd", to_f32vector(report.spectra.source_psd));
    add("sensor_noise", to_f32vector(report.sensor_noise));
    add("velocity_scale", to_f32vector(report.velocity_scale));
    add("status", pmt::intern(core::to_string(report.status)));
    add("rx_time", report.time ? report.time->to_pmt() : pmt::PMT_NIL);
    add("restarts", pmt::from_uint64(report.restarts));
    add("counts", counts);
    return message;
}

} // namespace bearing
} // namespace gr
