/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE covariance_prior
#include "random_scenes.h"
#include "refusals.h"
#include "uncalibrated_arrays.h"
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/covariance_prior.h>
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <gnuradio/bearing/core/coupling/frobenius_fit.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

using namespace gr::bearing::core;

namespace {

weights_writer random_weights(int num_elements)
{
    std::mt19937_64 random(1);
    weights_writer writer;
    writer.describe("covariance", "line", num_elements);
    const int dimension = num_elements * num_elements;
    writer.add_random("mean", { dimension }, random, 0.3f);
    writer.tensors.push_back({ "scale", { 1 }, { 0.4f } });
    writer.add_network(dimension, 8, 2, random);
    return writer;
}

// The network finds no noise at all: what is left of the sampler is its guidance.
weights_writer silent_weights(int num_elements)
{
    weights_writer writer = random_weights(num_elements);
    writer.scale_network(0.0f);
    return writer;
}

std::shared_ptr<const covariance_prior> load(const weights_writer& writer)
{
    const folder place;
    writer.save(place.file());
    return covariance_prior::load(place.file());
}

Eigen::MatrixXcd random_hermitian(int n, std::mt19937_64& random)
{
    std::normal_distribution<double> normal;
    Eigen::MatrixXcd z(n, 3 * n);
    for (std::complex<double>& value : z.reshaped()) {
        const double real = normal(random);
        value = { real, normal(random) };
    }
    return z * z.adjoint() / (3.0 * n);
}

double relative_error(const Eigen::MatrixXcd& found, const Eigen::MatrixXcd& expected)
{
    return (found - expected).norm() / expected.norm();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_hermitian_matrix_and_its_vector_have_one_length)
{
    std::mt19937_64 random(2);
    for (const int n : { 1, 2, 5, 8 }) {
        const Eigen::MatrixXcd one = random_hermitian(n, random);
        const Eigen::MatrixXcd other = random_hermitian(n, random);
        const Eigen::VectorXd a = hermitian_to_vector(one);
        const Eigen::VectorXd b = hermitian_to_vector(other);
        BOOST_TEST(a.size() == n * n);
        // Rounding.
        BOOST_TEST(std::abs(a.dot(b) - (one.adjoint() * other).trace().real()) < 1e-12);
        BOOST_TEST((vector_to_hermitian(a) - one).norm() < 1e-14);
        BOOST_TEST((hermitian_to_vector(vector_to_hermitian(a)) - a).norm() < 1e-14);
    }
    BOOST_TEST(refuses([] { vector_to_hermitian(Eigen::VectorXd::Zero(8)); },
                       "vector: 8 values"));
}

BOOST_AUTO_TEST_CASE(the_vector_lists_diagonal_real_and_imaginary_parts_row_by_row)
{
    Eigen::MatrixXcd matrix(3, 3);
    const std::complex<double> a(1, 2), b(3, 4), c(5, 6);
    matrix << 7, a, b, std::conj(a), 8, c, std::conj(b), std::conj(c), 9;
    Eigen::VectorXd expected(9);
    expected << 7, 8, 9, 1 * M_SQRT2, 3 * M_SQRT2, 5 * M_SQRT2, 2 * M_SQRT2, 4 * M_SQRT2,
        6 * M_SQRT2;
    BOOST_TEST((hermitian_to_vector(matrix) - expected).norm() < 1e-15);
}

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
    BOOST_TEST(refused([](auto& w) { w.metadata["kind"] = "snapshot"; },
                       { file, "snapshot", "covariance" }));
    BOOST_TEST(refused([](auto& w) { w["mean"].name = "m"; }, { file, "'mean'" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].name = "s"; }, { file, "'scale'" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].values[0] = 0.0f; },
                       { file, "'scale'", "> 0" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].values[0] = -1.0f; },
                       { file, "'scale'", "> 0" }));
    BOOST_TEST(refused([](auto& w) { w["scale"].shape = {}; }, { file, "'scale'" }));
    BOOST_TEST(refused(
        [](auto& w) {
            w["mean"].shape = { 3, 3 };
        },
        { file, "'mean'", "[3, 3]", "[9]" }));
    // A network for another array.
    BOOST_TEST(refused(
        [](auto& w) {
            w.metadata["array"] =
                R"({"geometry":"line","num_elements":2,"smallest":0.4,"largest":0.5})";
            w["mean"].shape = { 4 };
            w["mean"].values.resize(4);
        },
        { file, "'layer0.weight'", "[8, 25]", "[8, 20]" }));
}

