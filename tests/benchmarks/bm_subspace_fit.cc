/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Subspace fits from covariance to bearings with deviations, and how many times as long
 * MUSIC takes: two sources, which MUSIC resolves as well. Arguments: elements of a circle.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/subspace_fit.h>
#include <benchmark/benchmark.h>
#include <cmath>

namespace {

using namespace gr::bearing::core;

// Adjacent elements stand 0.45 wavelengths apart.
antenna_array circle(int n)
{
    return antenna_array::uniform_circle(n, 0.45 / (2.0 * std::sin(M_PI / n)));
}

subspace_fit_estimator estimator(const antenna_array& array, fit_criterion criterion)
{
    subspace_fit_config config;
    config.num_sources = num_sources;
    config.criterion = criterion;
    return { array, config };
}

void subspace_fit(benchmark::State& state, fit_criterion criterion)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const subspace_fit_estimator ours = estimator(array, criterion);
    const Eigen::MatrixXcd r = scene_covariance(array);
    for (auto _ : state) {
        benchmark::DoNotOptimize(ours.estimate(r, num_snapshots));
    }
}

void ratios(benchmark::State& state)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const subspace_fit_estimator wsf = estimator(array, fit_criterion::wsf);
    const subspace_fit_estimator dml = estimator(array, fit_criterion::dml);
    music_config config;
    config.num_sources = num_sources;
    const music_estimator music(array, angle_grid::whole_range(array), config);
    const Eigen::MatrixXcd r = scene_covariance(array);
    contender weighted([&] { benchmark::DoNotOptimize(wsf.estimate(r, num_snapshots)); });
    contender deterministic(
        [&] { benchmark::DoNotOptimize(dml.estimate(r, num_snapshots)); });
    contender reference(
        [&] { benchmark::DoNotOptimize(music.estimate(r, num_snapshots)); });
    for (auto _ : state) {
        time_interleaved({ &weighted, &deterministic, &reference });
    }
    state.counters["wsf_over_music"] = weighted.seconds() / reference.seconds();
    state.counters["dml_over_music"] = deterministic.seconds() / reference.seconds();
    state.counters["wsf_us"] = 1e6 * weighted.seconds();
}

BENCHMARK_CAPTURE(subspace_fit, wsf, fit_criterion::wsf)->Arg(5)->Arg(8)->Arg(16);
BENCHMARK_CAPTURE(subspace_fit, dml, fit_criterion::dml)->Arg(5)->Arg(8)->Arg(16);
BENCHMARK(ratios)->Name("subspace_fit/ratio")->Arg(5)->Arg(8)->Arg(16)->Iterations(1);

} // namespace
