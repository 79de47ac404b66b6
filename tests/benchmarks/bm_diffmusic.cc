/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * One gradient step of the losses of differentiable MUSIC: loss, gradient with respect to
 * gains and positions of an array of 16, over 64 covariances of 5 sources, windows at rest.
 * diffmusic_pytorch.py puts the same steps in PyTorch beside these.
 */

#include "scene.h"
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <benchmark/benchmark.h>
#include <vector>

namespace {

using namespace gr::bearing::core;

constexpr int batch = 64;
constexpr int labelled_sources = 5;
constexpr int elements = 16;

struct training_set {
    antenna_array array = antenna_array::uniform_line(elements, 0.5);
    std::vector<Eigen::MatrixXcd> subspaces;
    Eigen::MatrixXd labels;
};

training_set simulated_set()
{
    training_set set;
    std::srand(1);
    set.labels = Eigen::MatrixXd::Random(batch, labelled_sources);
    for (int k = 0; k < batch; ++k) {
        const Eigen::MatrixXcd covariance =
            sample_covariance(simulate(set.array,
                                       set.labels.row(k).transpose(),
                                       Eigen::VectorXd::Constant(1, 15.0),
                                       num_snapshots,
                                       k));
        set.subspaces.push_back(decompose(covariance).vectors.leftCols(labelled_sources));
    }
    return set;
}

void gradient_step(benchmark::State& state, diffmusic_loss loss)
{
    const training_set set = simulated_set();
    // Gains and places that are a bit off, so that there is something to descend.
    array_parameters parameters = array_parameters::of(set.array);
    parameters.gains += 0.1 * Eigen::VectorXcd::Random(elements);
    parameters.positions.col(0) += 0.02 * Eigen::VectorXd::Random(elements);
    diffmusic_losses_config config;
    config.window_half_width = static_cast<int>(state.range(0));
    diffmusic_losses losses(set.subspaces, set.array, loss, set.labels, config);
    losses.move_windows(parameters);
    for (auto _ : state) {
        benchmark::DoNotOptimize(losses.evaluate(parameters).value);
    }
    state.counters["covariances"] = losses.num_used();
}

void move_windows(benchmark::State& state)
{
    const training_set set = simulated_set();
    const array_parameters parameters = array_parameters::of(set.array);
    diffmusic_losses losses(set.subspaces, set.array, diffmusic_loss::ul, {});
    for (auto _ : state) {
        losses.move_windows(parameters);
    }
}

BENCHMARK_CAPTURE(gradient_step, sl_p, diffmusic_loss::sl_p)->Arg(20);
BENCHMARK_CAPTURE(gradient_step, sl_theta, diffmusic_loss::sl_theta)->Arg(20);
BENCHMARK_CAPTURE(gradient_step, ul, diffmusic_loss::ul)->Arg(20);
BENCHMARK(move_windows);

} // namespace
