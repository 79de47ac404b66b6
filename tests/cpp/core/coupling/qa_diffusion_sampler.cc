/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE diffusion_sampler
#include "refusals.h"
#include "scenes.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace gr::bearing::core;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// Of x_0 ~ N(mean, covariance) the mean given x_t is known in closed form, and so is the
// noise.
noise_predictor gaussian_predictor(const Eigen::VectorXd& mean,
                                   const Eigen::MatrixXd& covariance)
{
    return [mean, covariance](const Eigen::MatrixXd& x, double alpha_bar) {
        const Eigen::Index n = mean.size();
        const Eigen::MatrixXd total =
            alpha_bar * covariance + (1.0 - alpha_bar) * Eigen::MatrixXd::Identity(n, n);
        const Eigen::MatrixXd shifted = x.colwise() - std::sqrt(alpha_bar) * mean;
        return Eigen::MatrixXd(std::sqrt(1.0 - alpha_bar) * total.ldlt().solve(shifted));
    };
}

noise_predictor white_predictor(Eigen::Index n)
{
    return gaussian_predictor(Eigen::VectorXd::Zero(n), Eigen::MatrixXd::Identity(n, n));
}

struct moments {
    explicit moments(const Eigen::MatrixXd& samples) : mean(samples.rowwise().mean())
    {
        const Eigen::MatrixXd centred = samples.colwise() - mean;
        covariance = centred * centred.transpose() / static_cast<double>(samples.cols());
    }
    Eigen::VectorXd mean;
    Eigen::MatrixXd covariance;
};

// Two dimensions with unequal deviations of .5 and 1.5, correlated.
struct example_prior {
    Eigen::VectorXd mean = Eigen::Vector2d(0.7, -0.4);
    Eigen::MatrixXd covariance = correlated();
    noise_predictor predictor = gaussian_predictor(mean, covariance);

    static Eigen::MatrixXd correlated()
    {
        Eigen::MatrixXd matrix(2, 2);
        matrix << 0.25, 0.45, 0.45, 2.25;
        return matrix;
    }
};

// Where the exact flow of the diffusion takes x_T: a Gaussian stays one, and each of its
// principal coordinates keeps its distance from the mean in deviations.
Eigen::MatrixXd flow_end(const example_prior& prior,
                         const noise_schedule& schedule,
                         const Eigen::MatrixXd& start)
{
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> parts(prior.covariance);
    const double first = schedule.alpha_bar(schedule.steps() - 1);
    const double last = schedule.alpha_bar(0);
    const Eigen::ArrayXd v = parts.eigenvalues();
    const Eigen::ArrayXd scale =
        (v * last + 1.0 - last).sqrt() / (v * first + 1.0 - first).sqrt();
    const Eigen::MatrixXd principal = parts.eigenvectors().transpose() *
                                      (start.colwise() - std::sqrt(first) * prior.mean);
    // The last step's estimate, the mean of x_0 given x at t = 0.
    const Eigen::ArrayXd end = scale * v * std::sqrt(last) / (v * last + 1.0 - last);
    return (parts.eigenvectors() * (end.matrix().asDiagonal() * principal)).colwise() +
           prior.mean;
}

// The scene of the comparison table: a line of eight, unit powers.
Eigen::MatrixXcd coupled_steering()
{
    const antenna_array array = antenna_array::uniform_line(8, 0.5);
    const Eigen::MatrixXcd a =
        array.steering(degrees({ -10.37, 15.61 }), Eigen::VectorXd::Zero(2));
    Eigen::VectorXd weights(4);
    weights << 0.3 * std::cos(M_PI / 3), 0.3 * std::sin(M_PI / 3),
        0.1 * std::cos(M_PI / 10), 0.1 * std::sin(M_PI / 10);
    return coupling_model::toeplitz(8, 3).coupling(weights) * a;
}

Eigen::MatrixXd stacked(const Eigen::MatrixXcd& z)
{
    Eigen::MatrixXd result(2 * z.rows(), z.cols());
    result << z.real(), z.imag();
    return result;
}

// Fifty noise-free snapshots of it and the same at 0 dB.
struct wiener_scene {
    Eigen::MatrixXd covariance; //!< of [Re; Im], real
    Eigen::MatrixXd clean;
    Eigen::MatrixXd noisy;
    double variance = 0.5; //!< of the noise per real dimension

