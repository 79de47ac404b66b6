/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE likelihood_fit
#include "coupled_arrays.h"
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// Central differences with steps of 1e-5 are good to about 1e-9 of the gradient.
constexpr double numerical = 1e-6;
// Steps end where the cost would fall by 1e-8: a ten-thousandth of a deviation.
constexpr double end_of_steps = 1e-4;

const std::vector<coupled_setting> settings{
    strong_line(), strong_circle(), compared_line(), compared_circle()
};

// Away from the truth, so that no part of the gradient is small.
coupled_scene elsewhere(const coupled_scene& scene)
{
    const Eigen::Index size = scene.weights.size() + 2 * scene.azimuth.size() + 1;
    return coupled_covariance::moved(scene, Eigen::VectorXd::LinSpaced(size, -0.1, 0.12));
}

// Square root of the mean square over the trials of a fit from MUSIC, and others'.
struct trials {
    coupled_score fit;
    coupled_score uncorrected;
    int converged = 0;
};
trials
run(const coupled_setting& setting, int snapshots, int num_trials, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    const coupled_covariance model = setting.covariance_model();
    trials result;
    for (int t = 0; t < num_trials; ++t) {
        const Eigen::MatrixXcd r = setting.draw(snapshots, random);
        const coupled_scene start = start_from_music(
            model, r, static_cast<int>(setting.truth.azimuth.size()), snapshots);
        const coupled_fit fit = likelihood_fit(model, r, snapshots).minimise(start);
        result.fit.add_directions(fit.scene.azimuth, setting.truth.azimuth);
        result.fit.add_coupling(setting.model.coupling(fit.scene.weights),
                                setting.coupling());
        result.uncorrected.add_directions(start.azimuth, setting.truth.azimuth);
        result.converged += fit.converged;
    }
    return result;
}

} // namespace

BOOST_DATA_TEST_CASE(gradient_is_that_of_the_cost,
                     data::make(settings) * data::make({ false, true }),
                     setting,
                     with_prior)
{
    std::mt19937_64 random(1);
    const coupled_setting loud = setting.at(10.0);
    const coupled_covariance model = loud.covariance_model();
    const likelihood_fit fit(model, loud.draw(50, random), 50);
    std::optional<weight_prior> prior;
    if (with_prior) {
        const Eigen::Index m = loud.truth.weights.size();
        const Eigen::MatrixXd root = Eigen::MatrixXd::Random(m, m);
        prior = weight_prior{ Eigen::VectorXd::Random(m),
                              0.01 * (root * root.transpose() +
                                      Eigen::MatrixXd::Identity(m, m)) };
    }
    const coupled_scene scene = elsewhere(loud.truth);
    const Eigen::VectorXd gradient = fit.gradient(scene, prior);
    const Eigen::VectorXd expected = numerical_gradient(
        [&](const coupled_scene& at) { return fit.cost(at, prior); }, scene);
    BOOST_TEST((gradient - expected).norm() < numerical * expected.norm());
}

BOOST_DATA_TEST_CASE(cost_is_the_gaussian_likelihood, data::make(settings), setting)
{
    // From eigenvalues, and the snapshots themselves.
    std::mt19937_64 random(2);
    const coupled_setting loud = setting.at(5.0);
    const coupled_covariance model = loud.covariance_model();
    const Eigen::MatrixXcd x = coupled_snapshots(coupled(loud.array, loud.coupling()),
                                                 loud.truth.azimuth,
                                                 loud.truth.power,
                                                 30,
                                                 random);
    const coupled_scene scene = elsewhere(loud.truth);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> eigen(model.covariance(scene));
    const Eigen::ArrayXd powers =
        (eigen.eigenvectors().adjoint() * x).rowwise().squaredNorm();
    const double expected = 30.0 * eigen.eigenvalues().array().log().sum() +
                            (powers / eigen.eigenvalues().array()).sum();
    // Rounding of sums of some hundred terms.
    BOOST_TEST(likelihood_fit(model, covariance_of(x), 30).cost(scene) == expected,
               boost::test_tools::tolerance(1e-11));
}

