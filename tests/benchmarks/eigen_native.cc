/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "eigen_native.h"
#include <Eigen/Core>

__attribute__((visibility("default"))) void eigen_native_rank_update(
    const std::complex<float>* x, int num_rows, int num_columns, std::complex<float>* r)
{
    const Eigen::Map<const Eigen::MatrixXcf> samples(x, num_rows, num_columns);
    Eigen::Map<Eigen::MatrixXcf> result(r, num_rows, num_rows);
    result.setZero();
    result.selfadjointView<Eigen::Upper>().rankUpdate(samples);
}
