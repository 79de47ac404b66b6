/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_GOOD_SENSORS_H
#define INCLUDED_BEARING_CORE_PROPAGATION_GOOD_SENSORS_H

#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Columns of a record, T x N, that hold a signal or noise: neither NaN, Inf or
 * numbers whose powers overflow, nor nothing but zeros.
 */
template <class Matrix>
std::vector<int> good_sensors(const Matrix& data)
{
    // Sums of squares of these are finite, and so are the squares of their reciprocals.
    constexpr double largest = 1e100;
    constexpr double smallest = 1e-100;
    std::vector<int> result;
    for (Eigen::Index i = 0; i < data.cols(); ++i) {
        if (data.col(i).allFinite()) {
            const double peak = data.col(i).cwiseAbs().maxCoeff();
            if (peak > smallest && peak < largest) {
                result.push_back(static_cast<int>(i));
            }
        }
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_GOOD_SENSORS_H */