BOOST_DATA_TEST_CASE(exact_covariances_give_the_truth, data::make(settings), setting)
{
    const coupled_setting loud = setting.at(10.0);
    const coupled_covariance model = loud.covariance_model();
    constexpr int snapshots = 1000;
    const likelihood_fit fit(model, model.covariance(loud.truth), snapshots);
    const coupled_fit found = fit.minimise(elsewhere(loud.truth));
    BOOST_TEST(found.converged);
    const Eigen::MatrixXd information = model.information(loud.truth, snapshots);
    const Eigen::Index m = loud.truth.weights.size();
    const Eigen::VectorXd deviation =
        information.inverse().diagonal().cwiseSqrt().segment(m, 2);
    BOOST_TEST(((sorted(found.scene.azimuth) - sorted(loud.truth.azimuth)).array().abs() <
                end_of_steps * deviation.array())
                   .all());
    BOOST_TEST((found.scene.weights - loud.truth.weights).norm() < 1e-5);
    // Against no structure at all there is nothing to gain.
    BOOST_TEST(std::abs(fit.likelihood_ratio(found.scene)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(noise_free_data_ends_somewhere_finite)
{
    coupled_setting setting = strong_line();
    const coupled_covariance model = setting.covariance_model();
    setting.truth.noise_power = 0.0;
    const likelihood_fit fit(model, model.covariance(setting.truth), 100);
    setting.truth.noise_power = 1e-3;
    const coupled_fit found = fit.minimise(elsewhere(setting.truth));
    BOOST_TEST(std::isfinite(found.cost));
    // Noise stays above 1e-12 of the power, and errors are of the order of its root.
    BOOST_TEST((found.scene.azimuth - setting.truth.azimuth).norm() < 1e-5);
    BOOST_TEST(std::isnan(fit.likelihood_ratio(found.scene)));
}

BOOST_AUTO_TEST_CASE(held_weights_stay)
{
    std::mt19937_64 random(3);
    const coupled_setting setting = strong_line().at(10.0);
    const coupled_covariance model = setting.covariance_model();
    const likelihood_fit fit(model, setting.draw(100, random), 100);
    coupled_scene start = elsewhere(setting.truth);
    const coupled_fit found = fit.minimise(start, std::nullopt, true);
    BOOST_TEST((found.scene.weights == start.weights));
    BOOST_TEST(found.converged);
    // Everything else is at its optimum.
    const Eigen::VectorXd slope = fit.gradient(found.scene).tail(5);
    BOOST_TEST(
        slope.dot(model.information(found.scene, 100).bottomRightCorner(5, 5).inverse() *
                  slope) < 1e-6);
}

BOOST_DATA_TEST_CASE(a_narrow_prior_decides,
                     data::make({ strong_line(), strong_circle() }),
                     setting)
{
    std::mt19937_64 random(4);
    const coupled_setting loud = setting.at(10.0);
    const coupled_covariance model = loud.covariance_model();
    const Eigen::MatrixXcd r = loud.draw(100, random);
    const likelihood_fit fit(model, r, 100);
    const Eigen::VectorXd expected = Eigen::VectorXd::Constant(4, 0.05);
    const auto distance = [&](double deviation) {
        const weight_prior prior{
            expected, deviation * deviation * Eigen::MatrixXd::Identity(4, 4)
        };
        const coupled_scene start = start_from_music(model, r, 2, 100);
        return (fit.minimise(start, prior).scene.weights - expected).norm();
    };
    const double free = (loud.truth.weights - expected).norm();
    // Data of some thousands of nats over 1e-8 of a prior; and a prior of no weight.
    BOOST_TEST(distance(1e-4) < 0.01 * free);
    BOOST_TEST(distance(100.0) > 0.7 * free);
}

BOOST_AUTO_TEST_CASE(iterations_are_limited)
{
    std::mt19937_64 random(5);
    const coupled_setting setting = strong_line().at(10.0);
    const coupled_covariance model = setting.covariance_model();
    const likelihood_fit fit(model, setting.draw(100, random), 100);
    const coupled_scene start = elsewhere(setting.truth);
    const coupled_fit two = fit.minimise(start, std::nullopt, false, 2);
    BOOST_TEST(two.iterations == 2);
    BOOST_TEST(!two.converged);
    BOOST_TEST(two.cost < fit.cost(start));
    // No direction moves by more than 0.15 in a step, no other parameter by more than 1.
    BOOST_TEST((two.scene.azimuth - start.azimuth).cwiseAbs().maxCoeff() <= 0.3 + 1e-12);
    BOOST_TEST(fit.minimise(start, std::nullopt, false, 0).iterations == 0);
}

// The statistical bars: of n trials with two sources each the root mean square has a
// relative deviation of about 1 / sqrt(4 n).
BOOST_DATA_TEST_CASE(errors_are_those_of_the_bound,
                     data::make({ strong_line(), strong_circle() }) *
                         data::make({ 100, 500 }),
                     setting,
                     snapshots)
{
    const coupled_setting loud = setting.at(10.0);
    // 5 % with 100 trials: the bar is four deviations away.
    const trials result = run(loud, snapshots, num_arrays(100, 400), 10);
    const double ratio = result.fit.rmse_deg() / loud.bound_deg(snapshots);
    BOOST_TEST_MESSAGE("RMSE over bound " << ratio);
    BOOST_TEST(ratio > 0.8);
    BOOST_TEST(ratio < 1.3);
    BOOST_TEST(result.uncorrected.rmse_deg() > 2.0 * result.fit.rmse_deg());
}

BOOST_AUTO_TEST_CASE(the_compared_line_has_the_published_errors)
{
    // 0.106 degrees and -27.4 dB, bound 0.108: four deviations of 5 % and of 0.6 dB.
    const coupled_setting loud = compared_line().at(10.0);
    const trials result = run(loud, 100, num_arrays(100, 400), 11);
    BOOST_TEST_MESSAGE(result.fit.rmse_deg()
                       << " degrees, " << result.fit.nmse_db() << " dB");
    BOOST_TEST(std::abs(loud.bound_deg(100) - 0.108) < 0.0006);
    BOOST_TEST(result.fit.rmse_deg() < 0.13);
    BOOST_TEST(result.fit.nmse_db() < -25.0);
    BOOST_TEST(result.uncorrected.rmse_deg() > 5.0 * result.fit.rmse_deg());
}

BOOST_AUTO_TEST_CASE(the_compared_circle_has_the_errors_of_its_bound)
{
    const coupled_setting loud = compared_circle().at(10.0);
    const trials result = run(loud, 100, num_arrays(100, 400), 12);
    const double ratio = result.fit.rmse_deg() / loud.bound_deg(100);
    BOOST_TEST_MESSAGE(ratio << " of the bound, " << result.fit.nmse_db() << " dB, MUSIC "
                             << result.uncorrected.rmse_deg() / result.fit.rmse_deg()
                             << " times as far off");
    BOOST_TEST(ratio > 0.8);
    BOOST_TEST(ratio < 1.3);
    BOOST_TEST(result.uncorrected.rmse_deg() > 1.4 * result.fit.rmse_deg());
}

BOOST_DATA_TEST_CASE(likelihood_ratio_needs_as_many_snapshots_as_elements,
                     data::make({ strong_line(), strong_circle() }),
                     setting)
{
    std::mt19937_64 random(6);
    const coupled_covariance model = setting.covariance_model();
    const int n = setting.array.num_elements();
    BOOST_TEST(std::isnan(likelihood_fit(model, setting.draw(n - 1, random), n - 1)
                              .likelihood_ratio(setting.truth)));
    BOOST_TEST(likelihood_fit(model, setting.draw(n, random), n)
                   .likelihood_ratio(setting.truth) > 0.0);
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_named)
{
    const coupled_covariance model = strong_line().covariance_model();
    BOOST_TEST(refuses(
        [&] { likelihood_fit(model, Eigen::MatrixXcd::Identity(7, 7), 10); }, "7 x 7"));
    BOOST_TEST(
        refuses([&] { likelihood_fit(model, Eigen::MatrixXcd::Identity(8, 8), 0); },
                "snapshots is 0"));
}
