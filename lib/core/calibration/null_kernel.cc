/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "null_kernel.h"

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
#include "null_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
} // namespace generic

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define BEARING_TARGET __attribute__((target("avx2,fma")))
#define BEARING_VECTOR_BYTES 32
#include "null_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
} // namespace avx2

namespace avx512 {
#define BEARING_TARGET __attribute__((target("avx512f")))
#define BEARING_VECTOR_BYTES 64
#include "null_kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
} // namespace avx512
#endif

const null_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
    { "avx512", avx512::lanes, avx512::project, avx512::pull },
    { "avx2", avx2::lanes, avx2::project, avx2::pull },
#endif
    { "generic", generic::lanes, generic::project, generic::pull },
};

} // namespace

const null_kernel* find_null_kernel(const char* name)
{
    for (const null_kernel& kernel : kernels)
        if (std::strcmp(kernel.name, name) == 0)
            return &kernel;
    return nullptr;
}

} // namespace core
} // namespace bearing
} // namespace gr
