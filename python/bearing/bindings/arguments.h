/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_ARGUMENTS_H
#define INCLUDED_BEARING_BINDINGS_ARGUMENTS_H

#include <Eigen/Dense>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>

// Python speaks degrees and takes scalars for lists of one; the core speaks radians.

constexpr double radians_per_degree = M_PI / 180.0;

using real_array =
    pybind11::array_t<double, pybind11::array::c_style | pybind11::array::forcecast>;

//! A scalar or one-dimensional array as a vector.
inline Eigen::VectorXd to_vector(const char* name, const real_array& values)
{
    if (values.ndim() > 1) {
        throw std::invalid_argument(
            std::string(name) + " has " + std::to_string(values.ndim()) +
            " dimensions; it must be a number or a list of numbers");
    }
    return Eigen::Map<const Eigen::VectorXd>(values.data(), values.size());
}

inline Eigen::VectorXd to_radians(const char* name, const real_array& degrees)
{
    return to_vector(name, degrees) * radians_per_degree;
}

//! A snapshot count, at least \p smallest.
inline std::size_t to_snapshots(long long snapshots, long long smallest)
{
    if (snapshots < smallest) {
        throw std::invalid_argument("snapshots is " + std::to_string(snapshots) +
                                    "; it must be at least " + std::to_string(smallest));
    }
    return static_cast<std::size_t>(snapshots);
}

#endif /* INCLUDED_BEARING_BINDINGS_ARGUMENTS_H */
