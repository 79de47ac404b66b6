/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_ALLOCATION_COUNTER_H
#define INCLUDED_BEARING_TESTS_ALLOCATION_COUNTER_H

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

/*
 * Puts itself in front of the C library's allocation functions, in the program that
 * includes this header (in one file). operator new, Eigen, VOLK and FFTW all come by here.
 * Each thread counts its own.
 */

// Sanitizers put themselves there, too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BEARING_HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define BEARING_HAS_SANITIZER 1
#endif
#endif

#if defined(__GLIBC__) && !defined(BEARING_HAS_SANITIZER)
#define BEARING_COUNTS_ALLOCATIONS 1

namespace allocation_counter {
inline thread_local std::uint64_t count = 0;
inline thread_local std::uint64_t bytes = 0;
inline void add(std::size_t size)
{
    ++count;
    bytes += size;
}
} // namespace allocation_counter

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept
{
    allocation_counter::add(size);
    return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) noexcept
{
    allocation_counter::add(number * size);
    return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) noexcept
{
    allocation_counter::add(size);
    return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept
{
    allocation_counter::add(size);
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
{
    allocation_counter::add(size);
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept
{
    allocation_counter::add(size);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
}

#else
#define BEARING_COUNTS_ALLOCATIONS 0
namespace allocation_counter {
inline thread_local std::uint64_t count = 0;
inline thread_local std::uint64_t bytes = 0;
} // namespace allocation_counter
#endif

#endif /* INCLUDED_BEARING_TESTS_ALLOCATION_COUNTER_H */