// Without a network each entry in the eigenbasis is a recursion of its own: from
// x / sqrt(abar) towards what was measured, by its own gain.
BOOST_AUTO_TEST_CASE(each_entry_is_pulled_by_what_is_known_of_it)
{
    constexpr int n = 4;
    constexpr int steps = 25;
    constexpr double snapshots = 30;
    weights_writer writer = silent_weights(n);
    const auto prior = load(writer);
    const std::vector<float>& values = writer["mean"].values;
    const Eigen::VectorXd mean =
        Eigen::Map<const Eigen::VectorXf>(values.data(), n * n).cast<double>();
    const double scale = writer["scale"].values[0];
    std::mt19937_64 random(5);
    const Eigen::MatrixXcd r = random_hermitian(n, random);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> parts(r);
    const Eigen::VectorXd l = parts.eigenvalues();
    const Eigen::MatrixXcd u = parts.eigenvectors();
    // Two sources: the two smallest are noise.
    const double noise = 0.5 * (l(0) + l(1));
    const double power = (l.sum() - n * noise) / n;
    const auto in_basis = [&](const Eigen::MatrixXcd& matrix) {
        return Eigen::MatrixXcd(u.adjoint() * matrix * u);
    };
    const Eigen::MatrixXcd centre = in_basis(vector_to_hermitian(mean));
    const Eigen::MatrixXcd measured =
        (in_basis(r - noise * Eigen::MatrixXcd::Identity(n, n)) / power - centre) / scale;
    Eigen::MatrixXcd x =
        in_basis(vector_to_hermitian(standard_normal(n * n, 1, 17).col(0)));
    const std::vector<int> times = prior->schedule().descent(steps);
    Eigen::MatrixXcd x0(n, n);
    for (int k = 0; k < steps; ++k) {
        const double abar = prior->schedule().alpha_bar(times[k]);
        const double next =
            k + 1 < steps ? prior->schedule().alpha_bar(times[k + 1]) : 1.0;
        for (int i = 0; i < n; ++i) {
            for (int j = 0; j < n; ++j) {
                const double variance =
                    l(i) * l(j) / (snapshots * power * power * scale * scale);
                const double gain = (1.0 - abar) / (1.0 - abar + variance);
                x0(i, j) = x(i, j) / std::sqrt(abar);
                x0(i, j) += gain * (measured(i, j) - x0(i, j));
                const std::complex<double> e =
                    (x(i, j) - std::sqrt(abar) * x0(i, j)) / std::sqrt(1.0 - abar);
                x(i, j) = std::sqrt(next) * x0(i, j) + std::sqrt(1.0 - next) * e;
            }
        }
    }
    const Eigen::MatrixXcd expected = power * (u * (scale * x0 + centre) * u.adjoint());
    // Rounding, which the first steps' 1 / sqrt(abar) of 200 raises.
    BOOST_TEST(relative_error(prior->diffuse(r, 2, snapshots, steps, 1, 17), expected) <
               1e-10);
}

