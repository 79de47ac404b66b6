/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE angle_grid
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::bearing::core;

namespace {
const antenna_array line = antenna_array::uniform_line(8, 0.5);
const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
constexpr double rounding = 1e-12;
} // namespace

BOOST_AUTO_TEST_CASE(a_line_looks_forward_with_both_ends_on_the_grid)
{
    const angle_grid grid = angle_grid::whole_range(line, 181);
    BOOST_TEST(grid.size() == 181);
    BOOST_TEST(std::abs(grid.first() + M_PI_2) < rounding);
    BOOST_TEST(std::abs(grid.last() - M_PI_2) < rounding);
    BOOST_TEST(std::abs(grid.azimuth()(91) - degree) < rounding);
    BOOST_TEST(!grid.is_circle());
}

BOOST_AUTO_TEST_CASE(a_circle_looks_all_round_with_its_start_only)
{
    const angle_grid grid = angle_grid::whole_range(circle, 360);
    BOOST_TEST(grid.first() == 0.0);
    BOOST_TEST(std::abs(grid.last() - 359.0 * degree) < rounding);
    BOOST_TEST(grid.is_circle());
    BOOST_TEST(std::abs(grid.at(-1) + degree) < rounding);
    BOOST_TEST(std::abs(grid.at(360) - 360.0 * degree) < rounding);
    BOOST_TEST(std::abs(grid.at(-361) + 361.0 * degree) < rounding);
    BOOST_TEST(std::abs(grid.at(725) - 725.0 * degree) < rounding);
    BOOST_TEST(!grid.is_open_edge(0, circle));
}

BOOST_AUTO_TEST_CASE(a_grid_with_both_0_and_360_is_searched_without_its_twin)
{
    const angle_grid grid =
        angle_grid::points(circle, Eigen::VectorXd::LinSpaced(361, 0.0, 2.0 * M_PI));
    BOOST_TEST(grid.is_circle());
    BOOST_TEST(grid.size() == 361);
    const angle_grid searched = grid.searched_by(circle);
    BOOST_TEST(searched.is_circle());
    BOOST_TEST(searched.last() < 2.0 * M_PI - 1e-3);
}

BOOST_AUTO_TEST_CASE(a_sector_includes_both_ends_and_may_cross_north)
{
    const angle_grid grid = angle_grid::sector(circle, -30.0 * degree, 30.0 * degree, 61);
    BOOST_TEST(!grid.is_circle());
    BOOST_TEST(std::abs(grid.azimuth()(60) - 30.0 * degree) < rounding);
    BOOST_TEST(grid.at(-1) == grid.first());
    BOOST_TEST(grid.at(61) == grid.last());
    BOOST_TEST(grid.is_open_edge(0, circle));
    BOOST_TEST(grid.is_open_edge(60, circle));
    BOOST_TEST(!grid.is_open_edge(30, circle));
    BOOST_TEST(!angle_grid::whole_range(line).is_open_edge(0, line));
    BOOST_TEST(angle_grid::sector(line, -0.5, M_PI_2).is_open_edge(0, line));
}

BOOST_AUTO_TEST_CASE(given_points_that_close_the_circle_are_one)
{
    const Eigen::VectorXd all_round = Eigen::VectorXd::LinSpaced(36, 0.0, 350.0 * degree);
    BOOST_TEST(angle_grid::points(circle, all_round).is_circle());
    const Eigen::VectorXd half = Eigen::VectorXd::LinSpaced(18, 0.0, 170.0 * degree);
    BOOST_TEST(!angle_grid::points(circle, half).is_circle());
    BOOST_TEST(!angle_grid::points(circle, degrees({ -90.0, 90.0 })).is_circle());
}

BOOST_AUTO_TEST_CASE(the_search_grid_keeps_the_limits_and_is_fine_enough)
{
    const antenna_array long_line = antenna_array::uniform_line(32, 0.5);
    const angle_grid coarse = angle_grid::sector(long_line, -1.0, 1.0, 21);
    const angle_grid fine = coarse.searched_by(long_line);
    BOOST_TEST(fine.first() == coarse.first());
    BOOST_TEST(std::abs(fine.last() - coarse.last()) < rounding);
    // Sixteen points on one period of the fastest ripple, 1 / aperture.
    BOOST_TEST(fine.azimuth()(1) - fine.azimuth()(0) <= 1.0 / (16.0 * 15.5));
    const angle_grid round = angle_grid::whole_range(circle, 8).searched_by(circle);
    BOOST_TEST(round.is_circle());
    BOOST_TEST(round.size() >= 180);
}

BOOST_AUTO_TEST_CASE(wrong_limits_are_refused)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(angle_grid::whole_range(line, 1), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::sector(line, 0.5, 0.5), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::sector(line, 0.5, -0.5), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::sector(line, nan, 0.5), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::sector(line, -M_PI, M_PI), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::sector(circle, 0.0, 7.0), std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::points(circle, degrees({ 10.0 })),
                      std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::points(circle, degrees({ 10.0, 10.0 })),
                      std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::points(circle, degrees({ 0.0, 380.0 })),
                      std::invalid_argument);
    BOOST_CHECK_THROW(angle_grid::points(line, degrees({ 0.0, 120.0 })),
                      std::invalid_argument);
}
