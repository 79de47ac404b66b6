/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE root_music
#include "scenes.h"
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

root_music_estimator estimator(const antenna_array& array, int k)
{
    root_music_config config;
    config.num_sources = k;
    return root_music_estimator(array, config);
}

// The palindromic coefficients of prod (z - r_i)(1/z - conj(r_i)), non-negative on the
// circle.
Eigen::VectorXcd coefficients_from(const Eigen::VectorXcd& roots)
{
    const Eigen::Index n = roots.size();
    Eigen::VectorXcd polynomial = Eigen::VectorXcd::Zero(n + 1);
    polynomial(0) = 1.0;
    for (Eigen::Index i = 0; i < n; ++i) {
        for (Eigen::Index k = i + 1; k > 0; --k) {
            polynomial(k) = polynomial(k - 1) - roots(i) * polynomial(k);
        }
        polynomial(0) *= -roots(i);
    }
    // Autocorrelation: coefficient of z^k is sum_m p_(m+k) conj(p_m).
    Eigen::VectorXcd coefficients(n + 1);
    for (Eigen::Index k = 0; k <= n; ++k) {
        coefficients(k) =
            polynomial.head(n + 1 - k).dot(polynomial.segment(k, n + 1 - k));
    }
    return coefficients;
}

} // namespace

BOOST_AUTO_TEST_CASE(roots_are_those_the_polynomial_was_built_from)
{
    Eigen::VectorXcd chosen(5);
    chosen << std::polar(0.98, 1.0), std::polar(0.95, -2.0), std::polar(0.6, 0.2),
        std::polar(0.3, 2.5), std::polar(0.1, -0.7);
    const Eigen::VectorXcd found = roots_inside(coefficients_from(chosen));
    BOOST_REQUIRE(found.size() == 5);
    for (int k = 0; k < 5; ++k) {
        // Simple, well separated roots of a tenth-degree polynomial: condition below 1e4.
        BOOST_TEST(std::abs(found(k) - chosen(k)) < 1e-11);
    }
}

