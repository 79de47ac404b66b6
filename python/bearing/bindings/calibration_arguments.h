/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_CALIBRATION_ARGUMENTS_H
#define INCLUDED_BEARING_BINDINGS_CALIBRATION_ARGUMENTS_H

#include "arguments.h"
#include <Eigen/Dense>
#include <complex>
#include <string>
#include <vector>

// Stacks of covariances, and tables with a row for each.

using complex_array =
    pybind11::array_t<std::complex<double>,
                      pybind11::array::c_style | pybind11::array::forcecast>;
using row_major_complex =
    Eigen::Matrix<std::complex<double>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row_major_real =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

//! K x N x N, or one N x N.
inline std::vector<Eigen::MatrixXcd> to_covariances(const complex_array& values)
{
    if (values.ndim() != 2 && values.ndim() != 3) {
        throw std::invalid_argument("Rs has " + std::to_string(values.ndim()) +
                                    " dimensions; it must be K x N x N or N x N");
    }
    const pybind11::ssize_t count = values.ndim() == 3 ? values.shape(0) : 1;
    const Eigen::Index rows = values.shape(values.ndim() - 2);
    const Eigen::Index cols = values.shape(values.ndim() - 1);
    std::vector<Eigen::MatrixXcd> covariances;
    for (pybind11::ssize_t k = 0; k < count; ++k) {
        covariances.emplace_back(Eigen::Map<const row_major_complex>(
            values.data() + k * rows * cols, rows, cols));
    }
    return covariances;
}

//! K x M values; a list is one column, or with \p is_row one row.
inline Eigen::MatrixXd to_table(const char* name, const real_array& values, bool is_row)
{
    Eigen::Index rows = values.size();
    Eigen::Index cols = 1;
    if (values.ndim() == 2) {
        rows = values.shape(0);
        cols = values.shape(1);
    } else if (values.ndim() > 2) {
        throw std::invalid_argument(std::string(name) + " has " +
                                    std::to_string(values.ndim()) +
                                    " dimensions; it must be K x M");
    } else if (is_row) {
        std::swap(rows, cols);
    }
    return Eigen::Map<const row_major_real>(values.data(), rows, cols);
}

#endif /* INCLUDED_BEARING_BINDINGS_CALIBRATION_ARGUMENTS_H */
