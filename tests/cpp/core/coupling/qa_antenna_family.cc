/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE antenna_family
#include "refusals.h"
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

antenna_family line()
{
    return antenna_family::from_json(
        R"({"geometry":"line","num_elements":8,"smallest":0.44,"largest":0.52})");
}

antenna_family circle()
{
    return antenna_family::from_json(
        R"({"geometry":"circle","num_elements":5,"smallest":0.34,"largest":0.39})");
}

// Moved and turned clockwise by \p angle.
antenna_array turned_circle(int n, double radius, double angle, bool backwards = false)
{
    Eigen::MatrixXd p(n, 3);
    for (int k = 0; k < n; ++k) {
        const double at = angle + (backwards ? -1 : 1) * 2.0 * M_PI * k / n;
        p.row(k) << 3.0 + radius * std::sin(at), radius * std::cos(at) - 1.0, 2.0;
    }
    return antenna_array::custom(p);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_family_is_read_and_described)
{
    const antenna_family family = line();
    BOOST_TEST(family.geometry == "line");
    BOOST_TEST(family.num_elements == 8);
    BOOST_TEST(family.smallest == 0.44);
    BOOST_TEST(family.largest == 0.52);
    BOOST_TEST(family.description() ==
               "line of 8 elements, 0.44 to 0.52 wavelengths apart");
    BOOST_TEST(circle().description() ==
               "circle of 5 elements, radius 0.34 to 0.39 wavelengths");
}

BOOST_AUTO_TEST_CASE(a_line_has_the_lines_of_its_size)
{
    const antenna_family family = line();
    BOOST_TEST(family.has(antenna_array::uniform_line(8, 0.44)));
    BOOST_TEST(family.has(antenna_array::uniform_line(8, 0.5)));
    BOOST_TEST(family.has(antenna_array::uniform_line(8, 0.52)));
    BOOST_TEST(!family.has(antenna_array::uniform_line(8, 0.43)));
    BOOST_TEST(!family.has(antenna_array::uniform_line(8, 0.53)));
    BOOST_TEST(!family.has(antenna_array::uniform_line(7, 0.5)));
    BOOST_TEST(!family.has(antenna_array::uniform_circle(8, 0.5)));
    // Metres count in wavelengths.
    BOOST_TEST(family.has(antenna_array::uniform_line(8, 0.35, 0.7)));
    BOOST_TEST(!family.has(antenna_array::uniform_line(8, 0.5, 0.7)));
    Eigen::MatrixXd p = antenna_array::uniform_line(8, 0.5).positions();
    p(3, 0) += 0.01;
    BOOST_TEST(!family.has(antenna_array::custom(p)));
}

BOOST_AUTO_TEST_CASE(a_circle_has_the_circles_of_its_size)
{
    const antenna_family family = circle();
    BOOST_TEST(family.has(antenna_array::uniform_circle(5, 0.25 / 0.69)));
    BOOST_TEST(family.has(antenna_array::uniform_circle(5, 0.25, 0.69)));
    BOOST_TEST(!family.has(antenna_array::uniform_circle(5, 0.4)));
    BOOST_TEST(!family.has(antenna_array::uniform_circle(4, 0.36)));
    BOOST_TEST(!family.has(antenna_array::uniform_line(5, 0.36)));
    // Coupling does not ask where a circle stands and how it is turned.
    BOOST_TEST(family.has(turned_circle(5, 0.36, 0.4)));
    BOOST_TEST(family.has(turned_circle(5, 0.36, 0.4, true)));
    // It does ask who is whose neighbour, and whether all stand level.
    Eigen::MatrixXd p = antenna_array::uniform_circle(5, 0.36).positions();
    p.row(1).swap(p.row(3));
    BOOST_TEST(!family.has(antenna_array::custom(p)));
    p.row(1).swap(p.row(3));
    p(2, 2) += 0.05;
    BOOST_TEST(!family.has(antenna_array::custom(p)));
    // Tilted as a whole.
    p = antenna_array::uniform_circle(5, 0.36).positions();
    p.col(2) = 0.5 * p.col(1);
    p.col(1) *= std::sqrt(0.75);
    BOOST_TEST(!family.has(antenna_array::custom(p)));
}

