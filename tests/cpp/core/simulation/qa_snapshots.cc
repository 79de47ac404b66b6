/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE simulation_snapshots
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace gr::bearing::core;

namespace {

// A Gaussian sum over 1e5 and more samples leaves 6 of its own standard deviations once
// in 5e8 times; what is compared below are some hundred sums at fixed seeds.
constexpr double false_alarm_sigmas = 6.0;

antenna_array faulty_circle()
{
    calibration_state errors;
    errors.gains.resize(5);
    errors.gains << 1.0, std::polar(0.8, 0.4), std::polar(1.3, -1.0),
        std::polar(0.9, 2.0), std::polar(1.1, 3.0);
    errors.positions = Eigen::MatrixXd::Constant(5, 3, 0.01);
    errors.positions.row(0).setZero();
    errors.coupling = Eigen::MatrixXcd::Identity(5, 5);
    errors.coupling(0, 1) = { 0.2, 0.1 };
    errors.coupling(3, 2) = { -0.1, 0.15 };
    return antenna_array::uniform_circle(5, 0.4).calibrated(errors);
}

// Largest deviation of the sample covariance of x from the expected one, in standard
// deviations: those of a complex Gaussian's entries are sqrt(R_ii R_jj / T).
double deviation(const Eigen::MatrixXcf& x, const Eigen::MatrixXcd& expected)
{
    const Eigen::MatrixXcd wide = x.cast<std::complex<double>>();
    const double count = static_cast<double>(x.cols());
    const Eigen::MatrixXcd sample = wide * wide.adjoint() / count;
    double largest = 0.0;
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
        for (Eigen::Index j = 0; j < x.rows(); ++j) {
            const double sigma =
                std::sqrt(expected(i, i).real() * expected(j, j).real() / count);
            largest = std::max(largest, std::abs(sample(i, j) - expected(i, j)) / sigma);
        }
    }
    return largest;
}

std::vector<double> real_noise(std::size_t size, std::uint64_t seed)
{
    const Eigen::MatrixXcf x = simulate(antenna_array::uniform_line(1, 0.5),
                                        Eigen::VectorXd(),
                                        Eigen::VectorXd(),
                                        size / 2,
                                        seed);
    std::vector<double> values;
    for (const std::complex<float>& value : x.reshaped()) {
        values.push_back(M_SQRT2 * value.real());
        values.push_back(M_SQRT2 * value.imag());
    }
    return values;
}

double upper_tail(double x) { return 0.5 * std::erfc(x * M_SQRT1_2); }

} // namespace

BOOST_AUTO_TEST_CASE(covariance_is_that_of_the_model_with_gain_position_coupling_errors)
{
    const antenna_array array = faulty_circle();
    const Eigen::Vector2d azimuth(0.3, 2.5);
    const Eigen::Vector2d snr_db(10.0, 3.0);
    const Eigen::MatrixXcf x = simulate(array, azimuth, snr_db, 200000, 7);
    Eigen::MatrixXcd expected = Eigen::MatrixXcd::Identity(5, 5);
    for (int k = 0; k < 2; ++k) {
        const Eigen::VectorXcd a = array.steering(azimuth(k));
        expected += std::pow(10.0, snr_db(k) / 10.0) * a * a.adjoint();
    }
    BOOST_TEST(deviation(x, expected) < false_alarm_sigmas);
}

BOOST_AUTO_TEST_CASE(coherent_sources_add_up_to_one_wavefront)
{
    const antenna_array array = faulty_circle();
    const Eigen::Vector2d azimuth(0.3, 2.5);
    const Eigen::Vector2d snr_db(10.0, 3.0);
    const Eigen::MatrixXcf x = simulate(array, azimuth, snr_db, 200000, 7, true);
    const Eigen::VectorXcd a =
        std::pow(10.0, snr_db(0) / 20.0) * array.steering(azimuth(0)) +
        std::pow(10.0, snr_db(1) / 20.0) * array.steering(azimuth(1));
    const Eigen::MatrixXcd expected = Eigen::MatrixXcd::Identity(5, 5) + a * a.adjoint();
    BOOST_TEST(deviation(x, expected) < false_alarm_sigmas);
}

BOOST_AUTO_TEST_CASE(a_source_adds_its_steering_vector_times_a_waveform_to_the_same_noise)
{
    const antenna_array array = faulty_circle();
    const Eigen::VectorXd one = Eigen::VectorXd::Constant(1, 0.7);
    // More than one chunk of the implementation, and no multiple of it.
    const Eigen::MatrixXcf noise =
        simulate(array, Eigen::VectorXd(), Eigen::VectorXd(), 2500, 3);
    const Eigen::MatrixXcf both =
        simulate(array, one, Eigen::VectorXd::Constant(1, 20.0), 2500, 3);
    const Eigen::MatrixXcd signal = (both - noise).cast<std::complex<double>>();
    const Eigen::VectorXcd a = array.steering(0.7);
    const Eigen::RowVectorXcd waveform = a.adjoint() * signal / a.squaredNorm();
    // Samples reach 50; three float roundings of that are 1e-5.
    BOOST_TEST((signal - a * waveform).cwiseAbs().maxCoeff() < 2e-5);
    // E|s|^2 = 100; the mean of 2500 exponential variables is within 1 / 50 of it (1
    // sigma).
    BOOST_TEST(std::abs(waveform.squaredNorm() / 2500 / 100.0 - 1.0) <
               false_alarm_sigmas / 50.0);
}

