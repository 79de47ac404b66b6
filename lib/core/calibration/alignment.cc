/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bearing_map.h"
#include "median.h"
#include <gnuradio/bearing/core/calibration/alignment.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int most_sources = 12;
// Iterations of a robust fit: pairing, scale and weights settle within a few.
constexpr int robust_rounds = 20;
constexpr int least_squares_rounds = 3;
// Tukey's biweight at 95 % efficiency, and the median absolute deviation as a standard
// deviation.
constexpr double biweight_width = 4.685;
constexpr double deviation_by_median = 1.4826;
// Where all errors are rounding there is nothing to weigh.
constexpr double smallest_scale = 1e-12;

double period(const antenna_array& array)
{
    return array.is_front_only() ? M_PI : 2.0 * M_PI;
}

void require_sizes(Eigen::Index rows, Eigen::Index columns, const Eigen::MatrixXd& truth)
{
    if (truth.rows() != rows || truth.cols() != columns) {
        throw std::invalid_argument(
            "truth is " + std::to_string(truth.rows()) + " x " +
            std::to_string(truth.cols()) + "; it must be as the estimates, " +
            std::to_string(rows) + " x " + std::to_string(columns));
    }
    if (columns < 1 || columns > most_sources) {
        throw std::invalid_argument("estimated has " + std::to_string(columns) +
                                    " sources; allowed are 1 to " +
                                    std::to_string(most_sources));
    }
}

// Which estimate belongs to each truth for the smallest sum of squares, by dynamic
// programming over the sets of estimates that are taken.
struct pairing {
    std::vector<int> estimate_of;
    double sum_of_squares;
};

pairing
best_pairing(const Eigen::VectorXd& estimated, const Eigen::VectorXd& truth, double turn)
{
    const int m = static_cast<int>(truth.size());
    const unsigned num_sets = 1u << m;
    std::vector<double> least(num_sets, std::numeric_limits<double>::infinity());
    std::vector<int> last(num_sets, 0);
    least[0] = 0.0;
    for (unsigned set = 1; set < num_sets; ++set) {
        int size = 0;
        for (int k = 0; k < m; ++k) {
            size += (set >> k) & 1u;
        }
        for (int k = 0; k < m; ++k) {
            if ((set >> k) & 1u) {
                const double error = std::remainder(estimated(k) - truth(size - 1), turn);
                const double sum = least[set & ~(1u << k)] + error * error;
                if (sum < least[set]) {
                    least[set] = sum;
                    last[set] = k;
                }
            }
        }
    }
    pairing result{ std::vector<int>(m), least[num_sets - 1] };
    unsigned set = num_sets - 1;
    for (int i = m - 1; i >= 0; --i) {
        result.estimate_of[i] = last[set];
        set &= ~(1u << last[set]);
    }
    return result;
}

bool is_finite(const Eigen::MatrixXd& values, Eigen::Index row)
{
    return values.row(row).allFinite();
}

struct paired_bearings {
    Eigen::ArrayXd estimated;
    Eigen::ArrayXd truth;
};

paired_bearings pair_all(const Eigen::MatrixXd& estimated,
                         const Eigen::MatrixXd& truth,
                         const bearing_map& map,
                         double turn)
{
    std::vector<double> from, to;
    for (Eigen::Index row = 0; row < estimated.rows(); ++row) {
        if (is_finite(estimated, row) && is_finite(truth, row)) {
            const Eigen::VectorXd mapped = estimated.row(row).unaryExpr(map).transpose();
            const pairing pairs = best_pairing(mapped, truth.row(row).transpose(), turn);
            for (Eigen::Index k = 0; k < truth.cols(); ++k) {
                from.push_back(estimated(row, pairs.estimate_of[k]));
                to.push_back(truth(row, k));
            }
        }
    }
    return { Eigen::Map<const Eigen::ArrayXd>(from.data(), from.size()),
             Eigen::Map<const Eigen::ArrayXd>(to.data(), to.size()) };
}

Eigen::ArrayXd biweights(const Eigen::ArrayXd& residual)
{
    Eigen::ArrayXd sizes = residual.abs();
    const double scale = std::max(deviation_by_median * median(sizes), smallest_scale);
    const Eigen::ArrayXd part = (residual / (biweight_width * scale)).square();
    return (1.0 - part).max(0.0).square();
}

// Weighted least squares of what the map has to do.
void fit(bearing_map& map, const paired_bearings& pairs, const Eigen::ArrayXd& weights)
{
    const double total = weights.sum();
    if (!(total > 0.0)) {
        return;
    }
    if (!map.is_line) {
        const Eigen::ArrayXd error = pairs.truth - pairs.estimated - map.offset;
        map.offset +=
            std::atan2((weights * error.sin()).sum(), (weights * error.cos()).sum());
        return;
    }
    const Eigen::ArrayXd x = pairs.estimated.sin();
    const Eigen::ArrayXd y = pairs.truth.sin();
    const double mean_x = (weights * x).sum() / total;
    const double mean_y = (weights * y).sum() / total;
    const double spread = (weights * (x - mean_x).square()).sum();
    // One bearing, over and over, tells no slope.
    map.slope = spread > smallest_scale * total
                    ? (weights * (x - mean_x) * (y - mean_y)).sum() / spread
                    : 1.0;
    map.offset = mean_y - map.slope * mean_x;
}

Eigen::ArrayXd residuals(const bearing_map& map, const paired_bearings& pairs)
{
    if (map.is_line) {
        return map.slope * pairs.estimated.sin() + map.offset - pairs.truth.sin();
    }
    return (pairs.estimated + map.offset - pairs.truth).unaryExpr([](double angle) {
        return std::remainder(angle, 2.0 * M_PI);
    });
}

} // namespace

double permuted_error(const antenna_array& array,
                      const Eigen::VectorXd& estimated,
                      const Eigen::VectorXd& truth)
{
    require_sizes(1, estimated.size(), truth.transpose());
    if (!estimated.allFinite() || !truth.allFinite()) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return std::sqrt(best_pairing(estimated, truth, period(array)).sum_of_squares /
                     static_cast<double>(truth.size()));
}

Eigen::MatrixXd aligned(const antenna_array& array,
                        const Eigen::MatrixXd& estimated,
                        const Eigen::MatrixXd& truth,
                        bool robust)
{
    require_sizes(estimated.rows(), estimated.cols(), truth);
    const double turn = period(array);
    bearing_map map{ array.is_front_only() };
    const int rounds = robust ? robust_rounds : least_squares_rounds;
    for (int round = 0; round < rounds; ++round) {
        const paired_bearings pairs = pair_all(estimated, truth, map, turn);
        if (pairs.truth.size() == 0) {
            return estimated;
        }
        const Eigen::ArrayXd weights =
            robust ? biweights(residuals(map, pairs))
                   : Eigen::ArrayXd(Eigen::ArrayXd::Ones(pairs.truth.size()));
        fit(map, pairs, weights);
    }
    Eigen::MatrixXd result = estimated;
    for (Eigen::Index row = 0; row < estimated.rows(); ++row) {
        if (is_finite(estimated, row) && is_finite(truth, row)) {
            const Eigen::VectorXd mapped = estimated.row(row).unaryExpr(map).transpose();
            const pairing pairs = best_pairing(mapped, truth.row(row).transpose(), turn);
            for (Eigen::Index k = 0; k < truth.cols(); ++k) {
                result(row, k) = mapped(pairs.estimate_of[k]);
            }
        }
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