    explicit wiener_scene(std::uint64_t seed)
    {
        constexpr int snapshots = 50;
        const Eigen::MatrixXcd g = coupled_steering();
        const Eigen::MatrixXcd r = g * g.adjoint();
        covariance.resize(16, 16);
        covariance << r.real(), -r.imag(), r.imag(), r.real();
        covariance *= 0.5;
        const Eigen::MatrixXd signal = standard_normal(4, snapshots, 2 * seed);
        Eigen::MatrixXcd s(2, snapshots);
        s.real() = M_SQRT1_2 * signal.topRows(2);
        s.imag() = M_SQRT1_2 * signal.bottomRows(2);
        clean = stacked(g * s);
        noisy =
            clean + std::sqrt(variance) * standard_normal(16, snapshots, 2 * seed + 1);
    }
    // sqrt(E||x^ - x_0||^2 / E||y - x_0||^2) of the best linear estimate.
    double expected_ratio() const
    {
        const Eigen::VectorXd l =
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(covariance).eigenvalues();
        const double left = (l.array() * variance / (l.array() + variance)).sum();
        return std::sqrt(left / (16 * variance));
    }
    noise_predictor predictor() const
    {
        return gaussian_predictor(Eigen::VectorXd::Zero(16), covariance);
    }
};

// Error ratios pooled over that many scenes. One scene of 50 snapshots has 200 dimensions
// of signal, which scatters the ratio by 5 %; 40 scenes by 0.8 %, .004 of .485.
constexpr int num_scenes = 40;
template <class Estimator>
double pooled_ratio(Estimator estimate)
{
    double left = 0.0;
    double before = 0.0;
    for (int k = 0; k < num_scenes; ++k) {
        const wiener_scene scene(k + 1);
        left += (estimate(scene) - scene.clean).squaredNorm();
        before += (scene.noisy - scene.clean).squaredNorm();
    }
    return std::sqrt(left / before);
}

} // namespace

BOOST_AUTO_TEST_CASE(the_gain_weighs_measurement_and_diffusion)
{
    BOOST_TEST(guidance_gain(0.5, 0.5) == 0.5);
    BOOST_TEST(std::abs(guidance_gain(0.9, 0.3) - 0.25) < 1e-15);
    BOOST_TEST(guidance_gain(0.9, 0.0) == 1.0);
    BOOST_TEST(guidance_gain(1.0, 0.0) == 1.0);
    BOOST_TEST(guidance_gain(0.9, infinite) == 0.0);
    BOOST_TEST(refuses([] { guidance_gain(0.9, -1.0); }, "variance: -1"));
    BOOST_TEST(refuses([] { guidance_gain(0.9, std::nan("")); }, "variance: nan"));
}

BOOST_AUTO_TEST_CASE(normal_numbers_are_those_of_their_seed)
{
    const Eigen::MatrixXd values = standard_normal(3, 5, 11);
    BOOST_TEST((values.array() == standard_normal(3, 5, 11).array()).all());
    BOOST_TEST((values.array() != standard_normal(3, 5, 12).array()).all());
    // An odd number of them.
    BOOST_TEST((values.reshaped().head(1).array() ==
                standard_normal(1, 1, 11).reshaped().array())
                   .all());
}

BOOST_AUTO_TEST_CASE(normal_numbers_are_normal_and_independent)
{
    constexpr int count = 200000;
    Eigen::VectorXd values = standard_normal(count, 1, 3).col(0);
    const Eigen::VectorXd other = standard_normal(count, 1, 4).col(0);
    // Five deviations of each estimate: a chance of 1e-6.
    const double bar = 5.0 / std::sqrt(count);
    BOOST_TEST(std::abs(values.mean()) < bar);
    BOOST_TEST(std::abs(values.squaredNorm() / count - 1.0) < std::sqrt(2.0) * bar);
    BOOST_TEST(std::abs(values.dot(other) / count) < bar);
    BOOST_TEST(std::abs(values.head(count - 1).dot(values.tail(count - 1)) / count) <
               bar);
    std::sort(values.begin(), values.end());
    double distance = 0.0;
    for (int k = 0; k < count; ++k) {
        const double expected = 0.5 * std::erfc(-values(k) * M_SQRT1_2);
        distance = std::max({ distance,
                              std::abs(expected - double(k) / count),
                              std::abs(expected - double(k + 1) / count) });
    }
    // Kolmogorov and Smirnov: 2.6 is passed with a chance of 3e-6.
    BOOST_TEST(distance < 2.6 / std::sqrt(count));
}

// The exact flow is approached in proportion to the step.
BOOST_AUTO_TEST_CASE(ddim_follows_the_exact_flow)
{
    const noise_schedule schedule(3200, 5e-4 / 16.0, 0.1 / 16.0);
    const example_prior prior;
    const Eigen::MatrixXd start = standard_normal(2, 30, 5);
    const Eigen::MatrixXd expected = flow_end(prior, schedule, start);
    double before = 0.0;
    for (const int count : { 200, 400, 800, 1600 }) {
        const Eigen::MatrixXd found =
            ddim_sample(schedule, prior.predictor, nullptr, start, count);
        const double error = (found - expected).norm() / expected.norm();
        if (before > 0.0) {
            // First order, with what is left of the second.
            BOOST_TEST(error / before > 0.4);
            BOOST_TEST(error / before < 0.6);
        }
        before = error;
    }
    BOOST_TEST(before < 0.01);
}

