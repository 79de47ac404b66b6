/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE frobenius_fit
#include "coupled_arrays.h"
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/frobenius_fit.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// Central differences with steps of 1e-5 are good to about 1e-9 of the gradient.
constexpr double numerical = 1e-6;

const std::vector<coupled_setting> settings{
    strong_line(), strong_circle(), compared_line(), compared_circle()
};

coupled_scene elsewhere(const coupled_scene& scene)
{
    const Eigen::Index size = scene.weights.size() + 2 * scene.azimuth.size() + 1;
    return coupled_covariance::moved(scene, Eigen::VectorXd::LinSpaced(size, -0.1, 0.12));
}

// Sources of power 1 in noise of 0.1, as the form without powers expects.
coupled_setting in_noise_of_a_tenth(coupled_setting setting)
{
    setting.truth.noise_power = 0.1;
    return setting;
}
Eigen::MatrixXcd
draw(const coupled_setting& setting, int snapshots, std::mt19937_64& random)
{
    coupled_setting louder = setting;
    louder.truth.power /= setting.truth.noise_power;
    return louder.draw(snapshots, random) * setting.truth.noise_power;
}

coupled_score run(const coupled_setting& setting,
                  bool powers_and_noise,
                  frobenius_search search,
                  int num_trials)
{
    std::mt19937_64 random(20);
    const coupled_covariance model = setting.covariance_model();
    coupled_score score;
    for (int t = 0; t < num_trials; ++t) {
        const Eigen::MatrixXcd r = draw(setting, 100, random);
        const coupled_fit fit = frobenius_fit(model, r, powers_and_noise)
                                    .minimise(start_from_music(model, r, 2, 100), search);
        score.add_directions(fit.scene.azimuth, setting.truth.azimuth);
        score.add_coupling(setting.model.coupling(fit.scene.weights), setting.coupling());
    }
    return score;
}

} // namespace

BOOST_DATA_TEST_CASE(gradient_is_that_of_the_cost,
                     data::make(settings) * data::make({ true, false }),
                     setting,
                     powers_and_noise)
{
    std::mt19937_64 random(1);
    const coupled_setting loud = setting.at(3.0);
    const coupled_covariance model = loud.covariance_model();
    const frobenius_fit fit(model, loud.draw(50, random), powers_and_noise);
    const coupled_scene scene = elsewhere(loud.truth);
    const Eigen::VectorXd gradient = fit.gradient(scene);
    const Eigen::VectorXd expected =
        numerical_gradient([&](const coupled_scene& at) { return fit.cost(at); }, scene);
    BOOST_TEST((gradient - expected).norm() < numerical * expected.norm());
    if (!powers_and_noise) {
        BOOST_TEST(gradient.tail(3).isZero(0.0));
    }
}

BOOST_AUTO_TEST_CASE(gradient_has_the_published_form)
{
    // df/dw_j = 4 Re tr(E D_j A P G^H), df/dphi = 4 p Re(g^H E C a'), df/dq = 2 p g^H E g,
    // df/dv = 2 s2 tr E, written out.
    std::mt19937_64 random(2);
    const coupled_setting setting = strong_circle().at(3.0);
    const coupled_covariance model = setting.covariance_model();
    const Eigen::MatrixXcd r = setting.draw(50, random);
    const coupled_scene at = elsewhere(setting.truth);
    const Eigen::MatrixXcd e = model.covariance(at) - r;
    const Eigen::MatrixXcd a =
        setting.array.steering(at.azimuth, Eigen::VectorXd::Zero(2));
    const Eigen::MatrixXcd c = setting.model.coupling(at.weights);
    const Eigen::MatrixXcd g = c * a;
    Eigen::VectorXd expected(9);
    for (int j = 0; j < 4; ++j) {
        expected(j) =
            4.0 * (e * setting.model.basis()[j] * a * at.power.asDiagonal() * g.adjoint())
                      .trace()
                      .real();
    }
    for (int k = 0; k < 2; ++k) {
        const Eigen::VectorXcd slope = setting.array.azimuth_derivative(at.azimuth(k));
        expected(4 + k) = 4.0 * at.power(k) * g.col(k).dot(e * c * slope).real();
        expected(6 + k) = 2.0 * at.power(k) * g.col(k).dot(e * g.col(k)).real();
    }
    expected(8) = 2.0 * at.noise_power * e.trace().real();
    // Sums of some hundred products.
    BOOST_TEST((frobenius_fit(model, r).gradient(at) - expected).norm() <
               1e-11 * expected.norm());
}

