/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE noise_schedule
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

using namespace gr::bearing::core;

BOOST_AUTO_TEST_CASE(beta_is_linear_and_abar_is_the_running_product)
{
    const noise_schedule schedule(200, 5e-4, 0.1);
    BOOST_TEST(schedule.steps() == 200);
    double log_sum = 0.0;
    for (int t = 0; t < 200; ++t) {
        const double beta = 5e-4 + (0.1 - 5e-4) * t / 199.0;
        log_sum += std::log1p(-beta);
        // Rounding of 200 factors.
        BOOST_TEST(std::abs(schedule.beta(t) - beta) < 1e-15);
        BOOST_TEST(std::abs(schedule.alpha_bar(t) / std::exp(log_sum) - 1.0) < 1e-13);
    }
    BOOST_TEST(schedule.alpha_bar(-1) == 1.0);
}

BOOST_AUTO_TEST_CASE(a_descent_goes_from_the_last_step_to_the_first)
{
    const noise_schedule schedule(200, 5e-4, 0.1);
    for (int count = 2; count <= 200; ++count) {
        const std::vector<int> times = schedule.descent(count);
        BOOST_TEST(times.size() == static_cast<std::size_t>(count));
        BOOST_TEST(times.front() == 199);
        BOOST_TEST(times.back() == 0);
        for (int k = 1; k < count; ++k) {
            // Equal distances, each end rounded.
            BOOST_TEST(std::abs(times[k - 1] - times[k] - 199.0 / (count - 1)) <= 1.0);
            BOOST_TEST(times[k] < times[k - 1]);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_schedule_is_refused)
{
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(refuses([] { noise_schedule(1, 5e-4, 0.1); }, "steps: 1"));
    BOOST_TEST(refuses([] { noise_schedule(200, 0.0, 0.1); }, "beta_first: 0"));
    BOOST_TEST(refuses([] { noise_schedule(200, nan, 0.1); }, "beta_first: nan"));
    BOOST_TEST(refuses([] { noise_schedule(200, 0.2, 0.1); }, "beta_last: 0.1"));
    BOOST_TEST(refuses([] { noise_schedule(200, 0.2, 1.0); }, "beta_last: 1"));
    BOOST_TEST(refuses([] { noise_schedule(200, 0.2, nan); }, "beta_last: nan"));
    const noise_schedule schedule(10, 0.1, 0.1);
    BOOST_TEST(refuses([&] { schedule.descent(1); }, "count: 1; allowed are 2 .. 10"));
    BOOST_TEST(refuses([&] { schedule.descent(11); }, "count: 11"));
}
