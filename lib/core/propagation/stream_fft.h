/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FFT_H
#define INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FFT_H

#include <complex>
#include <cstddef>
#include <memory>

namespace gr {
namespace bearing {
namespace core {

//! Zeros, aligned for the widest vectors; FFTW's own memory is aligned for its own only.
class aligned_floats
{
public:
    static constexpr std::size_t alignment = 64;

    aligned_floats() = default;
    //! \throws std::bad_alloc
    explicit aligned_floats(std::size_t size);

    float* data() const { return d_data.get(); }

private:
    struct release {
        void operator()(float* data) const;
    };
    std::unique_ptr<float[], release> d_data;
};

//! Bins or samples of one channel in memory, so that the next channel is as aligned as the
//! first: an odd distance crashes FFTW's vector code.
constexpr std::size_t channel_padding = 16;
constexpr std::size_t padded(std::size_t count)
{
    return (count + channel_padding - 1) / channel_padding * channel_padding;
}

/*!
 * \brief Transforms of blocks of one length in single precision, of real or complex
 * samples.
 *
 * Arrays come from aligned_floats, or lie a multiple of channel_padding samples or bins
 * behind one that does. Plans are measured once for each length in a program, which takes
 * about a second; long blocks are not.
 */
template <class Sample>
class stream_fft
{
public:
    explicit stream_fft(int length);
    ~stream_fft();
    stream_fft(const stream_fft&) = delete;
    stream_fft& operator=(const stream_fft&) = delete;

    //! F: length / 2 + 1 of real samples, length of complex ones, in the DFT's order.
    static int num_bins(int length);

    //! The samples stay as they are.
    void forward(const Sample* samples, float* bins) const;
    //! Not scaled: length times the inverse. The bins are lost.
    void inverse(float* bins, Sample* samples) const;

private:
    struct plans;
    std::unique_ptr<plans> d_plans;
};

extern template class stream_fft<float>;
extern template class stream_fft<std::complex<float>>;

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FFT_H */
