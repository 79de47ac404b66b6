/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE calibration_state
#include "scenes.h"
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <stdexcept>
#include <string>

using namespace gr::bearing::core;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

calibration_state complete(unsigned seed)
{
    calibration_state calibration = random_calibration(4, seed);
    calibration.sigma_phase_rad = Eigen::VectorXd::LinSpaced(4, 0.0, 0.01 * seed);
    calibration.sigma_log_gain = Eigen::VectorXd::LinSpaced(4, 0.0, 0.02 * seed);
    calibration.reference = static_cast<int>(seed);
    calibration.frequency = 433e6 + seed;
    calibration.time = 1.7e9 + seed;
    return calibration;
}

bool is_same(const calibration_state& a, const calibration_state& b)
{
    return a.gains == b.gains && a.positions == b.positions && a.coupling == b.coupling &&
           a.sigma_phase_rad == b.sigma_phase_rad &&
           a.sigma_log_gain == b.sigma_log_gain && a.reference == b.reference &&
           a.frequency == b.frequency && a.time == b.time;
}

// True when a calibration that is changed so is refused with a sentence naming \p part.
template <class Change>
bool is_refused(Change change, const std::string& part, int num_elements = 4)
{
    calibration_state calibration = complete(1);
    change(calibration);
    try {
        calibration.validate(num_elements);
    } catch (const std::invalid_argument& error) {
        return std::string(error.what()).find("calibration: " + part) !=
               std::string::npos;
    }
    return false;
}

} // namespace

BOOST_AUTO_TEST_CASE(any_part_tells_the_number_of_elements)
{
    BOOST_TEST(calibration_state().num_elements() == 0);
    const calibration_state whole = complete(1);
    const auto count_of = [](auto member, const calibration_state& from) {
        calibration_state part;
        part.*member = from.*member;
        return part.num_elements();
    };
    BOOST_TEST(count_of(&calibration_state::gains, whole) == 4);
    BOOST_TEST(count_of(&calibration_state::positions, whole) == 4);
    BOOST_TEST(count_of(&calibration_state::coupling, whole) == 4);
    BOOST_TEST(count_of(&calibration_state::sigma_phase_rad, whole) == 4);
    BOOST_TEST(count_of(&calibration_state::sigma_log_gain, whole) == 4);
}

BOOST_AUTO_TEST_CASE(good_calibrations_pass)
{
    BOOST_CHECK_NO_THROW(calibration_state().validate());
    BOOST_CHECK_NO_THROW(calibration_state().validate(4));
    BOOST_CHECK_NO_THROW(complete(1).validate());
    BOOST_CHECK_NO_THROW(complete(1).validate(4));
    // One dead element is no reason to refuse the others.
    calibration_state dead = complete(1);
    dead.gains(2) = 0.0;
    BOOST_CHECK_NO_THROW(dead.validate(4));
}

BOOST_AUTO_TEST_CASE(the_part_that_is_wrong_is_named)
{
    BOOST_TEST(is_refused([](auto& c) { c.gains.conservativeResize(3); }, "gains"));
    BOOST_TEST(is_refused([](auto& c) { c.gains(2) = not_a_number; }, "gains"));
    BOOST_TEST(is_refused([](auto& c) { c.gains.setZero(); }, "gains"));
    BOOST_TEST(is_refused([](auto& c) { c.positions = Eigen::MatrixXd::Zero(5, 3); },
                          "positions"));
    BOOST_TEST(is_refused([](auto& c) { c.positions = Eigen::MatrixXd::Zero(4, 2); },
                          "positions"));
    BOOST_TEST(is_refused([](auto& c) { c.positions(1, 1) = infinite; }, "positions"));
    BOOST_TEST(is_refused([](auto& c) { c.coupling = Eigen::MatrixXcd::Identity(3, 3); },
                          "coupling"));
    BOOST_TEST(is_refused([](auto& c) { c.coupling = Eigen::MatrixXcd::Ones(4, 3); },
                          "coupling"));
    BOOST_TEST(is_refused([](auto& c) { c.coupling(3, 1) = not_a_number; }, "coupling"));
    BOOST_TEST(is_refused([](auto& c) { c.coupling(0, 0) = 2.0; }, "coupling"));
    BOOST_TEST(
        is_refused([](auto& c) { c.sigma_phase_rad(3) = -1.0; }, "sigma_phase_rad"));
    BOOST_TEST(is_refused([](auto& c) { c.sigma_log_gain = Eigen::VectorXd::Ones(3); },
                          "sigma_log_gain"));
    BOOST_TEST(
        is_refused([](auto& c) { c.sigma_log_gain(0) = infinite; }, "sigma_log_gain"));
    BOOST_TEST(is_refused([](auto& c) { c.reference = 4; }, "reference"));
    BOOST_TEST(is_refused([](auto& c) { c.reference = -1; }, "reference"));
    for (const double bad : { 0.0, -1.0, infinite, not_a_number }) {
        BOOST_TEST(is_refused([bad](auto& c) { c.frequency = bad; }, "frequency"));
    }
    BOOST_TEST(is_refused([](auto& c) { c.time = not_a_number; }, "time"));
}

BOOST_AUTO_TEST_CASE(without_a_number_of_elements_parts_must_agree_with_each_other)
{
    BOOST_TEST(is_refused(
        [](auto& c) { c.coupling = Eigen::MatrixXcd::Identity(3, 3); }, "coupling", 0));
    BOOST_TEST(is_refused([](auto& c) { c.reference = 4; }, "reference", 0));
    BOOST_TEST(!is_refused([](auto&) {}, "", 0));
}

BOOST_AUTO_TEST_CASE(an_update_by_a_whole_calibration_is_that_calibration)
{
    BOOST_TEST(is_same(complete(1).updated_by(complete(2)), complete(2)));
    BOOST_TEST(is_same(calibration_state().updated_by(complete(2)), complete(2)));
}

BOOST_AUTO_TEST_CASE(an_update_leaves_the_parts_that_it_lacks)
{
    const calibration_state old = complete(1);
    BOOST_TEST(is_same(old.updated_by({}), old));
    const calibration_state whole = complete(2);
    const auto updates_only = [&](auto member) {
        calibration_state newer;
        newer.*member = whole.*member;
        calibration_state expected = old;
        expected.*member = whole.*member;
        return is_same(old.updated_by(newer), expected);
    };
    BOOST_TEST(updates_only(&calibration_state::gains));
    BOOST_TEST(updates_only(&calibration_state::positions));
    BOOST_TEST(updates_only(&calibration_state::coupling));
    BOOST_TEST(updates_only(&calibration_state::sigma_phase_rad));
    BOOST_TEST(updates_only(&calibration_state::sigma_log_gain));
    BOOST_TEST(updates_only(&calibration_state::frequency));
    BOOST_TEST(updates_only(&calibration_state::time));
}

BOOST_AUTO_TEST_CASE(a_reference_comes_with_gains_or_positions)
{
    const calibration_state old = complete(1);
    calibration_state newer;
    newer.reference = 3;
    newer.coupling = complete(2).coupling;
    BOOST_TEST(old.updated_by(newer).reference.value() == 1);
    newer.gains = complete(2).gains;
    BOOST_TEST(old.updated_by(newer).reference.value() == 3);
    newer.gains.resize(0);
    newer.positions = complete(2).positions;
    BOOST_TEST(old.updated_by(newer).reference.value() == 3);
}