BOOST_AUTO_TEST_CASE(both_samplers_draw_from_the_prior)
{
    const noise_schedule schedule;
    const example_prior prior;
    constexpr int count = 20000;
    const Eigen::MatrixXd start = standard_normal(2, count, 6);
    const moments flow(
        ddim_sample(schedule, prior.predictor, nullptr, start, schedule.steps()));
    // The same seed for start and noise must not couple the two.
    const moments walk(
        euler_maruyama_sample(schedule, prior.predictor, {}, infinite, start, 6));
    for (const moments& found : { flow, walk }) {
        for (int i = 0; i < 2; ++i) {
            const double deviation = std::sqrt(prior.covariance(i, i));
            // Five deviations of a mean of 20000: .035. Steps of beta up to .1 leave 3 %.
            BOOST_TEST(std::abs(found.mean(i) - prior.mean(i)) < 0.065 * deviation);
            for (int k = 0; k < 2; ++k) {
                // Five deviations of a variance: .05, and twice the 3 %.
                const double unit = deviation * std::sqrt(prior.covariance(k, k));
                BOOST_TEST(std::abs(found.covariance(i, k) - prior.covariance(i, k)) <
                           0.11 * unit);
            }
        }
    }
}

// Two steps of beta = 1/2 of a predictor that finds no noise, so that the start is not
// forgotten: x -> 1.25 (1.25 x + sqrt(1/2) e).
BOOST_AUTO_TEST_CASE(the_noise_of_a_walk_is_not_its_start_of_the_same_seed)
{
    const noise_schedule schedule(2, 0.5, 0.5);
    const noise_predictor silent = [](const Eigen::MatrixXd& x, double) {
        return Eigen::MatrixXd(Eigen::MatrixXd::Zero(x.rows(), x.cols()));
    };
    constexpr int count = 20000;
    const Eigen::MatrixXd start = standard_normal(1, count, 6);
    const Eigen::MatrixXd found =
        euler_maruyama_sample(schedule, silent, {}, infinite, start, 6);
    const double expected = 1.25 * 1.25 * (1.25 * 1.25 + 0.5);
    // Five deviations of a variance.
    BOOST_TEST(std::abs(found.squaredNorm() / count - expected) < 0.05 * expected);
}

