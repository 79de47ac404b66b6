/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_LINE_STEP_H
#define INCLUDED_BEARING_CORE_SUBSPACE_LINE_STEP_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! The step of the wave positions from one element to the next when the array, as
//! calibrated, is a uniform line of N >= 2 elements; else absent.
inline std::optional<Eigen::RowVector3d> line_step(const antenna_array& array)
{
    // How far, in radians of a wave, elements may be off a uniform line that is taken for
    // one: a null is then off by the square of it.
    constexpr double line_tolerance = 1e-9;
    const Eigen::MatrixXd& waves = array.wave_positions();
    const Eigen::Index n = waves.rows();
    if (!array.uniform_spacing() || n < 2) {
        return std::nullopt;
    }
    const Eigen::RowVector3d step = (waves.row(n - 1) - waves.row(0)) / (n - 1);
    for (Eigen::Index l = 0; l < n; ++l) {
        if (!((waves.row(l) - waves.row(0) - l * step).norm() <= line_tolerance)) {
            return std::nullopt;
        }
    }
    return step;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_LINE_STEP_H */
