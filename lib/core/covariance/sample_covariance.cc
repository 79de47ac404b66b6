/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <algorithm>
#include <complex>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

Eigen::MatrixXcd
sample_covariance(const Eigen::Ref<const Eigen::MatrixXcf,
                                   0,
                                   Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>& X)
{
    constexpr Eigen::Index max_rows = 64;
    if (X.rows() < 1 || X.rows() > max_rows) {
        throw std::invalid_argument("X has " + std::to_string(X.rows()) +
                                    " rows, allowed are 1 to " +
                                    std::to_string(max_rows) + " (one row per element)");
    }
    const Eigen::Index n = X.rows();
    const Eigen::Index num_snapshots = X.cols();
    covariance_accumulator accumulator(static_cast<int>(n));
    std::vector<const std::complex<float>*> channels(n);

    if (X.outerStride() == 1) {
        for (Eigen::Index i = 0; i < n; ++i)
            channels[i] = X.data() + i * X.innerStride();
        accumulator.update(channels.data(), num_snapshots);
        return accumulator.covariance();
    }

    // As many samples as the accumulator sums in float anyway.
    constexpr Eigen::Index block = 4096;
    Eigen::MatrixXcf buffer(std::min(block, num_snapshots), n);
    for (Eigen::Index i = 0; i < n; ++i)
        channels[i] = buffer.data() + i * buffer.rows();
    for (Eigen::Index first = 0; first < num_snapshots; first += block) {
        const Eigen::Index count = std::min(block, num_snapshots - first);
        buffer.topRows(count) = X.middleCols(first, count).transpose();
        accumulator.update(channels.data(), count);
    }
    return accumulator.covariance();
}

} // namespace core
} // namespace bearing
} // namespace gr
