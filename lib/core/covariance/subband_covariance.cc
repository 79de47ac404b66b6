/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <fftw3.h>
#include <volk/volk.h>
#include <algorithm>
#include <cmath>
#include <new>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int max_subbands = 1024;
constexpr int longest_frame = 65536;

// Frames that are transformed together: enough that a call to the covariance kernel is
// worth its price, and a multiple of what keeps each sub-band's run of bins aligned.
constexpr int batch = 64;
constexpr std::size_t alignment = 64;

// Measured plans are half as fast again from 64 sub-bands on; for longer frames than this
// measuring takes seconds.
constexpr int longest_measured = 4096;

fftwf_complex* as_fftw(std::complex<float>* values)
{
    return reinterpret_cast<fftwf_complex*>(values);
}

double square(double value) { return value * value; }

} // namespace

int subband_frame_length(const subband_config& config)
{
    if (config.num_subbands < 3 || config.num_subbands > max_subbands) {
        throw std::invalid_argument(
            "num_subbands is " + std::to_string(config.num_subbands) +
            "; it must be from 3 to " + std::to_string(max_subbands));
    }
    if (!(config.bandwidth > 0.0 && config.bandwidth <= 1.0)) {
        throw std::invalid_argument(
            "bandwidth is " + std::to_string(config.bandwidth) +
            "; it must lie in (0, 1], a share of the sample rate");
    }
    // A bandwidth of 0.8 is not 0.8 to the bit.
    const double half = std::ceil(config.num_subbands / (2.0 * config.bandwidth) - 1e-9);
    if (half > longest_frame / 2) {
        throw std::invalid_argument("bandwidth is " + std::to_string(config.bandwidth) +
                                    "; " + std::to_string(config.num_subbands) +
                                    " sub-bands in it take frames of more than " +
                                    std::to_string(longest_frame) + " samples");
    }
    return 2 * static_cast<int>(half);
}

Eigen::VectorXd subband_frequencies(const subband_config& config, double sample_rate)
{
    const int frame = subband_frame_length(config);
    if (!(std::isfinite(sample_rate) && sample_rate > 0.0)) {
        throw std::invalid_argument("sample_rate is " + std::to_string(sample_rate) +
                                    "; it must be finite and > 0 Hz");
    }
    const int m = config.num_subbands;
    return (Eigen::ArrayXd::LinSpaced(m, 0.0, m - 1.0) - 0.5 * (m - 1)) * sample_rate /
           frame;
}

double subband_snapshots(std::size_t num_frames)
{
    const double q = static_cast<double>(num_frames);
    return num_frames == 0 ? 0.0 : q / (1.0 + 2.0 * (1.0 - 1.0 / q) / 36.0);
}

double subband_correlation(int distance)
{
    // The squares of the same frame's correlation, and twice those of the next frame's.
    constexpr double at_zero = 1.0 + 2.0 / 36.0;
    switch (std::abs(distance)) {
    case 0:
        return 1.0;
    case 1:
        return (square(2.0 / 3.0) + 2.0 * square(4.0 / (9.0 * M_PI))) / at_zero;
    case 2:
        return (square(1.0 / 6.0) + 2.0 * square(1.0 / 12.0)) / at_zero;
    case 3:
        return 2.0 * square(4.0 / (45.0 * M_PI)) / at_zero;
    default:
        return 0.0;
    }
}

// Transforms a batch of frames of one channel, and stores it bin by bin, so that the
// frames of a sub-band are neighbours as the covariance kernel wants them.
struct subband_accumulator::plan {
    fftwf_plan forward = nullptr;

    plan(int length, std::complex<float>* frames, std::complex<float>* bins)
    {
        forward = fftwf_plan_many_dft(
            1,
            &length,
            batch,
            as_fftw(frames),
            nullptr,
            1,
            length,
            as_fftw(bins),
            nullptr,
            batch,
            1,
            FFTW_FORWARD,
            (length <= longest_measured ? FFTW_MEASURE : FFTW_ESTIMATE) |
                FFTW_DESTROY_INPUT);
        if (!forward) {
            throw std::runtime_error("FFTW has no plan for frames of " +
                                     std::to_string(length) + " samples");
        }
    }
    ~plan() { fftwf_destroy_plan(forward); }
    plan(const plan&) = delete;
    plan& operator=(const plan&) = delete;
};

void subband_accumulator::release::operator()(std::complex<float>* values) const
{
    volk_free(values);
}

subband_accumulator::aligned_values subband_accumulator::zeros(std::size_t size)
{
    void* const memory = volk_malloc(size * sizeof(std::complex<float>), alignment);
    if (!memory) {
        throw std::bad_alloc();
    }
    std::complex<float>* const values = static_cast<std::complex<float>*>(memory);
    std::fill_n(values, size, std::complex<float>());
    return aligned_values(values);
}

