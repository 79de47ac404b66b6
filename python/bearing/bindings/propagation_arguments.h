/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_PROPAGATION_ARGUMENTS_H
#define INCLUDED_BEARING_BINDINGS_PROPAGATION_ARGUMENTS_H

#include "arguments.h"
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <Eigen/Dense>
#include <pybind11/stl.h>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// One propagator or a list; power densities as a number, a list or a table.

using propagator_list = std::variant<std::vector<gr::bearing::core::propagator>,
                                     gr::bearing::core::propagator>;

inline std::vector<gr::bearing::core::propagator>
to_propagators(const propagator_list& one_or_more)
{
    if (const auto* one = std::get_if<gr::bearing::core::propagator>(&one_or_more)) {
        return { *one };
    }
    return std::get<std::vector<gr::bearing::core::propagator>>(one_or_more);
}

//! F x K densities; a list is one column, a number one row, which holds at all frequencies.
//! Empty for None.
inline Eigen::MatrixXd to_density(const char* name,
                                  const std::optional<real_array>& values)
{
    if (!values) {
        return {};
    }
    if (values->ndim() > 2) {
        throw std::invalid_argument(std::string(name) + " has " +
                                    std::to_string(values->ndim()) +
                                    " dimensions; it must be a number, F or F x K");
    }
    using row_major =
        Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Index rows = values->ndim() > 0 ? values->shape(0) : 1;
    const Eigen::Index cols = values->ndim() == 2 ? values->shape(1) : 1;
    return Eigen::Map<const row_major>(values->data(), rows, cols);
}

#endif /* INCLUDED_BEARING_BINDINGS_PROPAGATION_ARGUMENTS_H */
