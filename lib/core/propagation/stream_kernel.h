/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_STREAM_KERNEL_H
#define INCLUDED_BEARING_CORE_PROPAGATION_STREAM_KERNEL_H

#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/* Spectra of several channels, bins as pairs (re, im), channels a distance of floats
 * apart. There may be no channels whose bins are read: those of weight 0. */
struct channel_bins {
    const float* data;
    std::ptrdiff_t distance;
};

/* Channels that are read, and what each counts for. */
struct channel_weights {
    int num_channels;
    const int* channel;
    const float* weight; /* num_channels, in the order of channel */
};

/*
 * The passes over all bins of all channels, in one variant of vector instructions. All
 * counts are in floats, two a bin, and multiples of 32; arrays are aligned to 64 bytes.
 *
 * match() computes b = sum_i w_i conj(P_i) d_i.
 *
 * residual() adds, for bins k and r_i = d_i - sum_m P_mi z_m,
 *     |3/8 r_k - (r_k-1 + r_k+1) / 4 + (r_k-2 + r_k+2) / 16|^2,
 * the power of a block under the square of a Hann window: times w_i to total, squares of
 * real and imaginary parts apart, and times each bin's share (given twice, once for each
 * part; null to leave this out) to power[i], i counting as in channel. What lies beyond
 * either end counts as zero. z, and the responses of source m, m = 0 .. num_sources - 1, are
 * these distances apart.
 *
 * respond() computes x = sum_m P_m s_m, one channel.
 *
 * This header and stream_kernel.cc stay free of Eigen and of the standard library's
 * templates: a template that a function with wider vectors instantiates may be the one
 * that the linker keeps for the whole program.
 */
struct stream_kernel {
    const char* name;
    void (*match)(const channel_weights* weights,
                  channel_bins data,
                  channel_bins response,
                  std::ptrdiff_t count,
                  float* b);
    void (*residual)(const channel_weights* weights,
                     channel_bins data,
                     channel_bins response,
                     std::ptrdiff_t response_distance,
                     const float* z,
                     std::ptrdiff_t z_distance,
                     int num_sources,
                     std::ptrdiff_t count,
                     const float* share,
                     float* total,
                     double* power);
    void (*respond)(const float* response,
                    std::ptrdiff_t response_distance,
                    const float* s,
                    std::ptrdiff_t s_distance,
                    int num_sources,
                    std::ptrdiff_t count,
                    float* x);
};

/* The variant of that name, or null when there is none or this processor cannot run it. */
const stream_kernel* find_stream_kernel(const char* name);

/* The variant of default_kernel_name(). */
const stream_kernel* default_stream_kernel();

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_STREAM_KERNEL_H */
