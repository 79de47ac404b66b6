/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_SPECTRUM_KERNEL_H
#define INCLUDED_BEARING_CORE_SUBSPACE_SPECTRUM_KERNEL_H

#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*
 * One variant of the loops behind spectra. All values are doubles, complex ones
 * interleaved (re, im) unless they are said to be apart. No alignment is needed; nothing
 * allocates or throws.
 *
 * quadratic_form() writes offset + scale[g] * sum_k weights[k] |v_k^H a_g|^2 for `size`
 * steering vectors a_g of `num_elements` entries; entry l of a_g is real[g + l * stride] +
 * j imag[g + l * stride]. v_k is the k-th column of the column-major num_elements x
 * num_vectors matrix `vectors`. scale may be null: 1.
 *
 * line_form() writes offset + scale[g] * (c_0 + 2 Re sum_(m=1..degree) c_m z_g^m) with
 * z_g = cosine[g] + j sine[g], degree >= 1, by Horner's rule. c_0 .. c_degree is
 * `coefficients`.
 *
 * This header and spectrum_kernel.cc stay free of Eigen and of the standard library's
 * templates: a template that a function with wider vectors instantiates may be the one
 * that the linker keeps for the whole program.
 */
struct spectrum_kernel {
    const char* name;
    void (*quadratic_form)(const double* real,
                           const double* imag,
                           std::ptrdiff_t stride,
                           std::ptrdiff_t size,
                           int num_elements,
                           const double* vectors,
                           const double* weights,
                           int num_vectors,
                           const double* scale,
                           double offset,
                           double* out);
    void (*line_form)(const double* cosine,
                      const double* sine,
                      std::ptrdiff_t size,
                      const double* coefficients,
                      int degree,
                      const double* scale,
                      double offset,
                      double* out);
};

/* The variant of that name, or null when there is none or this processor cannot run it. */
const spectrum_kernel* find_spectrum_kernel(const char* name);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_SPECTRUM_KERNEL_H */
