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
#include <stdexcept>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing::core;

namespace {

std::vector<std::string> kernels()
{
    std::vector<std::string> names;
    for (const char* name : { "generic", "avx2", "avx512" }) {
        if (runs_kernel(name)) {
            names.push_back(name);
        }
    }
    return names;
}
const std::vector<std::string> all_kernels = kernels();

constexpr double lowest = 1e-300;
constexpr double highest = 1e300;
// What the header promises; beyond 1000 dB rounding of the result itself adds 1e-13.
constexpr double promised_db = 2e-10;

} // namespace

BOOST_DATA_TEST_CASE(powers_of_all_magnitudes_become_decibels,
                     data::make(all_kernels),
                     kernel)
{
    // 120 000 values, in steps that hit every part of the mantissa.
    Eigen::VectorXd power(120000);
    for (Eigen::Index k = 0; k < power.size(); ++k) {
        power(k) = std::pow(10.0, 598.0 * k / power.size() - 299.0);
    }
    Eigen::VectorXd db = power;
    to_decibels(db, lowest, highest, 1.0, kernel);
    Eigen::VectorXd negative = power;
    to_decibels(negative, lowest, highest, -1.0, kernel);
    for (Eigen::Index k = 0; k < power.size(); ++k) {
        if (std::abs(db(k) - 10.0 * std::log10(power(k))) > promised_db ||
            negative(k) != -db(k)) {
            BOOST_ERROR(power(k) << " is not " << db(k) << " dB");
        }
    }
}

BOOST_DATA_TEST_CASE(every_length_is_done_to_its_end,
                     data::xrange(0, 70) * data::make(all_kernels),
                     size,
                     kernel)
{
    Eigen::VectorXd power = Eigen::VectorXd::LinSpaced(size, 0.1, 7.0);
    const Eigen::VectorXd before = power;
    to_decibels(power, lowest, highest, 1.0, kernel);
    for (int k = 0; k < size; ++k) {
        BOOST_TEST(std::abs(power(k) - 10.0 * std::log10(before(k))) < promised_db);
    }
}

BOOST_DATA_TEST_CASE(one_is_zero_decibels_to_the_bit, data::make(all_kernels), kernel)
{
    Eigen::VectorXd power = Eigen::VectorXd::Ones(9);
    to_decibels(power, lowest, highest, 1.0, kernel);
    BOOST_TEST(power.isZero(0.0));
}

BOOST_DATA_TEST_CASE(what_has_no_logarithm_is_brought_into_range,
                     data::make(all_kernels),
                     kernel)
{
    constexpr double inf = std::numeric_limits<double>::infinity();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    Eigen::VectorXd power(8);
    power << 0.0, -1.0, -inf, nan, std::numeric_limits<double>::denorm_min(), 1e-17, inf,
        2.0;
    to_decibels(power, 1e-16, 1.0, 1.0, kernel);
    for (int k = 0; k < 6; ++k) {
        BOOST_TEST(std::abs(power(k) + 160.0) < promised_db);
    }
    BOOST_TEST(power(6) == 0.0);
    BOOST_TEST(power(7) == 0.0);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_does_not_exist_is_refused)
{
    Eigen::VectorXd power = Eigen::VectorXd::Ones(3);
    BOOST_CHECK_THROW(to_decibels(power, lowest, highest, 1.0, "sse9"),
                      std::invalid_argument);
}
