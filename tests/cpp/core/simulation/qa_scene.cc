/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE simulation_scene
#include <gnuradio/bearing/core/simulation/scene.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing::core;

namespace {

constexpr double two_pi = 2.0 * M_PI;

// A Gaussian sum over 1e5 and more samples leaves 6 of its own standard deviations once
// in 5e8 times; what is compared below are some hundred sums at fixed seeds.
constexpr double false_alarm_sigmas = 6.0;

// T x N samples, made by calls of the given sizes, repeated.
Eigen::MatrixXcf
samples(scene& made, int n, std::size_t total, const std::vector<std::size_t>& sizes)
{
    Eigen::MatrixXcf x(total, n);
    std::size_t done = 0;
    for (std::size_t i = 0; done < total; ++i) {
        const std::size_t size = std::min(sizes[i % sizes.size()], total - done);
        std::vector<std::complex<float>*> channels;
        for (int l = 0; l < n; ++l) {
            channels.push_back(x.col(l).data() + done);
        }
        made.generate(channels.data(), size);
        done += size;
    }
    return x;
}

Eigen::MatrixXcf samples(const antenna_array& array,
                         const scene_config& config,
                         std::size_t total,
                         const std::vector<std::size_t>& sizes = { 10000 })
{
    scene made(array, config);
    return samples(made, array.num_elements(), total, sizes);
}

scene_source source_at(double azimuth, double level_db, waveform kind = waveform::noise)
{
    scene_source source;
    source.azimuth = azimuth;
    source.level_db = level_db;
    source.waveform = kind;
    return source;
}

// Two moving sources, one of them a tone, and drifting receivers: everything that
// changes.
scene_config busy_scene()
{
    scene_config config;
    config.sample_rate = 48000.0;
    config.sources = { source_at(0.3, 10.0), source_at(2.5, 3.0, waveform::tone) };
    config.sources[0].azimuth_rate = 0.5;
    config.sources[0].frequency = -3000.0;
    config.sources[1].azimuth_rate = -0.2;
    config.sources[1].frequency = 1234.5;
    config.phase_drift = 3.0;
    config.seed = 11;
    return config;
}

const antenna_array circle = antenna_array::uniform_circle(5, 0.4);

} // namespace

BOOST_AUTO_TEST_CASE(covariance_is_that_of_the_model)
{
    calibration_state errors;
    errors.gains = Eigen::VectorXcd::Constant(5, std::polar(0.7, 0.3));
    errors.gains(0) = 1.0;
    errors.coupling = Eigen::MatrixXcd::Identity(5, 5);
    errors.coupling(1, 4) = { 0.2, -0.3 };
    const antenna_array array = circle.calibrated(errors);
    scene_config config;
    config.sources = { source_at(0.3, 10.0), source_at(2.5, 3.0) };
    config.sources[1].elevation = 0.4;
    config.sources[1].frequency = 0.1;
    config.noise_power = 0.5;
    constexpr int total = 200000;
    const Eigen::MatrixXcd x = samples(array, config, total).cast<std::complex<double>>();
    const Eigen::MatrixXcd sample = x.transpose() * x.conjugate() / total;
    const Eigen::VectorXcd a = array.steering(0.3);
    const Eigen::VectorXcd b = array.steering(2.5, 0.4);
    const Eigen::MatrixXcd expected = 10.0 * a * a.adjoint() +
                                      std::pow(10.0, 0.3) * b * b.adjoint() +
                                      0.5 * Eigen::MatrixXcd::Identity(5, 5);
    for (int i = 0; i < 5; ++i) {
        for (int j = 0; j < 5; ++j) {
            const double sigma =
                std::sqrt(expected(i, i).real() * expected(j, j).real() / total);
            BOOST_TEST(std::abs(sample(i, j) - expected(i, j)) <
                       false_alarm_sigmas * sigma);
        }
    }
}