BOOST_AUTO_TEST_CASE(one_snr_holds_for_all_sources)
{
    const antenna_array array = faulty_circle();
    const Eigen::Vector2d azimuth(0.3, 2.5);
    const Eigen::MatrixXcf one =
        simulate(array, azimuth, Eigen::VectorXd::Constant(1, 5.0), 100, 1);
    const Eigen::MatrixXcf two =
        simulate(array, azimuth, Eigen::Vector2d(5.0, 5.0), 100, 1);
    BOOST_TEST((one == two));
}

BOOST_AUTO_TEST_CASE(noise_is_normally_distributed_to_the_tails)
{
    constexpr std::size_t size = 4000000;
    std::vector<double> values = real_noise(size, 42);
    double fourth = 0.0;
    double product = 0.0;
    double square_product = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
        fourth += std::pow(values[i], 4);
        if (i > 0) {
            product += values[i] * values[i - 1];
            square_product +=
                (values[i] * values[i] - 1.0) * (values[i - 1] * values[i - 1] - 1.0);
        }
    }
    const double root = std::sqrt(static_cast<double>(size));
    // Variance of x^4 is 96; of products of neighbours 1; of (x^2 - 1)(y^2 - 1) 4.
    BOOST_TEST(std::abs(fourth / size - 3.0) <
               false_alarm_sigmas * std::sqrt(96.0) / root);
    BOOST_TEST(std::abs(product / size) < false_alarm_sigmas / root);
    BOOST_TEST(std::abs(square_product / size) < false_alarm_sigmas * 2.0 / root);

    std::sort(values.begin(), values.end());
    double distance = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
        const double below = 1.0 - upper_tail(values[i]);
        distance = std::max({ distance,
                              std::abs(static_cast<double>(i) / size - below),
                              std::abs(static_cast<double>(i + 1) / size - below) });
    }
    // Kolmogorov-Smirnov: P(distance sqrt(n) > 2.5) = 2 exp(-12.5) = 7e-6.
    BOOST_TEST(distance * root < 2.5);

    // Beyond 3.65 the numbers come from another rule than the rest; each side is checked,
    // and a point well within that tail.
    for (const double limit : { 3.0, 3.6541528853610088, 4.5 }) {
        const double expected = size * upper_tail(limit);
        const double above = static_cast<double>(
            values.end() - std::upper_bound(values.begin(), values.end(), limit));
        const double below = static_cast<double>(
            std::lower_bound(values.begin(), values.end(), -limit) - values.begin());
        BOOST_TEST(std::abs(above - expected) < false_alarm_sigmas * std::sqrt(expected));
        BOOST_TEST(std::abs(below - expected) < false_alarm_sigmas * std::sqrt(expected));
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_the_same_on_every_machine)
{
    // From a separate implementation of xoshiro256++, splitmix64 and the ziggurat in
    // Python's integers and floats.
    const std::vector<double> expected = { -1.1331812348667245, -0.45424651012810857,
                                           0.5551750893901474,  -1.188199480661266,
                                           0.45615477158349776, 0.1002698298581922 };
    const std::vector<double> values = real_noise(6, 1);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        // Samples are floats: half a unit in the last place of numbers up to 4.
        BOOST_TEST(std::abs(values[i] * M_SQRT1_2 - expected[i]) < 2.5e-7);
    }
}

BOOST_AUTO_TEST_CASE(the_seed_decides_about_the_samples)
{
    const antenna_array array = faulty_circle();
    const Eigen::VectorXd azimuth = Eigen::VectorXd::Constant(1, 0.7);
    const Eigen::VectorXd snr_db = Eigen::VectorXd::Constant(1, 0.0);
    const Eigen::MatrixXcf first = simulate(array, azimuth, snr_db, 20000, 1);
    BOOST_TEST((first == simulate(array, azimuth, snr_db, 20000, 1)));
    // Neighbouring seeds are the ones people use; correlation of 1e5 independent samples.
    const Eigen::MatrixXcf second = simulate(array, azimuth, snr_db, 20000, 2);
    const std::complex<float> inner = first.reshaped().dot(second.reshaped());
    // Samples of one column are correlated through the source: at most 5-fold.
    BOOST_TEST(std::abs(inner) / (first.norm() * second.norm()) <
               false_alarm_sigmas / std::sqrt(20000.0));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named)
{
    const antenna_array array = antenna_array::uniform_line(4, 0.5);
    const Eigen::Vector2d azimuth(0.0, 0.5);
    const auto message = [&](const Eigen::VectorXd& direction,
                             const Eigen::VectorXd& snr_db,
                             std::size_t snapshots) {
        try {
            simulate(array, direction, snr_db, snapshots, 1);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    const Eigen::VectorXd ten = Eigen::VectorXd::Constant(1, 10.0);
    BOOST_TEST(message(azimuth, ten, 1) == "");
    BOOST_TEST(message(azimuth, ten, 0).find("snapshots is 0") != std::string::npos);
    BOOST_TEST(
        message(azimuth, Eigen::VectorXd::Zero(3), 9).find("snr_db has 3 values") !=
        std::string::npos);
    BOOST_TEST(message(azimuth, Eigen::VectorXd(), 9).find("snr_db has 0 values") !=
               std::string::npos);
    BOOST_TEST(message(Eigen::Vector2d(0.0, nan), ten, 9).find("azimuth") !=
               std::string::npos);
    for (const double snr : { nan, infinity, -infinity, 301.0 }) {
        BOOST_TEST(
            message(azimuth, Eigen::VectorXd::Constant(1, snr), 9).find("snr_db") !=
            std::string::npos);
    }
}
