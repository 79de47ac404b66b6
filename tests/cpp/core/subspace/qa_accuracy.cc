/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE accuracy
#include "scenes.h"
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

struct population {
    int num_elements;
    double first;
    double second;
    double snr_db;
    std::size_t snapshots;
    double real_deg;
    double complex_deg;
};

std::ostream& operator<<(std::ostream& out, const population& p)
{
    return out << "N=" << p.num_elements << ", " << p.snr_db << " dB";
}

// Deviations of the first source in degrees, computed with an independent program.
const std::vector<population> populations = {
    { 9, 30.0, 50.0, 10.0, 200, 0.04628853, 0.04568406 },
    { 9, 30.0, 50.0, 0.0, 200, 0.16110722, 0.15161578 },
    { 8, 30.0, 50.0, 10.0, 200, 0.06546867, 0.05959709 },
    { 5, 15.0, 50.0, 10.0, 256, 0.09272530, 0.08738527 },
};
// The reference values have eight decimals.
constexpr double decimals = 5e-9;

} // namespace

BOOST_DATA_TEST_CASE(population_deviations_are_the_reference_values,
                     data::make(populations),
                     scene)
{
    const antenna_array line = antenna_array::uniform_line(scene.num_elements, 0.5);
    const Eigen::VectorXd azimuth = degrees({ scene.first, scene.second });
    const Eigen::MatrixXcd r = population_covariance(line, azimuth, scene.snr_db);
    const auto in_degrees = [&](subspace_variant variant, accuracy_theory theory) {
        return predict_deviation(r, line, azimuth, scene.snapshots, variant, theory)(0) /
               degree;
    };
    BOOST_TEST(std::abs(in_degrees(subspace_variant::complex, accuracy_theory::full) -
                        scene.complex_deg) < decimals);
    BOOST_TEST(std::abs(in_degrees(subspace_variant::real, accuracy_theory::full) -
                        scene.real_deg) < decimals);
    // Forward-backward averaging leaves an exact covariance of uncorrelated sources
    // alone.
    BOOST_TEST(std::abs(in_degrees(subspace_variant::unitary, accuracy_theory::full) -
                        scene.complex_deg) < decimals);
}

BOOST_AUTO_TEST_CASE(the_papers_formula_is_smaller_by_what_it_leaves_out)
{
    const antenna_array line = antenna_array::uniform_line(9, 0.5);
    const Eigen::VectorXd azimuth = degrees({ 30.0, 50.0 });
    const auto ratio = [&](double snr_db) {
        const Eigen::MatrixXcd r = population_covariance(line, azimuth, snr_db);
        const auto deviation = [&](accuracy_theory theory) {
            return predict_deviation(
                r, line, azimuth, 200, subspace_variant::real, theory)(0);
        };
        return deviation(accuracy_theory::paper) / deviation(accuracy_theory::full);
    };
    // 0.1446 degrees against 0.1611 at 0 dB, four digits each; the high-SNR limit agrees.
    BOOST_TEST(std::abs(ratio(0.0) - 0.1446 / 0.1611) < 5e-4);
    BOOST_TEST(std::abs(ratio(40.0) - 1.0) < 1e-3);
}

BOOST_AUTO_TEST_CASE(the_phase_reference_of_the_array_does_not_matter)
{
    Eigen::MatrixXd positions = Eigen::MatrixXd::Random(6, 2);
    const antenna_array here = antenna_array::custom(positions);
    positions.rowwise() += Eigen::RowVector2d(3.0, -7.0);
    const antenna_array there = antenna_array::custom(positions);
    const Eigen::VectorXd azimuth = degrees({ 40.0, 200.0 });
    const Eigen::VectorXd one =
        predict_deviation(population_covariance(here, azimuth, 5.0), here, azimuth, 100);
    const Eigen::VectorXd other = predict_deviation(
        population_covariance(there, azimuth, 5.0), there, azimuth, 100);
    // The shift adds phases of ~50 rad, which cost two digits.
    BOOST_TEST((one - other).norm() < 1e-10 * one.norm());
}

BOOST_AUTO_TEST_CASE(one_strong_source_reaches_the_cramer_rao_bound)
{
    const antenna_array circle = antenna_array::uniform_circle(7, 0.6);
    const Eigen::VectorXd azimuth = degrees({ 100.0 });
    const Eigen::VectorXd bound =
        cramer_rao_deviation(circle, azimuth, Eigen::VectorXd::Constant(1, 10.0), 100);
    const Eigen::VectorXd predicted = predict_deviation(
        population_covariance(circle, azimuth, 10.0), circle, azimuth, 100);
    // For one source MUSIC is maximum likelihood: equality up to rounding.
    BOOST_TEST(std::abs(predicted(0) / bound(0) - 1.0) < 1e-10);
}