// To 1e-6 wavelengths for both who ask, whatever the radius and the unit.
BOOST_AUTO_TEST_CASE(families_and_structures_agree_on_circles)
{
    antenna_family family = circle();
    for (const double radius : { 0.036, 0.36, 36.0 }) {
        family.smallest = 0.9 * radius;
        family.largest = 1.1 * radius;
        for (const double wavelength : { 0.01, 1.0, 100.0 }) {
            // Neighbours' distances and the centre move by less, but by more than half.
            for (const double error : { 0.0, 0.8e-6, 3e-6 }) {
                Eigen::MatrixXd p = turned_circle(5, radius, 0.4).positions();
                p(3, 0) += error;
                const auto drawn = antenna_array::custom(wavelength * p, wavelength);
                const bool is_circle = error < 1e-6;
                BOOST_TEST(family.has(drawn) == is_circle);
                if (is_circle) {
                    BOOST_TEST(coupling_model::of_array(drawn, 2).num_elements() == 5);
                } else {
                    BOOST_TEST(refuses([&] { coupling_model::of_array(drawn, 2); },
                                       "no structure"));
                }
            }
        }
    }
    // Two elements are no circle, even where they are no line that counts from its end.
    Eigen::MatrixXd two(2, 2);
    two << 0.5, 0.0, 0.0, 0.0;
    BOOST_TEST(refuses([&] { coupling_model::of_array(antenna_array::custom(two), 2); },
                       "no structure"));
}

// An array counts as drawn: how it is calibrated is another matter.
BOOST_AUTO_TEST_CASE(calibration_does_not_change_the_family)
{
    calibration_state calibration;
    calibration.positions = Eigen::MatrixXd::Constant(8, 3, 0.0);
    calibration.positions(4, 0) = 0.05;
    BOOST_TEST(line().has(antenna_array::uniform_line(8, 0.5).calibrated(calibration)));
}

BOOST_DATA_TEST_CASE(
    what_is_no_family_is_refused_by_key,
    data::make(std::vector<std::string>{
        R"()",
        R"(5)",
        R"({"num_elements":8,"smallest":0.44,"largest":0.52})",
        R"({"geometry":5,"num_elements":8,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"ring","num_elements":8,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","num_elements":8.5,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","num_elements":1,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","num_elements":-8,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","num_elements":4294967304,"smallest":0.44,"largest":0.52})",
        R"({"geometry":"line","num_elements":18446744073709551615,"smallest":1,"largest":2})",
        R"({"geometry":"line","num_elements":8,"largest":0.52})",
        R"({"geometry":"line","num_elements":8,"smallest":"0.44","largest":0.52})",
        R"({"geometry":"line","num_elements":8,"smallest":0,"largest":0.52})",
        R"({"geometry":"line","num_elements":8,"smallest":-1,"largest":0.52})",
        R"({"geometry":"line","num_elements":8,"smallest":0.44})",
        R"({"geometry":"line","num_elements":8,"smallest":0.44,"largest":0.43})",
        R"({"geometry":"line","num_elements":8,"smallest":0.44,"smallest":0.4,"largest":0.5})",
    }) ^ data::make(std::vector<std::string>{ "JSON",
                                              "object",
                                              "'geometry'",
                                              "'geometry'",
                                              "ring",
                                              "'num_elements'",
                                              "'num_elements'",
                                              "'num_elements'",
                                              "'num_elements'",
                                              "'num_elements'",
                                              "'num_elements'",
                                              "'smallest'",
                                              "'smallest'",
                                              "'smallest'",
                                              "'smallest'",
                                              "'largest'",
                                              "'largest'",
                                              "twice" }),
    text,
    part)
{
    BOOST_TEST(complains([&] { antenna_family::from_json(text); }, { part }));
}
