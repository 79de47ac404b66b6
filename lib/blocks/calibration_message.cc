/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_message.h"
#include "pmt_dict.h"
#include "pmt_number.h"
#include "pmt_vector.h"
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

namespace {

[[noreturn]] void reject(const char* key, const std::string& must_be)
{
    throw std::invalid_argument("calibration: " + std::string(key) + " must be " +
                                must_be);
}

Eigen::VectorXd
real_vector(const pmt::pmt_t& message, const char* key, const char* must_be)
{
    const pmt::pmt_t value = value_of(message, key);
    if (pmt::is_null(value)) {
        return {};
    }
    const std::optional<Eigen::VectorXd> vector = real_vector_from_pmt(value);
    if (!vector) {
        reject(key, must_be);
    }
    return *vector;
}

Eigen::VectorXcd
complex_vector(const pmt::pmt_t& message, const char* key, const char* must_be)
{
    const pmt::pmt_t value = value_of(message, key);
    if (pmt::is_null(value)) {
        return {};
    }
    size_t size = 0;
    if (pmt::is_c32vector(value)) {
        const std::complex<float>* data = pmt::c32vector_elements(value, size);
        return Eigen::Map<const Eigen::VectorXcf>(data, size)
            .cast<std::complex<double>>();
    }
    if (pmt::is_c64vector(value)) {
        const std::complex<double>* data = pmt::c64vector_elements(value, size);
        return Eigen::Map<const Eigen::VectorXcd>(data, size);
    }
    reject(key, must_be);
}

std::optional<double> number(const pmt::pmt_t& message, const char* key)
{
    const pmt::pmt_t value = value_of(message, key);
    if (pmt::is_null(value)) {
        return std::nullopt;
    }
    const std::optional<double> result = real_from_pmt(value);
    if (!result) {
        reject(key, "a number");
    }
    return result;
}

pmt::pmt_t to_f32vector(const Eigen::VectorXd& values)
{
    const Eigen::VectorXf floats = values.cast<float>();
    return pmt::init_f32vector(floats.size(), floats.data());
}

pmt::pmt_t to_c32vector(const Eigen::VectorXcd& values)
{
    const Eigen::VectorXcf floats = values.cast<std::complex<float>>();
    return pmt::init_c32vector(floats.size(), floats.data());
}

} // namespace

core::calibration_state from_pmt(const pmt::pmt_t& message)
{
    // PMT_NIL is the empty dict.
    if (!pmt::is_dict(message)) {
        throw std::invalid_argument("calibration: the message must be a dict");
    }
    core::calibration_state calibration;
    calibration.gains = complex_vector(message, "gains", "a c32vector of N values");

    const char* positions_shape = "an f32vector of N x 3 values, row by row";
    const Eigen::VectorXd offsets = real_vector(message, "positions", positions_shape);
    if (offsets.size() % 3 != 0) {
        reject("positions", positions_shape);
    }
    if (offsets.size() > 0) {
        calibration.positions =
            Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>>(
                offsets.data(), offsets.size() / 3, 3);
    }

    const char* coupling_shape = "a c32vector of N x N values, column by column";
    const Eigen::VectorXcd coupling = complex_vector(message, "coupling", coupling_shape);
    const Eigen::Index side =
        static_cast<Eigen::Index>(std::lround(std::sqrt(coupling.size())));
    if (side * side != coupling.size()) {
        reject("coupling", coupling_shape);
    }
    if (side > 0) {
        calibration.coupling =
            Eigen::Map<const Eigen::MatrixXcd>(coupling.data(), side, side);
    }

    calibration.sigma_phase_rad =
        real_vector(message, "sigma_phase_rad", "an f32vector of N values");
    calibration.sigma_log_gain =
        real_vector(message, "sigma_log_gain", "an f32vector of N values");

    const pmt::pmt_t reference = value_of(message, "reference");
    if (!pmt::is_null(reference)) {
        const std::optional<std::uint64_t> index = count_from_pmt(reference);
        if (!index || *index > std::numeric_limits<int>::max()) {
            reject("reference", "an element index, an integer >= 0");
        }
        calibration.reference = static_cast<int>(*index);
    }
    calibration.frequency = number(message, "frequency");
    calibration.time = number(message, "time");

    calibration.validate();
    return calibration;
}

pmt::pmt_t to_pmt(const core::calibration_state& calibration)
{
    pmt::pmt_t message = pmt::make_dict();
    const auto add = [&message](const char* key, const pmt::pmt_t& value) {
        message = pmt::dict_add(message, pmt::intern(key), value);
    };
    if (calibration.gains.size() > 0) {
        add("gains", to_c32vector(calibration.gains));
    }
    if (calibration.positions.size() > 0) {
        const Eigen::MatrixXd by_rows = calibration.positions.transpose();
        add("positions",
            to_f32vector(
                Eigen::Map<const Eigen::VectorXd>(by_rows.data(), by_rows.size())));
    }
    if (calibration.coupling.size() > 0) {
        add("coupling",
            to_c32vector(Eigen::Map<const Eigen::VectorXcd>(
                calibration.coupling.data(), calibration.coupling.size())));
    }
    if (calibration.sigma_phase_rad.size() > 0) {
        add("sigma_phase_rad", to_f32vector(calibration.sigma_phase_rad));
    }
    if (calibration.sigma_log_gain.size() > 0) {
        add("sigma_log_gain", to_f32vector(calibration.sigma_log_gain));
    }
    if (calibration.reference) {
        add("reference", pmt::from_long(*calibration.reference));
    }
    if (calibration.frequency) {
        add("frequency", pmt::from_double(*calibration.frequency));
    }
    if (calibration.time) {
        add("time", pmt::from_double(*calibration.time));
    }
    return message;
}

} // namespace bearing
} // namespace gr
