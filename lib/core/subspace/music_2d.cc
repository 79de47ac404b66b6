/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include "plane_accuracy.h"
#include "plane_search.h"
#include <gnuradio/bearing/core/subspace/music_2d.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
// Complex numbers in the steering vectors of a grid: 256 MB.
constexpr double largest_table = 16777216.0;
// The 95 % interval.
constexpr double interval = 1.96;
// The error of 1 / q has a quadratic part that is this times its linear part.
constexpr double largest_relative_error = 0.125;

plane_grid checked_grid(const antenna_array& array,
                        const source_plane& plane,
                        angle_grid azimuth,
                        const Eigen::VectorXd& second)
{
    const double entries =
        static_cast<double>(azimuth.size()) * second.size() * array.num_elements();
    if (entries > largest_table) {
        throw std::invalid_argument(
            "array: an aperture of " + std::to_string(array.aperture()) +
            " wavelengths needs a grid of " + std::to_string(azimuth.size()) + " x " +
            std::to_string(second.size()) +
            " points, which is too many; search narrower limits, or azimuth only");
    }
    return { plane, std::move(azimuth), second };
}

double step_of(const angle_grid& grid) { return grid.at(1) - grid.at(0); }

// Range and its deviation from an estimate of the inverse range.
std::pair<double, double> range_from(double inverse, double deviation)
{
    const bool is_known = std::isfinite(deviation);
    if (!(inverse > (is_known ? interval * deviation : 0.0))) {
        return { infinity, nan };
    }
    const double range = 1.0 / inverse;
    return { range,
             is_known && deviation * range < largest_relative_error
                 ? deviation * range * range
                 : nan };
}

} // namespace

search_plane search_plane_from_string(const std::string& name)
{
    if (name == "azimuth_elevation") {
        return search_plane::azimuth_elevation;
    }
    if (name == "azimuth_range") {
        return search_plane::azimuth_range;
    }
    throw std::invalid_argument("search is '" + name +
                                "'; it must be 'azimuth_elevation' or 'azimuth_range'");
}

struct music_2d_estimator::tables {
    tables(const antenna_array& array,
           const angle_grid& grid,
           const music_2d_config& config)
        : plane(array, config.search, config.nearest_range),
          azimuth(grid.searched_by(array)),
          second(plane.second_grid(step_of(azimuth))),
          searched(checked_grid(array, plane, azimuth, second)),
          shown(checked_grid(array, plane, grid, second))
    {
    }

    source_plane plane;
    angle_grid azimuth;
    Eigen::VectorXd second;
    plane_grid searched;
    plane_grid shown;
};

music_2d_estimator::music_2d_estimator(antenna_array array,
                                       angle_grid grid,
                                       music_2d_config config)
    : d_frame(std::move(array)), d_config(config)
{
    require_num_sources(d_frame.array(), d_config.num_sources);
    d_tables = std::make_shared<const tables>(d_frame.array(), grid, d_config);
}

const angle_grid& music_2d_estimator::grid() const { return d_tables->shown.azimuth(); }

bearing_estimate
music_2d_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const source_plane& plane = d_tables->plane;
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    const int num_sources = analysis.num_sources;
    bearing_estimate estimate = nothing_found(array(), num_sources, analysis.status);
    Eigen::VectorXd& second = plane.has_elevation() ? estimate.elevation : estimate.range;
    Eigen::VectorXd& second_deviation =
        plane.has_elevation() ? estimate.elevation_deviation : estimate.range_deviation;
    second.setConstant(num_sources, nan);
    second_deviation = second;
    estimate.grid = grid().azimuth();
    (plane.has_elevation() ? estimate.elevation_grid : estimate.inverse_range_grid) =
        d_tables->second;
    // Without a signal subspace f is 1 everywhere: a flat spectrum.
    estimate.spectrum_db.setZero(grid().size());
    if (analysis.status != status::ok) {
        return estimate;
    }

    const Eigen::MatrixXcd signal_subspace = analysis.eigen.vectors.leftCols(num_sources);
    const Eigen::MatrixXd f = d_tables->shown.null_function(signal_subspace);
    estimate.spectrum_db = -10.0 * f.rowwise().minCoeff().array().log10();
    if (d_config.keeps_map) {
        estimate.map_db = -10.0 * f.array().log10();
    }
    const std::vector<plane_minimum> minima =
        deepest_minima(plane, d_tables->searched, signal_subspace);
    const std::size_t num_found =
        std::min(minima.size(), static_cast<std::size_t>(num_sources));
    std::vector<source_place> places;
    Eigen::MatrixXcd steering =
        Eigen::MatrixXcd::Constant(array().num_elements(), num_sources, nan);
    for (std::size_t k = 0; k < num_found; ++k) {
        places.push_back(minima[k].place);
        steering.col(k) = plane.steering(places[k]);
    }
    fill_powers(steering, covariance, analysis.noise_power, estimate);

    plane_accuracy accuracy =
        predict_in_plane(analysis.eigen, d_frame, plane, places, num_sources, snapshots);
    // A further place that the data supports as well: nobody can tell which are true.
    const bool has_rival =
        accuracy.azimuth.array().isFinite().any() &&
        std::any_of(minima.begin() + num_found, minima.end(), [&](const auto& other) {
            return supports_place(
                analysis.eigen, d_frame, plane, other.place, num_sources, snapshots);
        });
    if (has_rival || array().is_ambiguous(grid().first(), grid().last())) {
        accuracy.azimuth.setConstant(nan);
        accuracy.second.setConstant(nan);
        accuracy.status = status::not_identifiable;
    }
    estimate.status = accuracy.status;
    estimate.deviation = accuracy.azimuth;
    for (std::size_t k = 0; k < num_found; ++k) {
        estimate.azimuth(k) = reported_azimuth(array(), plane.azimuth(places[k]));
        if (plane.has_elevation()) {
            second(k) = plane.second(places[k]);
            second_deviation(k) = accuracy.second(k);
        } else {
            std::tie(second(k), second_deviation(k)) =
                range_from(plane.second(places[k]), accuracy.second(k));
        }
    }
    if (estimate.status == status::ok && estimate.azimuth.hasNaN()) {
        estimate.status = status::unresolved;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
