/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "source_count_thresholds.h"
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

// How far a source must stand above the mean of what remains. Channel noise levels that
// differ by 1 dB rms lift the largest of 16 eigenvalues to about 1.5 times their mean.
constexpr double least_step = 2.5;

// Rounding scatters eigenvalues that are zero to both sides about evenly.
constexpr double rounding_spread = 4.0;

//! Centre and scale of the largest eigenvalue of a white n by m complex Wishart matrix.
struct edge {
    double centre;
    double scale;
    edge(double n, double m)
    {
        const double root_n = std::sqrt(n);
        const double root_m = std::sqrt(m);
        centre = (root_n + root_m) * (root_n + root_m);
        scale = (root_n + root_m) * std::cbrt(1.0 / root_n + 1.0 / root_m);
    }
};

//! Tabulated quantile, centred and scaled: it varies slowly over the table.
double standard_quantile(std::size_t row, std::size_t column)
{
    const double dof = threshold_dofs[column];
    const edge limit(threshold_sizes[row], dof);
    return (dof * ratio_thresholds[row][column] - limit.centre) / limit.scale;
}

//! Place between two neighbouring entries of an ascending axis, on a logarithmic scale.
template <class axis_type>
void locate(const axis_type& axis, double value, std::size_t& index, double& fraction)
{
    index = 0;
    while (index + 2 < axis.size() && value > axis[index + 1])
        ++index;
    const double low = axis[index];
    const double high = axis[index + 1];
    fraction = std::clamp(std::log(value / low) / std::log(high / low), 0.0, 1.0);
}

int count_by_ratio(const Eigen::VectorXd& values, double snapshots)
{
    const Eigen::Index n = values.size();
    int k = 0;
    // The last test needs two degrees of freedom: with one, lambda_1 / mean = n always.
    while (k + 1 < n && snapshots - k >= 2.0) {
        const double rest = values.tail(n - k - 1).sum();
        const double mean = (values(k) + rest) / static_cast<double>(n - k);
        const double mean_rest = rest / static_cast<double>(n - k - 1);
        const int remaining = static_cast<int>(n) - k;
        if (values(k) <= ratio_threshold(remaining, snapshots - k) * mean ||
            values(k) <= least_step * mean_rest)
            break;
        ++k;
    }
    return k;
}

int count_by_information(const Eigen::VectorXd& values,
                         double snapshots,
                         count_method method)
{
    const Eigen::Index n = values.size();
    // Both criteria, halved: -log likelihood + penalty for each of the k (2 n - k)
    // free parameters.
    const double penalty = method == count_method::mdl ? 0.5 * std::log(snapshots) : 1.0;
    double sum = 0.0;
    double sum_log = 0.0;
    double best = std::numeric_limits<double>::infinity();
    int best_k = 0;
    for (Eigen::Index k = n - 1; k >= 0; --k) {
        sum += values(k);
        sum_log += std::log(values(k));
        const double rest = static_cast<double>(n - k);
        const double misfit = snapshots * (rest * std::log(sum / rest) - sum_log);
        const double criterion =
            misfit + penalty * static_cast<double>(k) * static_cast<double>(2 * n - k);
        if (criterion <= best) {
            best = criterion;
            best_k = static_cast<int>(k);
        }
    }
    return best_k;
}

} /* namespace */

count_method count_method_from_string(const std::string& name)
{
    if (name == "ratio")
        return count_method::ratio;
    if (name == "mdl")
        return count_method::mdl;
    if (name == "aic")
        return count_method::aic;
    throw std::invalid_argument("method is \"" + name +
                                "\": it must be one of ratio, mdl, aic");
}

double ratio_threshold(int num_eigenvalues, double degrees_of_freedom)
{
    if (num_eigenvalues < 2)
        throw std::invalid_argument("num_eigenvalues is " +
                                    std::to_string(num_eigenvalues) +
                                    ": it must be at least 2");
    if (!std::isfinite(degrees_of_freedom)) {
        std::ostringstream message;
        message << "degrees_of_freedom is " << degrees_of_freedom
                << ": it must be a finite number";
        throw std::invalid_argument(message.str());
    }
    const double n = num_eigenvalues;
    const double dof = std::max(degrees_of_freedom, 2.0);
    // lambda_1 / trace is the same for n by dof and dof by n, and the table is denser in
    // n.
    const double small = std::min(n, dof);
    const double large = std::max(n, dof);
    std::size_t row, column;
    double down, right;
    locate(threshold_sizes, small, row, down);
    locate(threshold_dofs, large, column, right);
    const double above = (1.0 - right) * standard_quantile(row, column) +
                         right * standard_quantile(row, column + 1);
    const double below = (1.0 - right) * standard_quantile(row + 1, column) +
                         right * standard_quantile(row + 1, column + 1);
    const edge limit(small, large);
    const double largest =
        limit.centre + limit.scale * ((1.0 - down) * above + down * below);
    // lambda_1 is never above the trace, whatever the interpolation says near dof = 2.
    return std::min(largest / dof, n);
}

int count_sources(const Eigen::VectorXd& eigenvalues,
                  std::size_t snapshots,
                  count_method method)
{
    if (snapshots == 0)
        throw std::invalid_argument("snapshots is 0: it must be the number of snapshots "
                                    "behind the covariance, at "
                                    "least 1");
    if (eigenvalues.size() == 0 || !eigenvalues.allFinite())
        return 0;

    Eigen::VectorXd values = eigenvalues;
    std::sort(values.data(), values.data() + values.size(), std::greater<double>());
    const double largest = values(0);
    if (!(largest > 0.0))
        return 0;
    values /= largest;

    const Eigen::Index n = values.size();
    const double m = static_cast<double>(snapshots);
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    const double zero =
        std::max(static_cast<double>(n) * epsilon, -rounding_spread * values(n - 1));
    const Eigen::Index rank = (values.array() > zero).count();
    if (rank == 0)
        return 0;
    // The decomposition keeps a zero row exactly zero; other zeros come out near epsilon.
    const Eigen::Index dead = (values.array().abs() < epsilon * epsilon).count();
    const Eigen::Index live = n - dead;
    const int most = static_cast<int>(std::min(static_cast<double>(n), m)) - 1;
    if (live == 1)
        return std::min(1, most);

    values.tail(n - rank).setZero();
    if (method == count_method::ratio) {
        const Eigen::VectorXd channels = values.head(live);
        return count_by_ratio(channels, m);
    }

    // More zeros than too few snapshots explain: the noise is nil, and any model with
    // fewer sources infinitely unlikely.
    if (rank < live && static_cast<double>(rank) < m)
        return std::min(static_cast<int>(rank), most);
    const double others = std::max(m, static_cast<double>(live));
    const Eigen::VectorXd nonzero = values.head(rank);
    return std::min(count_by_information(nonzero, others, method), most);
}

} /* namespace core */
} /* namespace bearing */
} /* namespace gr */
