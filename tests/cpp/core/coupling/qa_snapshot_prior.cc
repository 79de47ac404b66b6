/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE snapshot_prior
#include "random_scenes.h"
#include "refusals.h"
#include "uncalibrated_arrays.h"
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <gnuradio/bearing/core/coupling/frobenius_fit.h>
#include <gnuradio/bearing/core/coupling/snapshot_prior.h>
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace gr::bearing::core;

namespace {

weights_writer random_weights(int num_elements)
{
    std::mt19937_64 random(1);
    weights_writer writer;
    writer.describe("snapshot", "line", num_elements);
    writer.tensors.push_back({ "scale", { 1 }, { 0.7f } });
    writer.add_network(2 * num_elements, 8, 2, random);
    return writer;
}

std::shared_ptr<const snapshot_prior> load(const weights_writer& writer)
{
    const folder place;
    writer.save(place.file());
    return snapshot_prior::load(place.file());
}

Eigen::MatrixXcd random_snapshots(int n, int count, double power, int seed)
{
    Eigen::MatrixXcd x(n, count);
    x.real() = std::sqrt(power / 2.0) * standard_normal(n, count, 2 * seed);
    x.imag() = std::sqrt(power / 2.0) * standard_normal(n, count, 2 * seed + 1);
    return x;
}

} // namespace

BOOST_AUTO_TEST_CASE(damaged_weights_are_refused_by_name)
{
    const auto refused = [](const std::function<void(weights_writer&)>& spoil,
                            const std::vector<std::string>& parts) {
        weights_writer writer = random_weights(3);
        spoil(writer);
        return complains([&] { load(writer); }, parts);
    };
    const std::string file = "tested.json";
    BOOST_TEST(!refused([](weights_writer&) {}, {}));
    BOOST_TEST(refused([](auto& w) { w.metadata["kind"] = "coupling"; },
                       { file, "coupling", "snapshot" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].name = "s"; }, { file, "'scale'" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].values[0] = 0.0f; },
                       { file, "'scale'", "> 0" }));
    BOOST_TEST(refused([](auto& w) { w["layer2.bias"].name = "b"; },
                       { file, "'layer2.bias'", "missing" }));
}

// Without a network each value is a recursion of its own.
BOOST_AUTO_TEST_CASE(each_value_is_pulled_towards_its_sample)
{
    constexpr int n = 3;
    constexpr int count = 5;
    constexpr double noise = 0.6;
    weights_writer writer = random_weights(n);
    for (weights_writer::tensor& one : writer.tensors) {
        if (one.name != "scale") {
            one.values.assign(one.values.size(), 0.0f);
        }
    }
    const auto prior = load(writer);
    const Eigen::MatrixXcd x = random_snapshots(n, count, 3.0, 4);
    const double power = x.squaredNorm() / (n * count) - noise;
    const double unit = writer["scale"].values[0] * std::sqrt(power);
    // Half of the noise falls on either part.
    const double variance = 0.5 * noise / (unit * unit);
    const std::vector<int> times = prior->schedule().descent(25);
    const Eigen::MatrixXd start = standard_normal(2 * n, count, 9);
    const Eigen::MatrixXcd found = prior->diffuse(x, noise, 25, 9);
    for (int column = 0; column < count; ++column) {
        for (int row = 0; row < 2 * n; ++row) {
            const std::complex<double> sample = x(row % n, column);
            const double y = (row < n ? sample.real() : sample.imag()) / unit;
            double value = start(row, column);
            double x0 = 0.0;
            for (std::size_t k = 0; k < times.size(); ++k) {
                const double abar = prior->schedule().alpha_bar(times[k]);
                x0 = value / std::sqrt(abar);
                x0 += (1.0 - abar) / (1.0 - abar + variance) * (y - x0);
                if (k + 1 < times.size()) {
                    const double next = prior->schedule().alpha_bar(times[k + 1]);
                    const double e =
                        (value - std::sqrt(abar) * x0) / std::sqrt(1.0 - abar);
                    value = std::sqrt(next) * x0 + std::sqrt(1.0 - next) * e;
                }
            }
            const std::complex<double> clean = found(row % n, column);
            // Rounding, which the first steps' 1 / sqrt(abar) of 200 raises.
            BOOST_TEST(std::abs((row < n ? clean.real() : clean.imag()) - unit * x0) <
                       1e-10);
        }
    }
}

BOOST_AUTO_TEST_CASE(samples_without_noise_stay_what_they_are)
{
    const auto prior = load(random_weights(3));
    const Eigen::MatrixXcd x = random_snapshots(3, 6, 2.0, 5);
    // The last step, of r^2 = 5e-4, leaves 1e-12 / 5e-4 of the distance.
    BOOST_TEST((prior->diffuse(x, 1e-12) - x).norm() < 1e-6 * x.norm());
}

