/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_KERNEL_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_KERNEL_H

#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*
 * One variant of the covariance kernel.
 *
 * accumulate() adds sum_t x_i(t) conj(x_j(t)), i <= j, to the upper triangle of the
 * column-major num_elements x num_elements matrix of interleaved (re, im) doubles `sum`;
 * the imaginary part of the diagonal and the lower triangle are left alone.
 * channels[i] points at num_snapshots interleaved (re, im) float pairs. No alignment is
 * needed; num_elements is 1..64. It neither allocates nor throws.
 *
 * This header and kernel.cc stay free of Eigen and of the standard library's templates:
 * a template that a function with wider vectors instantiates may be the one that the
 * linker keeps for the whole program.
 */
struct covariance_kernel {
    const char* name;
    void (*accumulate)(const float* const* channels,
                       int num_elements,
                       std::size_t num_snapshots,
                       double* sum);
};

/* The variant of that name, or null when there is none or this processor cannot run it.
 */
const covariance_kernel* find_covariance_kernel(const char* name);

/* The variant of default_kernel_name(). */
const covariance_kernel* default_covariance_kernel();

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_KERNEL_H */
