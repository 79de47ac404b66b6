/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BENCHMARKS_EIGEN_NATIVE_H
#define INCLUDED_BEARING_BENCHMARKS_EIGEN_NATIVE_H

#include <complex>

/*
 * Eigen with all vector instructions of the processor that compiles it, in a library of its
 * own: Eigen's types have another layout there, so only plain pointers pass.
 */

//! Upper triangle of r = x x^H; x is num_rows x num_columns, both column by column.
extern "C" void eigen_native_rank_update(const std::complex<float>* x,
                                         int num_rows,
                                         int num_columns,
                                         std::complex<float>* r);

#endif /* INCLUDED_BEARING_BENCHMARKS_EIGEN_NATIVE_H */
