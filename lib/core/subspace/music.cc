/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/decibels.h>
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

// Two strong sources nearer to each other than two steps of the search grid can share one
// coarse minimum. The surroundings of each candidate are looked at again on a grid this
// many times finer.
constexpr int zoom = 8;
constexpr int reach = 2;
// Unless f rises around the candidate like the single parabola of its minimum, to this
// share.
constexpr double parabola_tolerance = 0.3;
// What rounding leaves of a slope that is zero, per radian.
constexpr double flat_slope = 1e-12;
// Within two steps of a source f is below 0.05: where it is larger than this, a minimum
// is a side lobe and hides none.
constexpr double shallow = 0.2;
// Refined minima nearer to each other than this, in radians, are one.
constexpr double same_minimum = 1e-7;
// The spectrum 1 / f never exceeds this: f is only rounding error below.
constexpr double null_floor = 1e-16;

struct minimum {
    double azimuth;
    double value;
};

// Without a signal subspace f is 1 everywhere.
Eigen::VectorXd flat_spectrum(const angle_grid& grid)
{
    return Eigen::VectorXd::Zero(grid.size());
}

// Azimuths around point g of the grid, ascending, on which a minimum is bracketed.
Eigen::VectorXd surroundings(const angle_grid& grid, int g, bool zoom_in)
{
    const int parts = zoom_in ? zoom : 1;
    std::vector<double> azimuth;
    for (int step = -reach; step < reach; ++step) {
        const double from = grid.at(g + step);
        const double to = grid.at(g + step + 1);
        // Beyond the edge of a sector the grid stands still.
        for (int part = 0; part < parts && to > from; ++part) {
            azimuth.push_back(from + (to - from) * part / parts);
        }
    }
    azimuth.push_back(grid.at(g + reach));
    return Eigen::Map<const Eigen::VectorXd>(azimuth.data(), azimuth.size());
}

void add(const minimum& one, std::vector<minimum>& found)
{
    const bool is_new =
        std::none_of(found.begin(), found.end(), [&one](const minimum& other) {
            return std::abs(std::remainder(one.azimuth - other.azimuth, 2.0 * M_PI)) <
                   same_minimum;
        });
    if (is_new) {
        found.push_back(one);
    }
}

// Adds the minimum at point g of the grid if it clearly is the only one around; else
// false.
bool add_single(const null_function& f,
                const angle_grid& grid,
                const Eigen::VectorXd& coarse,
                int g,
                std::vector<minimum>& found)
{
    const int n = grid.size();
    if (!grid.is_circle() && (g < reach || g >= n - reach)) {
        return false;
    }
    null_function::expansion here;
    const double at = f.minimum(grid.at(g - 1), grid.at(g), grid.at(g + 1), here);
    if (coarse(g) >= shallow) {
        add({ at, here.value }, found);
        return true;
    }
    for (int step = -reach; step <= reach; ++step) {
        const double distance = grid.at(g + step) - at;
        const double parabola = here.value + 0.5 * here.curvature * distance * distance;
        const double actual = coarse((g + step + n) % n);
        if (step != 0 &&
            !(std::abs(actual - parabola) <= parabola_tolerance * parabola)) {
            return false;
        }
    }
    add({ at, here.value }, found);
    return true;
}

// Adds every minimum of f around point g of the grid to those found.
void add_all(const null_function& f,
             const antenna_array& array,
             const angle_grid& grid,
             int g,
             bool zoom_in,
             std::vector<minimum>& found)
{
    const Eigen::VectorXd azimuth = surroundings(grid, g, zoom_in);
    const int last = static_cast<int>(azimuth.size()) - 1;
    Eigen::VectorXd values(azimuth.size());
    std::transform(azimuth.begin(), azimuth.end(), values.begin(), [&f](double x) {
        return f.value(x);
    });
    for (const int i : local_minima(values, false)) {
        const bool is_first_edge = i == 0 && azimuth(0) == grid.first();
        const bool is_last_edge = i == last && azimuth(last) == grid.last();
        if (i == 0 || i == last) {
            // The end of the surroundings is no minimum: f goes on falling there. Only at
            // the edge of the grid there is nothing beyond; there a source may be, unless
            // f falls towards what a sector leaves out.
            if (grid.is_circle() || !(is_first_edge || is_last_edge)) {
                continue;
            }
            const double inward = is_first_edge ? 1.0 : -1.0;
            if (grid.is_open_edge(is_first_edge ? 0 : grid.size() - 1, array) &&
                inward * f.at(azimuth(i)).slope > flat_slope) {
                continue;
            }
        }
        null_function::expansion here;
        const double at = f.minimum(azimuth(std::max(i - 1, 0)),
                                    azimuth(i),
                                    azimuth(std::min(i + 1, last)),
                                    here);
        add({ at, here.value }, found);
    }
}

