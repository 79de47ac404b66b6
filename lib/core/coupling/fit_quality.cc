/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fit_quality.h"
#include <gnuradio/bearing/core/subspace/chi_squared_quantile.h>
#include <cmath>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

namespace {

// The 99 % quantile of a Gaussian.
constexpr double deviations = 2.326;
// From here on the asymptotic series are good to 1e-12.
constexpr double large = 20.0;

double digamma(double x)
{
    double sum = 0.0;
    for (; x < large; x += 1.0) {
        sum -= 1.0 / x;
    }
    const double y = 1.0 / (x * x);
    return sum + std::log(x) - 0.5 / x -
           y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y / 240.0)));
}

double trigamma(double x)
{
    double sum = 0.0;
    for (; x < large; x += 1.0) {
        sum += 1.0 / (x * x);
    }
    const double y = 1.0 / (x * x);
    return sum + 1.0 / x + 0.5 * y +
           y / x * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y / 30.0)));
}

} // namespace

double likelihood_ratio_limit(int num_elements, std::size_t snapshots, double parameters)
{
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const double looks = static_cast<double>(snapshots);
    if (looks < num_elements) {
        return nan;
    }
    double log_det = 0.0; // E[-logdet W]
    double variance_of_log = 0.0;
    for (int i = 0; i < num_elements; ++i) {
        log_det += std::log(looks) - digamma(looks - i);
        variance_of_log += trigamma(looks - i);
    }
    // Cov(tr W, logdet W) = Var(tr W) = N / L.
    const double mean = 2.0 * looks * log_det - parameters;
    const double variance =
        4.0 * looks * (looks * variance_of_log - num_elements) - 2.0 * parameters;
    if (!(mean > 0.0 && variance > 0.0) ||
        !(num_elements * num_elements - parameters > 0.5)) {
        return nan;
    }
    const double freedom = 2.0 * mean * mean / variance;
    return mean / freedom * chi_squared_quantile(freedom, deviations);
}

double effective_parameters(const Eigen::MatrixXd& information,
                            const Eigen::MatrixXd& posterior)
{
    return information.cwiseProduct(posterior).sum();
}

} // namespace core
} // namespace bearing
} // namespace gr
