/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE array_parameters
#include "scenes.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;

namespace {

// Products of a few doubles near one.
constexpr double rounding = 1e-12;

antenna_array some_array()
{
    calibration_state errors = random_calibration(5, 3);
    errors.coupling.resize(0, 0);
    return antenna_array::uniform_circle(5, 0.4, 0.7).calibrated(errors);
}

// |a^H b| / |a||b|: 1 when two steering vectors differ by a complex factor only.
double likeness(const antenna_array& one, const antenna_array& other, double azimuth)
{
    const Eigen::VectorXcd a = one.steering(azimuth);
    const Eigen::VectorXcd b = other.steering(azimuth);
    return std::abs(a.dot(b)) / (a.norm() * b.norm());
}

} // namespace

BOOST_AUTO_TEST_CASE(the_calibration_of_an_arrays_parameters_restores_its_manifold)
{
    const antenna_array array = some_array();
    const antenna_array drawn = antenna_array::uniform_circle(5, 0.4, 0.7);
    const calibration_state calibration = array_parameters::of(array).calibration(drawn);
    for (double azimuth = 0.0; azimuth < 6.0; azimuth += 0.7) {
        BOOST_TEST(std::abs(likeness(array, drawn.calibrated(calibration), azimuth) -
                            1.0) < rounding);
    }
    BOOST_TEST(*calibration.reference == 0);
    BOOST_TEST(std::abs(calibration.gains(0) - 1.0) < rounding);
    BOOST_TEST(calibration.positions.row(0).norm() < rounding);
}

BOOST_AUTO_TEST_CASE(positions_are_in_wavelengths_and_offsets_in_the_arrays_unit)
{
    const antenna_array array = some_array();
    const array_parameters parameters = array_parameters::of(array);
    const Eigen::MatrixXd metres = array.positions() + array.calibration().positions;
    BOOST_TEST((0.7 * parameters.positions - metres).norm() < rounding);
    const Eigen::MatrixXd offsets =
        parameters.calibration(antenna_array::uniform_circle(5, 0.4, 0.7)).positions;
    const Eigen::MatrixXd given = array.calibration().positions;
    BOOST_TEST((offsets.row(3) - (given.row(3) - given.row(0))).norm() < rounding);
}

BOOST_AUTO_TEST_CASE(the_gauge_changes_no_bearing_and_is_what_it_says)
{
    const antenna_array array = some_array();
    const antenna_array drawn = antenna_array::uniform_circle(5, 0.4, 0.7);
    array_parameters parameters = array_parameters::of(array);
    parameters.impose_gauge(drawn);
    BOOST_TEST(std::abs(parameters.gains.squaredNorm() - 5.0) < rounding);
    BOOST_TEST(std::abs(std::arg(parameters.gains.sum())) < rounding);
    const Eigen::MatrixXd offsets = parameters.positions - drawn.positions() / 0.7;
    BOOST_TEST(offsets.row(0).norm() < rounding);
    const antenna_array same = drawn.calibrated(parameters.calibration(drawn));
    BOOST_TEST(std::abs(likeness(array, same, 1.0) - 1.0) < rounding);
}

BOOST_AUTO_TEST_CASE(a_dead_reference_gives_way_to_the_strongest_element)
{
    const antenna_array drawn = antenna_array::uniform_line(4, 0.5);
    array_parameters parameters = array_parameters::of(drawn);
    parameters.gains << 1e-4, 1.0, std::complex<double>(0.0, 2.0), 1.0;
    const calibration_state calibration = parameters.calibration(drawn);
    BOOST_TEST(*calibration.reference == 2);
    BOOST_TEST(std::abs(calibration.gains(2) - 1.0) < rounding);
    BOOST_TEST(std::abs(calibration.gains(0)) < 1e-3);
    // A weak one, at -20 dB, is a reference like any other.
    parameters.gains(0) = 0.2;
    BOOST_TEST(*parameters.calibration(drawn).reference == 0);
}

BOOST_AUTO_TEST_CASE(a_coupling_in_force_goes_into_the_calibration)
{
    const antenna_array array =
        antenna_array::uniform_circle(5, 0.4).calibrated(random_calibration(5, 8));
    const calibration_state calibration = array_parameters::of(array).calibration(array);
    BOOST_TEST((calibration.coupling - array.calibration().coupling).norm() == 0.0);
}