BOOST_AUTO_TEST_CASE(the_result_scales_with_the_data_and_belongs_to_its_seed)
{
    const auto prior = load(random_weights(3));
    const Eigen::MatrixXcd x = random_snapshots(3, 6, 2.0, 6);
    const Eigen::MatrixXcd found = prior->diffuse(x, 0.5);
    BOOST_TEST((prior->diffuse(x, 0.5) - found).norm() == 0.0);
    BOOST_TEST((prior->diffuse(x, 0.5, 25, 2) - found).norm() > 0.0);
    for (const double factor : { 1e-6, 1e6 }) {
        // Single precision inside.
        BOOST_TEST(
            (prior->diffuse(factor * x, factor * factor * 0.5) / factor - found).norm() <
            1e-4 * found.norm());
    }
    // No signal to be seen: still an answer.
    BOOST_TEST(prior->diffuse(x, 100.0).allFinite());
}

// A network of finite weights may still overflow.
BOOST_AUTO_TEST_CASE(a_network_that_overflows_leaves_the_samples)
{
    weights_writer writer = random_weights(4);
    writer.scale_network(1e30f);
    const auto prior = load(writer);
    BOOST_TEST_REQUIRE(
        !prior->network()(Eigen::VectorXd::Ones(8), prior->schedule().alpha_bar(0))
             .allFinite());
    const Eigen::MatrixXcd x = random_snapshots(4, 6, 2.0, 6);
    BOOST_TEST((prior->diffuse(x, 0.5) == x));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused)
{
    const auto prior = load(random_weights(3));
    const Eigen::MatrixXcd x = random_snapshots(3, 6, 2.0, 6);
    BOOST_TEST(refuses([&] { prior->diffuse(x.topRows(2), 1.0); }, "snapshots: 2 x 6"));
    BOOST_TEST(refuses([&] { prior->diffuse(x.leftCols(0), 1.0); }, "snapshots: 3 x 0"));
    for (const double noise : { 0.0, -1.0, std::nan(""), HUGE_VAL }) {
        BOOST_TEST(refuses([&] { prior->diffuse(x, noise); }, "noise_power: "));
    }
    BOOST_TEST(refuses([&] { prior->diffuse(x, 1.0, 1); }, "count: 1"));
}

// The pipeline as it was published, from end to end, on scenes that the training has not
// seen: what it costs against the same fit without diffusion is part of the documentation.
BOOST_AUTO_TEST_CASE(the_published_pipeline_runs_and_loses)
{
    std::mt19937_64 random(9);
    const antenna_array array = antenna_array::uniform_line(8, 0.5);
    const auto prior = snapshot_prior::load(find_weights(array, "snapshot"));
    for (const double snr_db : { 0.0, 10.0 }) {
        constexpr int snapshots = 100;
        coupled_score raw[2];
        coupled_score diffused[2];
        for (int trial = 0; trial < num_arrays(30, 400); ++trial) {
            const random_scene scene(snr_db, random);
            const Eigen::MatrixXcd x = scene.snapshots(snapshots, random);
            const Eigen::MatrixXcd r = covariance_of(x);
            const double noise = eigenvalues(r).tail(6).mean();
            const Eigen::MatrixXcd clean = covariance_of(prior->diffuse(x, noise));
            // As published the fit takes sources for ones of power 1.
            const double unit = (r.trace().real() / 8.0 - noise) / 2.0;
            const coupled_covariance model(scene.array, scene.model);
            for (int has_powers = 0; has_powers < 2; ++has_powers) {
                const auto add = [&](coupled_score& score,
                                     const Eigen::MatrixXcd& covariance) {
                    const coupled_scene found =
                        frobenius_fit(model, covariance, has_powers)
                            .minimise(start_from_music(model, covariance, 2, snapshots))
                            .scene;
                    BOOST_TEST_REQUIRE(found.azimuth.allFinite());
                    BOOST_TEST_REQUIRE(found.weights.allFinite());
                    score.add_coupling(scene.model.coupling(found.weights),
                                       scene.coupling);
                    score.add_directions(found.azimuth, scene.azimuth);
                };
                add(raw[has_powers], r / unit);
                add(diffused[has_powers], clean / unit);
            }
        }
        for (int has_powers = 0; has_powers < 2; ++has_powers) {
            BOOST_TEST_MESSAGE(
                snr_db << " dB, "
                       << (has_powers ? "with powers and noise" : "as published")
                       << ": without diffusion " << raw[has_powers].nmse_db()
                       << " dB, with " << diffused[has_powers].nmse_db()
                       << " dB, a loss of "
                       << diffused[has_powers].nmse_db() - raw[has_powers].nmse_db()
                       << " dB");
        }
        // With the fit that suits the data best nothing hides what diffusion loses.
        BOOST_TEST(diffused[1].nmse_db() > raw[1].nmse_db());
    }
}
