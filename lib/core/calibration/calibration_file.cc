/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "whole_file.h"
#include <gnuradio/bearing/core/calibration/calibration_file.h>
#include <nlohmann/json.hpp>
#include <chrono>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

using json = nlohmann::json;

constexpr int file_version = 1;

json complex_row(const Eigen::VectorXcd& values)
{
    json row = json::array();
    for (const std::complex<double>& value : values) {
        row.push_back({ value.real(), value.imag() });
    }
    return row;
}

json real_row(const Eigen::VectorXd& values)
{
    return std::vector<double>(values.begin(), values.end());
}

json to_json(const calibration_state& calibration)
{
    json document = { { "version", file_version },
                      { "num_elements", calibration.num_elements() },
                      { "reference", calibration.reference.value_or(0) },
                      { "frequency_hz", nullptr },
                      { "gains", nullptr },
                      { "positions_m", nullptr },
                      { "coupling", nullptr },
                      { "sigma_phase_rad", nullptr },
                      { "sigma_log_gain", nullptr },
                      { "time", nullptr } };
    if (calibration.frequency) {
        document["frequency_hz"] = *calibration.frequency;
    }
    if (calibration.gains.size() > 0) {
        document["gains"] = complex_row(calibration.gains);
    }
    if (calibration.positions.rows() > 0) {
        document["positions_m"] = json::array();
        for (Eigen::Index l = 0; l < calibration.positions.rows(); ++l) {
            document["positions_m"].push_back(real_row(calibration.positions.row(l)));
        }
    }
    if (calibration.coupling.rows() > 0) {
        document["coupling"] = json::array();
        for (Eigen::Index l = 0; l < calibration.coupling.rows(); ++l) {
            document["coupling"].push_back(complex_row(calibration.coupling.row(l)));
        }
    }
    if (calibration.sigma_phase_rad.size() > 0) {
        document["sigma_phase_rad"] = real_row(calibration.sigma_phase_rad);
    }
    if (calibration.sigma_log_gain.size() > 0) {
        document["sigma_log_gain"] = real_row(calibration.sigma_log_gain);
    }
    if (calibration.time) {
        document["time"] = *calibration.time;
    }
    return document;
}

json checked_json(const calibration_state& calibration)
{
    if (calibration.num_elements() == 0) {
        throw std::invalid_argument(
            "calibration: nothing to save; give it gains, positions or coupling");
    }
    calibration.validate();
    return to_json(calibration);
}

// Reads the keys of one document; every complaint names the file and the key.
class reader
{
public:
    reader(const json& document, std::string path)
        : d_document(document), d_path(std::move(path))
    {
    }

    [[noreturn]] void fail(const std::string& key, const std::string& must_be) const
    {
        throw std::runtime_error("calibration file " + d_path + ": key '" + key + "' " +
                                 must_be);
    }

    bool has(const std::string& key) const
    {
        const auto found = d_document.find(key);
        return found != d_document.end() && !found->is_null();
    }

    int integer(const std::string& key) const
    {
        if (!has(key)) {
            fail(key, "is missing; it must be an integer");
        }
        if (!d_document[key].is_number_integer()) {
            fail(key, "must be an integer");
        }
        // A double tells on which side of the limits even a 64-bit integer lies.
        const double value = d_document[key].get<double>();
        if (value < std::numeric_limits<int>::min() ||
            value > std::numeric_limits<int>::max()) {
            fail(key, "must be an integer of at most 32 bits");
        }
        return static_cast<int>(value);
    }

    double number(const std::string& key) const
    {
        if (!d_document[key].is_number()) {
            fail(key, "must be a number");
        }
        return d_document[key].get<double>();
    }

    // An array of \p rows things.
    const json& rows(const std::string& key, int rows) const
    {
        const json& value = d_document[key];
        if (!value.is_array() || value.size() != static_cast<std::size_t>(rows)) {
            fail(key, "must be an array of " + std::to_string(rows) + " entries");
        }
        return value;
    }

