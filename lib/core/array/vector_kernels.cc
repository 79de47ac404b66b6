/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/array/vector_kernels.h>

#include <cstdlib>
#include <cstring>

namespace gr {
namespace bearing {
namespace core {
namespace {

/* Best first. */
const char* const names[] = { "avx512", "avx2", "generic" };

const char* choose()
{
    const char* const wanted = std::getenv("GR_BEARING_KERNEL");
    for (const char* name : names)
        if (wanted && std::strcmp(name, wanted) == 0 && runs_kernel(name))
            return name;
    for (const char* name : names)
        if (runs_kernel(name))
            return name;
    return nullptr; /* not reached: "generic" runs everywhere */
}

} // namespace

bool runs_kernel(const char* name)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (std::strcmp(name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f");
    if (std::strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return std::strcmp(name, "generic") == 0;
}

const char* default_kernel_name()
{
    static const char* const name = choose();
    return name;
}

} // namespace core
} // namespace bearing
} // namespace gr
