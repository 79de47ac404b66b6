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
    { "avx512", avx512::quadratic_form, avx512::line_form },
    { "avx2", avx2::quadratic_form, avx2::line_form },
#endif
    { "generic", generic::quadratic_form, generic::line_form },
};

} // namespace

const spectrum_kernel* find_spectrum_kernel(const char* name)
{
    for (const spectrum_kernel& kernel : kernels)
        if (std::strcmp(kernel.name, name) == 0 && runs_kernel(name))
            return &kernel;
    return nullptr;
}

} // namespace core
} // namespace bearing
} // namespace gr
