/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE calibrator_file
#include "scenes.h"
#include "temporary_folder.h"
#include <gnuradio/bearing/core/calibration/calibration_file.h>
#include <gnuradio/bearing/core/calibration/calibrator_file.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

using namespace gr::bearing::core;
namespace fs = std::filesystem;
using json = nlohmann::json;

namespace {

std::vector<calibrator_record> two_tunings()
{
    std::vector<calibrator_record> records;
    records.push_back({ random_calibration(4, 3), orientation::known });
    records.back().calibration.frequency = 433.92e6;
    records.back().calibration.time = 1.7e9 + 0.25;
    records.back().calibration.reference = 2;
    records.push_back({ random_calibration(4, 5), orientation::partly_known });
    return records;
}

bool names(const std::exception& error, const std::string& word)
{
    return std::string(error.what()).find(word) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded_to_the_bit)
{
    const folder own;
    const std::vector<calibrator_record> saved = two_tunings();
    save_calibrators(saved, own.file());
    const std::vector<calibrator_record> loaded = load_calibrators(own.file());
    BOOST_REQUIRE_EQUAL(loaded.size(), saved.size());
    for (std::size_t k = 0; k < saved.size(); ++k) {
        const calibration_state& a = saved[k].calibration;
        const calibration_state& b = loaded[k].calibration;
        BOOST_TEST((loaded[k].orientation == saved[k].orientation));
        BOOST_TEST((a.gains == b.gains));
        BOOST_TEST((a.positions == b.positions));
        BOOST_TEST((a.coupling == b.coupling));
        BOOST_TEST((a.frequency == b.frequency));
        BOOST_TEST((a.time == b.time));
        BOOST_TEST(b.reference.value() == a.reference.value_or(0));
    }
}

BOOST_AUTO_TEST_CASE(nothing_learnt_is_an_empty_list)
{
    const folder own;
    save_calibrators({}, own.file());
    BOOST_TEST(load_calibrators(own.file()).empty());
}

BOOST_AUTO_TEST_CASE(its_calibrations_are_those_of_a_calibration_file)
{
    const folder own;
    const std::vector<calibrator_record> records = two_tunings();
    save_calibrators(records, own.file());
    const json document = json::parse(read(own.file()));
    BOOST_TEST(document.size() == 2u);
    BOOST_TEST(document["version"] == 1);
    BOOST_TEST(document["calibrations"][0]["orientation"] == "known");
    BOOST_TEST(document["calibrations"][1]["orientation"] == "partly_known");
    BOOST_TEST((document["calibrations"][0]["calibration"] ==
                json::parse(calibration_to_json(records[0].calibration))));
}

BOOST_AUTO_TEST_CASE(saving_replaces_and_leaves_nothing_else_behind)
{
    const folder own;
    save_calibrators(two_tunings(), own.file());
    save_calibrators({}, own.file());
    BOOST_TEST(load_calibrators(own.file()).empty());
    BOOST_TEST(std::distance(fs::directory_iterator(own.path), {}) == 1);
}

BOOST_AUTO_TEST_CASE(an_empty_calibration_is_refused_and_the_file_stays)
{
    const folder own;
    save_calibrators(two_tunings(), own.file());
    const std::string before = read(own.file());
    BOOST_CHECK_THROW(save_calibrators({ calibrator_record{} }, own.file()),
                      std::invalid_argument);
    BOOST_TEST(read(own.file()) == before);
}

BOOST_AUTO_TEST_CASE(every_beginning_of_a_file_is_refused)
{
    const folder own;
    save_calibrators(two_tunings(), own.file());
    const std::string whole = read(own.file());
    // Less the line's end and the last brace.
    for (std::size_t size = 0; size + 2 <= whole.size(); size += 7) {
        write(own.file(), whole.substr(0, size));
        BOOST_CHECK_EXCEPTION(
            load_calibrators(own.file()), std::runtime_error, [&](const auto& error) {
                return names(error, own.file());
            });
    }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named)
{
    const folder own;
    save_calibrators(two_tunings(), own.file());
    const json good = json::parse(read(own.file()));
    const auto complains = [&](const json& document, const std::string& word) {
        write(own.file(), document.dump());
        BOOST_CHECK_EXCEPTION(
            load_calibrators(own.file()), std::runtime_error, [&](const auto& error) {
                return names(error, word) && names(error, own.file());
            });
    };
    complains(json::array(), "object");
    complains({ { "version", 1 } }, "'calibrations' is missing");
    complains({ { "calibrations", json::array() } }, "'version' is missing");
    complains({ { "version", 2 }, { "calibrations", json::array() } }, "'version'");
    complains({ { "version", 1 }, { "calibrations", 3 } }, "'calibrations'");
    complains({ { "version", 1 }, { "calibrations", { 3 } } }, "object");
    json document = good;
    document["extra"] = 1;
    complains(document, "'extra'");
    document = good;
    document["calibrations"][1].erase("orientation");
    complains(document, "'orientation' is missing");
    document = good;
    document["calibrations"][1]["orientation"] = "north";
    complains(document, "'orientation' must be");
    document = good;
    document["calibrations"][1]["calibration"]["gains"] = { 1 };
    complains(document, "'gains'");
    document = good;
    document["calibrations"][1]["calibration"] = nullptr;
    complains(document, "object");
    // A calibration file is none of a calibrator.
    complains(good["calibrations"][0]["calibration"], "'calibrations' is missing");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_or_written_is_named)
{
    const folder own;
    const auto is_named = [&](const auto& error) { return names(error, own.file()); };
    BOOST_CHECK_EXCEPTION(load_calibrators(own.file()), std::runtime_error, is_named);
    fs::create_directory(own.file());
    BOOST_CHECK_EXCEPTION(load_calibrators(own.file()), std::runtime_error, is_named);
    BOOST_CHECK_EXCEPTION(save_calibrators({}, own.file()), std::runtime_error, is_named);
}
