/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Whole flowgraphs under GNU Radio's scheduler: N sources that only tell that there are
 * samples, and
 *
 * - a sink that only consumes: what the scheduler itself can do;
 * - the block covariance and a sink that only consumes items;
 * - the same with a block of VOLK's dot products over the triangle of channel pairs;
 * - the block covariance and several estimators.
 *
 * Each run is a flowgraph of its own that ends after a number of samples; runs of all
 * contenders take turns. Counters, from medians of the rounds:
 *
 * - share_of_consumer: throughput against the first, by wall time; more than 1 where the
 *   larger buffers that covariance asks for save more calls than its sums take
 * - share_of_large_consumer: the same where the consumer has such buffers, too
 * - ratio_vs_volk: throughput against the block with VOLK, by wall time
 * - ratio_vs_large_volk: the same where the block with VOLK has such buffers, too
 * - share_of_consumer_cpu, ratio_vs_volk_cpu, ratio_vs_large_volk_cpu: the same by CPU time
 *   of all threads
 * - Msamples/s/channel: by wall time
 *
 * flowgraph/covariance/<N>/<T> has the first two comparisons, flowgraph/estimators/<N>/<T>/<E>
 * is covariance with E MUSIC estimators against covariance alone (share_of_covariance).
 */

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/covariance.h>
#include <gnuradio/bearing/music.h>
#include <gnuradio/io_signature.h>
#include <gnuradio/sync_block.h>
#include <gnuradio/sync_decimator.h>
#include <gnuradio/top_block.h>
#include <benchmark/benchmark.h>
#include <volk/volk.h>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

// A median over fewer than fifteen would still move from run to run.
constexpr int num_rounds = 15;

// A run takes this long: thirty threads are started and stopped in a few milliseconds.
constexpr double seconds_per_run = 0.1;

// Leaves in its buffer what it wrote there at first, and takes no time from then on.
class idle_source : public gr::sync_block
{
public:
    idle_source(std::uint64_t num_samples, int buffer_size)
        : gr::sync_block("idle_source",
                         gr::io_signature::make(0, 0, 0),
                         gr::io_signature::make(1, 1, sizeof(gr_complex))),
          d_left(num_samples)
    {
        if (buffer_size > 0) {
            // GNU Radio tells everybody about it.
            d_logger->set_level("warn");
            set_min_output_buffer(buffer_size);
        }
    }

    int work(int noutput_items,
             gr_vector_const_void_star&,
             gr_vector_void_star& output_items) override
    {
        if (d_left == 0)
            return WORK_DONE;
        const std::uint64_t count = std::min<std::uint64_t>(noutput_items, d_left);
        // Longer than any buffer here, so that all of it holds noise.
        constexpr std::uint64_t noise = 1 << 16;
        for (std::uint64_t k = 0; d_written < noise && k < count; ++k, ++d_written)
            static_cast<gr_complex*>(output_items[0])[k] = { d_normal(d_generator),
                                                             d_normal(d_generator) };
        d_left -= count;
        return static_cast<int>(count);
    }

private:
    std::uint64_t d_left;
    std::uint64_t d_written = 0;
    std::minstd_rand d_generator;
    std::uniform_real_distribution<float> d_normal{ -1.0f, 1.0f };
};

class consumer : public gr::sync_block
{
public:
    consumer(int num_inputs, std::size_t item_size)
        : gr::sync_block("consumer",
                         gr::io_signature::make(num_inputs, num_inputs, item_size),
                         gr::io_signature::make(0, 0, 0))
    {
    }

    int work(int noutput_items, gr_vector_const_void_star&, gr_vector_void_star&) override
    {
        return noutput_items;
    }
};

