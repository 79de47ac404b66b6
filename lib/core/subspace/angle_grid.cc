/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double full_circle = 2.0 * M_PI;
constexpr double degree = M_PI / 180.0;
// Limits given in degrees arrive with rounding errors.
constexpr double limit_tolerance = 1e-9;
// A grid that ends this near to +-90 degrees ends there.
constexpr double end_tolerance = 1e-6;

// Points per beam: the null function's fastest ripple across an aperture of D wavelengths
// has period 1 / D in sin(theta); sixteen points on it leave no minimum between two.
constexpr double points_per_ripple = 16.0;
constexpr double widest_step = 2.0 * degree;

std::string in_degrees(double radians) { return std::to_string(radians / degree); }

void require_limits(const antenna_array& array, double first, double last)
{
    if (!(std::isfinite(first) && std::isfinite(last) && first < last &&
          last - first <= full_circle + limit_tolerance)) {
        throw std::invalid_argument(
            "limits: first is " + in_degrees(first) + " and last " + in_degrees(last) +
            " degrees; they must be finite with first < last <= first + 360");
    }
    if (array.is_front_only() &&
        (first < -M_PI_2 - limit_tolerance || last > M_PI_2 + limit_tolerance)) {
        throw std::invalid_argument(
            "limits: first is " + in_degrees(first) + " and last " + in_degrees(last) +
            " degrees; an array along x cannot tell front from back, so both must lie "
            "in [-90, 90]");
    }
}

void require_points(int num_points)
{
    if (num_points < 2) {
        throw std::invalid_argument("num_points is " + std::to_string(num_points) +
                                    "; a grid needs at least 2 points");
    }
}

Eigen::VectorXd circle_from(double first, int num_points)
{
    Eigen::VectorXd azimuth(num_points);
    for (int g = 0; g < num_points; ++g) {
        azimuth(g) = first + full_circle * g / num_points;
    }
    return azimuth;
}

} // namespace

angle_grid::angle_grid(Eigen::VectorXd azimuth, bool is_circle)
    : d_azimuth(std::move(azimuth)), d_is_circle(is_circle)
{
}

angle_grid angle_grid::whole_range(const antenna_array& array, int num_points)
{
    return array.is_front_only() ? sector(array, -M_PI_2, M_PI_2, num_points)
                                 : sector(array, 0.0, full_circle, num_points);
}

angle_grid
angle_grid::sector(const antenna_array& array, double first, double last, int num_points)
{
    require_points(num_points);
    require_limits(array, first, last);
    if (last - first >= full_circle - limit_tolerance) {
        return { circle_from(first, num_points), true };
    }
    return { Eigen::VectorXd::LinSpaced(num_points, first, last), false };
}

angle_grid angle_grid::points(const antenna_array& array, const Eigen::VectorXd& azimuth)
{
    require_points(static_cast<int>(azimuth.size()));
    const Eigen::Index n = azimuth.size();
    const Eigen::VectorXd steps = azimuth.tail(n - 1) - azimuth.head(n - 1);
    if (!azimuth.allFinite() || !(steps.minCoeff() > 0.0)) {
        throw std::invalid_argument(
            "grid: azimuths must be finite and strictly ascending");
    }
    const double span = azimuth(n - 1) - azimuth(0);
    if (span >= full_circle + limit_tolerance) {
        throw std::invalid_argument("grid: azimuths span " + in_degrees(span) +
                                    " degrees; at most a full turn is allowed");
    }
    require_limits(array, azimuth(0), azimuth(n - 1));
    const bool closes =
        n > 2 && !array.is_front_only() && full_circle - span <= 1.5 * steps.maxCoeff();
    return { azimuth, closes };
}

angle_grid angle_grid::searched_by(const antenna_array& array) const
{
    const double step = std::min(
        widest_step, 1.0 / (points_per_ripple * std::max(array.aperture(), 1e-3)));
    if (d_is_circle) {
        return { circle_from(first(), static_cast<int>(std::ceil(full_circle / step))),
                 true };
    }
    const int points = 2 + static_cast<int>((last() - first()) / step);
    return { Eigen::VectorXd::LinSpaced(points, first(), last()), false };
}

double angle_grid::at(int g) const
{
    if (!d_is_circle) {
        return d_azimuth(std::clamp(g, 0, size() - 1));
    }
    const int turns = static_cast<int>(std::floor(static_cast<double>(g) / size()));
    return d_azimuth(g - turns * size()) + turns * full_circle;
}

bool angle_grid::is_open_edge(int g, const antenna_array& array) const
{
    if (d_is_circle || (g > 0 && g < size() - 1)) {
        return false;
    }
    return !(array.is_front_only() &&
             std::abs(std::abs(d_azimuth(g)) - M_PI_2) < end_tolerance);
}

} // namespace core
} // namespace bearing
} // namespace gr
