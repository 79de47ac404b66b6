/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel.h"
#include <gnuradio/bearing/core/array/vector_kernels.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __clang__
#define BEARING_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define BEARING_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, vec_index{ __VA_ARGS__ })
#endif

/* What was read from memory before is to be read again and not kept in a register. */
#define BEARING_RELOAD __asm__ volatile("" : : : "memory")

/* Keeps a variable that innermost loops do not use out of the registers that they need.
 */
#define BEARING_IN_MEMORY(variable) __asm__ volatile("" : "+m"(variable))

#define BEARING_INLINE static inline __attribute__((always_inline))

namespace gr {
namespace bearing {
namespace core {
namespace {

constexpr int max_elements = 64;

/* A lane sums this many products in float registers, then these sums in a second set of
 * floats in memory. A constant signal makes every rounding err alike, by up to half a
 * unit per term: two short sums keep that where one long one would not. */
constexpr int vectors_per_chunk = 64;

/* What goes through the second set before it is summed in double: 4096 samples of 512-bit
 * vectors, 2048 of 256-bit, 1024 of 128-bit ones. */
constexpr std::size_t max_vectors_per_block = 512;

/* Second-level cache of the processors with wide vectors, from which the tiles read a
 * block again and again. */
constexpr std::size_t cache_bytes = 1024 * 1024;

typedef float float4 __attribute__((vector_size(16), may_alias));
typedef double double4 __attribute__((vector_size(32)));

/* What the tiles pass over: whole vectors in the callers' buffers, then those of the edge
 * buffer. begin and count are in floats. */
struct block {
    struct {
        const float* const* channels;
        std::ptrdiff_t begin;
        std::ptrdiff_t count;
    } part[2];
};

/* Samples to skip until the vectors of as many channels as possible are aligned: one that
 * straddles two cache lines takes two loads. */
std::size_t samples_to_alignment(const float* const* channels,
                                 int num_elements,
                                 std::size_t num_snapshots,
                                 std::size_t samples_per_vector)
{
    constexpr std::size_t line = 64;
    constexpr std::size_t sample = 2 * sizeof(float);
    /* A short run is not worth the trouble. */
    if (num_snapshots < 16 * line / sample)
        return 0;
    int votes[line / sample] = {};
    for (int i = 0; i < num_elements; ++i) {
        const std::uintptr_t offset =
            reinterpret_cast<std::uintptr_t>(channels[i]) % line;
        if (offset % sample == 0)
            ++votes[(line - offset) % line / sample];
    }
    std::size_t best = 0;
    for (std::size_t k = 1; k < line / sample; ++k)
        if (votes[k] > votes[best])
            best = k;
    return best % samples_per_vector;
}

/* 128-bit vectors are part of every x86-64 and AArch64 processor; on others the compiler
 * splits them. */
namespace generic {
#define BEARING_TARGET
#define BEARING_VECTOR_BYTES 16
#define BEARING_THREE_MULTIPLY 0
#if defined(__SSE2__)
#define BEARING_REGISTER "+x"
#elif defined(__aarch64__)
#define BEARING_REGISTER "+w"
#endif
#include "kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_THREE_MULTIPLY
#undef BEARING_REGISTER
} // namespace generic

#if defined(__x86_64__) || defined(__i386__)
namespace avx2 {
#define BEARING_TARGET __attribute__((target("avx2,fma")))
#define BEARING_VECTOR_BYTES 32
#define BEARING_THREE_MULTIPLY 0
#define BEARING_REGISTER "+x"
#include "kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_THREE_MULTIPLY
#undef BEARING_REGISTER
} // namespace avx2

namespace avx512 {
#define BEARING_TARGET __attribute__((target("avx512f")))
#define BEARING_VECTOR_BYTES 64
#define BEARING_THREE_MULTIPLY 1
#define BEARING_REGISTER "+v"
#include "kernel_tiles.h"
#undef BEARING_TARGET
#undef BEARING_VECTOR_BYTES
#undef BEARING_THREE_MULTIPLY
#undef BEARING_REGISTER
} // namespace avx512
#endif

const covariance_kernel kernels[] = {
#if defined(__x86_64__) || defined(__i386__)
    { "avx512", avx512::accumulate },
    { "avx2", avx2::accumulate },
#endif
    { "generic", generic::accumulate },
};

} // namespace

const covariance_kernel* find_covariance_kernel(const char* name)
{
    for (const covariance_kernel& kernel : kernels)
        if (std::strcmp(kernel.name, name) == 0 && runs_kernel(name))
            return &kernel;
    return nullptr;
}

const covariance_kernel* default_covariance_kernel()
{
    static const covariance_kernel* const kernel =
        find_covariance_kernel(default_kernel_name());
    return kernel;
}

} // namespace core
} // namespace bearing
} // namespace gr
