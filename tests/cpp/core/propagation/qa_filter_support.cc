/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * How far the filters of a stream reach, by the delays that they must undo; seen through
 * support() and latency() of streams.
 */

#define BOOST_TEST_MODULE filter_support
#include "dispersive_line.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace gr::bearing::core;

namespace {

constexpr double rate = 1000.0;
// Beside the delays, and what velocities 5 % slower add.
constexpr int margin = 60;
constexpr double slower = 0.95;

// One length for all: its plans are made once.
template <class Sample = float>
propagator_stream<Sample>
stream_of(const std::vector<propagator>& p, bool is_aligned, double center = 0.0)
{
    propagator_stream_config config;
    config.block_length = 8192;
    config.align = is_aligned;
    config.estimate.center_frequency = center;
    return propagator_stream<Sample>(rate, p, config);
}

// Delays in samples, the same at all frequencies, as a table of so many.
propagator delays(const std::vector<double>& samples,
                  const std::vector<double>& gain = {},
                  int size = 1 << 16)
{
    const Eigen::VectorXd frequency = Eigen::VectorXd::LinSpaced(size, 0.0, rate / 2.0);
    Eigen::MatrixXcd response(size, samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        for (Eigen::Index k = 0; k < size; ++k) {
            response(k, i) = std::polar(gain.empty() ? 1.0 : gain[i],
                                        -2.0 * M_PI * frequency(k) / rate * samples[i]);
        }
    }
    return propagator::table(frequency, response);
}

} // namespace

BOOST_AUTO_TEST_CASE(support_is_the_largest_difference_of_group_delays)
{
    // At 0 Hz a wave takes 90 m / (50 m / s), and longer than at any other frequency.
    const dispersive_line line;
    const int longest = static_cast<int>(std::ceil(1800.0 / slower));
    const auto whole = stream_of({ line.propagator() }, false);
    BOOST_TEST(whole.support() == longest + margin);
    BOOST_TEST(whole.hop() == 8192 - 2 * whole.support());
    BOOST_TEST(whole.latency() == whole.hop() + whole.support());

    // Sensors that wait for each other leave the dispersion only.
    const auto aligned = stream_of({ line.propagator() }, true);
    BOOST_TEST(aligned.support() < 0.5 * whole.support());
    BOOST_TEST(aligned.latency() > aligned.hop() + aligned.support());
}

BOOST_AUTO_TEST_CASE(whole_delays_are_aligned_away)
{
    const propagator p = delays({ 0.0, 400.0, 1000.0, -300.0 });
    BOOST_TEST(stream_of({ p }, false).support() == 1300 + margin);
    const auto aligned = stream_of({ p }, true);
    // Tables are interpolated along chords: a sample is for that.
    BOOST_TEST(aligned.support() <= 1 + margin);
    BOOST_TEST(aligned.latency() == aligned.hop() + aligned.support() + 1300);
    // The source itself counts, even where all sensors are late.
    BOOST_TEST(stream_of({ delays({ 500.0, 700.0 }) }, false).support() == 700 + margin);
}

BOOST_AUTO_TEST_CASE(delays_that_would_wrap_around_are_seen)
{
    // 16384 samples are a whole turn from one of the first points to the next.
    for (const double delay : { 16384.0, 16500.0, 20000.0 }) {
        BOOST_CHECK_EXCEPTION(
            stream_of({ delays({ 0.0, delay }, {}, 1 << 18) }, false),
            std::invalid_argument,
            [delay](const std::invalid_argument& error) {
                const std::string least =
                    std::to_string(2 * (static_cast<int>(delay) + margin) + 64);
                return std::string(error.what()).find("at least " + least) !=
                       std::string::npos;
            });
    }
}

BOOST_AUTO_TEST_CASE(sensors_that_hear_nothing_do_not_count)
{
    BOOST_TEST(stream_of({ delays({ 0.0, 100.0, 900.0 }, { 1.0, 1.0, 1e-6 }) }, false)
                   .support() == 100 + margin);
}

BOOST_AUTO_TEST_CASE(several_sources_reach_twice_as_far)
{
    const propagator one = delays({ 0.0, 150.0, 300.0 });
    const propagator other = delays({ 200.0, 100.0, 0.0 });
    BOOST_TEST(stream_of({ one, other }, false).support() == 2 * 300 + margin);
}

BOOST_AUTO_TEST_CASE(plane_waves_may_turn)
{
    // Sound, across and along a line of 3.43 m: 0 and 10 samples, 5 % slower.
    const antenna_array array = antenna_array::uniform_line(8, 0.49, 343.0 / 100.0);
    for (const double azimuth : { 0.0, 1.5707963267948966 }) {
        const propagator wave = propagator::plane_wave(array, azimuth, 0.0, 343.0);
        auto stream = stream_of({ wave }, true);
        BOOST_TEST(stream.support() == 11 + margin);
        stream.set_propagators({ wave.towards(-1.2) });
    }
    // Radio waves have no delay to speak of, whatever their phases.
    const antenna_array radio = antenna_array::uniform_circle(5, 0.25, 0.69);
    BOOST_TEST(
        (stream_of<std::complex<float>>({ propagator::plane_wave(radio, 0.3) }, true)
             .support()) <= 1 + margin);
}

BOOST_AUTO_TEST_CASE(a_phase_that_jumps_has_no_delay_there)
{
    const Eigen::VectorXd frequency = Eigen::VectorXd::LinSpaced(1001, 0.0, rate / 2.0);
    Eigen::MatrixXcd response = Eigen::MatrixXcd::Ones(1001, 2);
    response.col(1).tail(500).setConstant(std::complex<double>(-0.1, 1.0));
    BOOST_TEST(stream_of({ propagator::table(frequency, response) }, false).support() <
               20 * margin);
}
