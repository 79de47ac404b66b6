/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

void check_square(const Eigen::MatrixXcd& R)
{
    if (R.rows() != R.cols() || R.rows() == 0) {
        throw std::invalid_argument("R is " + std::to_string(R.rows()) + " x " +
                                    std::to_string(R.cols()) +
                                    ", allowed is a square matrix that is not empty");
    }
}

} // namespace

Eigen::MatrixXcd forward_backward(const Eigen::MatrixXcd& R)
{
    check_square(R);
    return 0.5 * (R + R.reverse().conjugate());
}

Eigen::MatrixXcd
spatial_smoothing(const Eigen::MatrixXcd& R, int subarray_size, bool forward_backward)
{
    check_square(R);
    if (subarray_size < 2 || subarray_size > R.rows()) {
        throw std::invalid_argument("subarray_size is " + std::to_string(subarray_size) +
                                    ", allowed are 2 to the number of elements, " +
                                    std::to_string(R.rows()));
    }
    const Eigen::Index num_subarrays = R.rows() - subarray_size + 1;
    Eigen::MatrixXcd sum = Eigen::MatrixXcd::Zero(subarray_size, subarray_size);
    for (Eigen::Index k = 0; k < num_subarrays; ++k)
        sum += R.block(k, k, subarray_size, subarray_size);
    sum /= static_cast<double>(num_subarrays);
    if (forward_backward)
        return core::forward_backward(sum);
    return sum;
}

} // namespace core
} // namespace bearing
} // namespace gr
