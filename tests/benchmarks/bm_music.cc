/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * MUSIC from covariance to bearings with deviations, against the textbook in plain Eigen:
 * decomposition, then |En^H a|^2 angle by angle, and the highest grid points as bearings
 * (no refinement, no deviations). Arguments: elements of a circle, points of the grid.
 */

#include "interleaved.h"
#include "scene.h"
#include "textbook_music.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <benchmark/benchmark.h>

namespace {

using namespace gr::bearing::core;

music_estimator estimator(const antenna_array& array, int points)
{
    music_config config;
    config.num_sources = num_sources;
    return { array, angle_grid::whole_range(array, points), config };
}

void music(benchmark::State& state)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const music_estimator ours = estimator(array, static_cast<int>(state.range(1)));
    const Eigen::MatrixXcd r = scene_covariance(array);
    for (auto _ : state) {
        benchmark::DoNotOptimize(ours.estimate(r, num_snapshots));
    }
}

void ratios(benchmark::State& state)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const int points = static_cast<int>(state.range(1));
    const music_estimator estimator_here = estimator(array, points);
    const textbook_music reference(array, points);
    const Eigen::MatrixXcd r = scene_covariance(array);
    contender ours(
        [&] { benchmark::DoNotOptimize(estimator_here.estimate(r, num_snapshots)); });
    contender plain([&] { benchmark::DoNotOptimize(reference.spectrum_db(r)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &plain });
    }
    state.counters["ratio_vs_textbook"] = plain.seconds() / ours.seconds();
    state.counters["us"] = 1e6 * ours.seconds();
}

BENCHMARK(music)
    ->Args({ 5, 181 })
    ->Args({ 5, 512 })
    ->Args({ 5, 3601 })
    ->Args({ 16, 512 });
BENCHMARK(ratios)
    ->Name("music/ratio")
    ->Args({ 5, 181 })
    ->Args({ 5, 512 })
    ->Args({ 5, 3601 })
    ->Args({ 16, 512 })
    ->Iterations(1);

} // namespace
