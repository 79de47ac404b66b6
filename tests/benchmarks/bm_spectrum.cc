/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The MUSIC spectrum in dB from a signal subspace, against |En^H a|^2 angle by angle in
 * plain Eigen, and its decibels against the C library's logarithm and VOLK's, which is of
 * floats. Arguments: elements, points of the grid.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/subspace/decibels.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/spectrum_table.h>
#include <benchmark/benchmark.h>
#include <volk/volk.h>
#include <volk/volk_alloc.hh>
#include <cmath>

namespace {

using namespace gr::bearing::core;

void spectrum_ratios(benchmark::State& state, const antenna_array& array)
{
    const angle_grid grid =
        angle_grid::whole_range(array, static_cast<int>(state.range(1)));
    const eigendecomposition eigen = decompose(scene_covariance(array));
    const Eigen::MatrixXcd signal_subspace = eigen.vectors.leftCols(num_sources);
    const Eigen::MatrixXcd noise_subspace =
        eigen.vectors.rightCols(array.num_elements() - num_sources);

    const spectrum_table table(array, grid);
    Eigen::VectorXd spectrum;
    contender ours([&] {
        table.null_function(signal_subspace, spectrum);
        to_decibels(spectrum, 1e-16, 1.0, -1.0);
        benchmark::DoNotOptimize(spectrum.data());
        benchmark::ClobberMemory();
    });

    const Eigen::MatrixXcd manifold =
        array.steering(grid.azimuth(), Eigen::VectorXd::Zero(grid.size()));
    Eigen::VectorXd textbook(grid.size());
    contender plain([&] {
        for (Eigen::Index g = 0; g < manifold.cols(); ++g) {
            textbook(g) =
                -10.0 *
                std::log10((noise_subspace.adjoint() * manifold.col(g)).squaredNorm());
        }
        benchmark::DoNotOptimize(textbook.data());
        benchmark::ClobberMemory();
    });
    for (auto _ : state) {
        time_interleaved({ &ours, &plain });
    }
    state.counters["ratio_vs_eigen"] = plain.seconds() / ours.seconds();
    state.counters["us"] = 1e6 * ours.seconds();
}

void line_ratios(benchmark::State& state)
{
    spectrum_ratios(state,
                    antenna_array::uniform_line(static_cast<int>(state.range(0)), 0.5));
}

void circle_ratios(benchmark::State& state)
{
    spectrum_ratios(state, circle(static_cast<int>(state.range(0))));
}

void decibel_ratios(benchmark::State& state)
{
    const Eigen::VectorXd power = Eigen::VectorXd::LinSpaced(state.range(0), 1e-4, 1.0);
    Eigen::VectorXd db = power;
    contender ours([&] {
        db = power;
        to_decibels(db, 1e-16, 1.0);
        benchmark::ClobberMemory();
    });
    contender library([&] {
        db = 10.0 * power.array().log10();
        benchmark::ClobberMemory();
    });
    for (auto _ : state) {
        time_interleaved({ &ours, &library });
    }
    state.counters["ratio_vs_log10"] = library.seconds() / ours.seconds();
    state.counters["us"] = 1e6 * ours.seconds();
}

BENCHMARK(line_ratios)
    ->Name("spectrum/line")
    ->Args({ 5, 181 })
    ->Args({ 5, 3601 })
    ->Args({ 16, 3601 })
    ->Iterations(1);
BENCHMARK(circle_ratios)
    ->Name("spectrum/circle")
    ->Args({ 5, 181 })
    ->Args({ 5, 3601 })
    ->Args({ 16, 3601 })
    ->Iterations(1);
BENCHMARK(decibel_ratios)->Name("decibels")->Arg(181)->Arg(3601)->Iterations(1);

} // namespace
