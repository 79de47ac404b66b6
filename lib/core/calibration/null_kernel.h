/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_NULL_KERNEL_H
#define INCLUDED_BEARING_CORE_CALIBRATION_NULL_KERNEL_H

namespace gr {
namespace bearing {
namespace core {

/* Gains and positions (in wavelengths) of an array, split; num_elements each. */
struct split_array {
    int num_elements;
    const double* gain_re;
    const double* gain_im;
    const double* x;
    const double* y;
};

/* Directions on the horizon, as sin(theta) and cos(theta); num_points is a multiple of
 * the kernel's lanes. */
struct split_points {
    int num_points;
    const double* sine;
    const double* cosine;
};

/*
 * The null function D = a^H (I - Es Es^H) a and the sums that its gradient is made of, in
 * one variant of vector instructions. With v_n = exp(j 2 pi p_n . u), a_n = g_n v_n and
 * y = (I - Es Es^H) a, let c_n = conj(v_n) y_n; then
 *
 *     dD/dRe g_n = 2 Re c_n,  dD/dIm g_n = 2 Im c_n,  dD/dp_n = 4 pi u Im(conj(g_n) c_n).
 *
 * D is |y|^2 and not |a|^2 - |Es^H a|^2, which rounding would leave only half of the
 * digits near a null.
 *
 * project() computes D (one a point) and c (2 num_elements a point, in an order that only
 * pull() needs to know). subspace is Es, element after element, for each num_sources
 * pairs (re, im). scratch has room for 2 (num_elements + num_sources) lanes.
 *
 * pull() adds the sums over points k of
 *     w_k Re c, w_k Im c, w_k sin(theta_k) t, w_k cos(theta_k) t,  t = Im(conj(g) c)
 * to sums: element after element these four, each spread over the lanes.
 *
 * Nothing needs an alignment. This header and null_kernel.cc stay free of Eigen and of
 * the standard library's templates: a template that a function with wider vectors
 * instantiates may be the one that the linker keeps for the whole program.
 */
struct null_kernel {
    const char* name;
    int lanes;
    void (*project)(const split_array* array,
                    const split_points* points,
                    const double* subspace,
                    int num_sources,
                    double* scratch,
                    double* d,
                    double* c);
    void (*pull)(const split_array* array,
                 const split_points* points,
                 const double* weights,
                 const double* c,
                 double* sums);
};

/* The variant of that name, or null when there is none; whether the processor can run it
 * is the caller's business. */
const null_kernel* find_null_kernel(const char* name);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_NULL_KERNEL_H */