BOOST_DATA_TEST_CASE(samples_do_not_depend_on_how_calls_split_the_stream,
                     data::make({ 1, 2, 3, 255, 256, 257, 1000 }))
{
    const Eigen::MatrixXcf whole = samples(circle, busy_scene(), 5000, { 5000 });
    const Eigen::MatrixXcf parts =
        samples(circle, busy_scene(), 5000, { static_cast<std::size_t>(sample) });
    BOOST_TEST((whole == parts));
}

BOOST_AUTO_TEST_CASE(samples_do_not_depend_on_irregular_splits_with_empty_calls)
{
    std::mt19937 random(5);
    std::vector<std::size_t> sizes = { 0 };
    for (int i = 0; i < 50; ++i) {
        sizes.push_back(random() % 700);
    }
    BOOST_TEST((samples(circle, busy_scene(), 50000, { 50000 }) ==
                samples(circle, busy_scene(), 50000, sizes)));
}

BOOST_AUTO_TEST_CASE(the_seed_decides_about_the_samples)
{
    scene_config config = busy_scene();
    const Eigen::MatrixXcf first = samples(circle, config, 1000);
    BOOST_TEST((first == samples(circle, config, 1000)));
    config.seed += 1;
    BOOST_TEST((first.array() != samples(circle, config, 1000).array()).all());
}

BOOST_AUTO_TEST_CASE(noise_stays_the_same_when_a_source_is_added)
{
    scene_config config;
    const Eigen::MatrixXcf noise = samples(circle, config, 1000);
    config.sources = { source_at(0.3, -300.0) };
    BOOST_TEST((noise == samples(circle, config, 1000)));
}

BOOST_AUTO_TEST_CASE(without_noise_power_there_is_no_noise)
{
    scene_config config;
    config.noise_power = 0.0;
    BOOST_TEST(
        (samples(circle, config, 1000).array() == std::complex<float>(0.0f)).all());
}

BOOST_AUTO_TEST_CASE(coherent_sources_carry_one_waveform_at_their_own_levels)
{
    scene_config config;
    config.noise_power = 0.0;
    config.coherent = true;
    config.sources = { source_at(0.3, 6.0), source_at(2.5, 0.0) };
    const Eigen::MatrixXcd x = samples(circle, config, 1000).cast<std::complex<double>>();
    const Eigen::VectorXcd a =
        std::pow(10.0, 6.0 / 20.0) * circle.steering(0.3) + circle.steering(2.5);
    const Eigen::VectorXcd waveform = x.col(0) / a(0);
    // Samples reach 10; three float roundings of that are 2e-6, enlarged by a(l) / a(0).
    BOOST_TEST((x - waveform * a.transpose()).cwiseAbs().maxCoeff() < 2e-5);

    config.coherent = false;
    const Eigen::MatrixXcd y = samples(circle, config, 1000).cast<std::complex<double>>();
    const Eigen::VectorXd power = y.jacobiSvd().singularValues();
    BOOST_TEST(power(1) > 0.1 * power(0));
    BOOST_TEST(power(2) < 1e-5 * power(0));
}

