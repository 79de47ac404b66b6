/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "whole_file.h"
#include <gnuradio/bearing/core/calibration/calibration_file.h>
#include <gnuradio/bearing/core/calibration/calibrator_file.h>
#include <nlohmann/json.hpp>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

using json = nlohmann::json;

constexpr int file_version = 1;

[[noreturn]] void fail(const std::string& path, const std::string& reason)
{
    throw std::runtime_error("calibration file " + path + ": " + reason);
}

// An object with these keys and no others: a slip in a key must not pass for an absent
// one.
void require_object(const json& value,
                    const std::vector<std::string>& keys,
                    const std::string& path)
{
    if (!value.is_object()) {
        fail(path, "it and its calibrations must be JSON objects");
    }
    for (const std::string& key : keys) {
        if (!value.contains(key)) {
            fail(path, "key '" + key + "' is missing");
        }
    }
    for (const auto& entry : value.items()) {
        if (std::find(keys.begin(), keys.end(), entry.key()) == keys.end()) {
            fail(path, "key '" + entry.key() + "' is not one of a calibrator's");
        }
    }
}

orientation orientation_from_json(const json& value, const std::string& path)
{
    for (const orientation o :
         { orientation::unknown, orientation::partly_known, orientation::known }) {
        if (value == to_string(o)) {
            return o;
        }
    }
    fail(path, "key 'orientation' must be \"unknown\", \"partly_known\" or \"known\"");
}

std::vector<calibrator_record> from_json(const json& document, const std::string& path)
{
    require_object(document, { "version", "calibrations" }, path);
    if (document["version"] != file_version) {
        fail(path, "key 'version' must be " + std::to_string(file_version));
    }
    if (!document["calibrations"].is_array()) {
        fail(path, "key 'calibrations' must be an array");
    }
    std::vector<calibrator_record> records;
    for (const json& entry : document["calibrations"]) {
        require_object(entry, { "orientation", "calibration" }, path);
        records.push_back({ calibration_from_json(entry["calibration"].dump(), path),
                            orientation_from_json(entry["orientation"], path) });
    }
    return records;
}

} // namespace

void save_calibrators(const std::vector<calibrator_record>& records,
                      const std::string& path)
{
    json calibrations = json::array();
    for (const calibrator_record& record : records) {
        calibrations.push_back(
            { { "orientation", to_string(record.orientation) },
              { "calibration", json::parse(calibration_to_json(record.calibration)) } });
    }
    const json document = { { "version", file_version },
                            { "calibrations", calibrations } };
    write_whole_file(path, document.dump(2) + "\n");
}

std::vector<calibrator_record> load_calibrators(const std::string& path)
{
    const std::string text = read_whole_file(path);
    try {
        return from_json(json::parse(text), path);
    } catch (const json::exception& error) {
        fail(path, "not valid JSON: " + printable(error.what()));
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