// With a white prior the guidance is the exact score of the measurement, so both ways lead
// to the exact posterior, N(y / (1 + v), v / (1 + v)).
BOOST_AUTO_TEST_CASE(both_samplers_draw_from_the_posterior)
{
    const noise_schedule schedule;
    const noise_predictor predictor = white_predictor(2);
    constexpr int count = 20000;
    const Eigen::MatrixXd start = standard_normal(2, count, 7);
    const Eigen::MatrixXd measurement = Eigen::Vector2d(1.3, -0.8).replicate(1, count);
    for (const double variance : { 0.1, 0.5, 4.0 }) {
        const guidance guide = [&](const Eigen::MatrixXd& x, double alpha_bar) {
            return Eigen::MatrixXd(x + guidance_gain(alpha_bar, variance) *
                                           (measurement - x));
        };
        const moments flow(
            ddim_sample(schedule, predictor, guide, start, schedule.steps()));
        const moments walk(
            euler_maruyama_sample(schedule, predictor, measurement, variance, start, 8));
        const Eigen::VectorXd mean = measurement.col(0) / (1.0 + variance);
        const double expected = variance / (1.0 + variance);
        for (const moments& found : { flow, walk }) {
            // As without a measurement, in deviations of the posterior; the guidance
            // doubles the largest relative step.
            BOOST_TEST((found.mean - mean).cwiseAbs().maxCoeff() <
                       0.1 * std::sqrt(expected));
            BOOST_TEST((found.covariance.diagonal().array() - expected).abs().maxCoeff() <
                       0.17 * expected);
            BOOST_TEST(std::abs(found.covariance(0, 1)) < 0.05 * expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_exact_measurement_is_what_comes_out)
{
    const noise_schedule schedule;
    const Eigen::MatrixXd measurement = standard_normal(4, 3, 9);
    const guidance guide = [&](const Eigen::MatrixXd& x, double alpha_bar) {
        return Eigen::MatrixXd(x + guidance_gain(alpha_bar, 0.0) * (measurement - x));
    };
    const Eigen::MatrixXd found =
        ddim_sample(schedule, white_predictor(4), guide, standard_normal(4, 3, 10), 20);
    // Rounding.
    BOOST_TEST((found - measurement).norm() < 1e-13);
}

BOOST_AUTO_TEST_CASE(the_last_guided_estimate_is_the_result)
{
    const noise_schedule schedule;
    Eigen::MatrixXd last;
    std::vector<double> times;
    const guidance guide = [&](const Eigen::MatrixXd& x, double alpha_bar) {
        times.push_back(alpha_bar);
        last = x.array() + 1.0;
        return last;
    };
    const Eigen::MatrixXd found =
        ddim_sample(schedule, white_predictor(2), guide, standard_normal(2, 2, 1), 7);
    BOOST_TEST((found.array() == last.array()).all());
    BOOST_TEST(times.size() == 7u);
    BOOST_TEST(std::is_sorted(times.begin(), times.end()));
    BOOST_TEST(times.back() == schedule.alpha_bar(0));
}

BOOST_AUTO_TEST_CASE(columns_are_samples_of_their_own)
{
    const noise_schedule schedule;
    const example_prior prior;
    const Eigen::MatrixXd start = standard_normal(2, 6, 2);
    const Eigen::MatrixXd all =
        ddim_sample(schedule, prior.predictor, nullptr, start, 20);
    for (int k = 0; k < 6; ++k) {
        const Eigen::MatrixXd one =
            ddim_sample(schedule, prior.predictor, nullptr, start.col(k), 20);
        // Rounding: a product takes another path for one column.
        BOOST_TEST((one - all.col(k)).norm() < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(one_call_gives_the_posterior_mean)
{
    const noise_schedule schedule;
    const example_prior prior;
    const Eigen::MatrixXd measurement = standard_normal(2, 8, 3);
    for (const double variance : { 1e-3, 0.5, 30.0 }) {
        const Eigen::MatrixXd total =
            prior.covariance + variance * Eigen::MatrixXd::Identity(2, 2);
        const Eigen::MatrixXd expected =
            (prior.covariance * total.ldlt().solve(measurement.colwise() - prior.mean))
                .colwise() +
            prior.mean;
        const Eigen::MatrixXd found =
            posterior_mean(schedule, prior.predictor, measurement, variance);
        // Rounding, divided by sqrt(abar).
        BOOST_TEST((found - expected).norm() < 1e-12);
    }
    // Beyond the schedule's ends the nearest one serves.
    for (const double variance : { 0.0, 1e9, infinite }) {
        BOOST_TEST(
            posterior_mean(schedule, prior.predictor, measurement, variance).allFinite());
    }
}

BOOST_AUTO_TEST_CASE(one_call_reaches_the_wiener_error)
{
    const noise_schedule schedule;
    const double expected = wiener_scene(1).expected_ratio();
    BOOST_TEST_MESSAGE("Wiener error ratio in closed form " << expected);
    // Four dimensions of signal among sixteen would leave a half.
    BOOST_TEST(expected > 0.47);
    BOOST_TEST(expected < 0.50);
    const double found = pooled_ratio([&](const wiener_scene& scene) {
        return posterior_mean(schedule, scene.predictor(), scene.noisy, scene.variance);
    });
    BOOST_TEST_MESSAGE("of one call " << found);
    // Five deviations of the pooled ratio.
    BOOST_TEST(std::abs(found - expected) < 0.02);
}

// Guidance by half at every step keeps half of the measurement's noise where the prior
// would have taken all: worse than one call, yet well below the measurement.
BOOST_AUTO_TEST_CASE(ddim_with_constant_guidance_lies_between)
{
    const noise_schedule schedule;
    const double found = pooled_ratio([&](const wiener_scene& scene) {
        const guidance guide = [&](const Eigen::MatrixXd& x, double) {
            return Eigen::MatrixXd(x + 0.5 * (scene.noisy - x));
        };
        return ddim_sample(schedule,
                           scene.predictor(),
                           guide,
                           standard_normal(16, scene.noisy.cols(), 99),
                           25);
    });
    BOOST_TEST_MESSAGE("error ratio of DDIM with gain 1/2 " << found);
    BOOST_TEST(found > 0.62);
    BOOST_TEST(found < 0.73);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused)
{
    const noise_schedule schedule;
    const noise_predictor predictor = white_predictor(2);
    const Eigen::MatrixXd start = standard_normal(2, 3, 1);
    BOOST_TEST(refuses([&] { ddim_sample(schedule, predictor, nullptr, start, 1); },
                       "count: 1"));
    BOOST_TEST(refuses([&] { ddim_sample(schedule, predictor, nullptr, start, 201); },
                       "count: 201"));
    BOOST_TEST(refuses(
        [&] { euler_maruyama_sample(schedule, predictor, start.col(0), 1.0, start, 1); },
        "measurement"));
    BOOST_TEST(refuses(
        [&] { euler_maruyama_sample(schedule, predictor, start, -1.0, start, 1); },
        "variance: -1"));
    BOOST_TEST(refuses([&] { posterior_mean(schedule, predictor, start, -1.0); },
                       "variance: -1"));
}
