/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE decibels
#include <gnuradio/bearing/core/subspace/decibels.h>
#include <Eigen/Dense>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

namespace data = boost::unit_test::data;
using namespace gr::bearing::core;

namespace {

constexpr double lowest = 1e-37;
constexpr double highest = 1e38;
// What the header promises.
constexpr double promised_db = 1e-4;

} // namespace

BOOST_AUTO_TEST_CASE(powers_of_all_magnitudes_become_decibels)
{
    // 120 000 values, in steps that hit every part of the mantissa.
    Eigen::VectorXd power(120000);
    for (Eigen::Index k = 0; k < power.size(); ++k) {
        power(k) = std::pow(10.0, 74.0 * k / power.size() - 37.0);
    }
    Eigen::VectorXd db = power;
    to_decibels(db, lowest, highest);
    Eigen::VectorXd negative = power;
    to_decibels(negative, lowest, highest, -1.0);
    for (Eigen::Index k = 0; k < power.size(); ++k) {
        if (std::abs(db(k) - 10.0 * std::log10(power(k))) > promised_db ||
            negative(k) != -db(k)) {
            BOOST_ERROR(power(k) << " is not " << db(k) << " dB");
        }
    }
}

BOOST_DATA_TEST_CASE(every_length_is_done_to_its_end,
                     data::xrange(0, 40) + data::xrange(500, 530) +
                         data::xrange(1020, 1030),
                     size)
{
    Eigen::VectorXd power = Eigen::VectorXd::LinSpaced(size, 0.1, 7.0);
    const Eigen::VectorXd before = power;
    to_decibels(power, lowest, highest);
    for (int k = 0; k < size; ++k) {
        BOOST_TEST(std::abs(power(k) - 10.0 * std::log10(before(k))) < promised_db);
    }
}

BOOST_AUTO_TEST_CASE(what_has_no_logarithm_is_brought_into_range)
{
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    Eigen::VectorXd power(8);
    power << 0.0, -1.0, -inf, nan, std::numeric_limits<double>::denorm_min(), 1e-17, inf,
        2.0;
    to_decibels(power, 1e-16, 1.0);
    for (int k = 0; k < 6; ++k) {
        BOOST_TEST(std::abs(power(k) + 160.0) < promised_db);
    }
    BOOST_TEST(std::abs(power(6)) < promised_db);
    BOOST_TEST(std::abs(power(7)) < promised_db);
}

BOOST_AUTO_TEST_CASE(the_range_of_floats_holds_whatever_the_limits)
{
    Eigen::VectorXd power(3);
    power << 0.0, 1e-300, 1e300;
    to_decibels(power, 0.0, std::numeric_limits<double>::infinity());
    BOOST_TEST(power.allFinite());
    BOOST_TEST(std::abs(power(0) + 379.2978) < 2.0 * promised_db);
    BOOST_TEST(power(1) == power(0));
    BOOST_TEST(std::abs(power(2) - 385.3184) < 2.0 * promised_db);
}
