/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE propagator
#include "dispersive_line.h"
#include "refusals.h"
#include "scenes.h"
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::bearing::core;

namespace {

using complex = std::complex<double>;

// A phase of a few hundred radians, rounded.
constexpr double exact = 1e-12;
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Eigen::VectorXd values(std::initializer_list<double> list)
{
    return Eigen::Map<const Eigen::VectorXd>(list.begin(),
                                             static_cast<Eigen::Index>(list.size()));
}

double largest(const Eigen::MatrixXcd& difference)
{
    return difference.cwiseAbs().maxCoeff();
}

propagator simple_line()
{
    return propagator::dispersive(values({ 0.0, 2.0, 5.0 }),
                                  values({ 0.0, 100.0 }),
                                  values({ 0.9, 0.4 }),
                                  values({ 20.0, 30.0 }));
}

propagator simple_table()
{
    return propagator::table(values({ -10.0, 10.0 }), Eigen::MatrixXcd::Ones(2, 3));
}

antenna_array line_in_metres() { return antenna_array::uniform_line(4, 0.1, 0.25); }

} // namespace

BOOST_AUTO_TEST_CASE(a_dispersive_line_is_its_formula)
{
    const dispersive_line line;
    // On the frequencies of the tables, where nothing is interpolated.
    const Eigen::VectorXd frequency = Eigen::VectorXd::LinSpaced(301, 0.0, 750.0);
    BOOST_TEST(largest(line.propagator(301).response(frequency, 0.0, true) -
                       line.response(frequency)) < exact);
}

BOOST_AUTO_TEST_CASE(tables_are_interpolated_in_velocity_and_log_gain)
{
    const propagator p = simple_line();
    const Eigen::MatrixXcd response = p.response(values({ 50.0 }), 0.0, true);
    // Half way: velocity 25, gain sqrt(0.9 0.4) over the first interval of 2 metres.
    const double gain = std::sqrt(0.9 * 0.4);
    BOOST_TEST(std::abs(response(0, 0) - 1.0) < exact);
    BOOST_TEST(std::abs(response(0, 1) -
                        std::polar(gain, -2.0 * M_PI * 50.0 * 2.0 / 25.0)) < exact);
    BOOST_TEST(std::abs(response(0, 2) - std::polar(std::pow(gain, 2.5),
                                                    -2.0 * M_PI * 50.0 * 5.0 / 25.0)) <
               exact);
    BOOST_TEST(p.lowest_frequency() == 0.0);
    BOOST_TEST(p.highest_frequency() == 100.0);
    BOOST_TEST(p.num_sensors() == 3);
}

BOOST_AUTO_TEST_CASE(gain_distance_says_what_the_gain_is_over)
{
    const auto line = [](std::optional<double> gain_distance, double sign) {
        return propagator::dispersive(sign * values({ 1.0, 3.0, 6.0 }),
                                      values({ 7.0 }),
                                      values({ 0.5 }),
                                      values({ 10.0 }),
                                      gain_distance)
            .response(values({ 7.0 }), 0.0, true);
    };
    BOOST_TEST(std::abs(std::abs(line({}, 1.0)(0, 2)) - std::pow(0.5, 2.5)) < exact);
    BOOST_TEST(std::abs(std::abs(line(10.0, 1.0)(0, 2)) - std::pow(0.5, 0.5)) < exact);
    // Sensors in the order opposite to that of arrival: earlier and stronger.
    BOOST_TEST(largest(line({}, -1.0).cwiseInverse() - line({}, 1.0)) < exact);
}

BOOST_AUTO_TEST_CASE(a_medium_does_the_conjugate_to_negative_frequencies)
{
    const propagator p = simple_line();
    const Eigen::MatrixXcd response = p.response(values({ -30.0, 30.0 }), 0.0, false);
    BOOST_TEST(largest(response.row(0).conjugate() - response.row(1)) == 0.0);
}