subband_accumulator::subband_accumulator(int num_elements, const subband_config& config)
    : d_num_elements(num_elements),
      d_config(config),
      d_frame_length(subband_frame_length(config)),
      d_accumulators(config.num_subbands, covariance_accumulator(num_elements)),
      d_channels(num_elements)
{
    const std::size_t length = d_frame_length;
    const std::size_t n = num_elements;
    d_window = zeros(length);
    d_samples = zeros(n * length);
    d_frames = zeros(n * batch * length);
    d_bins = zeros(n * batch * length);
    d_plan = std::make_unique<plan>(d_frame_length, d_frames.get(), d_bins.get());

    // Unit energy, and R_m is the power in one of F sub-bands. Half a bin lower, an even
    // number of bins lies evenly about the centre.
    const double scale = std::sqrt(8.0 / 3.0) / d_frame_length;
    const double shift = config.num_subbands % 2 == 0 ? -M_PI / d_frame_length : 0.0;
    for (int k = 0; k < d_frame_length; ++k) {
        const double hann = 0.5 - 0.5 * std::cos(2.0 * M_PI * k / d_frame_length);
        d_window[k] = std::complex<float>(std::polar(scale * hann, shift * k));
    }
}

subband_accumulator::~subband_accumulator() = default;

void subband_accumulator::update(const std::complex<float>* const* channels,
                                 std::size_t num_samples)
{
    const std::size_t length = d_frame_length;
    std::size_t used = 0;
    while (used < num_samples) {
        const std::size_t run = std::min(num_samples - used, length - d_num_filled);
        for (int i = 0; i < d_num_elements; ++i) {
            std::copy_n(
                channels[i] + used, run, d_samples.get() + i * length + d_num_filled);
        }
        d_num_filled += static_cast<int>(run);
        used += run;
        if (d_num_filled == d_frame_length) {
            take_frame();
        }
    }
    d_num_samples += num_samples;
}

std::size_t subband_accumulator::num_frames() const
{
    const std::size_t length = d_frame_length;
    return d_num_samples < length ? 0 : 1 + (d_num_samples - length) / (length / 2);
}

void subband_accumulator::take_frame()
{
    const std::size_t length = d_frame_length;
    for (int i = 0; i < d_num_elements; ++i) {
        std::complex<float>* const samples = d_samples.get() + i * length;
        volk_32fc_x2_multiply_32fc(d_frames.get() + (i * batch + d_num_waiting) * length,
                                   samples,
                                   d_window.get(),
                                   d_frame_length);
        std::copy_n(samples + length / 2, length / 2, samples);
    }
    d_num_filled = d_frame_length / 2;
    if (++d_num_waiting == batch) {
        transform();
    }
}

// Takes the waiting frames into the covariances. What is left in the batch from earlier is
// transformed in vain.
void subband_accumulator::transform()
{
    if (d_num_waiting == 0) {
        return;
    }
    const std::size_t size = static_cast<std::size_t>(batch) * d_frame_length;
    for (int i = 0; i < d_num_elements; ++i) {
        fftwf_execute_dft(d_plan->forward,
                          as_fftw(d_frames.get() + i * size),
                          as_fftw(d_bins.get() + i * size));
    }
    const int m = d_config.num_subbands;
    for (int k = 0; k < m; ++k) {
        const int bin = (k - m / 2 + d_frame_length) % d_frame_length;
        for (int i = 0; i < d_num_elements; ++i) {
            d_channels[i] =
                d_bins.get() + i * size + static_cast<std::size_t>(bin) * batch;
        }
        d_accumulators[k].update(d_channels.data(), d_num_waiting);
    }
    d_num_waiting = 0;
}

void subband_accumulator::reset()
{
    d_num_samples = 0;
    d_num_filled = 0;
    d_num_waiting = 0;
    for (covariance_accumulator& accumulator : d_accumulators) {
        accumulator.reset();
    }
}

void subband_accumulator::covariance(std::complex<float>* out)
{
    transform();
    for (const covariance_accumulator& accumulator : d_accumulators) {
        accumulator.covariance(out);
        out += d_num_elements * d_num_elements;
    }
}

Eigen::MatrixXcd subband_accumulator::covariance()
{
    transform();
    Eigen::MatrixXcd r(d_num_elements, d_num_elements * d_config.num_subbands);
    for (int k = 0; k < d_config.num_subbands; ++k) {
        r.middleCols(k * d_num_elements, d_num_elements) = d_accumulators[k].covariance();
    }
    return r;
}

} // namespace core
} // namespace bearing
} // namespace gr
