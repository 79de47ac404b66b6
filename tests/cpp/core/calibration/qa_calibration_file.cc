/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE calibration_file
#include "scenes.h"
#include "temporary_folder.h"
#include <gnuradio/bearing/core/calibration/calibration_file.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

using namespace gr::bearing::core;
namespace fs = std::filesystem;

namespace {

std::atomic<int> calls_of_umask{ 0 };

mode_t set_umask(mode_t mask) { return static_cast<mode_t>(syscall(SYS_umask, mask)); }

} // namespace

// In place of the C library's: counts who calls it.
extern "C" __attribute__((visibility("default"))) mode_t umask(mode_t mask) noexcept
{
    ++calls_of_umask;
    return set_umask(mask);
}

namespace {

calibration_state complete()
{
    calibration_state calibration = random_calibration(4, 11);
    calibration.sigma_phase_rad = Eigen::VectorXd::LinSpaced(4, 0.0, 0.03);
    calibration.sigma_log_gain = Eigen::VectorXd::LinSpaced(4, 0.0, 0.02);
    calibration.reference = 2;
    calibration.frequency = 433.92e6;
    calibration.time = 1.7e9 + 0.25;
    return calibration;
}

std::string complaint(const std::string& path)
{
    try {
        load_calibration(path);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

} // namespace

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded_to_the_bit)
{
    const folder here;
    const calibration_state saved = complete();
    save_calibration(saved, here.file());
    const calibration_state loaded = load_calibration(here.file());
    BOOST_TEST((loaded.gains == saved.gains));
    BOOST_TEST((loaded.positions == saved.positions));
    BOOST_TEST((loaded.coupling == saved.coupling));
    BOOST_TEST((loaded.sigma_phase_rad == saved.sigma_phase_rad));
    BOOST_TEST((loaded.sigma_log_gain == saved.sigma_log_gain));
    BOOST_TEST(loaded.reference.value() == 2);
    BOOST_TEST(*loaded.frequency == *saved.frequency);
    BOOST_TEST(*loaded.time == *saved.time);
}

BOOST_AUTO_TEST_CASE(absent_parts_stay_absent_and_the_time_is_stamped)
{
    const folder here;
    calibration_state gains_only;
    gains_only.gains = Eigen::VectorXcd::Ones(3);
    save_calibration(gains_only, here.file());
    const calibration_state loaded = load_calibration(here.file());
    BOOST_TEST((loaded.gains == gains_only.gains));
    BOOST_TEST(loaded.positions.size() == 0);
    BOOST_TEST(loaded.coupling.size() == 0);
    BOOST_TEST(!loaded.frequency);
    // 2020-01-01: the clock of any machine that builds this is past it.
    BOOST_TEST(*loaded.time > 1577836800.0);
}

BOOST_AUTO_TEST_CASE(text_is_that_of_a_file_but_stamps_no_time)
{
    const folder here;
    const calibration_state dated = complete();
    save_calibration(dated, here.file());
    BOOST_TEST(nlohmann::json::parse(calibration_to_json(dated)) ==
               nlohmann::json::parse(read(here.file())));

    calibration_state undated = dated;
    undated.time.reset();
    const std::string text = calibration_to_json(undated);
    BOOST_TEST(nlohmann::json::parse(text).at("time").is_null());
    BOOST_TEST(!calibration_from_json(text, "text").time);
    BOOST_TEST((calibration_from_json(text, "text").gains == dated.gains));
}

BOOST_AUTO_TEST_CASE(text_that_is_wrong_is_refused_by_its_name)
{
    const auto names_it = [](const std::runtime_error& error) {
        return std::string(error.what()).find("recording 7") != std::string::npos;
    };
    // Deeper than any stack would be.
    for (const std::string& text :
         { std::string("{"), std::string("{}"), std::string(1000000, '[') }) {
        BOOST_CHECK_EXCEPTION(
            calibration_from_json(text, "recording 7"), std::runtime_error, names_it);
    }
    BOOST_CHECK_THROW(calibration_to_json({}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_file_has_the_documented_keys)
{
    const folder here;
    save_calibration(complete(), here.file());
    const nlohmann::json document = nlohmann::json::parse(read(here.file()));
    for (const char* key : { "version",
                             "num_elements",
                             "reference",
                             "frequency_hz",
                             "gains",
                             "positions_m",
                             "coupling",
                             "sigma_phase_rad",
                             "sigma_log_gain",
                             "time" }) {
        BOOST_TEST(document.contains(key), key);
    }
    BOOST_TEST(document["gains"][1][1].get<double>() == complete().gains(1).imag());
    BOOST_TEST(document["positions_m"][3][2].get<double>() == complete().positions(3, 2));
    BOOST_TEST(document["coupling"][1][2][0].get<double>() ==
               complete().coupling(1, 2).real());
}

BOOST_AUTO_TEST_CASE(a_file_truncated_at_any_byte_is_refused_with_its_name)
{
    const folder here;
    save_calibration(complete(), here.file());
    const std::string whole = read(here.file());
    // Without its last newline the document is still complete.
    for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
        write(here.file(), whole.substr(0, size));
        const std::string message = complaint(here.file());
        BOOST_REQUIRE_MESSAGE(message.find(here.file()) != std::string::npos,
                              "cut at byte " << size << ": '" << message << "'");
    }
}

BOOST_AUTO_TEST_CASE(complaints_about_files_that_are_no_text_are_text)
{
    const folder here;
    for (const char* content : { "\xff\xfe", "\"\xc3(\"", "[\x01\x80]" }) {
        write(here.file(), content);
        const std::string message = complaint(here.file());
        BOOST_TEST(message.find(here.file()) != std::string::npos);
        BOOST_TEST(std::all_of(
            message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_key_is_named)
{
    const folder here;
    save_calibration(complete(), here.file());
    const nlohmann::json good = nlohmann::json::parse(read(here.file()));
    const auto named = [&](const char* key, const nlohmann::json& value) {
        nlohmann::json bad = good;
        bad[key] = value;
        write(here.file(), bad.dump());
        const std::string message = complaint(here.file());
        // The array's own check names the part, the reader the key.
        const std::string part = std::string(key) == "positions_m" ? "positions" : key;
        return message.find(here.file()) != std::string::npos &&
               message.find(part) != std::string::npos;
    };
    for (const char* key : { "version", "num_elements", "reference" }) {
        BOOST_TEST(named(key, nullptr), key);
        BOOST_TEST(named(key, "four"), key);
        BOOST_TEST(named(key, 1.5), key);
    }
    BOOST_TEST(named("version", 2));
    BOOST_TEST(named("num_elements", 0));
    // Numbers whose last 32 bits would be right.
    constexpr std::int64_t wrap = std::int64_t(1) << 32;
    BOOST_TEST(named("version", wrap + 1));
    BOOST_TEST(named("num_elements", wrap + 4));
    BOOST_TEST(named("reference", wrap + 2));
    BOOST_TEST(named("reference", -wrap + 2));
    BOOST_TEST(named("reference", std::numeric_limits<std::uint64_t>::max() - wrap + 3));
    {
        // The first part that is shorter than promised is named.
        nlohmann::json bad = good;
        bad["num_elements"] = 1000000000;
        write(here.file(), bad.dump());
        BOOST_TEST(complaint(here.file()).find("gains") != std::string::npos);
    }
    BOOST_TEST(named("reference", 4));
    BOOST_TEST(named("frequency_hz", "433 MHz"));
    BOOST_TEST(named("frequency_hz", -1.0));
    BOOST_TEST(named("time", "yesterday"));
    for (const char* key :
         { "gains", "positions_m", "coupling", "sigma_phase_rad", "sigma_log_gain" }) {
        BOOST_TEST(named(key, 1.0), key);
        BOOST_TEST(named(key, nlohmann::json::array({ 1, 2, 3 })), key);
        BOOST_TEST(named(key, nlohmann::json::array({ "a", "b", "c", "d" })), key);
        BOOST_TEST(named(key, nlohmann::json::object()), key);
    }
    BOOST_TEST(named("sigma_phase_rad", nlohmann::json::array({ 0.0, 0.0, 0.0, -1.0 })));
    BOOST_TEST(named("gain", nlohmann::json::array()));
    write(here.file(), "[1, 2]");
    BOOST_TEST(complaint(here.file()).find("object") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_file_a_folder_and_an_unwritable_place_are_named)
{
    const folder here;
    BOOST_TEST(complaint(here.file()).find(here.file()) != std::string::npos);
    const std::string complaint_of_folder = complaint(here.path.string());
    BOOST_TEST(complaint_of_folder.find(here.path.string() + " cannot be read") !=
               std::string::npos);
    BOOST_TEST(complaint_of_folder.find("directory") != std::string::npos);
    BOOST_CHECK_EXCEPTION(save_calibration(complete(), "/nonexistent/folder/c.json"),
                          std::runtime_error,
                          [](const std::runtime_error& error) {
                              return std::string(error.what()).find("/nonexistent") !=
                                     std::string::npos;
                          });
    BOOST_CHECK_THROW(save_calibration({}, here.file()), std::invalid_argument);
    BOOST_TEST(fs::is_empty(here.path));
}

BOOST_AUTO_TEST_CASE(permissions_are_those_of_any_new_file)
{
    const folder here;
    for (const mode_t mask : { 022, 077, 0 }) {
        const mode_t before = set_umask(mask);
        save_calibration(complete(), here.file());
        set_umask(before);
        struct stat status;
        BOOST_REQUIRE(stat(here.file().c_str(), &status) == 0);
        BOOST_TEST((status.st_mode & 0777) == (0666 & ~mask));
    }
    // The umask is the whole process's: other threads make files meanwhile.
    BOOST_TEST(calls_of_umask == 0);
}

BOOST_AUTO_TEST_CASE(files_that_are_in_the_way_are_passed_over)
{
    const folder here;
    // More than the temporary names that this process has used up so far and will next.
    const std::string stem = here.file() + "." + std::to_string(getpid()) + "-";
    for (int k = 0; k < 100; ++k) {
        write(stem + std::to_string(k) + ".tmp", "left behind");
    }
    save_calibration(complete(), here.file());
    BOOST_TEST(complaint(here.file()) == "");
    BOOST_TEST(read(stem + "99.tmp") == "left behind");
}

BOOST_AUTO_TEST_CASE(readers_never_see_a_half_written_file)
{
    const folder here;
    calibration_state calibration = complete();
    save_calibration(calibration, here.file());
    std::atomic<bool> done{ false };
    std::atomic<int> good{ 0 };
    std::atomic<int> bad{ 0 };
    std::thread reader([&] {
        while (!done) {
            ++(complaint(here.file()).empty() ? good : bad);
        }
    });
    for (int write = 0; write < 200; ++write) {
        calibration.reference = write % 4;
        save_calibration(calibration, here.file());
    }
    done = true;
    reader.join();
    BOOST_TEST(bad == 0);
    BOOST_TEST(good > 0);
    // No temporary file is left behind.
    BOOST_TEST(
        std::distance(fs::directory_iterator(here.path), fs::directory_iterator()) == 1);
}
