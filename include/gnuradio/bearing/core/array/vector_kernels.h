/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_ARRAY_VECTOR_KERNELS_H
#define INCLUDED_GNURADIO_BEARING_CORE_ARRAY_VECTOR_KERNELS_H

#include <gnuradio/bearing/api.h>

namespace gr {
namespace bearing {
namespace core {

/*
 * Hot loops come in variants for wider vector instructions, in every topic under the same
 * names: "avx512", "avx2" and "generic", which runs everywhere.
 *
 * This header stays free of the standard library's templates: sources of kernels include
 * it, and a template that a function with wider vectors instantiates may be the one that
 * the linker keeps for the whole program.
 */

/* Whether there is a variant of that name that this processor can run. */
BEARING_API bool runs_kernel(const char* name);

/* The variant to use: the one that the environment variable GR_BEARING_KERNEL names, if it
 * runs here, else the widest that does. Settled by the first call. */
BEARING_API const char* default_kernel_name();

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_ARRAY_VECTOR_KERNELS_H */