// As one would write it with VOLK.
class volk_covariance : public gr::sync_decimator
{
public:
    volk_covariance(int num_inputs, int num_snapshots)
        : gr::sync_decimator(
              "volk_covariance",
              gr::io_signature::make(num_inputs, num_inputs, sizeof(gr_complex)),
              gr::io_signature::make(1, 1, num_inputs * num_inputs * sizeof(gr_complex)),
              num_snapshots),
          d_n(num_inputs),
          d_num_snapshots(num_snapshots)
    {
    }

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override
    {
        gr_complex* out = static_cast<gr_complex*>(output_items[0]);
        const float scale = 1.0f / d_num_snapshots;
        for (int item = 0; item < noutput_items; ++item, out += d_n * d_n) {
            for (int j = 0; j < d_n; ++j) {
                for (int i = 0; i <= j; ++i) {
                    gr_complex sum;
                    volk_32fc_x2_conjugate_dot_prod_32fc(&sum,
                                                         samples(input_items, i, item),
                                                         samples(input_items, j, item),
                                                         d_num_snapshots);
                    out[i + j * d_n] = scale * sum;
                    out[j + i * d_n] = std::conj(scale * sum);
                }
            }
        }
        return noutput_items;
    }

private:
    const gr_complex*
    samples(const gr_vector_const_void_star& input_items, int i, int item) const
    {
        return static_cast<const gr_complex*>(input_items[i]) +
               static_cast<std::ptrdiff_t>(item) * d_num_snapshots;
    }

    const int d_n;
    const int d_num_snapshots;
};

// What a flowgraph has behind its N sources.
using builder = std::function<void(gr::top_block&, const std::vector<gr::block_sptr>&)>;

void connect_inputs(gr::top_block& top,
                    const std::vector<gr::block_sptr>& sources,
                    gr::block_sptr block)
{
    for (std::size_t i = 0; i < sources.size(); ++i)
        top.connect(sources[i], 0, block, static_cast<int>(i));
}

gr::block_sptr item_consumer(int n)
{
    return gnuradio::make_block_sptr<consumer>(1, n * n * sizeof(gr_complex));
}

builder consuming(int n)
{
    return [=](gr::top_block& top, const std::vector<gr::block_sptr>& sources) {
        connect_inputs(
            top, sources, gnuradio::make_block_sptr<consumer>(n, sizeof(gr_complex)));
    };
}

builder with_volk(int n, int num_snapshots)
{
    return [=](gr::top_block& top, const std::vector<gr::block_sptr>& sources) {
        const gr::block_sptr block =
            gnuradio::make_block_sptr<volk_covariance>(n, num_snapshots);
        connect_inputs(top, sources, block);
        connect_inputs(top, { block }, item_consumer(n));
    };
}

builder with_covariance(int n, int num_snapshots, int num_estimators = 0)
{
    return [=](gr::top_block& top, const std::vector<gr::block_sptr>& sources) {
        const gr::block_sptr block = gr::bearing::covariance::make(n, num_snapshots);
        connect_inputs(top, sources, block);
        if (num_estimators == 0)
            connect_inputs(top, { block }, item_consumer(n));
        for (int k = 0; k < num_estimators; ++k)
            top.connect(
                block,
                0,
                gr::bearing::music::make(
                    gr::bearing::core::antenna_array::uniform_circle(n, 0.08 * n), 1),
                0);
    };
}

double seconds(const timespec& t)
{
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

class flowgraph
{
public:
    // Buffers of at least that many samples; 0: as large as the blocks ask for.
    flowgraph(int num_inputs, builder build, int buffer_size = 0)
        : d_num_inputs(num_inputs), d_build(std::move(build)), d_buffer_size(buffer_size)
    {
    }

    // Runs until the number of samples has passed.
    void round(std::uint64_t num_samples)
    {
        const gr::top_block_sptr top = gr::make_top_block("flowgraph");
        std::vector<gr::block_sptr> sources;
        for (int i = 0; i < d_num_inputs; ++i)
            sources.push_back(
                gnuradio::make_block_sptr<idle_source>(num_samples, d_buffer_size));
        d_build(*top, sources);
        timespec cpu_start, cpu_stop;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_start);
        const auto start = std::chrono::steady_clock::now();
        top->run();
        const auto stop = std::chrono::steady_clock::now();
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_stop);
        const double samples = static_cast<double>(num_samples);
        d_wall.push_back(std::chrono::duration<double>(stop - start).count() / samples);
        d_cpu.push_back((seconds(cpu_stop) - seconds(cpu_start)) / samples);
    }

    //! Median seconds per sample of all channels.
    double wall() const { return median(d_wall); }
    double cpu() const { return median(d_cpu); }
    void clear()
    {
        d_wall.clear();
        d_cpu.clear();
    }

