/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE coupled_covariance
#include "coupled_arrays.h"
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

using complexd = std::complex<double>;

// Sums of a few hundred products.
constexpr double rounding = 1e-12;
// Central differences with steps of 1e-5 are good to about 1e-9.
constexpr double numerical = 1e-6;

// Every array with sources of its own: gains and offsets too, and a model without structure.
std::vector<coupled_setting> settings()
{
    std::vector<coupled_setting> all{
        strong_line(), strong_circle(), short_line(), short_circle()
    };
    coupled_setting three = setting_of("circle of seven",
                                       antenna_array::uniform_circle(7, 0.6),
                                       { complexd(0.2, -0.1), complexd(0.05, 0.1) },
                                       { 15.0, 140.0, 260.0 },
                                       { 3.0, 1.0, 2.0 });
    calibration_state calibration = random_calibration(7, 3);
    calibration.coupling.resize(0, 0);
    three.array = three.array.calibrated(calibration);
    all.push_back(three);

    coupled_setting general = strong_line();
    general.name = "general model";
    std::srand(5);
    Eigen::MatrixXcd mean = Eigen::MatrixXcd::Identity(8, 8);
    mean += 0.1 * Eigen::MatrixXcd::Random(8, 8);
    mean(0, 0) = 1.0;
    std::vector<Eigen::MatrixXcd> basis;
    for (int j = 0; j < 3; ++j) {
        basis.push_back(0.2 * Eigen::MatrixXcd::Random(8, 8));
        basis.back()(0, 0) = 0.0;
    }
    general.model = coupling_model::general(mean, basis);
    general.truth.weights = Eigen::Vector3d(0.5, -1.0, 0.7);
    all.push_back(general);
    return all;
}

std::vector<Eigen::MatrixXcd> all_entries(int n)
{
    std::vector<Eigen::MatrixXcd> basis;
    for (int i = 1; i < n * n; ++i) {
        Eigen::MatrixXcd entry = Eigen::MatrixXcd::Zero(n, n);
        entry(i % n, i / n) = 1.0;
        basis.push_back(entry);
        basis.push_back(complexd(0.0, 1.0) * entry);
    }
    return basis;
}

} // namespace

BOOST_DATA_TEST_CASE(covariance_is_that_of_the_array_with_its_coupling,
                     data::make(settings()),
                     setting)
{
    // The array's own manifold has the coupling in it.
    const Eigen::MatrixXcd a =
        coupled(setting.array, setting.coupling())
            .steering(setting.truth.azimuth,
                      Eigen::VectorXd::Zero(setting.truth.azimuth.size()));
    coupled_scene scene = setting.truth;
    scene.noise_power = 0.7;
    const Eigen::MatrixXcd expected =
        a * scene.power.asDiagonal() * a.adjoint() +
        0.7 * Eigen::MatrixXcd::Identity(a.rows(), a.rows());
    BOOST_TEST((setting.covariance_model().covariance(scene) - expected).norm() <
               rounding);
}

BOOST_AUTO_TEST_CASE(a_coupling_that_the_array_has_is_replaced)
{
    const coupled_setting setting = strong_line();
    const antenna_array other =
        setting.array.calibrated(random_calibration(8, 2)).calibrated([] {
            calibration_state ideal;
            ideal.gains = Eigen::VectorXcd::Ones(8);
            ideal.positions = Eigen::MatrixXd::Zero(8, 3);
            return ideal;
        }());
    const coupled_covariance model(other, setting.model);
    BOOST_TEST((model.covariance(setting.truth) -
                setting.covariance_model().covariance(setting.truth))
                   .norm() < rounding);
}

BOOST_DATA_TEST_CASE(derivatives_are_those_of_the_covariance,
                     data::make(settings()),
                     setting)
{
    const coupled_covariance model = setting.covariance_model();
    const std::vector<Eigen::MatrixXcd> derivatives = model.derivatives(setting.truth);
    const int size = model.num_parameters(static_cast<int>(setting.truth.azimuth.size()));
    BOOST_REQUIRE(static_cast<int>(derivatives.size()) == size);
    constexpr double step = 1e-5;
    for (int i = 0; i < size; ++i) {
        Eigen::VectorXd move = Eigen::VectorXd::Zero(size);
        move(i) = step;
        const Eigen::MatrixXcd difference =
            (model.covariance(coupled_covariance::moved(setting.truth, move)) -
             model.covariance(coupled_covariance::moved(setting.truth, -move))) /
            (2.0 * step);
        BOOST_TEST((derivatives[i] - difference).norm() < numerical * difference.norm(),
                   "parameter " << i);
    }
}