BOOST_DATA_TEST_CASE(exact_covariances_give_the_truth,
                     data::make(settings) * data::make({ false, true }),
                     setting,
                     alternates)
{
    const coupled_setting loud = setting.at(10.0);
    const coupled_covariance model = loud.covariance_model();
    const frobenius_fit fit(model, model.covariance(loud.truth));
    const coupled_fit found =
        fit.minimise(elsewhere(loud.truth),
                     alternates ? frobenius_search::alternating
                                : frobenius_search::levenberg_marquardt,
                     alternates ? num_arrays(200, 2000) : 200);
    const double error = (found.scene.azimuth - loud.truth.azimuth).norm();
    // Descent by turns is still on its way; it has left a start of 0.05 rad behind.
    BOOST_TEST(error < (alternates ? 0.02 : 1e-6));
    BOOST_TEST(found.cost < (alternates ? 0.05 : 1e-9) * fit.cost(elsewhere(loud.truth)));
}

BOOST_DATA_TEST_CASE(without_powers_and_noise_it_fits_what_it_was_made_for,
                     data::make({ compared_line(), compared_circle() }),
                     setting)
{
    coupled_setting pure = setting;
    pure.truth.noise_power = 0.0;
    const coupled_covariance model = pure.covariance_model();
    const Eigen::MatrixXcd r = model.covariance(pure.truth);
    // Powers and noise of the start do not count.
    pure.truth.noise_power = 5.0;
    coupled_scene start = elsewhere(pure.truth);
    start.power.setConstant(7.0);
    const coupled_fit found = frobenius_fit(model, r, false).minimise(start);
    BOOST_TEST((found.scene.azimuth - pure.truth.azimuth).norm() < 1e-6);
    BOOST_TEST((found.scene.weights - pure.truth.weights).norm() < 1e-6);
    BOOST_TEST((found.scene.power.array() == 1.0).all());
}

// With n trials the root mean square has a relative deviation of about 1 / sqrt(4 n) (two
// sources): 5 % with 100, and half a dB in the coupling.
BOOST_AUTO_TEST_CASE(the_compared_line_has_the_published_errors)
{
    const coupled_setting setting = in_noise_of_a_tenth(compared_line());
    const int num_trials = num_arrays(100, 400);
    const coupled_score full =
        run(setting, true, frobenius_search::levenberg_marquardt, num_trials);
    const coupled_score printed =
        run(setting, false, frobenius_search::levenberg_marquardt, num_trials);
    BOOST_TEST_MESSAGE("powers and noise " << full.rmse_deg() << " degrees, "
                                           << full.nmse_db() << " dB; as printed "
                                           << printed.rmse_deg() << " degrees, "
                                           << printed.nmse_db() << " dB");
    // 0.366 degrees and -16.3 dB, within four deviations.
    BOOST_TEST(std::abs(full.rmse_deg() - 0.366) < 0.2 * 0.366);
    BOOST_TEST(std::abs(full.nmse_db() + 16.3) < 2.0);
    // 0.369 degrees and -18.9 dB.
    BOOST_TEST(std::abs(printed.rmse_deg() - 0.369) < 0.2 * 0.369);
    BOOST_TEST(std::abs(printed.nmse_db() + 18.9) < 2.0);
}

BOOST_AUTO_TEST_CASE(a_circle_s_errors_are_larger_than_the_bound)
{
    const coupled_setting setting = in_noise_of_a_tenth(compared_circle());
    const coupled_score score =
        run(setting, true, frobenius_search::levenberg_marquardt, num_arrays(100, 400));
    const double ratio = score.rmse_deg() / compared_circle().at(10.0).bound_deg(100);
    BOOST_TEST_MESSAGE(ratio << " times the bound, " << score.nmse_db() << " dB");
    // No unbiased fit is better; least squares is consistent, so it is not far worse.
    BOOST_TEST(ratio > 0.9);
    BOOST_TEST(ratio < 5.0);
}

BOOST_AUTO_TEST_CASE(descent_by_turns_ends_near_the_same_place)
{
    const coupled_setting setting = in_noise_of_a_tenth(compared_line());
    std::mt19937_64 random(30);
    const coupled_covariance model = setting.covariance_model();
    for (int t = 0; t < num_arrays(3, 20); ++t) {
        const Eigen::MatrixXcd r = draw(setting, 100, random);
        const coupled_scene start = start_from_music(model, r, 2, 100);
        const frobenius_fit fit(model, r);
        const coupled_fit together = fit.minimise(start);
        const coupled_fit by_turns = fit.minimise(start, frobenius_search::alternating);
        // It stops where a round gains 1e-4 of the cost, within a few percent of the end.
        BOOST_TEST(by_turns.cost < 1.05 * together.cost);
        BOOST_TEST(by_turns.cost >= together.cost * (1.0 - 1e-9));
        BOOST_TEST(by_turns.iterations > together.iterations);
    }
}

BOOST_AUTO_TEST_CASE(wrong_sizes_are_named)
{
    const coupled_covariance model = strong_line().covariance_model();
    BOOST_TEST(refuses([&] { frobenius_fit(model, Eigen::MatrixXcd::Identity(7, 8)); },
                       "7 x 8"));
}
