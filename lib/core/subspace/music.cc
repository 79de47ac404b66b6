/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Two strong sources nearer to each other than the search grid's step share one coarse
// minimum. Each candidate is looked at again on a grid this many times finer.
constexpr int zoom = 8;
// The spectrum 1 / f never exceeds this: f is only rounding error below.
constexpr double null_floor = 1e-16;

struct minimum {
    double azimuth;
    double value;
};

// The null function f over the table's grid, from the signal-subspace form.
void evaluate(const manifold_table& table,
              const Eigen::MatrixXcd& signal_subspace,
              Eigen::VectorXd& f)
{
    table.quadratic_form(
        signal_subspace, Eigen::VectorXd::Ones(signal_subspace.cols()), f);
    f = (1.0 - f.array() / table.squared_norm().array()).max(null_floor);
}

// Every minimum of f between the neighbours of a coarse grid minimum.
void refine(const null_function& f,
            double lower,
            double middle,
            double upper,
            bool zoom_in,
            std::vector<minimum>& found)
{
    if (!zoom_in) {
        const double azimuth = f.minimum(lower, middle, upper);
        found.push_back({ azimuth, f.value(azimuth) });
        return;
    }
    const Eigen::VectorXd azimuth =
        Eigen::VectorXd::LinSpaced(2 * zoom + 1, lower, upper);
    Eigen::VectorXd values(azimuth.size());
    for (Eigen::Index g = 0; g < azimuth.size(); ++g) {
        values(g) = f.value(azimuth(g));
    }
    for (const int g : local_minima(values, false)) {
        const double fine = f.minimum(
            azimuth(std::max(g - 1, 0)), azimuth(g), azimuth(std::min(g + 1, 2 * zoom)));
        found.push_back({ fine, f.value(fine) });
    }
}

// The K deepest minima, deepest first; fewer when there are fewer.
std::vector<minimum> deepest_minima(const antenna_array& array,
                                    const Eigen::MatrixXcd& signal_subspace,
                                    const angle_grid& grid,
                                    const Eigen::VectorXd& coarse)
{
    const int num_sources = static_cast<int>(signal_subspace.cols());
    const null_function f(array, signal_subspace);
    const Eigen::VectorXd& azimuth = grid.azimuth();
    std::vector<minimum> found;
    int candidates = 0;
    for (const int g : local_minima(coarse, grid.is_circle())) {
        if (candidates == num_sources) {
            break;
        }
        // Beyond the edge of a sector f may simply go on falling: the source is outside.
        if (grid.is_open_edge(g, array)) {
            const double inward = g == 0 ? 1.0 : -1.0;
            if (inward * f.at(azimuth(g)).slope >= 0.0) {
                continue;
            }
        }
        refine(f, grid.before(g), azimuth(g), grid.after(g), num_sources > 1, found);
        ++candidates;
    }
    std::sort(found.begin(), found.end(), [](const minimum& i, const minimum& k) {
        return i.value < k.value;
    });
    if (found.size() > static_cast<std::size_t>(num_sources)) {
        found.resize(num_sources);
    }
    return found;
}

} // namespace

music_estimator::music_estimator(antenna_array array,
                                 angle_grid grid,
                                 music_config config)
    : d_array(std::move(array)),
      d_grid(std::move(grid)),
      d_config(config),
      d_table(d_array, d_grid),
      d_search(d_grid.fine_enough_for(d_array)),
      d_search_table(d_array, d_search)
{
    require_num_sources(d_array, d_config.num_sources);
}

bearing_estimate
music_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          std::size_t snapshots) const
{
    require_covariance_size(d_array, covariance);
    const covariance_analysis analysis =
        analyse(covariance, d_config.num_sources, d_config.counting, snapshots);
    bearing_estimate estimate = nothing_found(analysis.num_sources, analysis.status);
    estimate.grid = d_grid.azimuth();
    // Without a signal subspace f is 1 everywhere: a flat spectrum.
    estimate.spectrum_db.setZero(d_grid.size());
    if (analysis.status != status::ok) {
        return estimate;
    }

    const Eigen::MatrixXcd signal_subspace =
        analysis.eigen.vectors.leftCols(analysis.num_sources);
    Eigen::VectorXd f;
    evaluate(d_table, signal_subspace, f);
    estimate.spectrum_db = -10.0 * f.array().log10();
    if (d_search.size() != d_grid.size()) {
        evaluate(d_search_table, signal_subspace, f);
    }
    const std::vector<minimum> minima =
        deepest_minima(d_array, signal_subspace, d_search, f);
    for (std::size_t k = 0; k < minima.size(); ++k) {
        estimate.azimuth(k) = reported_azimuth(d_array, minima[k].azimuth);
    }
    fill_powers(d_array, analysis, estimate);
    fill_accuracy(d_array,
                  analysis,
                  snapshots,
                  d_array.is_ambiguous(d_grid.first(), d_grid.last()),
                  estimate);
    if (estimate.status == status::ok && estimate.azimuth.hasNaN()) {
        estimate.status = status::unresolved;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
