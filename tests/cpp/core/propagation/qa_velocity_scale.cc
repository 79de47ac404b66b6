/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE velocity_scale
#include "dispersive_line.h"
#include "refusals.h"
#include <gnuradio/bearing/core/propagation/velocity_scale.h>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::bearing::core;

namespace {

using complex = std::complex<double>;

constexpr double sample_rate = 1000.0;
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

double relative_error(const velocity_fit& fit, double truth)
{
    return std::abs(fit.scale / truth - 1.0);
}

bool is_nothing(const velocity_fit& fit, status expected)
{
    return fit.status == expected && std::isnan(fit.scale);
}

// Noise is 5 % of the source's deviation at the first sensor and stays away.
dispersive_line without_noise()
{
    dispersive_line line;
    line.noise_deviation = 0.0;
    return line;
}

} // namespace

// Velocity is known to about 5e-5 after 8192 samples; 1e-3 costs 0.1 dB.
BOOST_AUTO_TEST_CASE(one_block_tells_the_velocity_within_a_thousandth)
{
    dispersive_line line;
    const propagator p = line.propagator();
    double largest = 0.0;
    for (int seed = 1; seed <= num_records(4, 200); ++seed) {
        line.velocity_scale = 0.95 + 0.1 * (seed % 11) / 10.0;
        const velocity_fit fit =
            velocity_scale(line.simulate(8192, seed).data, sample_rate, p);
        BOOST_CHECK(fit.status == status::ok);
        largest = std::max(largest, relative_error(fit, line.velocity_scale));
    }
    BOOST_TEST_MESSAGE("largest error of the velocity " << largest);
    BOOST_TEST(largest < 1e-3);
}

