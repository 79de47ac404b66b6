/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SAMPLE_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SAMPLE_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Core>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Sample covariance R = (1/T) X X^H of a matrix of snapshots.
 *
 * Computed by covariance_accumulator, with its guarantees: Hermitian to the bit, float
 * products summed in double, NaN confined to the rows and columns of its channel, R = 0
 * for T = 0.
 *
 * \param X N x T, one row per element, one column per snapshot; any strides, none of
 * which costs a copy of the whole matrix. Rows that are contiguous in memory (a NumPy
 * array in C order, seen through pybind11's EigenDRef) are read in place; other layouts
 * are transposed in small blocks. std::invalid_argument unless N is 1..64.
 * \return R in double, N x N, in the square of the samples' unit.
 */
BEARING_API Eigen::MatrixXcd
sample_covariance(const Eigen::Ref<const Eigen::MatrixXcf,
                                   0,
                                   Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>& X);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SAMPLE_COVARIANCE_H */