private:
    static double median(std::vector<double> values)
    {
        std::nth_element(
            values.begin(), values.begin() + values.size() / 2, values.end());
        return values[values.size() / 2];
    }

    int d_num_inputs;
    builder d_build;
    int d_buffer_size;
    std::vector<double> d_wall, d_cpu;
};

void time_interleaved(const std::vector<flowgraph*>& contenders)
{
    // Each gets as many samples as make a run of the wanted length.
    std::vector<std::uint64_t> num_samples;
    for (flowgraph* contender : contenders) {
        std::uint64_t count = 1 << 18;
        for (;;) {
            contender->clear();
            contender->round(count);
            const double wall = contender->wall() * static_cast<double>(count);
            if (wall > 0.5 * seconds_per_run)
                break;
            count *= wall > 0.1 * seconds_per_run ? 2 : 8;
        }
        contender->clear();
        num_samples.push_back(count);
    }
    for (int k = 0; k < num_rounds; ++k)
        for (std::size_t c = 0; c < contenders.size(); ++c)
            contenders[c]->round(num_samples[c]);
}

// Samples that covariance asks its input buffers to hold: twice the inverse of its rate.
int asked_buffer(int n, int num_snapshots)
{
    const gr::block_sptr block = gr::bearing::covariance::make(n, num_snapshots);
    return static_cast<int>(2 * block->relative_rate_d() / block->relative_rate_i());
}

void covariance_graph(benchmark::State& state, int n, int num_snapshots)
{
    const int buffer = asked_buffer(n, num_snapshots);
    flowgraph idle(n, consuming(n)), large(n, consuming(n), buffer),
        ours(n, with_covariance(n, num_snapshots)), volk(n, with_volk(n, num_snapshots)),
        large_volk(n, with_volk(n, num_snapshots), buffer);
    for (auto _ : state)
        time_interleaved({ &idle, &large, &ours, &volk, &large_volk });
    state.counters["share_of_consumer"] = idle.wall() / ours.wall();
    state.counters["share_of_consumer_cpu"] = idle.cpu() / ours.cpu();
    state.counters["share_of_large_consumer"] = large.wall() / ours.wall();
    state.counters["ratio_vs_volk"] = volk.wall() / ours.wall();
    state.counters["ratio_vs_volk_cpu"] = volk.cpu() / ours.cpu();
    state.counters["ratio_vs_large_volk"] = large_volk.wall() / ours.wall();
    state.counters["ratio_vs_large_volk_cpu"] = large_volk.cpu() / ours.cpu();
    state.counters["Msamples/s/channel"] = 1e-6 / ours.wall();
}

void estimator_graph(benchmark::State& state,
                     int n,
                     int num_snapshots,
                     int num_estimators)
{
    flowgraph alone(n, with_covariance(n, num_snapshots)),
        ours(n, with_covariance(n, num_snapshots, num_estimators));
    for (auto _ : state)
        time_interleaved({ &alone, &ours });
    state.counters["share_of_covariance"] = alone.wall() / ours.wall();
    state.counters["share_of_covariance_cpu"] = alone.cpu() / ours.cpu();
    state.counters["Msamples/s/channel"] = 1e-6 / ours.wall();
}

} // namespace

int main(int argc, char** argv)
{
    // One iteration: the rounds inside are what is repeated.
    const auto add = [](const std::string& name,
                        const std::function<void(benchmark::State&)>& run) {
        benchmark::RegisterBenchmark(name.c_str(), run)
            ->Iterations(1)
            ->Unit(benchmark::kMillisecond);
    };
    for (const int n : { 2, 3, 4, 5, 8, 16, 32, 64 })
        add("flowgraph/covariance/" + std::to_string(n) + "/4096",
            [=](benchmark::State& state) { covariance_graph(state, n, 4096); });
    for (const int num_snapshots : { 256, 1024, 65536 })
        for (const int n : { 5, 16 })
            add("flowgraph/covariance/" + std::to_string(n) + "/" +
                    std::to_string(num_snapshots),
                [=](benchmark::State& state) {
                    covariance_graph(state, n, num_snapshots);
                });
    for (const int num_estimators : { 1, 2, 4, 8 })
        add("flowgraph/estimators/5/4096/" + std::to_string(num_estimators),
            [=](benchmark::State& state) {
                estimator_graph(state, 5, 4096, num_estimators);
            });

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
