/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The covariance accumulator against VOLK's dot products over the triangle of channel
 * pairs and against Eigen's rankUpdate. The counters of covariance/ratio_vs_volk:
 *
 * - ratio_vs_volk, ratio_vs_eigen: how many times as fast as those; Eigen as this project
 *   is compiled, for any processor of its kind
 * - ratio_vs_eigen_native: the same with Eigen compiled for this processor, which has as
 *   wide vectors as ours; only where the compiler can
 * - misaligned_speed: buffers one sample off alignment, against aligned ones
 * - share_of_fma_peak: N^2 multiply-adds a vector against the rate of a loop of nothing
 *   else; more than 1 where a variant gets by with fewer
 * - Gfma/s_peak: that rate, in 10^9 float multiply-adds a second
 *
 * covariance/error/<variant>/<N>: normwise_error at T = 65536, ||R - R_double|| / ||R_double||
 * in the Frobenius norm, of noise.
 *
 * covariance/sliding/<N>/<hops>: sliding_covariance with that many hops in T = 4096, and
 * with forgetting, against the same samples side by side (share_of_plain); and against every
 * window multiplied anew (ratio_vs_recomputed).
 *
 * covariance/ratio_vs_volk is the variant that the processor gets by default;
 * covariance/ratio_vs_volk_<variant> is each by its name.
 */

#include "interleaved.h"
#ifdef BEARING_HAS_EIGEN_NATIVE
#include "eigen_native.h"
#endif
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/covariance/sliding_covariance.h>
#include <Eigen/Core>
#include <benchmark/benchmark.h>
#include <volk/volk.h>
#include <complex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using gr::bearing::core::covariance_accumulator;
using gr::bearing::core::covariance_kernel_name;
using gr::bearing::core::sliding_covariance;
using gr::bearing::core::sliding_covariance_config;

constexpr int num_snapshots = 4096;

// N channels of noise, each `offset` samples past a page boundary as GNU Radio's buffers
// are, and the same samples side by side for Eigen.
class input
{
public:
    input(int num_elements, int offset = 0, int num_snapshots = ::num_snapshots)
        : d_matrix(num_elements, num_snapshots), d_channels(num_elements)
    {
        std::mt19937 generator(1);
        std::normal_distribution<float> normal;
        for (int i = 0; i < num_elements; ++i) {
            auto* buffer = static_cast<std::complex<float>*>(volk_malloc(
                (num_snapshots + offset) * sizeof(std::complex<float>), 4096));
            d_buffers.push_back(buffer);
            d_channels[i] = buffer + offset;
            for (int t = 0; t < num_snapshots; ++t) {
                buffer[offset + t] = { normal(generator), normal(generator) };
                d_matrix(i, t) = buffer[offset + t];
            }
        }
    }
    ~input()
    {
        for (auto* buffer : d_buffers)
            volk_free(buffer);
    }
    input(const input&) = delete;
    input& operator=(const input&) = delete;

    const std::complex<float>* const* channels() const { return d_channels.data(); }
    const Eigen::MatrixXcf& matrix() const { return d_matrix; }

private:
    Eigen::MatrixXcf d_matrix;
    std::vector<const std::complex<float>*> d_channels;
    std::vector<std::complex<float>*> d_buffers;
};

void run_accumulator(covariance_accumulator& accumulator, const input& x)
{
    accumulator.update(x.channels(), num_snapshots);
    benchmark::ClobberMemory();
}

void run_volk(std::vector<lv_32fc_t>& r, const input& x, int n)
{
    for (int j = 0; j < n; ++j)
        for (int i = 0; i <= j; ++i)
            volk_32fc_x2_conjugate_dot_prod_32fc(
                &r[i + j * n], x.channels()[i], x.channels()[j], num_snapshots);
    benchmark::ClobberMemory();
}

void run_eigen(Eigen::MatrixXcf& r, const input& x)
{
    r.setZero();
    r.selfadjointView<Eigen::Upper>().rankUpdate(x.matrix());
    benchmark::ClobberMemory();
}

#ifdef BEARING_HAS_EIGEN_NATIVE
void run_eigen_native(Eigen::MatrixXcf& r, const input& x)
{
    eigen_native_rank_update(x.matrix().data(),
                             static_cast<int>(x.matrix().rows()),
                             static_cast<int>(x.matrix().cols()),
                             r.data());
    benchmark::ClobberMemory();
}
#endif

/*
 * Twelve independent chains of multiply-adds: enough to hide the latency on every
 * processor of today. It does nothing else, so it is the peak that a kernel with the same
 * vectors can approach. Returns the number of float multiply-adds. The empty assembly
 * statements keep the compiler from merging the chains.
 */
#define BEARING_CHAIN_LIST(step)                                                    \
    step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) \
        step(10) step(11)