// The K deepest minima, and all others that may be as deep, deepest first; fewer than K when
// there are fewer.
std::vector<minimum> deepest_minima(const antenna_array& array,
                                    const Eigen::MatrixXcd& signal_subspace,
                                    const angle_grid& grid,
                                    const Eigen::VectorXd& coarse)
{
    const int num_sources = static_cast<int>(signal_subspace.cols());
    const null_function f(array, signal_subspace);
    std::vector<minimum> found;
    // A sharp null between two grid points can look shallower than a blunt minimum does, so
    // the coarse order decides nothing: every candidate that can be a null is refined.
    for (const int candidate : local_minima(coarse, grid.is_circle())) {
        if (found.size() >= static_cast<std::size_t>(num_sources) &&
            coarse(candidate) > shallow) {
            break;
        }
        if (!add_single(f, grid, coarse, candidate, found)) {
            add_all(f, array, grid, candidate, num_sources > 1, found);
        }
    }
    std::sort(found.begin(), found.end(), [](const minimum& i, const minimum& k) {
        return i.value < k.value;
    });
    return found;
}

} // namespace

music_estimator::music_estimator(antenna_array array,
                                 angle_grid grid,
                                 music_config config)
    : d_frame(std::move(array)),
      d_config(config),
      d_search(d_frame.array(), std::move(grid))
{
    require_num_sources(d_frame.array(), d_config.num_sources);
}

void music_estimator::fill_spectrum(
    const Eigen::Ref<const Eigen::MatrixXcd>& signal_subspace,
    Eigen::VectorXd& spectrum_db) const
{
    d_search.shown_table().null_function(signal_subspace, spectrum_db);
    to_decibels(spectrum_db, null_floor, 1.0, -1.0);
}

Eigen::VectorXd
music_estimator::spectrum_db(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    if (analysis.status != status::ok) {
        return flat_spectrum(grid());
    }
    Eigen::VectorXd spectrum;
    fill_spectrum(analysis.eigen.vectors.leftCols(analysis.num_sources), spectrum);
    return spectrum;
}

bearing_estimate
music_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    bearing_estimate estimate =
        nothing_found(array(), analysis.num_sources, analysis.status);
    estimate.grid = grid().azimuth();
    if (analysis.status != status::ok) {
        estimate.spectrum_db = flat_spectrum(grid());
        return estimate;
    }

    const Eigen::MatrixXcd signal_subspace =
        analysis.eigen.vectors.leftCols(analysis.num_sources);
    fill_spectrum(signal_subspace, estimate.spectrum_db);
    Eigen::VectorXd f;
    d_search.searched_table().null_function(signal_subspace, f);
    const std::vector<minimum> minima =
        deepest_minima(array(), signal_subspace, d_search.searched(), f);
    const std::size_t num_found =
        std::min(minima.size(), static_cast<std::size_t>(analysis.num_sources));
    for (std::size_t k = 0; k < num_found; ++k) {
        estimate.azimuth(k) = reported_azimuth(array(), minima[k].azimuth);
    }
    fill_powers(array(), covariance, analysis.noise_power, estimate);
    fill_accuracy(d_frame,
                  analysis,
                  snapshots,
                  array().is_ambiguous(grid().first(), grid().last()),
                  estimate);
    if (estimate.status == status::ok && estimate.azimuth.hasNaN()) {
        estimate.status = status::unresolved;
    }
    // A further direction that the data supports as well: nobody can tell which are true.
    if (estimate.deviation.array().isFinite().any() &&
        std::any_of(minima.begin() + num_found, minima.end(), [&](const minimum& other) {
            return supports_direction(
                analysis.eigen, d_frame, analysis.num_sources, other.azimuth, snapshots);
        })) {
        estimate.deviation.setConstant(std::numeric_limits<double>::quiet_NaN());
        estimate.status = status::not_identifiable;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
