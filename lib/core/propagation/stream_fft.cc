/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "stream_fft.h"
#include <fftw3.h>
#include <type_traits>
#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Beyond these, trying the ways to transform takes many seconds.
constexpr int longest_measured = 65536;

fftwf_complex* as_fftw(float* bins) { return reinterpret_cast<fftwf_complex*>(bins); }

template <class Sample>
constexpr bool is_real_sample = std::is_same<Sample, float>::value;

} // namespace

aligned_floats::aligned_floats(std::size_t size)
    : d_data(new (std::align_val_t(alignment)) float[std::max<std::size_t>(size, 1)]())
{
}

void aligned_floats::release::operator()(float* data) const
{
    ::operator delete[](data, std::align_val_t(alignment));
}

template <class Sample>
struct stream_fft<Sample>::plans {
    fftwf_plan forward = nullptr;
    fftwf_plan inverse = nullptr;

    explicit plans(int length)
    {
        const aligned_floats samples(2 * padded(length));
        const aligned_floats bins(2 * padded(length));
        float* const x = samples.data();
        fftwf_complex* const spectrum = as_fftw(bins.data());
        const unsigned flags = length <= longest_measured ? FFTW_MEASURE : FFTW_ESTIMATE;
        if constexpr (is_real_sample<Sample>) {
            forward =
                fftwf_plan_dft_r2c_1d(length, x, spectrum, flags | FFTW_PRESERVE_INPUT);
            inverse = fftwf_plan_dft_c2r_1d(length, spectrum, x, flags);
        } else {
            forward = fftwf_plan_dft_1d(
                length, as_fftw(x), spectrum, FFTW_FORWARD, flags | FFTW_PRESERVE_INPUT);
            inverse = fftwf_plan_dft_1d(
                length, spectrum, as_fftw(x), FFTW_BACKWARD, flags | FFTW_DESTROY_INPUT);
        }
        if (!forward || !inverse) {
            release();
            throw std::runtime_error("FFTW has no plan for blocks of " +
                                     std::to_string(length) + " samples");
        }
    }
    ~plans() { release(); }
    plans(const plans&) = delete;
    plans& operator=(const plans&) = delete;

    void release()
    {
        fftwf_destroy_plan(forward);
        fftwf_destroy_plan(inverse);
    }
};

template <class Sample>
stream_fft<Sample>::stream_fft(int length) : d_plans(std::make_unique<plans>(length))
{
}

template <class Sample>
stream_fft<Sample>::~stream_fft() = default;

template <class Sample>
int stream_fft<Sample>::num_bins(int length)
{
    return is_real_sample<Sample> ? length / 2 + 1 : length;
}

template <class Sample>
void stream_fft<Sample>::forward(const Sample* samples, float* bins) const
{
    // FFTW takes no const, but was told to keep its input.
    Sample* const input = const_cast<Sample*>(samples);
    if constexpr (is_real_sample<Sample>) {
        fftwf_execute_dft_r2c(d_plans->forward, input, as_fftw(bins));
    } else {
        fftwf_execute_dft(
            d_plans->forward, reinterpret_cast<fftwf_complex*>(input), as_fftw(bins));
    }
}

template <class Sample>
void stream_fft<Sample>::inverse(float* bins, Sample* samples) const
{
    if constexpr (is_real_sample<Sample>) {
        fftwf_execute_dft_c2r(d_plans->inverse, as_fftw(bins), samples);
    } else {
        fftwf_execute_dft(
            d_plans->inverse, as_fftw(bins), reinterpret_cast<fftwf_complex*>(samples));
    }
}

template class stream_fft<float>;
template class stream_fft<std::complex<float>>;

} // namespace core
} // namespace bearing
} // namespace gr