#define BEARING_CHAIN_START(k) vec sum##k = vec{} + static_cast<float>(k);
#define BEARING_CHAIN_STEP(k) \
    sum##k = sum##k * x + x;  \
    __asm__("" : BEARING_VECTOR_REGISTER(sum##k));
#define BEARING_CHAIN_END(k) total += sum##k;
#define BEARING_FMA_LOOP(name, attribute, bytes)               \
    attribute double name(float* out)                          \
    {                                                          \
        typedef float vec __attribute__((vector_size(bytes))); \
        constexpr int repetitions = 20000;                     \
        const vec x = vec{} + 0.5f;                            \
        BEARING_CHAIN_LIST(BEARING_CHAIN_START)                \
        for (int k = 0; k < repetitions; ++k) {                \
            BEARING_CHAIN_LIST(BEARING_CHAIN_STEP)             \
        }                                                      \
        vec total = vec{};                                     \
        BEARING_CHAIN_LIST(BEARING_CHAIN_END)                  \
        *out = total[0];                                       \
        return 12.0 * repetitions * (bytes / sizeof(float));   \
    }

#if defined(__x86_64__) || defined(__i386__)
#define BEARING_VECTOR_REGISTER "+x"
BEARING_FMA_LOOP(fma_avx512, __attribute__((target("avx512f"))), 64)
BEARING_FMA_LOOP(fma_avx2, __attribute__((target("avx2,fma"))), 32)
#else
#define BEARING_VECTOR_REGISTER "+w"
#endif
BEARING_FMA_LOOP(fma_generic, , 16)

double run_fma(const std::string& kernel)
{
    float out;
    double count;
#if defined(__x86_64__) || defined(__i386__)
    if (kernel == "avx512")
        count = fma_avx512(&out);
    else if (kernel == "avx2")
        count = fma_avx2(&out);
    else
#endif
        count = fma_generic(&out);
    benchmark::DoNotOptimize(out);
    return count;
}

void set_rate(benchmark::State& state)
{
    state.counters["Msamples/s/channel"] = benchmark::Counter(
        1e-6 * num_snapshots, benchmark::Counter::kIsIterationInvariantRate);
}

void accumulate(benchmark::State& state, const std::string& kernel, int n, int offset)
{
    const input x(n, offset);
    covariance_accumulator accumulator(n, kernel);
    for (auto _ : state)
        run_accumulator(accumulator, x);
    set_rate(state);
}

void volk_pairs(benchmark::State& state, int n)
{
    const input x(n);
    std::vector<lv_32fc_t> r(n * n);
    for (auto _ : state)
        run_volk(r, x, n);
    set_rate(state);
}

void eigen_rank_update(benchmark::State& state, int n)
{
    const input x(n);
    Eigen::MatrixXcf r(n, n);
    for (auto _ : state)
        run_eigen(r, x);
    set_rate(state);
}

void fma_peak(benchmark::State& state, const std::string& kernel)
{
    double count = 0.0;
    for (auto _ : state)
        count = run_fma(kernel);
    state.counters["Gfma/s"] =
        benchmark::Counter(1e-9 * count, benchmark::Counter::kIsIterationInvariantRate);
}

void ratios(benchmark::State& state, const std::string& kernel, int n)
{
    const input x(n), shifted(n, 1);
    covariance_accumulator accumulator(n, kernel);
    std::vector<lv_32fc_t> r(n * n);
    Eigen::MatrixXcf r_eigen(n, n);
    double fma_count = 0.0;
    contender ours([&] { run_accumulator(accumulator, x); });
    contender volk([&] { run_volk(r, x, n); });
    contender off([&] { run_accumulator(accumulator, shifted); });
    contender eigen([&] { run_eigen(r_eigen, x); });
    contender fma([&] { fma_count = run_fma(kernel); });
#ifdef BEARING_HAS_EIGEN_NATIVE
    Eigen::MatrixXcf r_native(n, n);
    contender native([&] { run_eigen_native(r_native, x); });
    for (auto _ : state)
        time_interleaved({ &ours, &volk, &off, &eigen, &native, &fma });
    // The same work, or the race says nothing.
    const double difference =
        Eigen::MatrixXcf((r_native - r_eigen).triangularView<Eigen::Upper>()).norm();
    if (!(difference < 1e-5 * r_eigen.norm())) {
        state.SkipWithError("Eigen compiled for this processor gives another matrix");
        return;
    }
    state.counters["ratio_vs_eigen_native"] = native.seconds() / ours.seconds();
#else
    for (auto _ : state)
        time_interleaved({ &ours, &volk, &off, &eigen, &fma });
#endif
    const double seconds = ours.seconds();
    const double peak = fma_count / fma.seconds();
    state.counters["ratio_vs_volk"] = volk.seconds() / seconds;
    state.counters["ratio_vs_eigen"] = eigen.seconds() / seconds;
    state.counters["misaligned_speed"] = seconds / off.seconds();
    // N^2 multiply-adds per vector, two floats per sample.
    state.counters["share_of_fma_peak"] =
        static_cast<double>(n) * n * 2 * num_snapshots / seconds / peak;
    state.counters["Gfma/s_peak"] = 1e-9 * peak;
    state.counters["Msamples/s/channel"] = 1e-6 * num_snapshots / seconds;
}

void error(benchmark::State& state, const std::string& kernel, int n)
{
    constexpr int many = 65536;
    const input x(n, 0, many);
    double normwise = 0.0;
    for (auto _ : state) {
        covariance_accumulator accumulator(n, kernel);
        accumulator.update(x.channels(), many);
        const Eigen::MatrixXcd samples = x.matrix().cast<std::complex<double>>();
        const Eigen::MatrixXcd r = samples * samples.adjoint() / many;
        normwise = (accumulator.covariance() - r).norm() / r.norm();
    }
    state.counters["normwise_error"] = normwise;
}

void run_sliding(sliding_covariance& sums, std::complex<float>* r, const input& x, int n)
{
    std::vector<const std::complex<float>*> channels(n);
    for (int done = 0; done < num_snapshots;) {
        for (int i = 0; i < n; ++i)
            channels[i] = x.channels()[i] + done;
        done += static_cast<int>(sums.update(channels.data(), num_snapshots - done));
        if (sums.is_complete())
            sums.covariance(r);
    }
    benchmark::ClobberMemory();
}

void sliding(benchmark::State& state, int n, int hops)
{
    const input x(n);
    std::vector<std::complex<float>> r(n * n);
    sliding_covariance_config config;
    config.snapshots = num_snapshots;
    sliding_covariance plain(n, config);
    config.hop = num_snapshots / hops;
    sliding_covariance overlapping(n, config);
    config.hop = 0;
    config.forgetting = 0.5;
    sliding_covariance forgetting(n, config);
    contender side_by_side([&] { run_sliding(plain, r.data(), x, n); });
    contender overlap([&] { run_sliding(overlapping, r.data(), x, n); });
    contender forget([&] { run_sliding(forgetting, r.data(), x, n); });
    for (auto _ : state)
        time_interleaved({ &side_by_side, &overlap, &forget });
    state.counters["share_of_plain"] = side_by_side.seconds() / overlap.seconds();
    state.counters["ratio_vs_recomputed"] =
        hops * side_by_side.seconds() / overlap.seconds();
    state.counters["share_of_plain_forgetting"] =
        side_by_side.seconds() / forget.seconds();
}

} // namespace

int main(int argc, char** argv)
{
    std::vector<std::string> kernels;
    for (const char* name : { "generic", "avx2", "avx512" }) {
        try {
            covariance_accumulator probe(1, name);
            kernels.push_back(name);
        } catch (const std::invalid_argument&) {
            // this processor cannot run it
        }
    }
    const std::string best = covariance_kernel_name();

    for (const int n : { 2, 3, 4, 5, 8, 16, 32, 64 }) {
        const std::string tail = "/" + std::to_string(n);
        for (const std::string& kernel : kernels) {
            benchmark::RegisterBenchmark(
                ("covariance/accumulate/" + kernel + tail).c_str(),
                [=](benchmark::State& state) { accumulate(state, kernel, n, 0); });
            benchmark::RegisterBenchmark(
                ("covariance/accumulate_misaligned/" + kernel + tail).c_str(),
                [=](benchmark::State& state) { accumulate(state, kernel, n, 1); });
        }
        benchmark::RegisterBenchmark(
            ("covariance/volk_pairs" + tail).c_str(),
            [=](benchmark::State& state) { volk_pairs(state, n); });
        benchmark::RegisterBenchmark(
            ("covariance/eigen_rank_update" + tail).c_str(),
            [=](benchmark::State& state) { eigen_rank_update(state, n); });
    }
    for (const std::string& kernel : kernels)
        benchmark::RegisterBenchmark(
            ("covariance/fma_peak/" + kernel).c_str(),
            [=](benchmark::State& state) { fma_peak(state, kernel); });
    // One iteration: the rounds inside are what is repeated.
    for (const int n : { 2, 3, 4, 5, 8, 16, 32, 64 }) {
        const std::string tail = "/" + std::to_string(n);
        const auto add = [&](const std::string& name, const std::string& kernel) {
            benchmark::RegisterBenchmark(
                (name + tail).c_str(),
                [=](benchmark::State& state) { ratios(state, kernel, n); })
                ->Iterations(1)
                ->Unit(benchmark::kMillisecond);
        };
        add("covariance/ratio_vs_volk", best);
        for (const std::string& kernel : kernels)
            add("covariance/ratio_vs_volk_" + kernel, kernel);
    }

    for (const int n : { 5, 16 }) {
        const std::string tail = "/" + std::to_string(n);
        for (const std::string& kernel : kernels)
            benchmark::RegisterBenchmark(
                ("covariance/error/" + kernel + tail).c_str(),
                [=](benchmark::State& state) { error(state, kernel, n); })
                ->Iterations(1)
                ->Unit(benchmark::kMillisecond);
        for (const int hops : { 2, 8, 64 })
            benchmark::RegisterBenchmark(
                ("covariance/sliding" + tail + "/" + std::to_string(hops)).c_str(),
                [=](benchmark::State& state) { sliding(state, n, hops); })
                ->Iterations(1)
                ->Unit(benchmark::kMillisecond);
    }

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
