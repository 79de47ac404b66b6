/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Coupling and bearings of two sources from one covariance. One scoring step beside the plain
 * formula, L tr(R^-1 dR_i R^-1 dR_j) with full matrices; and a whole estimate, in
 * eigendecompositions and in MUSIC estimates of the same covariance.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <benchmark/benchmark.h>
#include <vector>

namespace {

using namespace gr::bearing::core;

constexpr int coefficients = 3;

antenna_array array_of(int num_elements)
{
    return num_elements == 5 ? circle(5) : antenna_array::uniform_line(num_elements, 0.5);
}

struct coupled_data {
    antenna_array array;
    coupling_model model;
    coupled_scene scene;
    Eigen::MatrixXcd covariance;
};

coupled_data data_of(int num_elements)
{
    const antenna_array array = array_of(num_elements);
    const coupling_model model = coupling_model::of_array(array, coefficients);
    coupled_scene scene;
    scene.weights = Eigen::Vector4d(0.2, 0.3, 0.12, 0.05);
    scene.azimuth = Eigen::Vector2d(-0.3, 0.5);
    scene.power = Eigen::Vector2d(10.0, 10.0);
    scene.noise_power = 1.0;
    calibration_state coupling;
    coupling.coupling = model.coupling(scene.weights);
    return { array, model, scene, scene_covariance(array.calibrated(coupling)) };
}

// Gradient and information as they are written.
Eigen::VectorXd plain_step(const coupled_covariance& model,
                           const coupled_scene& scene,
                           const Eigen::MatrixXcd& covariance)
{
    const Eigen::MatrixXcd inverse = model.covariance(scene).inverse();
    const std::vector<Eigen::MatrixXcd> derivatives = model.derivatives(scene);
    const Eigen::Index size = static_cast<Eigen::Index>(derivatives.size());
    Eigen::VectorXd gradient(size);
    Eigen::MatrixXd information(size, size);
    for (Eigen::Index i = 0; i < size; ++i) {
        gradient(i) =
            (inverse * derivatives[i] - inverse * derivatives[i] * inverse * covariance)
                .trace()
                .real();
        for (Eigen::Index k = 0; k < size; ++k) {
            information(i, k) =
                (inverse * derivatives[i] * inverse * derivatives[k]).trace().real();
        }
    }
    return information.ldlt().solve(-gradient);
}

void scoring_step(benchmark::State& state)
{
    const coupled_data data = data_of(static_cast<int>(state.range(0)));
    const coupled_covariance model(data.array, data.model);
    const likelihood_fit fit(model, data.covariance, num_snapshots);
    // Off the optimum, so that the step is taken.
    coupled_scene start = data.scene;
    start.weights.array() += 0.05;
    contender ours([&] {
        benchmark::DoNotOptimize(fit.minimise(start, std::nullopt, false, 1).cost);
    });
    contender plain(
        [&] { benchmark::DoNotOptimize(plain_step(model, start, data.covariance)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &plain });
    }
    state.counters["us"] = 1e6 * ours.seconds();
    state.counters["plain_over_ours"] = plain.seconds() / ours.seconds();
}

void whole_estimate(benchmark::State& state)
{
    const coupled_data data = data_of(static_cast<int>(state.range(0)));
    coupling_config config;
    config.num_sources = num_sources;
    config.coefficients = coefficients;
    const coupling_estimator estimator(data.array, config);
    const music_estimator music(
        data.array, angle_grid::whole_range(data.array, 2), { num_sources });
    contender ours([&] {
        benchmark::DoNotOptimize(estimator.estimate(data.covariance, num_snapshots));
    });
    contender search([&] {
        benchmark::DoNotOptimize(music.estimate(data.covariance, num_snapshots));
    });
    contender reference([&] { benchmark::DoNotOptimize(decompose(data.covariance)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &search, &reference });
    }
    const coupling_estimate found = estimator.estimate(data.covariance, num_snapshots);
    state.counters["is_ok"] = found.bearings.status == status::ok;
    state.counters["iterations"] = found.iterations;
    state.counters["us"] = 1e6 * ours.seconds();
    state.counters["music_estimates"] = ours.seconds() / search.seconds();
    state.counters["eigendecompositions"] = ours.seconds() / reference.seconds();
}

BENCHMARK(scoring_step)->Arg(5)->Arg(8)->Arg(16)->Iterations(1);
BENCHMARK(whole_estimate)
    ->Arg(5)
    ->Arg(8)
    ->Arg(16)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

} // namespace
