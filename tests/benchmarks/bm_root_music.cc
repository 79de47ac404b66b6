/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Root-MUSIC from covariance to bearings with deviations, against plain Eigen: the same
 * decomposition and polynomial, with Eigen's unsupported PolynomialSolver for its roots
 * and nothing after them. Argument: elements of a line.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <Eigen/Eigenvalues>
#include <benchmark/benchmark.h>
#include <unsupported/Eigen/Polynomials>

namespace {

using namespace gr::bearing::core;

root_music_estimator estimator(const antenna_array& array)
{
    root_music_config config;
    config.num_sources = num_sources;
    return root_music_estimator(array, config);
}

Eigen::VectorXcd plain_roots(const Eigen::MatrixXcd& r)
{
    const Eigen::Index n = r.rows();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(r);
    const Eigen::MatrixXcd noise_subspace =
        solver.eigenvectors().leftCols(n - num_sources);
    const Eigen::MatrixXcd projector = noise_subspace * noise_subspace.adjoint();
    Eigen::VectorXcd polynomial(2 * n - 1);
    for (Eigen::Index k = 1 - n; k < n; ++k) {
        polynomial(n - 1 + k) = projector.diagonal(k).sum();
    }
    return Eigen::PolynomialSolver<std::complex<double>, Eigen::Dynamic>(polynomial)
        .roots();
}

void root_music(benchmark::State& state)
{
    const antenna_array array =
        antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5);
    const root_music_estimator ours = estimator(array);
    const Eigen::MatrixXcd r = scene_covariance(array);
    for (auto _ : state) {
        benchmark::DoNotOptimize(ours.estimate(r, num_snapshots));
    }
}

void ratios(benchmark::State& state)
{
    const antenna_array array =
        antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5);
    const root_music_estimator estimator_here = estimator(array);
    const Eigen::MatrixXcd r = scene_covariance(array);
    contender ours(
        [&] { benchmark::DoNotOptimize(estimator_here.estimate(r, num_snapshots)); });
    contender plain([&] { benchmark::DoNotOptimize(plain_roots(r)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &plain });
    }
    state.counters["ratio_vs_polynomial_solver"] = plain.seconds() / ours.seconds();
    state.counters["us"] = 1e6 * ours.seconds();
}

BENCHMARK(root_music)->Arg(5)->Arg(8)->Arg(16);
BENCHMARK(ratios)->Name("root_music/ratio")->Arg(5)->Arg(8)->Arg(16)->Iterations(1);

} // namespace
