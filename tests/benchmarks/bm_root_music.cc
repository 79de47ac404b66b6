/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Root-MUSIC from covariance to bearings with deviations.
 *
 * root_music/roots: from the coefficients of the null polynomial to its roots alone: the two
 * nearest to the circle by Newton's method with its certificate, all of them at once, and
 * Eigen's unsupported PolynomialSolver. Counters: the first two against the last, and the
 * largest distance of the two roots from that solver's, which ends the benchmark above 1e-9.
 * Argument: elements of a line.
 *
 * root_music/circle_roots: the same without the last, on the Fourier series of circles.
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
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/nearest_roots.h>
#include <gnuradio/bearing/core/subspace/null_polynomial.h>
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <Eigen/Eigenvalues>
#include <benchmark/benchmark.h>
#include <unsupported/Eigen/Polynomials>
#include <algorithm>
#include <complex>

namespace {

using namespace gr::bearing::core;

constexpr int tenth_degrees = 3600;

root_music_estimator estimator(const antenna_array& array, subspace_variant variant)
{
    root_music_config config;
    config.num_sources = num_sources;
    config.variant = variant;
    config.all_roots = false; // as in a flowgraph
    return root_music_estimator(array, config);
}

Eigen::VectorXcd null_coefficients(const null_polynomial& polynomial,
                                   const Eigen::MatrixXcd& r)
{
    return polynomial.coefficients(decompose(r).vectors.leftCols(num_sources));
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

// How far the farthest of some roots is from the nearest of others.
double largest_distance(const Eigen::VectorXcd& roots, const Eigen::VectorXcd& others)
{
    double largest = 0.0;
    for (const std::complex<double>& root : roots) {
        largest = std::max(largest, (others.array() - root).abs().minCoeff());
    }
    return largest;
}

void roots(benchmark::State& state)
{
    const int n = static_cast<int>(state.range(0));
    const antenna_array line = antenna_array::uniform_line(n, 0.5);
    const Eigen::VectorXcd c =
        null_coefficients(line_null_polynomial(line), scene_covariance(line));
    Eigen::VectorXcd polynomial(2 * n - 1);
    polynomial << c.tail(n - 1).reverse().conjugate(), c;
    const auto solved = [&] {
        return Eigen::PolynomialSolver<std::complex<double>, Eigen::Dynamic>(polynomial)
            .roots();
    };
    const nearest_roots finder(n - 1);
    if (!finder.find_by_newton(c, num_sources)) {
        state.SkipWithError("Newton's method does not settle");
        return;
    }
    // The same roots, or the race says nothing.
    const double distance = largest_distance(finder.find(c, num_sources), solved());
    if (!(distance <= 1e-9)) {
        state.SkipWithError("the roots are not those of Eigen's PolynomialSolver");
        return;
    }
    contender nearest([&] { benchmark::DoNotOptimize(finder.find(c, num_sources)); });
    contender all([&] { benchmark::DoNotOptimize(roots_inside(c)); });
    contender plain([&] { benchmark::DoNotOptimize(solved().eval()); });
    for (auto _ : state) {
        time_interleaved({ &nearest, &all, &plain });
    }
    state.counters["us"] = 1e6 * nearest.seconds();
    state.counters["nearest_vs_polynomial_solver"] = plain.seconds() / nearest.seconds();
    state.counters["all_vs_polynomial_solver"] = plain.seconds() / all.seconds();
    state.counters["distance"] = distance;
}

void circle_roots(benchmark::State& state)
{
    const antenna_array array = circle(static_cast<int>(state.range(0)));
    const fourier_null_polynomial polynomial(array);
    const Eigen::VectorXcd c = null_coefficients(polynomial, scene_covariance(array));
    const nearest_roots finder(polynomial.degree());
    contender nearest([&] { benchmark::DoNotOptimize(finder.find(c, num_sources)); });
    contender all([&] { benchmark::DoNotOptimize(roots_inside(c)); });
    for (auto _ : state) {
        time_interleaved({ &nearest, &all });
    }
    state.counters["us"] = 1e6 * nearest.seconds();
    state.counters["nearest_vs_all"] = all.seconds() / nearest.seconds();
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

BENCHMARK(roots)->Name("root_music/roots")->Arg(5)->Arg(9)->Arg(16)->Iterations(1);
BENCHMARK(circle_roots)
    ->Name("root_music/circle_roots")
    ->Arg(5)
    ->Arg(8)
    ->Arg(16)
    ->Iterations(1);
BENCHMARK(variants)->Name("root_music/variants")->Arg(5)->Arg(9)->Arg(16)->Iterations(1);
BENCHMARK(circles)->Name("root_music/circle")->Arg(5)->Arg(8)->Arg(16)->Iterations(1);

} // namespace
