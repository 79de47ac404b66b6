/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The Hermitian eigendecomposition behind every estimator, against Eigen's solver for
 * Hermitian matrices, against its general complex one, which does not know that a
 * covariance is Hermitian, and against the sum of squares of the same matrix, which no
 * decomposition can beat.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Eigenvalues>
#include <benchmark/benchmark.h>

namespace {

using namespace gr::bearing::core;

void decomposition(benchmark::State& state)
{
    const Eigen::MatrixXcd r = scene_covariance(
        antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5));
    for (auto _ : state) {
        benchmark::DoNotOptimize(decompose(r));
    }
}

void ratios(benchmark::State& state)
{
    const Eigen::MatrixXcd r = scene_covariance(
        antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5));
    contender ours([&] { benchmark::DoNotOptimize(decompose(r)); });
    contender hermitian([&] {
        benchmark::DoNotOptimize(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd>(r));
    });
    contender general([&] {
        benchmark::DoNotOptimize(Eigen::ComplexEigenSolver<Eigen::MatrixXcd>(r));
    });
    contender pass([&] { benchmark::DoNotOptimize(r.squaredNorm()); });
    for (auto _ : state) {
        time_interleaved({ &ours, &hermitian, &general, &pass });
    }
    state.counters["ratio_vs_eigen"] = hermitian.seconds() / ours.seconds();
    state.counters["ratio_vs_general_solver"] = general.seconds() / ours.seconds();
    state.counters["times_one_pass_over_r"] = ours.seconds() / pass.seconds();
    state.counters["us"] = 1e6 * ours.seconds();
}

BENCHMARK(decomposition)->Name("eigendecomposition")->Arg(5)->Arg(8)->Arg(16)->Arg(32);
BENCHMARK(ratios)
    ->Name("eigendecomposition/ratio")
    ->Arg(5)
    ->Arg(8)
    ->Arg(16)
    ->Arg(32)
    ->Iterations(1);

} // namespace