BOOST_AUTO_TEST_CASE(a_tone_has_its_frequency_level_and_an_unbroken_phase)
{
    scene_config config;
    config.sample_rate = 1e6;
    config.noise_power = 0.0;
    config.sources = { source_at(0.3, 20.0, waveform::tone) };
    config.sources[0].frequency = -123456.789;
    const Eigen::MatrixXcd x =
        samples(circle, config, 300000).cast<std::complex<double>>();
    const std::complex<double> response = circle.steering(0.3)(2);
    for (int t = 0; t < 300000; t += 997) {
        const double cycles = config.sources[0].frequency * t / config.sample_rate;
        const std::complex<double> expected =
            10.0 * response * std::polar(1.0, two_pi * (cycles - std::floor(cycles)));
        // Float rounding of 10 in three steps is 3e-6; the phase adds 1e-16 a sample.
        BOOST_TEST(std::abs(x(t, 2) - expected) < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(a_frequency_shifts_the_noise_waveform)
{
    scene_config config;
    config.noise_power = 0.0;
    config.sources = { source_at(0.3, 0.0) };
    const Eigen::MatrixXcd at_centre =
        samples(circle, config, 1000).cast<std::complex<double>>();
    config.sources[0].frequency = 0.125;
    const Eigen::MatrixXcd shifted =
        samples(circle, config, 1000).cast<std::complex<double>>();
    for (int t = 0; t < 1000; ++t) {
        // Two float roundings of samples up to 4.
        BOOST_TEST(std::abs(shifted(t, 1) -
                            at_centre(t, 1) * std::polar(1.0, two_pi * 0.125 * t)) <
                   2e-6);
    }
}

BOOST_AUTO_TEST_CASE(phases_drift_as_a_random_walk_away_from_element_0)
{
    // 256 samples a second: one step a second, the first after one second.
    constexpr int n = 500;
    const antenna_array line = antenna_array::uniform_line(n, 0.5);
    scene_config config;
    config.sample_rate = 256.0;
    config.noise_power = 0.0;
    config.phase_drift = 0.1;
    config.sources = { source_at(0.0, 0.0, waveform::tone) };
    const Eigen::MatrixXcf x = samples(line, config, 61 * 256);
    const auto phases_at = [&x](int second) {
        return Eigen::ArrayXd(x.row(second * 256).array().arg().cast<double>());
    };
    BOOST_TEST((phases_at(0) == 0.0).all());
    for (const int second : { 1, 15, 60 }) {
        const Eigen::ArrayXd phases = phases_at(second);
        BOOST_TEST(phases(0) == 0.0);
        const double expected = 0.1 * std::sqrt(second / 60.0);
        const double found = std::sqrt(phases.tail(n - 1).square().mean());
        // A standard deviation from n - 1 values is itself known to 1 / sqrt(2 (n - 1)).
        BOOST_TEST(std::abs(found / expected - 1.0) <
                   false_alarm_sigmas / std::sqrt(2.0 * (n - 1)));
        BOOST_TEST(std::abs(phases.tail(n - 1).mean()) <
                   false_alarm_sigmas * expected / std::sqrt(n - 1.0));
    }
    // Steps are independent: what happens in the last 45 s does not know the first 15.
    const Eigen::ArrayXd early = phases_at(15).tail(n - 1);
    const Eigen::ArrayXd late = phases_at(60).tail(n - 1) - early;
    BOOST_TEST(std::abs((early * late).sum() /
                        std::sqrt(early.square().sum() * late.square().sum())) <
               false_alarm_sigmas / std::sqrt(n - 1.0));
}

BOOST_AUTO_TEST_CASE(a_moving_source_is_where_azimuth_at_says)
{
    scene_config config;
    config.sample_rate = 1000.0;
    config.noise_power = 0.0;
    config.sources = { source_at(6.0, 0.0, waveform::tone) };
    config.sources[0].azimuth_rate = 0.25;
    scene made(circle, config);
    const Eigen::MatrixXcd x =
        samples(made, 5, 10000, { 333 }).cast<std::complex<double>>();
    BOOST_TEST(made.position() == 10000u);
    for (const int t : { 128, 3 * 256 + 128, 38 * 256 + 128 }) {
        const double azimuth = made.azimuth_at(t)[0];
        const double unwrapped = 6.0 + 0.25 * t / 1000.0;
        // In the middle of an update the direction is exact, to float rounding of
        // samples.
        BOOST_TEST((x.row(t).transpose() - circle.steering(unwrapped)).norm() < 1e-6);
        BOOST_TEST((circle.steering(azimuth) - circle.steering(unwrapped)).norm() <
                   1e-12);
        BOOST_TEST(azimuth >= 0.0);
        BOOST_TEST(azimuth < two_pi);
    }
    // Elsewhere it is off by half an update's way at most: 128 / 1000 s.
    const double worst = 0.25 * 0.128 * two_pi * 0.4 * std::sqrt(5.0);
    for (int t = 0; t < 10000; t += 7) {
        BOOST_TEST(
            (x.row(t).transpose() - circle.steering(made.azimuth_at(t)[0])).norm() <
            worst);
    }
}

BOOST_AUTO_TEST_CASE(azimuths_wrap_on_the_full_circle_and_not_on_a_line)
{
    scene_config config;
    config.sources = { source_at(-0.5, 0.0), source_at(-1e-18, 0.0) };
    const scene around(circle, config);
    BOOST_TEST(std::abs(around.azimuth_at(0)[0] - (two_pi - 0.5)) < 1e-15);
    BOOST_TEST(around.azimuth_at(0)[1] == 0.0);
    const scene forward(antenna_array::uniform_line(4, 0.5), config);
    BOOST_TEST(forward.azimuth_at(0)[0] == -0.5);
}

BOOST_AUTO_TEST_CASE(a_changed_source_takes_effect_at_the_next_update)
{
    scene_config config;
    config.noise_power = 0.0;
    config.sources = { source_at(0.3, 0.0, waveform::tone) };
    scene made(circle, config);
    samples(made, 5, 300, { 300 });
    scene_source moved = source_at(1.0, 20.0, waveform::tone);
    moved.azimuth_rate = 1e-3;
    made.set_source(0, moved);
    const Eigen::MatrixXcd x =
        samples(made, 5, 512, { 512 }).cast<std::complex<double>>();
    // Samples 300 .. 511 are as before, from 512 on the new ones.
    for (const int t : { 0, 211 }) {
        BOOST_TEST((x.row(t).transpose() - circle.steering(0.3)).norm() < 1e-6);
    }
    BOOST_TEST(made.azimuth_at(512)[0] == 1.0);
    BOOST_TEST(std::abs(made.azimuth_at(612)[0] - 1.1) < 1e-15);
    for (const int t : { 212, 400 }) {
        const Eigen::VectorXcd expected = 10.0 * circle.steering(1.0 + 0.128);
        BOOST_TEST((x.row(t).transpose() - expected).norm() < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(mistakes_are_named)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const auto message = [](const std::function<void(scene_config&)>& change) {
        scene_config config;
        config.sources = { source_at(0.0, 0.0), source_at(1.0, 0.0) };
        change(config);
        try {
            const scene made(circle, config);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    BOOST_TEST(message([](scene_config&) {}) == "");
    for (const double bad : { 0.0, -1.0, nan, infinity }) {
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sample_rate = bad;
                   }).find("sample_rate") != std::string::npos);
    }
    for (const double bad : { -1.0, nan, infinity }) {
        BOOST_TEST(message([bad](scene_config& c) {
                       c.noise_power = bad;
                   }).find("noise_power") != std::string::npos);
        BOOST_TEST(message([bad](scene_config& c) {
                       c.phase_drift = bad;
                   }).find("phase_drift") != std::string::npos);
    }
    for (const double bad : { nan, infinity }) {
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sources[1].azimuth = bad;
                   }).find("azimuth of source 1") != std::string::npos);
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sources[1].elevation = bad;
                   }).find("elevation of source 1") != std::string::npos);
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sources[1].azimuth_rate = bad;
                   }).find("azimuth_rate of source 1") != std::string::npos);
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sources[1].level_db = bad;
                   }).find("level_db of source 1") != std::string::npos);
        BOOST_TEST(message([bad](scene_config& c) {
                       c.sources[1].frequency = bad;
                   }).find("frequency of source 1") != std::string::npos);
    }
    BOOST_TEST(message([](scene_config& c) {
                   c.sources[0].frequency = 0.51;
               }).find("half the sample rate") != std::string::npos);

    scene made(circle, scene_config());
    BOOST_CHECK_THROW(made.set_source(0, scene_source()), std::invalid_argument);
    scene_config config;
    config.sources = { source_at(0.0, 0.0) };
    scene with_source(circle, config);
    BOOST_CHECK_THROW(with_source.set_source(0, source_at(nan, 0.0)),
                      std::invalid_argument);
}
