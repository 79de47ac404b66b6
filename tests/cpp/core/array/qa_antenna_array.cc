/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE antenna_array
#include "scenes.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

constexpr std::complex<double> j{ 0.0, 1.0 };
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Steering phasors of a dozen operations each: a few units of rounding.
constexpr double rounding = 1e-13;
// Central differences with a step of 1e-5 are exact to the square of the step times the
// third derivative (phases turn through at most ~10 rad: 1e3 * 1e-10) plus rounding /
// step.
constexpr double step = 1e-5;
constexpr double difference_tolerance = 2e-7;
// The same for second differences: rounding / step^2 dominates, so a wider step.
constexpr double wide_step = 1e-4;
constexpr double second_difference_tolerance = 2e-5;

struct named_array {
    const char* name;
    antenna_array array;
};

std::ostream& operator<<(std::ostream& out, const named_array& a)
{
    return out << a.name;
}

std::vector<named_array> arrays()
{
    Eigen::MatrixXd points(5, 3);
    points << 0.0, 0.0, 0.0, 0.4, 0.1, 0.2, -0.3, 0.5, -0.1, 0.2, -0.6, 0.3, 0.9, 0.4,
        0.0;
    const antenna_array line = antenna_array::uniform_line(6, 0.5);
    const antenna_array circle = antenna_array::uniform_circle(5, 0.25, 0.69);
    const antenna_array custom = antenna_array::custom(points);
    return { { "line", line },
             { "circle", circle },
             { "custom", custom },
             { "calibrated line", line.calibrated(random_calibration(6, 1)) },
             { "calibrated circle", circle.calibrated(random_calibration(5, 2)) },
             { "calibrated custom", custom.calibrated(random_calibration(5, 3)) } };
}

