/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Beyond this a float cannot hold the samples' squares.
constexpr double largest_snr_db = 300.0;

// Snapshots made at a time: the double-precision waveforms stay in the cache.
constexpr Eigen::Index chunk = 1024;

} // namespace

Eigen::MatrixXcf simulate(const antenna_array& array,
                          const Eigen::VectorXd& azimuth,
                          const Eigen::VectorXd& snr_db,
                          std::size_t snapshots,
                          std::uint64_t seed,
                          bool coherent)
{
    const Eigen::Index k = azimuth.size();
    if (!azimuth.allFinite()) {
        throw std::invalid_argument(
            "simulate: azimuth holds NaN or Inf; every direction must be finite");
    }
    if (snr_db.size() != k && snr_db.size() != 1) {
        throw std::invalid_argument(
            "simulate: snr_db has " + std::to_string(snr_db.size()) +
            " values; it must have 1 or as many as azimuth, " + std::to_string(k));
    }
    for (const double snr : snr_db) {
        if (!(std::abs(snr) <= largest_snr_db)) {
            throw std::invalid_argument("simulate: snr_db is " + std::to_string(snr) +
                                        "; it must be from -300 to 300 dB");
        }
    }
    if (snapshots < 1) {
        throw std::invalid_argument("simulate: snapshots is 0; it must be >= 1");
    }

    Eigen::MatrixXcd manifold = array.steering(azimuth, Eigen::VectorXd::Zero(k));
    for (Eigen::Index i = 0; i < k; ++i) {
        manifold.col(i) *= std::pow(10.0, snr_db(snr_db.size() == 1 ? 0 : i) / 20.0);
    }
    if (coherent && k > 0) {
        const Eigen::VectorXcd sum = manifold.rowwise().sum();
        manifold = sum;
    }

    // Noise has a stream of its own, so it does not depend on the sources.
    gaussian_source noise(seed, 0);
    gaussian_source waveforms(seed, 1);
    const Eigen::Index n = array.num_elements();
    const Eigen::Index total = static_cast<Eigen::Index>(snapshots);
    Eigen::MatrixXcf x(n, total);
    noise.fill(x.data(), x.size(), 1.0);
    Eigen::MatrixXcd s(manifold.cols(), chunk);
    for (Eigen::Index first = 0; manifold.cols() > 0 && first < total; first += chunk) {
        const Eigen::Index size = std::min(chunk, total - first);
        for (Eigen::Index t = 0; t < size; ++t) {
            for (Eigen::Index i = 0; i < s.rows(); ++i) {
                s(i, t) = waveforms.next_complex();
            }
        }
        x.middleCols(first, size) +=
            (manifold * s.leftCols(size)).cast<std::complex<float>>();
    }
    return x;
}

} // namespace core
} // namespace bearing
} // namespace gr
