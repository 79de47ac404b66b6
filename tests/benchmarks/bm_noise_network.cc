/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * One call of the diffusion models' networks, for one column and for a batch, against a plain
 * loop over the same weights in the same run, column by column.
 */

#include "interleaved.h"
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace gr::bearing::core;

tensor_file random_weights(int dimension, int width)
{
    std::srand(1);
    tensor_file file;
    int inputs = dimension + 16;
    for (int k = 0; k < 4; ++k) {
        const int outputs = k == 3 ? dimension : width;
        const Eigen::VectorXf values =
            Eigen::VectorXf::Random(outputs * inputs) / std::sqrt(float(inputs));
        const std::string name = "layer" + std::to_string(k);
        file.tensors[name + ".weight"] = { { outputs, inputs },
                                           { values.begin(), values.end() } };
        file.tensors[name + ".bias"] = { { outputs }, std::vector<float>(outputs, 0.1f) };
        inputs = outputs;
    }
    return file;
}

// Four nested sums, as one would write them down.
float plain_call(const tensor_file& file, std::vector<float> value, float alpha_bar)
{
    const float a = 0.5f * std::log(alpha_bar / (1.0f - alpha_bar));
    for (int i = 0; i < 16; ++i) {
        const float f = 0.05f * std::pow(40.0f, (i % 8) / 7.0f);
        value.push_back(i < 8 ? std::sin(f * a) : std::cos(f * a));
    }
    for (int k = 0; k < 4; ++k) {
        const std::string name = "layer" + std::to_string(k);
        const std::vector<float>& weight = file.tensors.at(name + ".weight").values;
        std::vector<float> next = file.tensors.at(name + ".bias").values;
        for (std::size_t row = 0; row < next.size(); ++row) {
            for (std::size_t column = 0; column < value.size(); ++column) {
                next[row] += weight[row * value.size() + column] * value[column];
            }
            if (k < 3) {
                next[row] /= 1.0f + std::exp(-next[row]);
            }
        }
        value = next;
    }
    return value[0];
}

void network_call(benchmark::State& state)
{
    const int dimension = static_cast<int>(state.range(0));
    const int columns = static_cast<int>(state.range(2));
    const tensor_file file = random_weights(dimension, static_cast<int>(state.range(1)));
    const noise_network network(file, dimension);
    const Eigen::MatrixXd x = Eigen::MatrixXd::Random(dimension, columns);
    const Eigen::VectorXf one = x.col(0).cast<float>();
    contender ours([&] { benchmark::DoNotOptimize(network(x, 0.5)); });
    contender reference([&] {
        benchmark::DoNotOptimize(plain_call(file, { one.begin(), one.end() }, 0.5f));
    });
    for (auto _ : state) {
        time_interleaved({ &ours, &reference });
    }
    const double seconds = ours.seconds() / columns;
    state.counters["us_a_column"] = 1e6 * seconds;
    state.counters["times_as_fast_as_a_loop"] = reference.seconds() / seconds;
}

BENCHMARK(network_call)
    ->Args({ 6, 64, 1 })
    ->Args({ 6, 64, 5 })
    ->Args({ 64, 256, 1 })
    ->Args({ 64, 256, 4 })
    ->Args({ 16, 96, 100 })
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

} // namespace