BOOST_AUTO_TEST_CASE(tables_of_one_entry_hold_everywhere)
{
    const propagator p = propagator::dispersive(
        values({ 0.0, 3.0 }), values({ 5.0 }), values({ 1.0 }), values({ 6.0 }));
    BOOST_TEST(p.lowest_frequency() == -infinity);
    BOOST_TEST(p.highest_frequency() == infinity);
    const Eigen::MatrixXcd response = p.response(values({ 1.0 }), 1e6, false);
    BOOST_TEST(std::abs(response(0, 1) - std::polar(1.0, -M_PI * 1000001.0)) < 1e-9);
}

BOOST_AUTO_TEST_CASE(frequencies_are_those_of_the_stream_plus_its_centre)
{
    const propagator p = simple_line();
    BOOST_TEST(largest(p.response(values({ -3.0, 8.0 }), 40.0, false) -
                       p.response(values({ 37.0, 48.0 }), 0.0, true)) < exact);
}

BOOST_AUTO_TEST_CASE(a_plane_wave_reaches_elements_nearer_the_source_earlier)
{
    // Sound from the right: along +x each element is 0.1 m / 340 m/s earlier.
    const propagator p =
        propagator::plane_wave(line_in_metres(), 90.0 * degree, 0.0, 340.0);
    const Eigen::VectorXd frequency = values({ 0.0, 100.0, 3000.0 });
    const Eigen::MatrixXcd response = p.response(frequency, 0.0, true);
    for (int k = 0; k < 3; ++k) {
        for (int l = 0; l < 4; ++l) {
            const complex expected =
                std::polar(1.0, 2.0 * M_PI * frequency(k) * 0.1 * l / 340.0);
            BOOST_TEST(std::abs(response(k, l) - expected) < exact);
        }
    }
    BOOST_TEST(*p.own_center_frequency() == 340.0 / 0.25);
}

