/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_KERNEL_CHOICE_H
#define INCLUDED_BEARING_CORE_SUBSPACE_KERNEL_CHOICE_H

#include "spectrum_kernel.h"
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! \throws std::invalid_argument naming kernel when there is none of that name or this
//! processor cannot run it
inline const spectrum_kernel* chosen_kernel(const std::string& name)
{
    const spectrum_kernel* const kernel = find_spectrum_kernel(name.c_str());
    if (!kernel) {
        throw std::invalid_argument("kernel is '" + name +
                                    "'; it must be 'generic', 'avx2' or 'avx512', and "
                                    "this processor must have its instructions");
    }
    return kernel;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_KERNEL_CHOICE_H */
