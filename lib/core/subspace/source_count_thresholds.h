/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_LIB_CORE_SUBSPACE_SOURCE_COUNT_THRESHOLDS_H
#define INCLUDED_LIB_CORE_SUBSPACE_SOURCE_COUNT_THRESHOLDS_H

#include <array>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

constexpr std::size_t num_threshold_sizes = 16;
constexpr std::size_t num_threshold_dofs = 15;

//! Numbers of eigenvalues n that are tabulated, ascending.
extern const std::array<int, num_threshold_sizes> threshold_sizes;
//! Degrees of freedom that are tabulated, ascending.
extern const std::array<double, num_threshold_dofs> threshold_dofs;

/*!
 * The 99.5 % quantile of lambda_1 / mean(lambda_1..lambda_n) of white complex Wishart
 * noise; row: threshold_sizes, column: threshold_dofs.
 *
 * Simulated with python/bearing/tools/source_count_thresholds.py: 1 000 000 trials a cell
 * where the smaller of n and the degrees of freedom is at most 10, 250 000 up to 16,
 * 50 000 beyond. Standard error: below 0.2 % of (threshold - 1).
 */
extern const std::array<std::array<double, num_threshold_dofs>, num_threshold_sizes>
    ratio_thresholds;

} /* namespace core */
} /* namespace bearing */
} /* namespace gr */

#endif /* INCLUDED_LIB_CORE_SUBSPACE_SOURCE_COUNT_THRESHOLDS_H */
