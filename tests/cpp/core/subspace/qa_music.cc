/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE music
#include "scenes.h"
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

music_estimator estimator(const antenna_array& array, int k, int points = 512)
{
    music_config config;
    config.num_sources = k;
    return { array, angle_grid::whole_range(array, points), config };
}

// Exact covariances leave only rounding, which the flat bottom of the null function does
// not amplify: the slope is solved, not the value.
constexpr double exact = 1e-9;

} // namespace

BOOST_AUTO_TEST_CASE(exact_covariances_give_exact_bearings)
{
    Eigen::MatrixXd points(6, 2);
    points << 0.0, 0.0, 0.5, 0.1, 0.9, -0.3, 0.2, 0.6, -0.4, 0.4, -0.5, -0.5;
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    const antenna_array custom = antenna_array::custom(points);
    for (const antenna_array& array : { circle,
                                        custom,
                                        circle.calibrated(random_calibration(5, 21)),
                                        custom.calibrated(random_calibration(6, 22)) }) {
        for (const double first : { 0.0, 12.3, 144.0, 355.0 }) {
            const Eigen::VectorXd azimuth = degrees({ first, first + 70.0 });
            const bearing_estimate estimate = estimator(array, 2).estimate(
                population_covariance(array, azimuth, 15.0), 100);
            BOOST_CHECK(estimate.status == status::ok);
            for (int k = 0; k < 2; ++k) {
                double nearest = 1.0;
                for (int s = 0; s < 2; ++s) {
                    nearest =
                        std::min(nearest,
                                 std::abs(std::remainder(estimate.azimuth(k) - azimuth(s),
                                                         2.0 * M_PI)));
                }
                BOOST_TEST(nearest < exact);
                BOOST_TEST(estimate.azimuth(k) >= 0.0);
                BOOST_TEST(estimate.azimuth(k) < 2.0 * M_PI);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(lines_work_up_to_endfire)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.45);
    for (const double theta : { -90.0, -89.5, 0.0, 60.0, 90.0 }) {
        const bearing_estimate estimate = estimator(line, 1).estimate(
            population_covariance(line, degrees({ theta }), 20.0), 100);
        // At endfire the direction enters through its cosine: rounding's square root.
        BOOST_TEST(std::abs(estimate.azimuth(0) / degree - theta) < 1e-4);
    }
}

BOOST_AUTO_TEST_CASE(the_spectrum_is_the_inverse_null_function_in_db)
{
    const antenna_array circle =
        antenna_array::uniform_circle(5, 0.4).calibrated(random_calibration(5, 2));
    const Eigen::MatrixXcd r = population_covariance(circle, degrees({ 100.3 }), 10.0);
    const bearing_estimate estimate = estimator(circle, 1, 360).estimate(r, 100);
    const Eigen::VectorXcd source = circle.steering(100.3 * degree);
    for (int g = 0; g < 360; ++g) {
        const Eigen::VectorXcd a = circle.steering(estimate.grid(g));
        // One source: a^H Pn a = |a|^2 - |s^H a|^2 / |s|^2, the sine of the angle
        // squared.
        const double null =
            1.0 - std::norm(source.dot(a)) / (source.squaredNorm() * a.squaredNorm());
        // What to_decibels() promises.
        BOOST_TEST(std::abs(estimate.spectrum_db(g) + 10.0 * std::log10(null)) < 1e-4);
    }
}

BOOST_AUTO_TEST_CASE(powers_and_snr_are_those_of_the_scene_strongest_first)
{
    const antenna_array circle = antenna_array::uniform_circle(7, 0.6);
    const Eigen::MatrixXcd r = population_covariance(circle, degrees({ 50.0 }), 10.0) +
                               population_covariance(circle, degrees({ 200.0 }), 16.0);
    const bearing_estimate estimate = estimator(circle, 2).estimate(r, 100000000);
    BOOST_TEST(std::abs(estimate.azimuth(0) / degree - 200.0) < 1e-6);
    BOOST_TEST(std::abs(estimate.power_db(0) - 16.0) < 1e-6);
    BOOST_TEST(std::abs(estimate.power_db(1) - 10.0) < 1e-6);
    // The two covariances' noise adds to 2.
    BOOST_TEST(std::abs(estimate.snr_db(0) - (16.0 - 10.0 * std::log10(2.0))) < 1e-6);
}

BOOST_DATA_TEST_CASE(the_answer_does_not_depend_on_the_grid,
                     data::make({ 91, 181, 1801 }),
                     points)
{
    const antenna_array line = antenna_array::uniform_line(16, 0.5);
    const Eigen::VectorXd azimuth = degrees({ 10.0, 25.0 });
    const Eigen::VectorXd bound =
        cramer_rao_deviation(line, azimuth, Eigen::VectorXd::Constant(1, 10.0), 64);
    for (int seed = 0; seed < 50; ++seed) {
        const Eigen::MatrixXcd r = sample_covariance(
            simulate(line, azimuth, Eigen::VectorXd::Constant(1, 10.0), 64, seed));
        const Eigen::VectorXd found =
            sorted(estimator(line, 2, points).estimate(r, 64).azimuth);
        const Eigen::VectorXd reference =
            sorted(estimator(line, 2, 4001).estimate(r, 64).azimuth);
        BOOST_TEST((found - reference).cwiseAbs().maxCoeff() < 1e-6 * bound.minCoeff());
    }
}

BOOST_AUTO_TEST_CASE(sources_nearer_than_the_grid_step_are_still_two)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    const Eigen::VectorXd azimuth = degrees({ 10.1, 10.6 });
    const bearing_estimate estimate =
        estimator(line, 2, 91)
            .estimate(population_covariance(line, azimuth, 70.0), 100000);
    BOOST_TEST((sorted(estimate.azimuth) - azimuth).norm() < 1e-5);
}

BOOST_AUTO_TEST_CASE(pairs_that_share_a_coarse_minimum_are_found_wherever_they_stand)
{
    // The search grid of this circle steps by two degrees. Pairs of one to two steps, at
    // every offset to it.
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    std::srand(3);
    for (int scene = 0; scene < 300; ++scene) {
        const Eigen::Vector3d random = Eigen::Vector3d::Random().cwiseAbs();
        const double first = 2.0 + 350.0 * random(0);
        const Eigen::VectorXd azimuth = degrees({ first, first + 0.7 + 3.6 * random(1) });
        const bearing_estimate estimate =
            estimator(circle, 2, 90)
                .estimate(population_covariance(circle, azimuth, 60.0), 100000);
        // At 60 dB and a hundredth of a beam apart rounding is amplified by 1e7.
        BOOST_TEST((sorted(estimate.azimuth) - azimuth).norm() < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(a_source_half_way_between_two_grid_points_is_found)
{
    // Both points then have the same f, but for rounding.
    const antenna_array line = antenna_array::uniform_line(4, 0.5);
    for (const int points : { 64, 128, 180, 512 }) {
        const bearing_estimate estimate =
            estimator(line, 1, points)
                .estimate(population_covariance(line, degrees({ 0.0 }), 10.0), 100);
        BOOST_TEST(std::abs(estimate.azimuth(0)) < exact);
    }
}

BOOST_AUTO_TEST_CASE(sources_at_the_seam_of_a_closed_grid_are_found)
{
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    music_config config;
    config.num_sources = 1;
    for (const double start : { 0.0, -M_PI }) {
        const music_estimator closed(
            circle,
            angle_grid::points(
                circle, Eigen::VectorXd::LinSpaced(361, start, start + 2.0 * M_PI)),
            config);
        for (const double off : { -0.5, -0.3, 0.0, 0.3, 0.5 }) {
            const double truth = start + off * degree;
            const double found =
                closed
                    .estimate(population_covariance(
                                  circle, Eigen::VectorXd::Constant(1, truth), 20.0),
                              100)
                    .azimuth(0);
            BOOST_TEST(std::abs(std::remainder(found - truth, 2.0 * M_PI)) < exact);
        }
    }
}

BOOST_AUTO_TEST_CASE(any_grid_with_the_same_limits_gives_the_same_bearings)
{
    // To the bit: what is shown has no part in the search.
    const antenna_array circle = antenna_array::uniform_circle(8, 0.5);
    const Eigen::MatrixXcd r = sample_covariance(simulate(
        circle, degrees({ 80.0, 95.0 }), Eigen::VectorXd::Constant(1, 15.0), 200, 1));
    Eigen::VectorXd uneven = Eigen::VectorXd::LinSpaced(61, -1.0, 1.0);
    uneven = M_PI_2 * (uneven.array().cube() + 1.0);
    music_config config;
    config.num_sources = 2;
    const auto azimuth = [&](const angle_grid& grid) {
        return music_estimator(circle, grid, config).estimate(r, 200).azimuth;
    };
    const Eigen::VectorXd reference =
        azimuth(angle_grid::sector(circle, uneven(0), uneven(60), 7));
    BOOST_TEST(reference.allFinite());
    BOOST_TEST((azimuth(angle_grid::points(circle, uneven)) == reference));
    BOOST_TEST(
        (azimuth(angle_grid::sector(circle, uneven(0), uneven(60), 3601)) == reference));
}

BOOST_AUTO_TEST_CASE(a_sharp_null_is_found_among_blunt_minima)
{
    // A sparse line has many minima that are deep on the grid; the true one is deepest only
    // once it is refined.
    Eigen::MatrixXd sparse(3, 2);
    sparse << 0.0, 0.0, 1.3, 0.0, 7.7, 0.0;
    const antenna_array line = antenna_array::custom(sparse);
    for (double truth = -60.0; truth < 60.0; truth += 0.837) {
        const bearing_estimate estimate = estimator(line, 1).estimate(
            population_covariance(line, degrees({ truth }), 20.0), 1000);
        BOOST_TEST(std::abs(estimate.azimuth(0) / degree - truth) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(more_directions_than_sources_are_not_passed_off_as_certain)
{
    // A circle of an even number of elements has as many nulls as elements when all but one
    // dimension is signal: one of them is no source, and nothing tells which.
    int published = 0;
    for (const int n : { 4, 6 }) {
        const antenna_array circle =
            antenna_array::uniform_circle(n, 0.45 / (2.0 * std::sin(M_PI / n)));
        Eigen::VectorXd azimuth(n - 1);
        for (int start = 0; start < 20; ++start) {
            for (int k = 0; k < n - 1; ++k) {
                azimuth(k) = (3.7 * start + 360.0 * k / (n - 1)) * degree;
            }
            const bearing_estimate estimate =
                estimator(circle, n - 1)
                    .estimate(population_covariance(circle, azimuth, 30.0), 1000);
            for (int k = 0; k < n - 1; ++k) {
                if (std::isfinite(estimate.deviation(k))) {
                    ++published;
                    const double error =
                        (estimate.azimuth(k) - azimuth.array())
                            .unaryExpr([](double x) {
                                return std::abs(std::remainder(x, 2.0 * M_PI));
                            })
                            .minCoeff();
                    BOOST_TEST(error < estimate.deviation(k));
                }
            }
        }
    }
    // Of 160; where the false null falls on a source nothing is false.
    BOOST_TEST(published < 16);
}

BOOST_AUTO_TEST_CASE(an_array_that_is_not_what_it_is_said_to_be_is_a_model_mismatch)
{
    const antenna_array drawn = antenna_array::uniform_circle(5, 0.4);
    calibration_state calibration = random_calibration(5, 4);
    const antenna_array real = drawn.calibrated(calibration);
    const Eigen::MatrixXcd r = population_covariance(real, degrees({ 80.0 }), 15.0);
    const bearing_estimate wrong = estimator(drawn, 1).estimate(r, 1000);
    BOOST_CHECK(wrong.status == status::model_mismatch);
    BOOST_TEST(std::isnan(wrong.deviation(0)));
    BOOST_CHECK(estimator(real, 1).estimate(r, 1000).status == status::ok);
    // An array that states how uncertain it is may be as far off as that.
    calibration_state uncertain;
    uncertain.sigma_phase_rad = Eigen::VectorXd::Constant(5, 3.0);
    BOOST_CHECK(estimator(drawn.calibrated(uncertain), 1).estimate(r, 1000).status !=
                status::model_mismatch);
}

BOOST_AUTO_TEST_CASE(a_true_array_is_almost_never_called_a_mismatch)
{
    // The gate's quantile is 0.9999: of 2000 scenes 0.2 are expected to fail, and more
    // than four would in fewer than one of 10^5 runs.
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    int failed = 0;
    for (int seed = 0; seed < 2000; ++seed) {
        const Eigen::MatrixXcd r = sample_covariance(simulate(
            circle, degrees({ 80.0 }), Eigen::VectorXd::Constant(1, 10.0), 200, seed));
        failed += estimator(circle, 1).estimate(r, 200).status != status::ok;
    }
    BOOST_TEST(failed <= 4);
}

BOOST_AUTO_TEST_CASE(two_sources_that_fell_together_are_unresolved)
{
    // 2 degrees apart on a 5-element circle at 10 dB: one minimum serves both, and the
    // other place goes to a side lobe that no source supports.
    const antenna_array circle = antenna_array::uniform_circle(5, 0.3828);
    for (int seed = 0; seed < 200; ++seed) {
        const Eigen::MatrixXcd r =
            sample_covariance(simulate(circle,
                                       degrees({ 80.0, 82.0 }),
                                       Eigen::VectorXd::Constant(1, 10.0),
                                       256,
                                       seed));
        const bearing_estimate estimate = estimator(circle, 2).estimate(r, 256);
        BOOST_CHECK(estimate.status != status::ok);
        BOOST_TEST(estimate.deviation.array().isNaN().all());
    }
}

BOOST_AUTO_TEST_CASE(a_source_outside_the_sector_is_not_reported_at_its_edge)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    music_config config;
    config.num_sources = 1;
    const music_estimator sector(
        line, angle_grid::sector(line, -5.0 * degree, 5.0 * degree, 64), config);
    const bearing_estimate outside =
        sector.estimate(population_covariance(line, degrees({ 9.0 }), 20.0), 100);
    BOOST_CHECK(outside.status == status::unresolved);
    BOOST_TEST(std::isnan(outside.azimuth(0)));
    const bearing_estimate inside =
        sector.estimate(population_covariance(line, degrees({ 4.99 }), 20.0), 100);
    BOOST_TEST(std::abs(inside.azimuth(0) / degree - 4.99) < 1e-6);
}

BOOST_AUTO_TEST_CASE(grating_lobes_are_not_passed_off_as_bearings)
{
    const antenna_array wide = antenna_array::uniform_line(8, 0.8);
    const Eigen::MatrixXcd r = population_covariance(wide, degrees({ 20.0 }), 20.0);
    const bearing_estimate ambiguous = estimator(wide, 1).estimate(r, 100);
    BOOST_CHECK(ambiguous.status == status::not_identifiable);
    BOOST_TEST(std::isnan(ambiguous.deviation(0)));
    music_config config;
    config.num_sources = 1;
    const music_estimator sector(
        wide, angle_grid::sector(wide, -30.0 * degree, 30.0 * degree), config);
    BOOST_CHECK(sector.estimate(r, 100).status == status::ok);
    BOOST_TEST(std::abs(sector.estimate(r, 100).azimuth(0) / degree - 20.0) < 1e-6);
}

BOOST_AUTO_TEST_CASE(bad_data_has_a_status)
{
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    const Eigen::VectorXd azimuth = degrees({ 80.0 });
    const Eigen::MatrixXcd good = population_covariance(circle, azimuth, 15.0);
    const music_estimator one = estimator(circle, 1);
    const music_estimator counting = estimator(circle, 0);

    Eigen::MatrixXcd dead = good;
    dead.row(3).setZero();
    dead.col(3).setZero();
    Eigen::MatrixXcd with_nan = good;
    with_nan(0, 1) = std::numeric_limits<double>::quiet_NaN();
    for (const Eigen::MatrixXcd& bad :
         { Eigen::MatrixXcd(Eigen::MatrixXcd::Zero(5, 5)), with_nan, dead }) {
        const bearing_estimate estimate = one.estimate(bad, 100);
        BOOST_CHECK(estimate.status == status::bad_data);
        BOOST_TEST(estimate.azimuth.size() == 1);
        BOOST_TEST(std::isnan(estimate.azimuth(0)));
        BOOST_TEST(std::isnan(estimate.deviation(0)));
        BOOST_TEST(estimate.spectrum_db.allFinite());
        BOOST_TEST(counting.estimate(bad, 100).num_sources == 0);
    }
    for (const double scale : { 1e-120, 1e120 }) {
        BOOST_CHECK(one.estimate(scale * good, 100).status == status::bad_data);
    }
    BOOST_CHECK(one.estimate(1e-30 * good, 100).status == status::ok);
    const Eigen::MatrixXcd noise = Eigen::MatrixXcd::Identity(5, 5);
    BOOST_CHECK(counting.estimate(noise, 100).status == status::no_source);
    BOOST_CHECK(one.estimate(noise, 100).status == status::low_snr);
    BOOST_CHECK(counting.estimate(good, 0).status == status::not_identifiable);
    const bearing_estimate unknown = one.estimate(good, 0);
    BOOST_CHECK(unknown.status == status::not_identifiable);
    BOOST_TEST(std::abs(unknown.azimuth(0) - azimuth(0)) < exact);
    BOOST_TEST(std::isnan(unknown.deviation(0)));
    BOOST_TEST(counting.estimate(good, 100).num_sources == 1);
}

BOOST_AUTO_TEST_CASE(rank_deficient_data_still_gives_the_bearing)
{
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    const Eigen::VectorXcd a = circle.steering(1.0);
    const bearing_estimate estimate = estimator(circle, 1).estimate(a * a.adjoint(), 1);
    BOOST_TEST(std::abs(estimate.azimuth(0) - 1.0) < exact);
    BOOST_TEST(std::isnan(estimate.deviation(0)));
    BOOST_CHECK(estimate.status == status::not_identifiable);
    BOOST_TEST(std::isfinite(estimate.snr_db(0)));
    BOOST_TEST(std::isfinite(estimate.power_db(0)));
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused)
{
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    BOOST_CHECK_THROW(estimator(circle, 5), std::invalid_argument);
    BOOST_CHECK_THROW(estimator(circle, -1), std::invalid_argument);
    BOOST_CHECK_THROW(estimator(antenna_array::uniform_line(1, 0.5), 0),
                      std::invalid_argument);
    BOOST_CHECK_THROW(estimator(circle, 1).estimate(Eigen::MatrixXcd::Identity(4, 4), 10),
                      std::invalid_argument);
}
