/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * What a block of a stream costs, 10 sensors and blocks of 8192 samples, beside its Fourier
 * transforms alone: as many, each way, by the same plans on the same sizes. Spectra are
 * learnt at every block, as on any stream.
 */

#include "interleaved.h"
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <benchmark/benchmark.h>
#include <fftw3.h>
#include <type_traits>
#include <complex>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace gr::bearing::core;

constexpr int num_sensors = 10;
constexpr int block_length = 8192;
constexpr double sample_rate = 1000.0;

struct plan_deleter {
    void operator()(fftwf_plan_s* plan) const { fftwf_destroy_plan(plan); }
};
struct memory_deleter {
    void operator()(float* memory) const { fftwf_free(memory); }
};

// A block's transforms: of every channel there, and of its estimate back.
template <class Sample>
class transforms
{
    static constexpr bool is_real = std::is_same<Sample, float>::value;
    static constexpr std::ptrdiff_t channel = 2 * (block_length + 16);

public:
    transforms()
        : d_samples(fftwf_alloc_real(num_sensors * channel)),
          d_bins(fftwf_alloc_real(num_sensors * channel)),
          d_result(fftwf_alloc_real(channel))
    {
        std::mt19937 random(1);
        std::normal_distribution<float> normal;
        float* const x = d_samples.get();
        float* const y = d_result.get();
        fftwf_complex* const bins = reinterpret_cast<fftwf_complex*>(d_bins.get());
        fftwf_complex* const in = reinterpret_cast<fftwf_complex*>(x);
        fftwf_complex* const out = reinterpret_cast<fftwf_complex*>(y);
        constexpr unsigned flags = FFTW_MEASURE;
        if (is_real) {
            d_forward.reset(fftwf_plan_dft_r2c_1d(
                block_length, x, bins, flags | FFTW_PRESERVE_INPUT));
            d_inverse.reset(fftwf_plan_dft_c2r_1d(block_length, bins, y, flags));
        } else {
            d_forward.reset(fftwf_plan_dft_1d(
                block_length, in, bins, FFTW_FORWARD, flags | FFTW_PRESERVE_INPUT));
            d_inverse.reset(fftwf_plan_dft_1d(
                block_length, bins, out, FFTW_BACKWARD, flags | FFTW_DESTROY_INPUT));
        }
        for (std::ptrdiff_t k = 0; k < num_sensors * channel; ++k) {
            x[k] = normal(random);
        }
    }

    void operator()() const
    {
        for (int i = 0; i < num_sensors; ++i) {
            float* const x = d_samples.get() + i * channel;
            auto* const bins =
                reinterpret_cast<fftwf_complex*>(d_bins.get() + i * channel);
            if (is_real) {
                fftwf_execute_dft_r2c(d_forward.get(), x, bins);
            } else {
                fftwf_execute_dft(
                    d_forward.get(), reinterpret_cast<fftwf_complex*>(x), bins);
            }
        }
        for (int i = 0; i < num_sensors; ++i) {
            auto* const bins =
                reinterpret_cast<fftwf_complex*>(d_bins.get() + i * channel);
            if (is_real) {
                fftwf_execute_dft_c2r(d_inverse.get(), bins, d_result.get());
            } else {
                fftwf_execute_dft(d_inverse.get(),
                                  bins,
                                  reinterpret_cast<fftwf_complex*>(d_result.get()));
            }
        }
    }

private:
    std::unique_ptr<float, memory_deleter> d_samples;
    std::unique_ptr<float, memory_deleter> d_bins;
    std::unique_ptr<float, memory_deleter> d_result;
    std::unique_ptr<fftwf_plan_s, plan_deleter> d_forward;
    std::unique_ptr<fftwf_plan_s, plan_deleter> d_inverse;
};

propagator damped_line()
{
    const Eigen::VectorXd positions =
        Eigen::VectorXd::LinSpaced(num_sensors, 0.0, (num_sensors - 1) * 10.0);
    const Eigen::VectorXd frequency = Eigen::VectorXd::LinSpaced(501, 0.0, 500.0);
    const Eigen::VectorXd bend = (1.0 + (frequency.array() / 100.0).square()).sqrt();
    const Eigen::VectorXd gain =
        (-(0.01 + (frequency.array() / 100.0).square()).sqrt()).exp();
    return propagator::dispersive(
        positions, frequency, gain, (25.0 * (1.0 + bend.array())).matrix());
}

std::complex<float> random_sample(std::mt19937& random, std::complex<float>)
{
    std::normal_distribution<float> normal;
    const float real = normal(random);
    return { real, normal(random) };
}
float random_sample(std::mt19937& random, float)
{
    return std::normal_distribution<float>()(random);
}

// One hop of samples in, one of estimates out.
template <class Sample>
class stream_of_blocks
{
public:
    explicit stream_of_blocks(sensor_noise noise)
        : d_stream(sample_rate, { damped_line() }, config(noise)),
          d_hop(d_stream.hop()),
          d_in(d_hop * num_sensors),
          d_out(d_hop * num_sensors)
    {
        std::mt19937 random(2);
        for (Sample& sample : d_in) {
            sample = random_sample(random, Sample());
        }
        for (int i = 0; i < num_sensors; ++i) {
            d_channels.push_back(d_in.data() + i * d_hop);
            d_signal.push_back(d_out.data() + i * d_hop);
        }
        while (d_stream.available() < static_cast<std::size_t>(d_hop)) {
            d_stream.write(d_channels.data(), d_hop);
        }
    }

    void operator()()
    {
        d_stream.read(d_signal.data(), nullptr, d_hop);
        d_stream.write(d_channels.data(), d_hop);
    }

private:
    static propagator_stream_config config(sensor_noise noise)
    {
        propagator_stream_config result;
        result.estimate.noise = noise;
        result.block_length = block_length;
        return result;
    }

    propagator_stream<Sample> d_stream;
    int d_hop;
    std::vector<Sample> d_in;
    std::vector<Sample> d_out;
    std::vector<const Sample*> d_channels;
    std::vector<Sample*> d_signal;
};

template <class Sample>
void propagator_block(benchmark::State& state, sensor_noise noise)
{
    stream_of_blocks<Sample> stream(noise);
    const transforms<Sample> reference;
    contender ours([&stream] { stream(); });
    contender alone([&reference] { reference(); });
    for (auto _ : state) {
        time_interleaved({ &ours, &alone });
    }
    state.counters["us"] = 1e6 * ours.seconds();
    state.counters["us_transforms"] = 1e6 * alone.seconds();
    state.counters["transforms"] = ours.seconds() / alone.seconds();
}

void real_block(benchmark::State& state, sensor_noise noise)
{
    propagator_block<float>(state, noise);
}
void complex_block(benchmark::State& state, sensor_noise noise)
{
    propagator_block<std::complex<float>>(state, noise);
}

BENCHMARK_CAPTURE(real_block, common, sensor_noise::common)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(real_block, per_sensor, sensor_noise::per_sensor)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(complex_block, common, sensor_noise::common)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(complex_block, per_sensor, sensor_noise::per_sensor)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

} // namespace