BOOST_AUTO_TEST_CASE(a_plane_wave_is_the_steering_vector_at_each_frequency)
{
    const double velocity = 299792458.0;
    for (const unsigned seed : { 1u, 2u }) {
        const antenna_array array = antenna_array::uniform_circle(5, 0.2, 0.7)
                                        .calibrated(random_calibration(5, seed));
        const double azimuth = 100.0 * degree;
        const double elevation = 20.0 * degree;
        const propagator p = propagator::plane_wave(array, azimuth, elevation);
        const double center = velocity / 0.7;
        BOOST_TEST(*p.own_center_frequency() == center,
                   boost::test_tools::tolerance(exact));
        for (const double offset : { -1e7, 0.0, 2e7 }) {
            const Eigen::VectorXcd a = array.with_wavelength(velocity / (center + offset))
                                           .steering(azimuth, elevation);
            const Eigen::VectorXcd response =
                p.response(values({ offset }), center, false).row(0).transpose();
            BOOST_TEST(largest(response - a / a(0)) < exact);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_array_in_wavelengths_has_them_at_the_centre_frequency)
{
    const antenna_array array = antenna_array::uniform_circle(4, 0.4);
    const propagator p = propagator::plane_wave(array, 0.3);
    BOOST_TEST(!p.own_center_frequency());
    const Eigen::VectorXcd a = array.steering(0.3);
    const Eigen::VectorXcd wider =
        antenna_array::uniform_circle(4, 0.4 * 1.1).steering(0.3);
    const Eigen::MatrixXcd response = p.response(values({ 0.0, 10.0 }), 100.0, false);
    BOOST_TEST(largest(response.row(0).transpose() - a / a(0)) < exact);
    BOOST_TEST(largest(response.row(1).transpose() - wider / wider(0)) < exact);
}

BOOST_AUTO_TEST_CASE(faster_waves_are_those_of_a_lower_frequency)
{
    // Without attenuation P depends on f / velocity only.
    const propagator sound = propagator::plane_wave(line_in_metres(), 0.4, 0.1, 340.0);
    const propagator light = propagator::plane_wave(line_in_metres(), 0.4);
    const propagator ground = propagator::dispersive(
        values({ 0.0, 3.0, 4.0 }), values({ 1.0 }), values({ 1.0 }), values({ 50.0 }));
    for (const propagator& p : { sound, light, ground }) {
        BOOST_TEST(p.has_velocity());
        const propagator faster = p.with_velocity_scale(1.25);
        BOOST_TEST(largest(faster.response(values({ 50.0 }), 0.0, false) -
                           p.response(values({ 40.0 }), 0.0, false)) < exact);
        // The receiver stays where it is tuned to.
        BOOST_CHECK(faster.own_center_frequency() == p.own_center_frequency());
        // Scales multiply.
        BOOST_TEST(largest(faster.with_velocity_scale(0.8).response(
                               values({ 50.0 }), 0.0, false) -
                           p.response(values({ 50.0 }), 0.0, false)) < exact);
    }
    BOOST_TEST(!simple_table().has_velocity());
}

BOOST_AUTO_TEST_CASE(a_plane_wave_turns_and_keeps_its_velocity)
{
    const propagator p = propagator::plane_wave(line_in_metres(), 0.4, 0.0, 340.0)
                             .with_velocity_scale(1.1);
    BOOST_TEST(p.is_plane_wave());
    const propagator expected =
        propagator::plane_wave(line_in_metres(), -0.9, 0.2, 1.1 * 340.0);
    BOOST_TEST(largest(p.towards(-0.9, 0.2).response(values({ 700.0 }), 0.0, true) -
                       expected.response(values({ 700.0 }), 0.0, true)) < exact);
    BOOST_TEST(!simple_line().is_plane_wave());
    BOOST_TEST(!simple_table().is_plane_wave());
}

BOOST_AUTO_TEST_CASE(tables_of_responses_are_interpolated_in_both_parts)
{
    Eigen::MatrixXcd response(3, 2);
    response << 1.0, complex(0.0, 1.0), 2.0, -1.0, complex(0.0, 4.0), 3.0;
    const propagator p = propagator::table(values({ -1.0, 1.0, 5.0 }), response);
    const Eigen::MatrixXcd found =
        p.response(values({ -1.0, 0.0, 1.0, 4.0, 5.0 }), 0.0, false);
    Eigen::MatrixXcd expected(5, 2);
    expected << 1.0, complex(0.0, 1.0), 1.5, complex(-0.5, 0.5), 2.0, -1.0,
        complex(0.5, 3.0), 2.0, complex(0.0, 4.0), 3.0;
    BOOST_TEST(largest(found - expected) < exact);
    BOOST_TEST(p.num_sensors() == 2);
}

BOOST_AUTO_TEST_CASE(what_tables_do_not_cover_is_not_made_up)
{
    const auto covers = [](const propagator& p, double frequency) {
        return !refuses([&] { p.response(values({ frequency }), 0.0, false); },
                        "frequency is");
    };
    BOOST_TEST(covers(simple_line(), 100.0));
    BOOST_TEST(!covers(simple_line(), 100.1));
    BOOST_TEST(!covers(simple_line(), -100.1));
    BOOST_TEST(covers(simple_table(), -10.0));
    BOOST_TEST(!covers(simple_table(), -10.1));
    // Rounding of the last bin is not beyond.
    BOOST_TEST(covers(simple_line(), std::nextafter(100.0, 200.0)));
    const propagator high = propagator::dispersive(values({ 0.0, 1.0 }),
                                                   values({ 10.0, 20.0 }),
                                                   values({ 1.0, 1.0 }),
                                                   values({ 1.0, 1.0 }));
    BOOST_TEST(!covers(high, 9.0));
    BOOST_TEST(refuses([&] { high.response(values({ 30.0 }), 0.0, true); }, "10 to 20"));
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_named)
{
    const Eigen::VectorXd x = values({ 0.0, 1.0 });
    const Eigen::VectorXd f = values({ 0.0, 10.0 });
    const Eigen::VectorXd one = values({ 1.0, 1.0 });
    const auto line = [](auto... arguments) {
        return [=] { propagator::dispersive(arguments...); };
    };
    BOOST_TEST(refuses(line(Eigen::VectorXd(), f, one, one), "positions"));
    BOOST_TEST(refuses(line(values({ 1.0, 1.0 }), f, one, one), "positions"));
    BOOST_TEST(refuses(line(values({ 1.0, no_number }), f, one, one), "positions"));
    BOOST_TEST(refuses(line(x, Eigen::VectorXd(), one, one), "frequency"));
    BOOST_TEST(refuses(line(x, values({ 1.0, 1.0 }), one, one), "frequency"));
    BOOST_TEST(refuses(line(x, values({ -1.0, 1.0 }), one, one), "frequency"));
    BOOST_TEST(refuses(line(x, values({ 0.0, no_number }), one, one), "frequency"));
    for (const double bad : { 0.0, -1.0, no_number, infinity }) {
        BOOST_TEST(refuses(line(x, f, values({ 1.0, bad }), one), "gain is"));
        BOOST_TEST(refuses(line(x, f, one, values({ bad, 1.0 })), "velocity is"));
        BOOST_TEST(refuses(line(x, f, one, one, bad), "gain_distance"));
        BOOST_TEST(
            refuses([=] { propagator::plane_wave(line_in_metres(), 0.0, 0.0, bad); },
                    "velocity"));
        BOOST_TEST(refuses([=] { simple_line().with_velocity_scale(bad); }, "scale"));
    }
    BOOST_TEST(refuses(line(x, f, values({ 1.0 }), one), "gain has 1"));
    BOOST_TEST(refuses(line(x, f, one, values({ 1.0 })), "velocity has 1"));
    // 1000 nepers.
    BOOST_TEST(refuses(
        [] {
            propagator::dispersive(values({ 0.0, -1000.0 }),
                                   values({ 1.0 }),
                                   values({ std::exp(-1.0) }),
                                   values({ 1.0 }),
                                   1.0)
                .response(values({ 1.0 }), 0.0, true);
        },
        "gain"));

    for (const double bad : { no_number, infinity }) {
        BOOST_TEST(
            refuses([=] { propagator::plane_wave(line_in_metres(), bad); }, "azimuth"));
        BOOST_TEST(refuses([=] { propagator::plane_wave(line_in_metres(), 0.0, bad); },
                           "elevation"));
        BOOST_TEST(
            refuses([=] { propagator::plane_wave(line_in_metres(), 0.0).towards(bad); },
                    "azimuth"));
        BOOST_TEST(refuses([=] { simple_line().response(values({ bad }), 0.0, true); },
                           "frequency"));
        BOOST_TEST(refuses([=] { simple_line().response(values({ 1.0 }), bad, false); },
                           "center_frequency"));
    }
    const antenna_array in_wavelengths = antenna_array::uniform_line(4, 0.5);
    BOOST_TEST(refuses([&] { propagator::plane_wave(in_wavelengths, 0.0, 0.0, 340.0); },
                       "velocity"));
    const propagator wave = propagator::plane_wave(in_wavelengths, 0.0);
    BOOST_TEST(
        refuses([&] { wave.response(values({ 1.0 }), 0.0, false); }, "center_frequency"));
    BOOST_TEST(refuses([&] { wave.response(values({ 1.0 }), 0.0, true); }, "velocity"));
    BOOST_TEST(refuses([&] { simple_line().response(values({ 1.0 }), 2.0, true); },
                       "center_frequency"));
    calibration_state silent;
    silent.gains = Eigen::VectorXcd::Ones(4);
    silent.gains(0) = 0.0;
    BOOST_TEST(refuses(
        [&] {
            propagator::plane_wave(line_in_metres().calibrated(silent), 0.0)
                .response(values({ 1.0 }), 1.0, false);
        },
        "element 0"));

    BOOST_TEST(
        refuses([] { propagator::table(values({ 1.0 }), Eigen::MatrixXcd::Ones(1, 2)); },
                "frequency"));
    BOOST_TEST(refuses(
        [] {
            propagator::table(values({ 2.0, 1.0 }), Eigen::MatrixXcd::Ones(2, 2));
        },
        "frequency"));
    BOOST_TEST(refuses(
        [] {
            propagator::table(values({ 1.0, 2.0 }), Eigen::MatrixXcd::Ones(3, 2));
        },
        "response is 3 x 2"));
    BOOST_TEST(refuses(
        [] {
            propagator::table(values({ 1.0, 2.0 }),
                              Eigen::MatrixXcd::Constant(2, 2, no_number));
        },
        "response"));
    BOOST_TEST(refuses([] { simple_table().with_velocity_scale(1.1); }, "velocity"));
    BOOST_TEST(refuses([] { simple_line().towards(0.1); }, "azimuth"));
}
