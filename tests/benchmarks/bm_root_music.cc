/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Root-MUSIC from covariance to bearings with deviations.
 *
 * root_music/variants: on lines, the complex variant against plain Eigen (the same
 * decomposition and polynomial, Eigen's unsupported PolynomialSolver for its roots and
 * nothing after them), and the unitary and the real variant against the complex one.
 * Argument: elements of a line.
 *
 * root_music/circle: on circles, against searches of 3600 points: this module's MUSIC, and
 * the textbook's, which names the highest grid point and predicts nothing. Argument:
 * elements of a circle.
 */

#include "interleaved.h"
#include "scene.h"
#include "textbook_music.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <Eigen/Eigenvalues>
#include <benchmark/benchmark.h>
#include <unsupported/Eigen/Polynomials>

namespace {

using namespace gr::bearing::core;

constexpr int tenth_degrees = 3600;

root_music_estimator estimator(const antenna_array& array, subspace_variant variant)
{
    root_music_config config;
    config.num_sources = num_sources;
    config.variant = variant;
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

void variants(benchmark::State& state)
{
    const antenna_array line =
        antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5);
    const root_music_estimator of_complex = estimator(line, subspace_variant::complex);
    const root_music_estimator of_unitary = estimator(line, subspace_variant::unitary);
    const root_music_estimator of_real = estimator(line, subspace_variant::real);
    const Eigen::MatrixXcd r = scene_covariance(line);
    contender complex(
        [&] { benchmark::DoNotOptimize(of_complex.estimate(r, num_snapshots)); });
    contender unitary(
        [&] { benchmark::DoNotOptimize(of_unitary.estimate(r, num_snapshots)); });
    contender real([&] { benchmark::DoNotOptimize(of_real.estimate(r, num_snapshots)); });
    contender plain([&] { benchmark::DoNotOptimize(plain_roots(r)); });
    for (auto _ : state) {
        time_interleaved({ &complex, &unitary, &real, &plain });
    }
    state.counters["us"] = 1e6 * complex.seconds();
    state.counters["complex_vs_polynomial_solver"] = plain.seconds() / complex.seconds();
    state.counters["unitary_vs_complex"] = complex.seconds() / unitary.seconds();
    state.counters["real_vs_complex"] = complex.seconds() / real.seconds();
}

void circles(benchmark::State& state)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const root_music_estimator rooted = estimator(array, subspace_variant::complex);
    music_config config;
    config.num_sources = num_sources;
    const music_estimator searched(
        array, angle_grid::whole_range(array, tenth_degrees), config);
    const textbook_music reference(array, tenth_degrees);
    const Eigen::MatrixXcd r = scene_covariance(array);
    contender ours([&] { benchmark::DoNotOptimize(rooted.estimate(r, num_snapshots)); });
    contender search(
        [&] { benchmark::DoNotOptimize(searched.estimate(r, num_snapshots)); });
    contender plain([&] { benchmark::DoNotOptimize(reference.spectrum_db(r)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &search, &plain });
    }
    state.counters["us"] = 1e6 * ours.seconds();
    state.counters["vs_music_0.1_deg"] = search.seconds() / ours.seconds();
    state.counters["vs_textbook_0.1_deg"] = plain.seconds() / ours.seconds();
}

BENCHMARK(variants)->Name("root_music/variants")->Arg(5)->Arg(9)->Arg(16)->Iterations(1);
BENCHMARK(circles)->Name("root_music/circle")->Arg(5)->Arg(8)->Arg(16)->Iterations(1);

} // namespace