BOOST_AUTO_TEST_CASE(double_roots_on_the_circle_are_found_once_each)
{
    Eigen::VectorXcd chosen(4);
    chosen << std::polar(1.0, 1.0), std::polar(1.0, -2.0), std::polar(1.0, 0.2),
        std::polar(0.3, 2.5);
    const Eigen::VectorXcd found = roots_inside(coefficients_from(chosen));
    BOOST_REQUIRE(found.size() == 4);
    for (int k = 0; k < 3; ++k) {
        double nearest = 10.0;
        for (int i = 0; i < 3; ++i) {
            nearest = std::min(nearest, std::abs(std::arg(found(i) / chosen(k))));
        }
        // A double root is known to the square root of rounding.
        BOOST_TEST(nearest < 1e-6);
        BOOST_TEST(std::abs(std::abs(found(k)) - 1.0) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(vanishing_leading_coefficients_lower_the_degree)
{
    Eigen::VectorXcd chosen(2);
    chosen << std::polar(0.9, 1.0), std::polar(0.5, -2.0);
    // What rounding leaves where a coefficient vanishes.
    Eigen::VectorXcd padded = Eigen::VectorXcd::Constant(5, 1e-17);
    padded.head(3) = coefficients_from(chosen);
    const Eigen::VectorXcd found = roots_inside(padded);
    BOOST_REQUIRE(found.size() == 2);
    BOOST_TEST(std::abs(found(0) - chosen(0)) < 1e-9);
    BOOST_TEST(roots_inside(Eigen::VectorXcd::Constant(1, 3.0)).size() == 0);
}

BOOST_DATA_TEST_CASE(exact_covariances_give_exact_bearings,
                     data::make({ 3, 5, 8, 16, 33 }) * data::make({ 0.3, 0.5 }),
                     n,
                     spacing)
{
    const antenna_array line = antenna_array::uniform_line(n, spacing);
    const Eigen::VectorXd azimuth = degrees({ -22.0, 41.0 });
    const bearing_estimate estimate =
        estimator(line, 2).estimate(population_covariance(line, azimuth, 20.0), 10000);
    // Noise-free roots are double: the square root of rounding, and a little
    // conditioning.
    BOOST_TEST((sorted(estimate.azimuth) - azimuth).cwiseAbs().maxCoeff() < 1e-6);
    BOOST_CHECK(estimate.status == status::ok);
}

BOOST_AUTO_TEST_CASE(the_reported_roots_lie_on_the_circle_where_the_sources_are)
{
    const double spacing = 0.4;
    const antenna_array line = antenna_array::uniform_line(6, spacing);
    const Eigen::VectorXd azimuth = degrees({ -22.0, 41.0 });
    const Eigen::VectorXcd roots =
        estimator(line, 2)
            .estimate(population_covariance(line, azimuth, 20.0), 10000)
            .roots;
    BOOST_REQUIRE(roots.size() == 5);
    for (const double theta : azimuth) {
        const std::complex<double> z =
            std::polar(1.0, 2.0 * M_PI * spacing * std::sin(theta));
        // Double roots again.
        BOOST_TEST(std::min(std::abs(roots(0) - z), std::abs(roots(1) - z)) < 1e-6);
    }
    for (int k = 1; k < 5; ++k) {
        BOOST_TEST(std::abs(roots(k)) <= std::abs(roots(k - 1)));
    }
    BOOST_TEST(std::abs(roots(2)) < 0.95);
}

BOOST_AUTO_TEST_CASE(it_agrees_with_the_minimum_of_the_null_function_at_high_snr)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    const Eigen::VectorXd azimuth = degrees({ -10.0, 25.0 });
    music_config config;
    config.num_sources = 2;
    const music_estimator spectral(line, angle_grid::whole_range(line), config);
    for (int seed = 0; seed < 50; ++seed) {
        const Eigen::MatrixXcd r = sample_covariance(
            simulate(line, azimuth, Eigen::VectorXd::Constant(1, 30.0), 200, seed));
        const bearing_estimate root = estimator(line, 2).estimate(r, 200);
        const bearing_estimate grid = spectral.estimate(r, 200);
        // Both solve the same function; they differ in the second order of the error,
        // which is 1e-4 rad at 30 dB.
        BOOST_TEST((root.azimuth - grid.azimuth).cwiseAbs().maxCoeff() < 1e-6);
        BOOST_TEST((root.deviation - grid.deviation).cwiseAbs().maxCoeff() <
                   1e-3 * grid.deviation.maxCoeff());
    }
}

BOOST_AUTO_TEST_CASE(gains_coupling_and_offsets_are_accounted_for)
{
    const antenna_array nominal = antenna_array::uniform_line(8, 0.45);
    const Eigen::VectorXd azimuth = degrees({ -30.0, 20.0 });
    calibration_state calibration = random_calibration(8, 31);
    calibration.positions.setZero();
    const antenna_array coupled = nominal.calibrated(calibration);
    BOOST_TEST((sorted(estimator(coupled, 2)
                           .estimate(population_covariance(coupled, azimuth, 20.0), 1000)
                           .azimuth) -
                azimuth)
                   .norm() < 1e-6);
    const antenna_array moved = nominal.calibrated(random_calibration(8, 32));
    BOOST_TEST((sorted(estimator(moved, 2)
                           .estimate(population_covariance(moved, azimuth, 20.0), 1000)
                           .azimuth) -
                azimuth)
                   .norm() < 1e-6);
    // Ignoring the same errors costs degrees: the test above can fail.
    BOOST_TEST((sorted(estimator(nominal, 2)
                           .estimate(population_covariance(moved, azimuth, 20.0), 1000)
                           .azimuth) -
                azimuth)
                   .norm() > 1.0 * degree);
}

BOOST_AUTO_TEST_CASE(a_root_outside_the_visible_region_is_endfire_and_unresolved)
{
    // Phases of 0.45 * 2 pi * 1.05 a step: no direction has them at this spacing.
    const antenna_array line = antenna_array::uniform_line(6, 0.45);
    const antenna_array wider = antenna_array::uniform_line(6, 0.45 * 1.05);
    const bearing_estimate estimate = estimator(line, 1).estimate(
        population_covariance(wider, degrees({ 90.0 }), 20.0), 100);
    BOOST_TEST(std::abs(estimate.azimuth(0) - M_PI_2) < 1e-12);
    BOOST_CHECK(estimate.status == status::unresolved);
    BOOST_TEST(std::isnan(estimate.deviation(0)));
}

BOOST_AUTO_TEST_CASE(bad_data_has_a_status)
{
    const antenna_array line = antenna_array::uniform_line(5, 0.5);
    for (const double value : { 0.0, std::numeric_limits<double>::quiet_NaN() }) {
        const bearing_estimate estimate =
            estimator(line, 2).estimate(Eigen::MatrixXcd::Constant(5, 5, value), 10);
        BOOST_CHECK(estimate.status == status::bad_data);
        BOOST_TEST(estimate.azimuth.size() == 2);
        BOOST_TEST(estimate.azimuth.array().isNaN().all());
    }
    const Eigen::MatrixXcd noise = Eigen::MatrixXcd::Identity(5, 5);
    BOOST_CHECK(estimator(line, 0).estimate(noise, 100).status == status::no_source);
    BOOST_CHECK(estimator(line, 1).estimate(noise, 100).status == status::low_snr);
    const Eigen::VectorXcd a = line.steering(0.4);
    const bearing_estimate rank_one = estimator(line, 1).estimate(a * a.adjoint(), 1);
    BOOST_TEST(std::abs(rank_one.azimuth(0) - 0.4) < 1e-6);
    BOOST_CHECK(rank_one.status == status::not_identifiable);
    BOOST_CHECK(estimator(antenna_array::uniform_line(5, 0.7), 1)
                    .estimate(population_covariance(line, degrees({ 5.0 }), 20.0), 100)
                    .status == status::not_identifiable);
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused)
{
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_circle(5, 0.4), 1),
                      std::invalid_argument);
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_line(5, 0.5), 5),
                      std::invalid_argument);
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_line(5, 0.5), -1),
                      std::invalid_argument);
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_line(1, 0.5), 0),
                      std::invalid_argument);
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_line(5, 0.5), 1)
                          .estimate(Eigen::MatrixXcd::Identity(6, 6), 10),
                      std::invalid_argument);
}