BOOST_AUTO_TEST_CASE(exact_data_overrule_the_prior)
{
    const auto prior = load(random_weights(4));
    std::mt19937_64 random(6);
    const Eigen::MatrixXcd r = random_hermitian(4, random);
    const Eigen::VectorXd l = eigenvalues(r);
    const Eigen::MatrixXcd expected =
        r - l.tail(2).mean() * Eigen::MatrixXcd::Identity(4, 4);
    // Of 1e12 snapshots the last step, of r^2 = 5e-4, leaves 1e-8.
    BOOST_TEST(relative_error(prior->diffuse(r, 2, 1000000000000), expected) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_result_is_hermitian_and_scales_with_the_data)
{
    const auto prior = load(random_weights(4));
    std::mt19937_64 random(7);
    const Eigen::MatrixXcd r = random_hermitian(4, random);
    const Eigen::MatrixXcd found = prior->diffuse(r, 2, 20);
    BOOST_TEST((found - found.adjoint()).norm() == 0.0);
    BOOST_TEST((prior->diffuse(r, 2, 20) - found).norm() == 0.0);
    BOOST_TEST((prior->diffuse(r, 2, 20, 25, 4, 2) - found).norm() > 0.0);
    // Single precision inside.
    for (const double factor : { 1e-12, 1e12 }) {
        BOOST_TEST(relative_error(prior->diffuse(factor * r, 2, 20) / factor, found) <
                   1e-4);
    }
}

BOOST_AUTO_TEST_CASE(a_covariance_without_a_signal_stays_what_it_is)
{
    const auto prior = load(random_weights(4));
    BOOST_TEST(prior->diffuse(Eigen::MatrixXcd::Zero(4, 4), 2, 20).norm() == 0.0);
    // Rounding may leave a signal of it; there is no more than the noise's own.
    const Eigen::MatrixXcd found =
        prior->diffuse(Eigen::MatrixXcd::Identity(4, 4), 2, 20);
    BOOST_TEST(found.norm() < 1e-12);
}

// A network of finite weights may still overflow.
BOOST_AUTO_TEST_CASE(a_network_that_overflows_leaves_the_covariance_without_its_noise)
{
    weights_writer writer = random_weights(4);
    writer.scale_network(1e30f);
    const auto prior = load(writer);
    BOOST_TEST_REQUIRE(
        !prior->network()(Eigen::VectorXd::Ones(16), prior->schedule().alpha_bar(0))
             .allFinite());
    std::mt19937_64 random(7);
    const Eigen::MatrixXcd r = random_hermitian(4, random);
    const double noise = eigenvalues(r).tail(2).mean();
    // Rounding.
    BOOST_TEST(relative_error(prior->diffuse(r, 2, 20),
                              r - noise * Eigen::MatrixXcd::Identity(4, 4)) < 1e-13);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused)
{
    const auto prior = load(random_weights(4));
    const Eigen::MatrixXcd r = Eigen::MatrixXcd::Identity(4, 4);
    BOOST_TEST(refuses([&] { prior->diffuse(r.topLeftCorner(3, 3), 2, 20); },
                       "covariance: 3 x 3"));
    BOOST_TEST(refuses([&] { prior->diffuse(r, 0, 20); }, "num_sources: 0"));
    BOOST_TEST(refuses([&] { prior->diffuse(r, 4, 20); }, "num_sources: 4"));
    BOOST_TEST(refuses([&] { prior->diffuse(r, 2, 0); }, "snapshots: 0"));
    BOOST_TEST(refuses([&] { prior->diffuse(r, 2, 20, 25, 0); }, "samples: 0"));
    Eigen::MatrixXcd signal = r;
    signal(0, 0) = 5.0;
    BOOST_TEST(refuses([&] { prior->diffuse(signal, 2, 20, 1); }, "count: 1"));
}

// Scenes that the training has not seen, at few snapshots and a low level: the published
// fit gains from a covariance that looks like one of a coupled array.
BOOST_AUTO_TEST_CASE(diffusion_helps_the_frobenius_fit_where_data_are_poor)
{
    constexpr int snapshots = 20;
    std::mt19937_64 random(8);
    coupled_score raw;
    coupled_score diffused;
    coupled_score likelihood;
    std::shared_ptr<const covariance_prior> prior;
    for (int trial = 0; trial < num_arrays(200, 2000); ++trial) {
        const random_scene scene(0.0, random);
        if (!prior) {
            prior = covariance_prior::load(find_weights(scene.array, "covariance"));
        }
        const Eigen::MatrixXcd r = covariance_of(scene.snapshots(snapshots, random));
        const coupled_covariance model(scene.array, scene.model);
        const auto add = [&](coupled_score& score, const coupled_scene& found) {
            score.add_coupling(scene.model.coupling(found.weights), scene.coupling);
            score.add_directions(found.azimuth, scene.azimuth);
        };
        const auto fitted = [&](const Eigen::MatrixXcd& covariance) {
            return frobenius_fit(model, covariance)
                .minimise(start_from_music(model, covariance, 2, snapshots))
                .scene;
        };
        add(raw, fitted(r));
        const double noise = eigenvalues(r).tail(6).mean();
        add(diffused,
            fitted(prior->diffuse(r, 2, snapshots) +
                   noise * Eigen::MatrixXcd::Identity(8, 8)));
        add(likelihood,
            likelihood_fit(model, r, snapshots)
                .minimise(start_from_music(model, r, 2, snapshots))
                .scene);
    }
    BOOST_TEST_MESSAGE("NMSE: raw " << raw.nmse_db() << " dB, diffused "
                                    << diffused.nmse_db()
                                    << " dB, maximum likelihood on the raw one "
                                    << likelihood.nmse_db() << " dB");
    BOOST_TEST(diffused.nmse_db() <= -10.5);
    BOOST_TEST(diffused.nmse_db() <= raw.nmse_db() - 2.0);
}
