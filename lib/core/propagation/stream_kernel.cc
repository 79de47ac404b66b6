/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "stream_kernel.h"
#include <gnuradio/bearing/core/array/vector_kernels.h>

#include <cstring>

#ifdef __clang__
#define BEARING_SHUFFLE(x, ...) __builtin_shufflevector(x, x, __VA_ARGS__)
#else
#define BEARING_SHUFFLE(x, ...) __builtin_shuffle(x, vec_index{ __VA_ARGS__ })
#endif

#define BEARING_INLINE static inline __attribute__((always_inline))

namespace gr {
namespace bearing {
namespace core {
namespace {

/* Bins that a tile of residuals holds, in floats: with its totals it stays in the
 * first-level cache while the channels pass. */
constexpr std::ptrdiff_t tile = 1024;

/* What residuals are computed for beyond each end of a tile: one widest vector. */
constexpr std::ptrdiff_t margin = 16;

/* 128-bit vectors are part of every x86-64 and AArch64 processor; on others the compiler
 * splits them. */
namespace generic {
#define BEARING_TARGET
#define BEARING_VECTOR_BYTES 16
#define BEARING_REAL_PARTS 0, 0, 2, 2
#define BEARING_IMAGINARY_PARTS 1, 1, 3, 3
#define BEARING_SWAPPED 1, 0, 3, 2
#include "stream_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_REAL_PARTS
#undef BEARING_IMAGINARY_PARTS
#undef BEARING_SWAPPED
} // namespace generic

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define BEARING_TARGET __attribute__((target("avx2,fma")))
#define BEARING_VECTOR_BYTES 32
#define BEARING_REAL_PARTS 0, 0, 2, 2, 4, 4, 6, 6
#define BEARING_IMAGINARY_PARTS 1, 1, 3, 3, 5, 5, 7, 7
#define BEARING_SWAPPED 1, 0, 3, 2, 5, 4, 7, 6
#include "stream_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_REAL_PARTS
#undef BEARING_IMAGINARY_PARTS
#undef BEARING_SWAPPED
} // namespace avx2

namespace avx512 {
#define BEARING_TARGET __attribute__((target("avx512f")))
#define BEARING_VECTOR_BYTES 64
#define BEARING_REAL_PARTS 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14
#define BEARING_IMAGINARY_PARTS 1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13, 13, 15, 15
#define BEARING_SWAPPED 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#include "stream_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_REAL_PARTS
#undef BEARING_IMAGINARY_PARTS
#undef BEARING_SWAPPED
} // namespace avx512
#endif

const stream_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
    { "avx512", avx512::match, avx512::residual, avx512::respond },
    { "avx2", avx2::match, avx2::residual, avx2::respond },
#endif
    { "generic", generic::match, generic::residual, generic::respond },
};

} // namespace

const stream_kernel* find_stream_kernel(const char* name)
{
    for (const stream_kernel& kernel : kernels)
        if (std::strcmp(kernel.name, name) == 0 && runs_kernel(name))
            return &kernel;
    return nullptr;
}

const stream_kernel* default_stream_kernel()
{
    static const stream_kernel* const kernel = find_stream_kernel(default_kernel_name());
    return kernel;
}

} // namespace core
} // namespace bearing
} // namespace gr