BOOST_DATA_TEST_CASE(information_is_the_curvature_of_the_expected_likelihood,
                     data::make(settings()),
                     setting)
{
    // logdet R(x) + tr R(x)^-1 R0 at x0, by second differences.
    const coupled_covariance model = setting.covariance_model();
    const Eigen::MatrixXcd truth = model.covariance(setting.truth);
    const int size = model.num_parameters(static_cast<int>(setting.truth.azimuth.size()));
    const auto cost = [&](const Eigen::VectorXd& move) {
        const Eigen::MatrixXcd r =
            model.covariance(coupled_covariance::moved(setting.truth, move));
        const Eigen::PartialPivLU<Eigen::MatrixXcd> lu(r);
        return std::log(std::abs(lu.determinant())) + lu.solve(truth).trace().real();
    };
    constexpr double step = 1e-3;
    constexpr int snapshots = 70;
    const Eigen::MatrixXd information = model.information(setting.truth, snapshots);
    for (int i = 0; i < size; ++i) {
        for (int k = 0; k <= i; ++k) {
            Eigen::VectorXd one = Eigen::VectorXd::Zero(size);
            Eigen::VectorXd other = one;
            one(i) = step;
            other(k) = step;
            const double curvature = (cost(one + other) - cost(one - other) -
                                      cost(other - one) + cost(-one - other)) /
                                     (4.0 * step * step) * snapshots;
            // The fourth derivative leaves step^2 times a few tens.
            BOOST_TEST(std::abs(information(i, k) - curvature) <
                           2e-4 * std::sqrt(information(i, i) * information(k, k)),
                       i << ", " << k);
        }
    }
}

BOOST_DATA_TEST_CASE(a_prior_adds_its_information,
                     data::make({ strong_line(), strong_circle() }),
                     setting)
{
    const coupled_covariance model = setting.covariance_model();
    const Eigen::Index m = setting.truth.weights.size();
    weight_prior prior{ setting.truth.weights, 0.04 * Eigen::MatrixXd::Identity(m, m) };
    Eigen::MatrixXd added = model.information(setting.truth, 50, prior) -
                            model.information(setting.truth, 50);
    added.topLeftCorner(m, m).diagonal().array() -= 25.0;
    BOOST_TEST(added.norm() < 1e-9 * model.information(setting.truth, 50).norm());
}

BOOST_DATA_TEST_CASE(known_coupling_leaves_the_bound_of_the_calibrated_array,
                     data::make(settings()),
                     setting)
{
    const Eigen::Index m = setting.truth.weights.size();
    const Eigen::VectorXd snr_db = 10.0 * setting.truth.power.array().log10();
    // A prior so narrow that nothing is left to find out.
    const weight_prior known{ setting.truth.weights,
                              1e-12 * Eigen::MatrixXd::Identity(m, m) };
    const Eigen::VectorXd bound = coupled_cramer_rao_deviation(setting.array,
                                                               setting.model,
                                                               setting.truth.weights,
                                                               setting.truth.azimuth,
                                                               snr_db,
                                                               100,
                                                               known);
    const Eigen::VectorXd expected = cramer_rao_deviation(
        coupled(setting.array, setting.coupling()), setting.truth.azimuth, snr_db, 100);
    // cramer_rao_deviation() takes the sources' correlation for unknown, which costs a
    // little; here they are known to be uncorrelated.
    for (Eigen::Index k = 0; k < bound.size(); ++k) {
        BOOST_TEST(bound(k) <= expected(k) * (1.0 + 1e-6));
        BOOST_TEST(bound(k) > 0.7 * expected(k));
    }
    const Eigen::VectorXd unknown = coupled_cramer_rao_deviation(setting.array,
                                                                 setting.model,
                                                                 setting.truth.weights,
                                                                 setting.truth.azimuth,
                                                                 snr_db,
                                                                 100);
    BOOST_TEST((unknown.array() > bound.array()).all());
}

BOOST_AUTO_TEST_CASE(one_source_with_known_coupling_has_the_textbook_bound)
{
    // With one source nothing is known less in cramer_rao_deviation().
    coupled_setting setting =
        setting_of("one", line_of(8), { std::polar(0.3, 1.0) }, { 20.0 }, { 4.0 });
    const weight_prior known{ setting.truth.weights,
                              1e-12 * Eigen::MatrixXd::Identity(2, 2) };
    const Eigen::VectorXd snr_db = 10.0 * setting.truth.power.array().log10();
    const double bound = coupled_cramer_rao_deviation(setting.array,
                                                      setting.model,
                                                      setting.truth.weights,
                                                      setting.truth.azimuth,
                                                      snr_db,
                                                      100,
                                                      known)(0);
    const double expected = cramer_rao_deviation(
        coupled(setting.array, setting.coupling()), setting.truth.azimuth, snr_db, 100)(
        0);
    BOOST_TEST(std::abs(bound / expected - 1.0) < 1e-6); // the prior's width
}

BOOST_DATA_TEST_CASE(banded_toeplitz_can_be_told,
                     data::xrange(2, 6) * data::xrange(1, 8),
                     coefficients,
                     num_sources)
{
    std::mt19937_64 random(coefficients * 10 + num_sources);
    coupled_setting setting =
        random_setting(line_of(8), coefficients, num_sources, 9.0, random);
    const auto told = setting.covariance_model().identify(setting.truth);
    BOOST_TEST(told.parameters == 2 * (coefficients - 1) + 2 * num_sources + 1);
    BOOST_TEST(told.is_identifiable());
}

