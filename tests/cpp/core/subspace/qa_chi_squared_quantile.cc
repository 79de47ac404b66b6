/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE chi_squared_quantile
#include <gnuradio/bearing/core/subspace/chi_squared_quantile.h>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;

BOOST_AUTO_TEST_CASE(it_is_near_the_quantile_and_nearer_with_more_degrees_of_freedom)
{
    for (const double deviations : { 1.0, 1.6449, 2.3263, 3.719 }) {
        const double probability =
            boost::math::cdf(boost::math::normal_distribution<>(), deviations);
        // At one degree of freedom a cube root is far from Gaussian: 7.1 %; the difference falls
        // off about with their number.
        for (const auto& [freedom, tolerance] :
             { std::pair(1.0, 0.072), std::pair(9.0, 0.02), std::pair(40.0, 0.004) }) {
            const double exact = boost::math::quantile(
                boost::math::chi_squared_distribution<>(freedom), probability);
            BOOST_TEST(chi_squared_quantile(freedom, deviations) == exact,
                       boost::test_tools::tolerance(tolerance));
        }
    }
}