BOOST_AUTO_TEST_CASE(the_bound_of_one_source_on_a_line_is_the_closed_form)
{
    // var(w) = 6 / (M N (N^2 - 1) snr) * (1 + 1 / (N snr)) for w = 2 pi d / lambda sin
    // theta.
    const int n = 8;
    const double snr = std::pow(10.0, 0.3);
    const double theta = 20.0 * degree;
    const std::size_t m = 50;
    const double var_w = 6.0 / (m * n * (n * n - 1.0) * snr) * (1.0 + 1.0 / (n * snr));
    const double expected = std::sqrt(var_w) / (M_PI * std::cos(theta));
    const Eigen::VectorXd bound =
        cramer_rao_deviation(antenna_array::uniform_line(n, 0.5),
                             Eigen::VectorXd::Constant(1, theta),
                             Eigen::VectorXd::Constant(1, 3.0),
                             m);
    BOOST_TEST(std::abs(bound(0) / expected - 1.0) < 1e-12);
}

BOOST_AUTO_TEST_CASE(the_bound_is_the_inverse_of_the_gaussian_information)
{
    // Slepian-Bangs: F_ij = M tr(R^-1 dR_i R^-1 dR_j) over both directions, every entry
    // of the source covariance and the noise power; dR by central differences.
    const antenna_array circle =
        antenna_array::uniform_circle(5, 0.4).calibrated(random_calibration(5, 8));
    const std::size_t m = 70;
    Eigen::VectorXd parameters(7);
    parameters << 1.0, 1.7, 4.0, 2.0, 0.0, 0.0, 1.0;
    const auto covariance = [&](const Eigen::VectorXd& x) {
        Eigen::MatrixXcd a(5, 2);
        a << circle.steering(x(0)), circle.steering(x(1));
        Eigen::Matrix2cd p;
        p << x(2), std::complex<double>(x(4), x(5)), std::complex<double>(x(4), -x(5)),
            x(3);
        return Eigen::MatrixXcd(a * p * a.adjoint() +
                                x(6) * Eigen::MatrixXcd::Identity(5, 5));
    };
    const double step = 1e-5;
    const Eigen::MatrixXcd inverse = covariance(parameters).inverse();
    std::vector<Eigen::MatrixXcd> slopes;
    for (int i = 0; i < 7; ++i) {
        Eigen::VectorXd up = parameters;
        Eigen::VectorXd down = parameters;
        up(i) += step;
        down(i) -= step;
        slopes.push_back(inverse * (covariance(up) - covariance(down)) / (2.0 * step));
    }
    Eigen::MatrixXd information(7, 7);
    for (int i = 0; i < 7; ++i) {
        for (int k = 0; k < 7; ++k) {
            information(i, k) = m * (slopes[i] * slopes[k]).trace().real();
        }
    }
    const Eigen::VectorXd expected = information.inverse().diagonal().head(2).cwiseSqrt();
    const Eigen::VectorXd snr_db =
        10.0 * parameters.segment(2, 2).array().log10().matrix();
    const Eigen::VectorXd bound =
        cramer_rao_deviation(circle, parameters.head(2), snr_db, m);
    // Central differences are exact to 1e-9 of the slopes; the inverse costs three
    // digits.
    BOOST_TEST((bound - expected).norm() < 1e-6 * expected.norm());
}

BOOST_AUTO_TEST_CASE(unequal_powers_do_not_hide_the_bound)
{
    const antenna_array line = antenna_array::uniform_line(5, 0.5);
    const Eigen::VectorXd azimuth = degrees({ 0.0, 30.0 });
    const Eigen::VectorXd bound =
        cramer_rao_deviation(line, azimuth, Eigen::Vector2d(60.0, -40.0), 100);
    BOOST_TEST(bound.allFinite());
    // A source 100 dB weaker does not disturb: the strong one's bound is its own.
    const Eigen::VectorXd alone = cramer_rao_deviation(
        line, azimuth.head(1), Eigen::VectorXd::Constant(1, 60.0), 100);
    BOOST_TEST(std::abs(bound(0) / alone(0) - 1.0) < 0.3);
}

BOOST_AUTO_TEST_CASE(a_scene_that_cannot_be_resolved_has_no_bound)
{
    const Eigen::VectorXd bound =
        cramer_rao_deviation(antenna_array::uniform_line(4, 0.5),
                             degrees({ 10.0, 10.0 }),
                             Eigen::VectorXd::Constant(1, 10.0),
                             10);
    BOOST_TEST(bound.array().isNaN().all());
}