BOOST_DATA_TEST_CASE(circulant_can_be_told,
                     data::xrange(2, 4) * data::xrange(1, 4),
                     coefficients,
                     num_sources)
{
    std::mt19937_64 random(coefficients * 10 + num_sources);
    const coupled_setting setting =
        random_setting(circle_of_five(), coefficients, num_sources, 40.0, random);
    BOOST_TEST(setting.covariance_model().identify(setting.truth).is_identifiable());
}

BOOST_DATA_TEST_CASE(any_coupling_whatever_cannot_be_told,
                     data::make({ 4, 8 }) * data::make({ 1, 3 }),
                     num_elements,
                     num_sources)
{
    std::mt19937_64 random(1);
    coupled_setting setting =
        random_setting(line_of(num_elements), 2, num_sources, 10.0, random);
    const Eigen::MatrixXcd coupling = setting.coupling();
    setting.model =
        coupling_model::general(Eigen::MatrixXcd::Identity(num_elements, num_elements),
                                all_entries(num_elements));
    setting.truth.weights = setting.model.weights(coupling);
    const auto told = setting.covariance_model().identify(setting.truth);
    // More numbers than a covariance has: the rank is at most N^2.
    BOOST_TEST(told.rank <= num_elements * num_elements);
    BOOST_TEST(!told.is_identifiable());
}

BOOST_AUTO_TEST_CASE(gains_alone_leave_one_common_shift_free)
{
    coupled_setting setting = strong_line();
    std::vector<Eigen::MatrixXcd> basis;
    for (int l = 1; l < 8; ++l) {
        Eigen::MatrixXcd gain = Eigen::MatrixXcd::Zero(8, 8);
        gain(l, l) = 1.0;
        basis.push_back(gain);
        basis.push_back(complexd(0.0, 1.0) * gain);
    }
    setting.model =
        coupling_model::general(Eigen::MatrixXcd::Identity(8, 8), std::move(basis));
    setting.truth.weights = Eigen::VectorXd::LinSpaced(14, -0.2, 0.2);
    const auto told = setting.covariance_model().identify(setting.truth);
    BOOST_TEST(told.rank == told.parameters - 1);
    BOOST_TEST(coupled_cramer_rao_deviation(setting.array,
                                            setting.model,
                                            setting.truth.weights,
                                            setting.truth.azimuth,
                                            Eigen::VectorXd::Constant(1, 10.0),
                                            100)
                   .array()
                   .isNaN()
                   .all());
}

BOOST_AUTO_TEST_CASE(steps_are_additive_and_multiply_powers)
{
    const coupled_scene scene = strong_line().truth;
    const Eigen::VectorXd step = Eigen::VectorXd::LinSpaced(9, -0.4, 0.4);
    const coupled_scene there = coupled_covariance::moved(scene, step);
    BOOST_TEST((there.weights - scene.weights - step.head(4)).norm() < rounding);
    BOOST_TEST((there.azimuth - scene.azimuth - step.segment(4, 2)).norm() < rounding);
    BOOST_TEST(std::abs(there.power(1) / scene.power(1) - std::exp(step(7))) < rounding);
    BOOST_TEST(std::abs(there.noise_power - std::exp(0.4)) < rounding);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_named)
{
    const coupled_setting setting = strong_line();
    const coupled_covariance model = setting.covariance_model();
    BOOST_TEST(refuses([&] { coupled_covariance(line_of(7), setting.model); },
                       "the array has 7"));
    coupled_scene scene = setting.truth;
    scene.power.resize(1);
    BOOST_TEST(refuses([&] { model.covariance(scene); }, "a power for each azimuth"));
    BOOST_TEST(refuses(
        [&] { coupled_covariance::moved(setting.truth, Eigen::VectorXd::Zero(8)); },
        "9 parameters"));
    const auto bound = [&](int num_weights, int num_sources, int snr, int snapshots) {
        coupled_cramer_rao_deviation(setting.array,
                                     setting.model,
                                     Eigen::VectorXd::Zero(num_weights),
                                     Eigen::VectorXd::LinSpaced(num_sources, -0.5, 0.5),
                                     Eigen::VectorXd::Zero(snr),
                                     snapshots);
    };
    BOOST_TEST(refuses([&] { bound(3, 2, 1, 10); }, "needs 4"));
    BOOST_TEST(refuses([&] { bound(4, 8, 1, 10); }, "1 to 7"));
    BOOST_TEST(refuses([&] { bound(4, 3, 2, 10); }, "snr_db"));
    BOOST_TEST(refuses([&] { bound(4, 2, 2, 0); }, "snapshots is 0"));
    const weight_prior flat{ Eigen::VectorXd::Zero(4), Eigen::MatrixXd::Zero(4, 4) };
    BOOST_TEST(refuses([&] { model.information(setting.truth, 10, flat); },
                       "positive definite"));
    const weight_prior small{ Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Zero(2, 2) };
    BOOST_TEST(
        refuses([&] { model.information(setting.truth, 10, small); }, "4 weights"));
}
