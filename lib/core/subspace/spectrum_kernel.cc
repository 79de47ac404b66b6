/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "spectrum_kernel.h"
#include <gnuradio/bearing/core/array/vector_kernels.h>

#include <cstddef>
#include <cstring>

#define BEARING_INLINE static inline __attribute__((always_inline))

namespace gr {
namespace bearing {
namespace core {
namespace {

/* log2(1 + t) = t (p_0 + p_1 t + ..) for 1 + t from sqrt(1/2) to sqrt(2): the polynomial
 * through the Chebyshev points of that range, 6e-11 off at worst. */
constexpr double log2_polynomial[] = {
    1.44269504095823,   -0.7213475248945475,  0.4808983110823999,  -0.36067284534931043,
    0.2885414555372135, -0.24050279824211307, 0.2060716510515003,  -0.17905123206089377,
    0.1593130058018113, -0.15722653026582967, 0.15345286719548668, -0.0843352070104932
};
constexpr int log2_degree = sizeof(log2_polynomial) / sizeof(double) - 1;

typedef unsigned long long bits64;
/* Bits of sqrt(1/2), rounded; of 1; of 2^52; and of a fraction. */
constexpr bits64 bits_of_root_half = 0x3fe6a09e667f3bcdULL;
constexpr bits64 bits_of_one = 0x3ff0000000000000ULL;
constexpr bits64 bits_of_2_to_52 = 0x4330000000000000ULL;
constexpr bits64 fraction_bits = 0x000fffffffffffffULL;
constexpr double two_to_52 = 4503599627370496.0;
constexpr double exponent_bias = 1023.0;

/* 128-bit vectors are part of every x86-64 and AArch64 processor; on others the compiler
 * splits them. */
namespace generic {
#define BEARING_TARGET
#define BEARING_VECTOR_BYTES 16
#define BEARING_VECTORS_AT_ONCE 2
#include "spectrum_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_VECTORS_AT_ONCE
} // namespace generic

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define BEARING_TARGET __attribute__((target("avx2,fma")))
#define BEARING_VECTOR_BYTES 32
#define BEARING_VECTORS_AT_ONCE 2
#include "spectrum_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_VECTORS_AT_ONCE
} // namespace avx2

namespace avx512 {
#define BEARING_TARGET __attribute__((target("avx512f")))
#define BEARING_VECTOR_BYTES 64
#define BEARING_VECTORS_AT_ONCE 4
#include "spectrum_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_VECTORS_AT_ONCE
} // namespace avx512
#endif

const spectrum_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
    { "avx512", avx512::quadratic_form, avx512::line_form, avx512::decibels },
    { "avx2", avx2::quadratic_form, avx2::line_form, avx2::decibels },
#endif
    { "generic", generic::quadratic_form, generic::line_form, generic::decibels },
};

} // namespace

const spectrum_kernel* find_spectrum_kernel(const char* name)
{
    for (const spectrum_kernel& kernel : kernels)
        if (std::strcmp(kernel.name, name) == 0 && runs_kernel(name))
            return &kernel;
    return nullptr;
}

const spectrum_kernel* default_spectrum_kernel()
{
    static const spectrum_kernel* const kernel =
        find_spectrum_kernel(default_kernel_name());
    return kernel;
}

} // namespace core
} // namespace bearing
} // namespace gr