BOOST_AUTO_TEST_CASE(without_noise_the_maximum_is_at_the_truth)
{
    // Not to rounding: tables, and a record whose powers are those of one realisation, move
    // nothing, but the sum's own curvature at its maximum is known to the square root of
    // rounding.
    dispersive_line line = without_noise();
    const propagator p = line.propagator(3751);
    for (const double truth : { 0.93, 1.0, 1.0123, 1.08 }) {
        line.velocity_scale = truth;
        BOOST_TEST(
            relative_error(velocity_scale(line.simulate(1000, 1).data, sample_rate, p),
                           truth) < 1e-6);
        BOOST_TEST(
            relative_error(
                velocity_scale(line.simulate<complex>(1000, 1).data, sample_rate, p),
                truth) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(steps_are_as_fine_as_a_lossless_wave_asks_for)
{
    // 500 Hz over 90 m at 50 m/s: the phase of the last sensor turns 28 times in 5 %.
    const int length = 1000;
    dispersive_line line;
    const Eigen::VectorXd frequency = line.bins(length, true);
    const propagator p = propagator::dispersive(Eigen::VectorXd::LinSpaced(10, 0.0, 90.0),
                                                Eigen::VectorXd::Constant(1, 1.0),
                                                Eigen::VectorXd::Constant(1, 1.0),
                                                Eigen::VectorXd::Constant(1, 50.0));
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (const double truth : { 0.917, 1.033 }) {
        // White: as many high frequencies as low ones.
        const Eigen::MatrixXcd response =
            p.with_velocity_scale(truth).response(frequency, 0.0, true);
        std::vector<complex> source(frequency.size());
        for (complex& bin : source) {
            const double real = normal(random);
            bin = complex(real, normal(random));
        }
        Eigen::MatrixXd data(length, 10);
        Eigen::FFT<double> fft;
        fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
        for (int i = 0; i < 10; ++i) {
            std::vector<complex> bins(source);
            for (std::size_t k = 0; k < bins.size(); ++k) {
                bins[k] *= response(static_cast<Eigen::Index>(k), i);
            }
            bins.front() = bins.front().real();
            bins.back() = bins.back().real();
            std::vector<double> samples(length);
            fft.inv(samples, bins, length);
            for (int t = 0; t < length; ++t) {
                data(t, i) = samples[t] + 0.01 * normal(random);
            }
        }
        const velocity_fit fit = velocity_scale(data, sample_rate, p);
        BOOST_CHECK(fit.status == status::ok);
        BOOST_TEST(relative_error(fit, truth) < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(a_wave_around_a_carrier_tells_its_velocity_too)
{
    dispersive_line line;
    line.center_frequency = 20.0;
    line.velocity_scale = 0.97;
    const velocity_fit fit = velocity_scale(
        line.simulate<complex>(8192, 2).data, sample_rate, line.propagator(), 0.1, 20.0);
    BOOST_CHECK(fit.status == status::ok);
    BOOST_TEST(relative_error(fit, 0.97) < 1e-3);
    // Around another one it is another wave: the scale is as wrong as the carrier.
    const velocity_fit wrong = velocity_scale(
        line.simulate<complex>(8192, 2).data, sample_rate, line.propagator(), 0.1, 17.0);
    BOOST_TEST(!(relative_error(wrong, 0.97) < 1e-2));
}

BOOST_AUTO_TEST_CASE(a_velocity_beyond_what_is_searched_is_not_told)
{
    dispersive_line line;
    for (const double truth : { 1.25, 0.8 }) {
        line.velocity_scale = truth;
        const Eigen::MatrixXd data = line.simulate(8192, 4).data;
        BOOST_TEST(is_nothing(velocity_scale(data, sample_rate, line.propagator()),
                              status::not_identifiable));
        BOOST_TEST(
            relative_error(velocity_scale(data, sample_rate, line.propagator(), 0.4),
                           truth) < 1e-3);
    }
}

// A false alarm needs eight deviations; one of 200 records reached six.
BOOST_AUTO_TEST_CASE(noise_has_no_velocity)
{
    dispersive_line line;
    const propagator p = line.propagator();
    for (int seed = 1; seed <= num_records(20, 200); ++seed) {
        // Sensors that differ do not make one up.
        line.sensor_factor = Eigen::VectorXd::Ones(10);
        line.sensor_factor(seed % 10) = 5.0;
        const line_record<double> record = line.simulate(1000, seed);
        BOOST_TEST(is_nothing(
            velocity_scale((record.data - record.signal).eval(), sample_rate, p),
            status::no_source));
    }
    BOOST_TEST(is_nothing(
        velocity_scale(Eigen::MatrixXd(Eigen::MatrixXd::Zero(100, 10)), sample_rate, p),
        status::no_source));
}

BOOST_AUTO_TEST_CASE(bad_sensors_are_left_out)
{
    dispersive_line line;
    line.velocity_scale = 1.02;
    Eigen::MatrixXd data = line.simulate(8192, 5).data;
    data.col(0).setZero();
    data(17, 3) = no_number;
    const velocity_fit fit = velocity_scale(data, sample_rate, line.propagator());
    BOOST_CHECK(fit.status == status::ok);
    BOOST_TEST(relative_error(fit, 1.02) < 1e-3);
    data.row(0).tail(8).setConstant(no_number);
    BOOST_TEST(is_nothing(velocity_scale(data, sample_rate, line.propagator()),
                          status::bad_data));
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_named)
{
    const dispersive_line line;
    const propagator p = line.propagator();
    const Eigen::MatrixXd data = line.simulate(100, 1).data;
    BOOST_TEST(refuses([&] { velocity_scale(data, 0.0, p); }, "sample_rate"));
    for (const double bad : { 0.0, 1.0, -0.1, no_number }) {
        BOOST_TEST(refuses([&] { velocity_scale(data, sample_rate, p, bad); }, "widest"));
    }
    BOOST_TEST(refuses([&] { velocity_scale(data.leftCols(9).eval(), sample_rate, p); },
                       "d is 100 x 9"));
    BOOST_TEST(
        refuses([&] { velocity_scale(data.topRows(1).eval(), sample_rate, p); }, "d is"));
    BOOST_TEST(refuses(
        [&] { velocity_scale(data, sample_rate, line.reverse_propagator(100, true)); },
        "p is a table"));
    BOOST_TEST(refuses([&] { velocity_scale(data, 1600.0, p); }, "frequency is"));
}