    Eigen::VectorXd real_row(const std::string& key, const json& row, int size) const
    {
        if (!row.is_array() || row.size() != static_cast<std::size_t>(size)) {
            fail(key, "must hold rows of " + std::to_string(size) + " numbers");
        }
        Eigen::VectorXd values(size);
        for (int k = 0; k < size; ++k) {
            if (!row[k].is_number()) {
                fail(key, "must hold numbers only");
            }
            values(k) = row[k].get<double>();
        }
        return values;
    }

    Eigen::VectorXcd complex_row(const std::string& key, const json& row, int size) const
    {
        if (!row.is_array() || row.size() != static_cast<std::size_t>(size)) {
            fail(key, "must hold rows of " + std::to_string(size) + " [re, im] pairs");
        }
        Eigen::VectorXcd values(size);
        for (int k = 0; k < size; ++k) {
            const Eigen::VectorXd pair = real_row(key, row[k], 2);
            values(k) = { pair(0), pair(1) };
        }
        return values;
    }

private:
    const json& d_document;
    std::string d_path;
};

calibration_state from_json(const json& document, const std::string& path)
{
    const reader in(document, path);
    if (!document.is_object()) {
        throw std::runtime_error("calibration file " + path + ": must be a JSON object");
    }
    // A slip in a key must not pass for a part that is absent.
    const json known = to_json({});
    for (const auto& entry : document.items()) {
        if (!known.contains(entry.key())) {
            in.fail(entry.key(), "is not one of a calibration file's");
        }
    }
    if (in.integer("version") != file_version) {
        in.fail("version", "must be " + std::to_string(file_version));
    }
    const int n = in.integer("num_elements");
    if (n < 1) {
        in.fail("num_elements", "must be at least 1");
    }
    calibration_state calibration;
    calibration.reference = in.integer("reference");
    if (in.has("frequency_hz")) {
        calibration.frequency = in.number("frequency_hz");
        if (!(*calibration.frequency > 0.0)) {
            in.fail("frequency_hz", "must be > 0");
        }
    }
    if (in.has("time")) {
        calibration.time = in.number("time");
    }
    if (in.has("gains")) {
        calibration.gains = in.complex_row("gains", in.rows("gains", n), n);
    }
    if (in.has("positions_m")) {
        const json& rows = in.rows("positions_m", n);
        calibration.positions.resize(n, 3);
        for (int l = 0; l < n; ++l) {
            calibration.positions.row(l) = in.real_row("positions_m", rows[l], 3);
        }
    }
    if (in.has("coupling")) {
        const json& rows = in.rows("coupling", n);
        calibration.coupling.resize(n, n);
        for (int l = 0; l < n; ++l) {
            calibration.coupling.row(l) = in.complex_row("coupling", rows[l], n);
        }
    }
    if (in.has("sigma_phase_rad")) {
        calibration.sigma_phase_rad =
            in.real_row("sigma_phase_rad", in.rows("sigma_phase_rad", n), n);
    }
    if (in.has("sigma_log_gain")) {
        calibration.sigma_log_gain =
            in.real_row("sigma_log_gain", in.rows("sigma_log_gain", n), n);
    }
    try {
        calibration.validate(n);
    } catch (const std::invalid_argument& error) {
        throw std::runtime_error("calibration file " + path + ": " + error.what());
    }
    return calibration;
}

} // namespace

void save_calibration(const calibration_state& calibration, const std::string& path)
{
    json document = checked_json(calibration);
    if (document["time"].is_null()) {
        const std::chrono::duration<double> now =
            std::chrono::system_clock::now().time_since_epoch();
        document["time"] = now.count();
    }
    write_whole_file(path, document.dump(2) + "\n");
}

calibration_state load_calibration(const std::string& path)
{
    return calibration_from_json(read_whole_file(path), path);
}

std::string calibration_to_json(const calibration_state& calibration)
{
    return checked_json(calibration).dump(2);
}

calibration_state calibration_from_json(const std::string& text, const std::string& name)
{
    try {
        return from_json(json::parse(text), name);
    } catch (const json::exception& error) {
        throw std::runtime_error("calibration file " + name +
                                 ": not valid JSON: " + printable(error.what()));
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