BOOST_AUTO_TEST_CASE(calibration_uncertainty_adds_the_variance_of_a_perturbed_array)
{
    // Monte Carlo over arrays whose gains are off by the stated deviations: with an exact
    // covariance the only error left is the calibration's.
    const antenna_array nominal =
        antenna_array::uniform_circle(6, 0.5).calibrated(random_calibration(6, 3));
    const Eigen::VectorXd azimuth = degrees({ 75.0 });
    calibration_state uncertain;
    uncertain.sigma_phase_rad = Eigen::VectorXd::Constant(6, 0.01);
    uncertain.sigma_log_gain = Eigen::VectorXd::Constant(6, 0.02);
    const Eigen::MatrixXcd r = population_covariance(nominal, azimuth, 300.0);
    const double predicted =
        predict_deviation(r, nominal.calibrated(uncertain), azimuth, 1000000)(0);

    // First-order effect of each gain error on the direction, by re-solving the
    // noise-free problem: the peak of |a(theta)^H s|^2 / (a^H a) for s from the perturbed
    // array.
    double variance = 0.0;
    const double small = 1e-5;
    for (int l = 0; l < 6; ++l) {
        for (const std::complex<double> error :
             { std::complex<double>(0.0, small), std::complex<double>(small, 0.0) }) {
            calibration_state moved = nominal.calibration();
            moved.gains(l) *= std::exp(error);
            const Eigen::VectorXcd s = nominal.calibrated(moved).steering(azimuth(0));
            const auto slope = [&](double theta) {
                const double step = 1e-5;
                const auto power = [&](double x) {
                    const Eigen::VectorXcd a = nominal.steering(x);
                    return std::norm(a.dot(s)) / a.squaredNorm();
                };
                return (power(theta + step) - power(theta - step)) / (2.0 * step);
            };
            // Secant step to the zero of the slope around the true direction.
            const double width = 1e-4;
            const double rate =
                (slope(azimuth(0) + width) - slope(azimuth(0) - width)) / (2.0 * width);
            const double shift = -slope(azimuth(0)) / rate / small;
            variance += std::pow(shift * (error.imag() != 0.0 ? 0.01 : 0.02), 2);
        }
    }
    // Differences of differences: three digits are left.
    BOOST_TEST(std::abs(predicted / std::sqrt(variance) - 1.0) < 2e-3);
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused_and_bad_data_is_not)
{
    const antenna_array line = antenna_array::uniform_line(5, 0.5);
    const antenna_array circle = antenna_array::uniform_circle(5, 0.4);
    const Eigen::VectorXd azimuth = degrees({ 10.0, 40.0 });
    const Eigen::MatrixXcd r = population_covariance(line, azimuth, 10.0);
    BOOST_CHECK_THROW(predict_deviation(r.topLeftCorner(4, 4), line, azimuth, 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(predict_deviation(r, line, azimuth, 0), std::invalid_argument);
    BOOST_CHECK_THROW(predict_deviation(r, line, Eigen::VectorXd(), 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(predict_deviation(r, line, Eigen::VectorXd::Zero(5), 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(predict_deviation(r, circle, azimuth, 10, subspace_variant::real),
                      std::invalid_argument);
    BOOST_CHECK_THROW(
        predict_deviation(
            r, line, degrees({ 0.0, 20.0, 40.0 }), 10, subspace_variant::real),
        std::invalid_argument);
    BOOST_CHECK_THROW(subspace_variant_from_string("quaternion"), std::invalid_argument);
    BOOST_CHECK_THROW(accuracy_theory_from_string("guess"), std::invalid_argument);
    BOOST_TEST(predict_deviation(Eigen::MatrixXcd::Zero(5, 5), line, azimuth, 10)
                   .array()
                   .isNaN()
                   .all());
    const Eigen::VectorXd one_level = Eigen::VectorXd::Constant(1, 10.0);
    BOOST_CHECK_THROW(cramer_rao_deviation(line, azimuth, Eigen::VectorXd::Zero(3), 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(cramer_rao_deviation(line, azimuth, one_level, 0),
                      std::invalid_argument);
    BOOST_CHECK_THROW(cramer_rao_deviation(line, Eigen::VectorXd(), one_level, 10),
                      std::invalid_argument);
    BOOST_CHECK_THROW(cramer_rao_deviation(line, Eigen::VectorXd::Zero(5), one_level, 10),
                      std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(directions_are_rejected_as_often_as_chi_squared_says)
{
    // Five deviations from the source, the null function is noncentral chi-squared with
    // 2 (N - K) = 14 degrees of freedom (unitary: 7) and noncentrality 25, and the limit is
    // the 0.9999 quantile for one degree less, 40.9 (27.9): exceeded in 40.3 % (62.1 %).
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    const double azimuth = 20.0 * degree;
    const std::size_t snapshots = 400;
    const int trials = 2000;
    const Eigen::VectorXd truth = Eigen::VectorXd::Constant(1, azimuth);
    const Eigen::MatrixXcd exact = population_covariance(line, truth, 20.0);
    const auto rejected = [&](subspace_variant variant) {
        const variant_frame frame(line, variant);
        const double sigma = predict_deviation(exact, line, truth, snapshots, variant)(0);
        int count = 0;
        for (int seed = 0; seed < trials; ++seed) {
            const Eigen::MatrixXcd r = sample_covariance(simulate(
                line, truth, Eigen::VectorXd::Constant(1, 20.0), snapshots, seed));
            count += !supports_direction(
                frame.decompose(r), frame, 1, azimuth + 5.0 * sigma, snapshots);
        }
        return count / static_cast<double>(trials);
    };
    // 1.1 % is one deviation of a share from so many trials; the quantile is right to 2 %.
    BOOST_TEST(std::abs(rejected(subspace_variant::complex) - 0.403) < 0.05);
    BOOST_TEST(std::abs(rejected(subspace_variant::unitary) - 0.621) < 0.05);
    // Twice the six dimensions that 2 K leave, less one: exactly so only if noise were the
    // same in both quadratures.
    BOOST_TEST(std::abs(rejected(subspace_variant::real) - 0.453) < 0.1);
}

BOOST_AUTO_TEST_CASE(the_gate_withholds_deviations_that_would_not_hold)
{
    const antenna_array line = antenna_array::uniform_line(8, 0.5);
    const auto accuracy = [&](const Eigen::VectorXd& azimuth,
                              double snr_db,
                              std::size_t m) {
        return predict_plug_in(
            decompose(population_covariance(line, azimuth, snr_db)), line, azimuth, m);
    };
    const Eigen::VectorXd apart = degrees({ -20.0, 30.0 });
    BOOST_CHECK(accuracy(apart, 10.0, 100).status == status::ok);
    BOOST_TEST(accuracy(apart, 10.0, 100).deviation.allFinite());
    // lambda_2 / s2 = 1 + 8 * 0.05 = 1.4 lies below 2 (1 + sqrt(8 / 100))^2 = 3.3.
    BOOST_CHECK(accuracy(apart, -13.0, 100).status == status::low_snr);
    BOOST_TEST(accuracy(apart, -13.0, 100).deviation.array().isNaN().all());
    // Deviation over distance is 0.076 at 4 degrees and 0.048 at 5: the gate is 0.06.
    const plug_in_accuracy close = accuracy(degrees({ 10.0, 14.0 }), 10.0, 100);
    BOOST_CHECK(close.status == status::unresolved);
    BOOST_TEST(close.deviation.array().isNaN().all());
    BOOST_CHECK(accuracy(degrees({ 10.0, 15.0 }), 10.0, 100).status == status::ok);
    // Towards endfire deviation * tan(theta) passes 0.25.
    BOOST_CHECK(accuracy(degrees({ 87.0 }), 10.0, 100).status == status::unresolved);
    BOOST_CHECK(accuracy(degrees({ 70.0 }), 10.0, 100).status == status::ok);
    BOOST_CHECK(accuracy(apart, 10.0, 0).status == status::not_identifiable);
    BOOST_CHECK(accuracy(apart, 10.0, 2).status == status::not_identifiable);
    // Without noise nobody can tell how far off the bearings are, and a rank of one does
    // not hold two sources.
    const Eigen::VectorXcd a = line.steering(0.3);
    const eigendecomposition rank_one = decompose(a * a.adjoint());
    const plug_in_accuracy noise_free =
        predict_plug_in(rank_one, line, Eigen::VectorXd::Constant(1, 0.3), 100);
    BOOST_CHECK(noise_free.status == status::not_identifiable);
    BOOST_TEST(noise_free.deviation.array().isNaN().all());
    const plug_in_accuracy coherent = predict_plug_in(rank_one, line, apart, 100);
    BOOST_CHECK(coherent.status == status::unresolved);
    BOOST_TEST(coherent.deviation.array().isNaN().all());
    Eigen::VectorXd one_missing = apart;
    one_missing(1) = std::numeric_limits<double>::quiet_NaN();
    const plug_in_accuracy partial = predict_plug_in(
        decompose(population_covariance(line, apart, 10.0)), line, one_missing, 100);
    BOOST_CHECK(partial.status == status::unresolved);
    BOOST_TEST(std::isfinite(partial.deviation(0)));
    BOOST_TEST(std::isnan(partial.deviation(1)));
}