std::string message_of(const std::function<void()>& call)
{
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool names(const std::string& message, const std::string& parameter)
{
    return message.find(parameter) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(line_steering_is_the_closed_form)
{
    const double spacing = 0.5;
    const antenna_array line = antenna_array::uniform_line(4, spacing);
    const double theta = 25.0 * degree;
    const Eigen::VectorXcd a = line.steering(theta);
    for (int l = 0; l < 4; ++l) {
        const std::complex<double> expected =
            std::exp(j * 2.0 * M_PI * (l * spacing) * std::sin(theta));
        BOOST_TEST(std::abs(a(l) - expected) < rounding);
    }
}

BOOST_AUTO_TEST_CASE(a_nearer_element_leads)
{
    // A source to the right of a line is nearer to its last element: positive phase.
    const antenna_array line = antenna_array::uniform_line(2, 0.2);
    BOOST_TEST(std::arg(line.steering(40.0 * degree)(1)) > 0.0);
    // A source straight ahead of a circle is nearest to element 0, farthest from the
    // rear.
    const antenna_array circle = antenna_array::uniform_circle(4, 0.1);
    const Eigen::VectorXcd ahead = circle.steering(0.0);
    BOOST_TEST(std::arg(ahead(0)) > 0.0);
    BOOST_TEST(std::arg(ahead(2)) < 0.0);
    BOOST_TEST(std::abs(std::arg(ahead(1))) < rounding);
}

BOOST_AUTO_TEST_CASE(azimuth_is_clockwise_from_forward)
{
    // Circle elements stand at azimuth 360 k / n clockwise: a source there leads there
    // most.
    const antenna_array circle = antenna_array::uniform_circle(5, 0.1);
    for (int k = 0; k < 5; ++k) {
        const Eigen::VectorXcd a = circle.steering(2.0 * M_PI * k / 5.0);
        Eigen::Index leader = -1;
        a.array().arg().maxCoeff(&leader);
        BOOST_TEST(leader == k);
    }
    // Element 1 of a circle of four is on the right, at +x.
    BOOST_TEST(antenna_array::uniform_circle(4, 1.0).positions()(1, 0) == 1.0,
               boost::test_tools::tolerance(rounding));
}

BOOST_AUTO_TEST_CASE(elevation_shortens_the_horizontal_path)
{
    const antenna_array line = antenna_array::uniform_line(2, 0.5);
    const double theta = 30.0 * degree;
    const double phi = 60.0 * degree;
    const double expected = 2.0 * M_PI * 0.5 * std::sin(theta) * std::cos(phi);
    BOOST_TEST(std::arg(line.steering(theta, phi)(1)) == expected,
               boost::test_tools::tolerance(rounding));
}

BOOST_AUTO_TEST_CASE(metres_with_a_wavelength_equal_wavelengths_without)
{
    const antenna_array in_metres = antenna_array::uniform_circle(5, 0.25, 0.7);
    const antenna_array in_wavelengths = antenna_array::uniform_circle(5, 0.25 / 0.7);
    const Eigen::VectorXcd difference =
        in_metres.steering(1.0, 0.2) - in_wavelengths.steering(1.0, 0.2);
    BOOST_TEST(difference.norm() < rounding);
    BOOST_TEST((in_metres.with_wavelength(0.35).steering(1.0) -
                antenna_array::uniform_circle(5, 0.25 / 0.35).steering(1.0))
                   .norm() < rounding);
}

BOOST_AUTO_TEST_CASE(calibration_enters_as_coupling_times_gains_times_moved_phasors)
{
    const antenna_array nominal = antenna_array::uniform_circle(5, 0.4);
    const calibration_state calibration = random_calibration(5, 7);
    const antenna_array moved = antenna_array::custom(
        nominal.positions() + calibration.positions.topLeftCorner(5, 3));
    const Eigen::VectorXcd expected =
        calibration.coupling *
        (calibration.gains.asDiagonal() * moved.steering(2.0, 0.3)).eval();
    BOOST_TEST((nominal.calibrated(calibration).steering(2.0, 0.3) - expected).norm() <
               rounding);
}

BOOST_AUTO_TEST_CASE(a_calibration_leaves_the_parts_it_lacks)
{
    const antenna_array once =
        antenna_array::uniform_line(4, 0.5).calibrated(random_calibration(4, 1));
    calibration_state gains_only;
    gains_only.gains = Eigen::VectorXcd::Constant(4, 2.0 * j);
    const antenna_array twice = once.calibrated(gains_only);
    BOOST_TEST((twice.calibration().gains == gains_only.gains));
    BOOST_TEST((twice.calibration().coupling == once.calibration().coupling));
    BOOST_TEST((twice.calibration().positions == once.calibration().positions));
}

BOOST_AUTO_TEST_CASE(another_calibration_replaces_all_parts)
{
    const antenna_array drawn = antenna_array::uniform_circle(4, 0.3, 0.69);
    const antenna_array once = drawn.calibrated(random_calibration(4, 1));
    calibration_state gains_only;
    gains_only.gains = Eigen::VectorXcd::Constant(4, 2.0 * j);
    const antenna_array twice = once.with_calibration(gains_only);
    BOOST_TEST((twice.calibration().gains == gains_only.gains));
    BOOST_TEST(twice.calibration().coupling.size() == 0);
    BOOST_TEST(!twice.has_position_offsets());
    BOOST_TEST((twice.steering(1.0) == drawn.calibrated(gains_only).steering(1.0)));
    BOOST_TEST((once.with_calibration({}).steering(1.0) == drawn.steering(1.0)));
    BOOST_TEST(once.with_calibration({}).wavelength().value() == 0.69);
}

BOOST_DATA_TEST_CASE(derivatives_agree_with_central_differences,
                     data::make(arrays()) * data::make({ -1.2, 0.3, 2.9 }) *
                         data::make({ 0.0, 0.4 }),
                     named,
                     azimuth,
                     elevation)
{
    const antenna_array& array = named.array;
    const auto relative = [](const Eigen::VectorXcd& analytic,
                             const Eigen::VectorXcd& numeric) {
        return (analytic - numeric).norm() / std::max(numeric.norm(), 1.0);
    };
    const Eigen::VectorXcd by_azimuth = (array.steering(azimuth + step, elevation) -
                                         array.steering(azimuth - step, elevation)) /
                                        (2.0 * step);
    BOOST_TEST(relative(array.azimuth_derivative(azimuth, elevation), by_azimuth) <
               difference_tolerance);
    const Eigen::VectorXcd by_elevation = (array.steering(azimuth, elevation + step) -
                                           array.steering(azimuth, elevation - step)) /
                                          (2.0 * step);
    BOOST_TEST(relative(array.elevation_derivative(azimuth, elevation), by_elevation) <
               difference_tolerance);
    const Eigen::VectorXcd curvature = (array.steering(azimuth + wide_step, elevation) -
                                        2.0 * array.steering(azimuth, elevation) +
                                        array.steering(azimuth - wide_step, elevation)) /
                                       (wide_step * wide_step);
    BOOST_TEST(relative(array.azimuth_second_derivative(azimuth, elevation), curvature) <
               second_difference_tolerance);
    if (array.wavelength()) {
        const double wavelength = *array.wavelength();
        const Eigen::VectorXcd by_wavelength =
            (array.with_wavelength(wavelength + step).steering(azimuth, elevation) -
             array.with_wavelength(wavelength - step).steering(azimuth, elevation)) /
            (2.0 * step);
        BOOST_TEST(relative(array.wavelength_derivative(azimuth, elevation),
                            by_wavelength) < difference_tolerance);
    }
}

BOOST_DATA_TEST_CASE(position_derivative_agrees_with_central_differences,
                     data::make(arrays()) * data::make({ 0, 1, 2 }),
                     named,
                     axis)
{
    const antenna_array& array = named.array;
    const int n = array.num_elements();
    const Eigen::MatrixXcd analytic = array.position_derivative(axis, 0.7, 0.3);
    for (int l = 0; l < n; ++l) {
        const auto moved = [&](double by) {
            calibration_state calibration = array.calibration();
            if (calibration.positions.size() == 0) {
                calibration.positions = Eigen::MatrixXd::Zero(n, 3);
            }
            calibration.positions(l, axis) += by;
            return array.calibrated(calibration).steering(0.7, 0.3);
        };
        const Eigen::VectorXcd numeric = (moved(step) - moved(-step)) / (2.0 * step);
        BOOST_TEST((analytic.col(l) - numeric).norm() < 10.0 * difference_tolerance);
    }
}

BOOST_DATA_TEST_CASE(near_field_steering_is_the_difference_of_distances,
                     data::make(arrays()) * data::make({ 1.5, 4.0, 100.0 }),
                     named,
                     distance)
{
    const antenna_array& array = named.array;
    const calibration_state& calibration = array.calibration();
    const double reach = array.reach();
    const double r = distance * reach;
    const double azimuth = 0.8;
    const double elevation = 0.3;
    const Eigen::RowVector3d source =
        r * Eigen::RowVector3d(std::sin(azimuth) * std::cos(elevation),
                               std::cos(azimuth) * std::cos(elevation),
                               std::sin(elevation));
    Eigen::VectorXcd expected(array.num_elements());
    double farthest = 0.0;
    for (int l = 0; l < array.num_elements(); ++l) {
        Eigen::RowVector3d at = array.positions().row(l);
        if (calibration.positions.size() > 0) {
            at += calibration.positions.row(l);
        }
        farthest = std::max(farthest, at.norm());
        const double path = (source - at).norm() - r;
        expected(l) = std::exp(-j * 2.0 * M_PI * path / array.wavelength().value_or(1.0));
    }
    if (calibration.gains.size() > 0) {
        expected.array() *= calibration.gains.array();
    }
    if (calibration.coupling.size() > 0) {
        expected = calibration.coupling * expected;
    }
    BOOST_TEST(reach == farthest, boost::test_tools::tolerance(rounding));
    // The oracle subtracts distances of up to 300 wavelengths: 2 pi 300 units of rounding.
    BOOST_TEST(
        (array.near_field_steering(azimuth, elevation, 1.0 / r) - expected).norm() <
        100.0 * rounding);
    BOOST_TEST((array.near_field(azimuth, elevation, 1.0 / r).a - expected).norm() <
               100.0 * rounding);
}

BOOST_DATA_TEST_CASE(far_away_the_near_field_is_the_far_field,
                     data::make(arrays()),
                     named)
{
    const antenna_array& array = named.array;
    const near_field_point here = array.near_field(2.0, 0.4, 0.0);
    BOOST_TEST((here.a - array.steering(2.0, 0.4)).norm() < rounding);
    BOOST_TEST((here.by_azimuth - array.azimuth_derivative(2.0, 0.4)).norm() <
               100.0 * rounding);
    BOOST_TEST((here.by_elevation - array.elevation_derivative(2.0, 0.4)).norm() <
               100.0 * rounding);
    // The limit is reached smoothly, from both sides of infinity.
    for (const double inverse : { 1e-9, -1e-9 }) {
        BOOST_TEST((array.near_field_steering(2.0, 0.4, inverse) - here.a).norm() < 1e-6);
    }
}

BOOST_DATA_TEST_CASE(near_field_derivatives_agree_with_central_differences,
                     data::make(arrays()) * data::make({ 0.0, 0.1, 0.5, -0.3 }),
                     named,
                     closeness)
{
    const antenna_array& array = named.array;
    const double inverse = closeness / array.reach();
    const auto numeric = [&](double da, double de, double dq) {
        return ((array.near_field_steering(0.7 + da, 0.3 + de, inverse + dq) -
                 array.near_field_steering(0.7 - da, 0.3 - de, inverse - dq)) /
                (2.0 * step))
            .eval();
    };
    const near_field_point here = array.near_field(0.7, 0.3, inverse);
    const auto relative = [](const Eigen::VectorXcd& analytic,
                             const Eigen::VectorXcd& difference) {
        return (analytic - difference).norm() / std::max(difference.norm(), 1.0);
    };
    BOOST_TEST(relative(here.by_azimuth, numeric(step, 0.0, 0.0)) < difference_tolerance);
    BOOST_TEST(relative(here.by_elevation, numeric(0.0, step, 0.0)) <
               difference_tolerance);
    BOOST_TEST(relative(here.by_inverse_range, numeric(0.0, 0.0, step)) <
               difference_tolerance);
}

BOOST_AUTO_TEST_CASE(a_source_inside_of_the_array_is_refused)
{
    const antenna_array circle = antenna_array::uniform_circle(5, 0.25, 0.69);
    for (const double r : { 0.25, 0.1, 0.0, -0.2 }) {
        BOOST_TEST(names(
            message_of([&] { circle.near_field_steering(0.0, 0.0, 1.0 / r); }), "range"));
        BOOST_TEST(
            names(message_of([&] { circle.near_field(0.0, 0.0, 1.0 / r); }), "range"));
    }
}

BOOST_AUTO_TEST_CASE(centroid_phase_derivative_is_that_of_an_element_at_the_centroid)
{
    const antenna_array circle = antenna_array::custom(Eigen::MatrixXd::Random(6, 3) +
                                                       Eigen::MatrixXd::Ones(6, 3));
    const Eigen::RowVectorXd centroid = circle.positions().colwise().mean();
    const double numeric = 2.0 * M_PI *
                           (centroid(0) * (std::sin(0.5 + step) - std::sin(0.5 - step)) +
                            centroid(1) * (std::cos(0.5 + step) - std::cos(0.5 - step))) *
                           std::cos(0.2) / (2.0 * step);
    BOOST_TEST(std::abs(circle.centroid_phase_derivative(0.5, 0.2) - numeric) <
               difference_tolerance);
}

BOOST_AUTO_TEST_CASE(shape_is_recognised)
{
    BOOST_TEST(antenna_array::uniform_line(5, 0.4).is_front_only());
    BOOST_TEST(*antenna_array::uniform_line(5, 0.4, 0.8).uniform_spacing() == 0.5,
               boost::test_tools::tolerance(rounding));
    BOOST_TEST(!antenna_array::uniform_circle(5, 0.4).is_front_only());
    BOOST_TEST(!antenna_array::uniform_circle(5, 0.4).uniform_spacing());
    BOOST_TEST(antenna_array::uniform_circle(4, 0.4).aperture() == 0.8,
               boost::test_tools::tolerance(rounding));

    Eigen::MatrixXd uneven(3, 2);
    uneven << 0.0, 0.0, 0.5, 0.0, 1.1, 0.0;
    BOOST_TEST(antenna_array::custom(uneven).is_front_only());
    BOOST_TEST(!antenna_array::custom(uneven).uniform_spacing());

    Eigen::MatrixXd from_the_right(3, 2);
    from_the_right << 1.0, 0.0, 0.5, 0.0, 0.0, 0.0;
    BOOST_TEST(!antenna_array::custom(from_the_right).uniform_spacing());

    // An upright panel in the x-z plane cannot tell front from back either.
    Eigen::MatrixXd panel(4, 3);
    panel << 0.0, 0.2, 0.0, 0.5, 0.2, 0.0, 0.0, 0.2, 0.5, 0.5, 0.2, 0.5;
    BOOST_TEST(antenna_array::custom(panel).is_front_only());
}

BOOST_AUTO_TEST_CASE(grating_lobes_are_known)
{
    const antenna_array wide = antenna_array::uniform_line(4, 0.8);
    BOOST_TEST(wide.is_ambiguous(-M_PI_2, M_PI_2));
    // 0.8 (sin 30 + sin 30) < 1: within +-30 degrees nothing repeats.
    BOOST_TEST(!wide.is_ambiguous(-30.0 * degree, 30.0 * degree));
    BOOST_TEST(!antenna_array::uniform_line(4, 0.5).is_ambiguous(-M_PI_2, M_PI_2));
}

BOOST_AUTO_TEST_CASE(impossible_arrays_are_refused_by_name)
{
    BOOST_TEST(names(message_of([] { antenna_array::uniform_line(0, 0.5); }), "n is 0"));
    BOOST_TEST(
        names(message_of([] { antenna_array::uniform_circle(-3, 0.5); }), "n is -3"));
    BOOST_TEST(
        names(message_of([] { antenna_array::uniform_circle(2, 0.5); }), "n is 2"));
    for (const double bad :
         { 0.0, -0.5, not_a_number, std::numeric_limits<double>::infinity() }) {
        BOOST_TEST(
            names(message_of([=] { antenna_array::uniform_line(4, bad); }), "spacing"));
        BOOST_TEST(
            names(message_of([=] { antenna_array::uniform_circle(4, bad); }), "radius"));
        BOOST_TEST(names(message_of([=] { antenna_array::uniform_line(4, 0.5, bad); }),
                         "wavelength"));
    }
    BOOST_TEST(names(message_of([] { antenna_array::custom(Eigen::MatrixXd(0, 3)); }),
                     "n is 0"));
    BOOST_TEST(
        names(message_of([] { antenna_array::custom(Eigen::MatrixXd::Random(4, 4)); }),
              "positions"));
    BOOST_TEST(names(message_of([] {
                         antenna_array::custom(
                             Eigen::MatrixXd::Constant(3, 2, not_a_number));
                     }),
                     "positions"));
    BOOST_TEST(names(
        message_of([] { antenna_array::uniform_line(3, 0.5).with_wavelength(1.0); }),
        "wavelength"));
    BOOST_TEST(names(message_of([] {
                         antenna_array::uniform_line(3, 0.5).position_derivative(3, 0.0);
                     }),
                     "axis"));
    BOOST_TEST(names(message_of([] {
                         antenna_array::uniform_line(3, 0.5).steering(
                             Eigen::VectorXd::Zero(3), Eigen::VectorXd::Zero(2));
                     }),
                     "elevation"));
}

BOOST_AUTO_TEST_CASE(identical_elements_are_refused)
{
    Eigen::MatrixXd positions(3, 2);
    positions << 0.0, 0.0, 0.3, 0.4, 0.3, 0.4;
    BOOST_TEST(
        names(message_of([&] { antenna_array::custom(positions); }), "1 and 2 coincide"));
}

BOOST_AUTO_TEST_CASE(arrays_that_cannot_see_azimuth_from_forward_are_refused)
{
    Eigen::MatrixXd along_y(3, 2);
    along_y << 0.0, 0.0, 0.0, 0.5, 0.0, 1.0;
    BOOST_TEST(
        names(message_of([&] { antenna_array::custom(along_y); }), "not parallel to x"));
    Eigen::MatrixXd mast(3, 3);
    mast << 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 1.0;
    BOOST_TEST(names(message_of([&] { antenna_array::custom(mast); }), "azimuth"));
}

BOOST_AUTO_TEST_CASE(calibrations_of_another_size_are_refused)
{
    const antenna_array line = antenna_array::uniform_line(4, 0.5);
    const calibration_state calibration = random_calibration(5, 1);
    BOOST_TEST(names(message_of([&] { line.calibrated(calibration); }), "gains"));
    BOOST_TEST(names(message_of([&] { line.with_calibration(calibration); }), "gains"));
}
