/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE beamscan
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/beamscan.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

beamscan_estimator estimator(const antenna_array& array, beamscan_method method, int k)
{
    beamscan_config config;
    config.method = method;
    config.num_sources = k;
    return { array, angle_grid::whole_range(array, 90), config };
}

const auto methods = data::make({ beamscan_method::bartlett, beamscan_method::capon });

} // namespace

namespace gr {
namespace bearing {
namespace core {
std::ostream& operator<<(std::ostream& out, beamscan_method method)
{
    return out << (method == beamscan_method::bartlett ? "bartlett" : "capon");
}
} // namespace core
} // namespace bearing
} // namespace gr

BOOST_DATA_TEST_CASE(the_spectrum_is_the_textbook_formula, methods, method)
{
    const antenna_array circle =
        antenna_array::uniform_circle(5, 0.4).calibrated(random_calibration(5, 9));
    const Eigen::MatrixXcd r =
        population_covariance(circle, degrees({ 33.0, 200.0 }), 7.0);
    const bearing_estimate estimate = estimator(circle, method, 1).estimate(r, 100);
    for (int g = 0; g < 90; ++g) {
        const Eigen::VectorXcd a = circle.steering(estimate.grid(g));
        const double power = method == beamscan_method::bartlett
                                 ? a.dot(r * a).real() / std::pow(a.squaredNorm(), 2)
                                 : 1.0 / a.dot(r.inverse() * a).real();
        // What to_decibels() promises.
        BOOST_TEST(std::abs(estimate.spectrum_db(g) - 10.0 * std::log10(power)) < 1e-4);
    }
}

BOOST_DATA_TEST_CASE(one_source_is_found_exactly_with_its_power, methods, method)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    const Eigen::MatrixXcd r = population_covariance(line, degrees({ 23.4 }), 20.0);
    const bearing_estimate estimate = estimator(line, method, 1).estimate(r, 100);
    BOOST_CHECK(estimate.status == status::ok);
    // A search by values finds a maximum to the square root of rounding.
    BOOST_TEST(std::abs(estimate.azimuth(0) / degree - 23.4) < 1e-5);
    // Both see the source's 100 and an eighth of the noise on top.
    BOOST_TEST(std::abs(estimate.power_db(0) - 10.0 * std::log10(100.0 + 1.0 / 8.0)) <
               1e-6);
    BOOST_TEST(std::abs(estimate.snr_db(0) - 20.0) < 0.05);
    BOOST_TEST(std::isnan(estimate.deviation(0)));
}

BOOST_DATA_TEST_CASE(several_sources_come_strongest_first, methods, method)
{
    const antenna_array line = antenna_array::uniform_line(10, 0.5);
    const Eigen::MatrixXcd r = population_covariance(line, degrees({ -40.0 }), 10.0) +
                               population_covariance(line, degrees({ 30.0 }), 20.0);
    const bearing_estimate estimate = estimator(line, method, 2).estimate(r, 100);
    // Leakage of one into the other biases Bartlett by a fraction of its 11 degree beam.
    BOOST_TEST(std::abs(estimate.azimuth(0) / degree - 30.0) < 0.5);
    BOOST_TEST(std::abs(estimate.azimuth(1) / degree + 40.0) < 2.0);
    BOOST_TEST(estimate.power_db(0) > estimate.power_db(1));
    BOOST_TEST(estimator(line, method, 0).estimate(r, 100).num_sources == 2);
}

BOOST_DATA_TEST_CASE(the_answer_does_not_depend_on_the_grid, methods, method)
{
    const antenna_array line = antenna_array::uniform_line(16, 0.5);
    const Eigen::MatrixXcd r = population_covariance(line, degrees({ 10.0, 25.0 }), 10.0);
    beamscan_config config;
    config.method = method;
    config.num_sources = 2;
    const auto azimuth = [&](int points) {
        return sorted(
            beamscan_estimator(line, angle_grid::whole_range(line, points), config)
                .estimate(r, 64)
                .azimuth);
    };
    BOOST_TEST((azimuth(91) - azimuth(1801)).norm() < 1e-6);
}

BOOST_DATA_TEST_CASE(a_source_outside_the_sector_is_not_reported_at_its_edge,
                     methods,
                     method)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    beamscan_config config;
    config.method = method;
    const beamscan_estimator sector(
        line, angle_grid::sector(line, -5.0 * degree, 5.0 * degree, 64), config);
    const bearing_estimate estimate =
        sector.estimate(population_covariance(line, degrees({ 9.0 }), 20.0), 100);
    BOOST_CHECK(estimate.status == status::unresolved);
    BOOST_TEST(std::isnan(estimate.azimuth(0)));
    // Nor does a side lobe inside take its place unnoticed.
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    const beamscan_estimator half(
        circle, angle_grid::sector(circle, -M_PI_2, M_PI_2, 64), config);
    BOOST_CHECK(
        half.estimate(population_covariance(circle, degrees({ 120.0 }), 20.0), 100)
            .status == status::unresolved);
}

BOOST_DATA_TEST_CASE(rank_deficient_data_has_a_finite_spectrum, methods, method)
{
    const antenna_array line = antenna_array::uniform_line(6, 0.5);
    const Eigen::VectorXcd a = line.steering(0.3);
    const bearing_estimate estimate =
        estimator(line, method, 1).estimate(a * a.adjoint(), 1);
    BOOST_TEST(estimate.spectrum_db.allFinite());
    BOOST_TEST(std::abs(estimate.azimuth(0) - 0.3) < 1e-5);
}

BOOST_DATA_TEST_CASE(bad_data_has_a_status, methods, method)
{
    const antenna_array line = antenna_array::uniform_line(6, 0.5);
    const beamscan_estimator two = estimator(line, method, 2);
    for (const double value : { 0.0, std::numeric_limits<double>::quiet_NaN() }) {
        const bearing_estimate estimate =
            two.estimate(Eigen::MatrixXcd::Constant(6, 6, value), 10);
        BOOST_CHECK(estimate.status == status::bad_data);
        BOOST_TEST(estimate.azimuth.size() == 2);
        BOOST_TEST(estimate.azimuth.array().isNaN().all());
        BOOST_TEST(estimate.spectrum_db.size() == 90);
        BOOST_TEST(estimate.spectrum_db.allFinite());
    }
    const Eigen::MatrixXcd noise = Eigen::MatrixXcd::Identity(6, 6);
    BOOST_CHECK(estimator(line, method, 0).estimate(noise, 100).status ==
                status::no_source);
    BOOST_CHECK(estimator(line, method, 0).estimate(noise, 0).status ==
                status::not_identifiable);
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused)
{
    const antenna_array line = antenna_array::uniform_line(6, 0.5);
    BOOST_CHECK_THROW(estimator(line, beamscan_method::capon, 6), std::invalid_argument);
    BOOST_CHECK_THROW(estimator(line, beamscan_method::capon, -1), std::invalid_argument);
    BOOST_CHECK_THROW(estimator(line, beamscan_method::capon, 1)
                          .estimate(Eigen::MatrixXcd::Identity(5, 5), 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(beamscan_method_from_string("musical"), std::invalid_argument);
    BOOST_CHECK(beamscan_method_from_string("capon") == beamscan_method::capon);
}
