/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * One gradient step of the losses of differentiable MUSIC: loss, gradient with respect to
 * gains and positions of an array of 16, over 64 covariances of 5 sources, windows at rest.
 * diffmusic_pytorch.py puts the same steps in PyTorch beside these. Then one update of the
 * online calibrator, covariance of 100 snapshots included, and how many times as long as the
 * eigendecomposition in it that takes.
 */

#include "interleaved.h"
#include "scene.h"
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
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

void online_update(benchmark::State& state)
{
    constexpr int snapshots = 100;
    const antenna_array array = state.range(0) == 16
                                    ? antenna_array::uniform_line(16, 0.5)
                                    : antenna_array::uniform_circle(5, 0.383);
    std::srand(2);
    std::vector<Eigen::MatrixXcf> samples;
    for (int k = 0; k < batch; ++k) {
        samples.push_back(simulate(array,
                                   Eigen::VectorXd::Random(1),
                                   Eigen::VectorXd::Constant(1, 15.0),
                                   snapshots,
                                   k + 1));
    }
    diffmusic_online calibrator(array);
    std::size_t next = 0;
    const auto update = [&] {
        const Eigen::MatrixXcd r = sample_covariance(samples[next++ % batch]);
        benchmark::DoNotOptimize(calibrator.update(r, snapshots));
    };
    for (int k = 0; k < 4 * batch; ++k) {
        update();
    }
    const Eigen::MatrixXcd r = sample_covariance(samples.front());
    contender ours(update);
    contender reference([&] { benchmark::DoNotOptimize(decompose(r)); });
    for (auto _ : state) {
        time_interleaved({ &ours, &reference });
    }
    state.counters["is_tracking"] = calibrator.status() == status::tracking;
    state.counters["us"] = 1e6 * ours.seconds();
    state.counters["eigendecompositions"] = ours.seconds() / reference.seconds();
}

BENCHMARK_CAPTURE(gradient_step, sl_p, diffmusic_loss::sl_p)->Arg(20);
BENCHMARK_CAPTURE(gradient_step, sl_theta, diffmusic_loss::sl_theta)->Arg(20);
BENCHMARK_CAPTURE(gradient_step, ul, diffmusic_loss::ul)->Arg(20);
BENCHMARK(move_windows);
BENCHMARK(online_update)->Arg(5)->Arg(16)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace
