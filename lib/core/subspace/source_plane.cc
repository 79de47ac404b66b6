/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "source_plane.h"
#include <gnuradio/bearing/core/array/near_field.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };
// Relative accuracy to which drawn positions count as lying in a line or a plane.
constexpr double drawing_tolerance = 1e-6;
// The nearest range that is looked for, in units of the farthest element's distance.
constexpr double default_nearest = 1.5;
// Steps of the inverse range on a turn of the wave front's curvature, as on a turn of its
// tilt.
constexpr double points_per_turn = 16.0;

// The two arcs at a direction: towards growing azimuth, and towards growing elevation.
struct arcs {
    Eigen::Vector3d east;
    Eigen::Vector3d up;
};

arcs arcs_at(const Eigen::Vector3d& u)
{
    const double level = std::hypot(u(0), u(1));
    // At the zenith every azimuth is as good as any.
    const double sine = level > 0.0 ? u(0) / level : 0.0;
    const double cosine = level > 0.0 ? u(1) / level : 1.0;
    return { { cosine, -sine, 0.0 }, { -u(2) * sine, -u(2) * cosine, level } };
}

// What the elements, as drawn, span, largest first, and its three directions.
Eigen::JacobiSVD<Eigen::MatrixXd> span_of(const antenna_array& array)
{
    return Eigen::JacobiSVD<Eigen::MatrixXd>(array.positions().rowwise() -
                                                 array.positions().colwise().mean(),
                                             Eigen::ComputeFullV);
}

// Of a flat array, towards the side that faces up, or ahead when it is upright.
std::optional<Eigen::Vector3d> plane_of(const antenna_array& array)
{
    const Eigen::JacobiSVD<Eigen::MatrixXd> span = span_of(array);
    const Eigen::VectorXd& extent = span.singularValues();
    if (extent.size() < 2 || extent(1) <= drawing_tolerance * extent(0)) {
        throw std::invalid_argument(
            "array: its elements lie on one line, which cannot tell elevation from "
            "azimuth; "
            "a search over both needs elements that span a plane");
    }
    if (extent.size() > 2 && extent(2) > drawing_tolerance * extent(0)) {
        return std::nullopt;
    }
    Eigen::Vector3d normal = span.matrixV().col(2);
    for (double& component : normal) {
        if (std::abs(component) < drawing_tolerance) {
            component = 0.0;
        }
    }
    normal.normalize();
    const bool is_upright = normal(2) == 0.0;
    return normal(is_upright ? 1 : 2) > 0.0 ? normal : Eigen::Vector3d(-normal);
}

double nearest_or_default(const antenna_array& array, double nearest_range)
{
    const double reach = array.reach();
    if (nearest_range == 0.0) {
        return default_nearest * reach;
    }
    if (!(std::isfinite(nearest_range) && nearest_range > reach)) {
        throw std::invalid_argument(
            "nearest_range is " + std::to_string(nearest_range) +
            "; it must be finite and greater than the distance of the farthest element "
            "from the origin, " +
            std::to_string(reach) + ", or 0 for one and a half times that");
    }
    return nearest_range;
}

} // namespace

source_plane::source_plane(const antenna_array& array,
                           search_plane search,
                           double nearest_range)
    : d_search(search),
      d_wave_positions(array.wave_positions()),
      d_squared_distance(d_wave_positions.rowwise().squaredNorm()),
      d_response(variant_frame(array).response()),
      d_wave_number(2.0 * M_PI / array.wavelength().value_or(1.0))
{
    if (has_elevation()) {
        d_normal = plane_of(array);
        return;
    }
    if (array.is_front_only()) {
        d_normal = Eigen::Vector3d::UnitY();
    }
    d_largest_inverse_range = 1.0 / nearest_or_default(array, nearest_range);
}

Eigen::VectorXd source_plane::second_grid(double azimuth_step) const
{
    if (has_elevation()) {
        // Half a step off the horizon, where a flat array's null function is level, and off
        // the zenith, where all azimuths are one.
        const double first = d_normal && (*d_normal)(2) == 1.0 ? 0.0 : -M_PI_2;
        const int points = static_cast<int>(std::ceil((M_PI_2 - first) / azimuth_step));
        const double step = (M_PI_2 - first) / points;
        return Eigen::VectorXd::LinSpaced(
            points, first + 0.5 * step, M_PI_2 - 0.5 * step);
    }
    // |dm/dq| <= |p|^2 / (2 s) with s >= 1 - q |p|.
    const double q = d_largest_inverse_range / d_wave_number;
    const double squared_distance = d_squared_distance.maxCoeff();
    const double slope =
        squared_distance / (2.0 * (1.0 - q * std::sqrt(squared_distance)));
    const int points =
        2 + static_cast<int>(std::ceil(q * slope * points_per_turn / (2.0 * M_PI)));
    return Eigen::VectorXd::LinSpaced(points, 0.0, d_largest_inverse_range);
}

source_place source_plane::at(double azimuth, double second) const
{
    const double elevation = has_elevation() ? second : 0.0;
    return { { std::sin(azimuth) * std::cos(elevation),
               std::cos(azimuth) * std::cos(elevation),
               std::sin(elevation) },
             has_elevation() ? 0.0 : second };
}

double source_plane::azimuth(const source_place& place) const
{
    return std::atan2(place.direction(0), place.direction(1));
}

double source_plane::second(const source_place& place) const
{
    const Eigen::Vector3d& u = place.direction;
    return has_elevation() ? std::atan2(u(2), std::hypot(u(0), u(1)))
                           : place.inverse_range;
}

Eigen::Vector2d source_plane::rates(const source_place& place) const
{
    return { has_elevation() ? 1.0 / std::hypot(place.direction(0), place.direction(1))
                             : 1.0,
             1.0 };
}

Eigen::Vector2d source_plane::along_arcs(const source_place& place,
                                         const Eigen::Vector3d& v) const
{
    const arcs here = arcs_at(place.direction);
    return { here.east.dot(v), here.up.dot(v) };
}

Eigen::Vector2d source_plane::displacement(const source_place& from,
                                           const source_place& to) const
{
    Eigen::Vector2d by = along_arcs(from, to.direction - from.direction);
    if (!has_elevation()) {
        by(1) = to.inverse_range - from.inverse_range;
    }
    return by;
}

source_place source_plane::moved(const source_place& place,
                                 const Eigen::Vector2d& by) const
{
    const arcs here = arcs_at(place.direction);
    source_place result = place;
    const Eigen::Vector3d arc =
        by(0) * here.east + (has_elevation() ? by(1) : 0.0) * here.up;
    const double length = arc.norm();
    if (length > 0.0) {
        result.direction =
            std::cos(length) * place.direction + std::sin(length) / length * arc;
        result.direction.normalize();
    }
    if (!has_elevation()) {
        result.inverse_range = std::clamp(place.inverse_range + by(1),
                                          -d_largest_inverse_range,
                                          d_largest_inverse_range);
    }
    if (d_normal) {
        const double height = d_normal->dot(result.direction);
        if (height < 0.0) { // its mirror image, which a flat array does not tell from it
            result.direction -= 2.0 * height * *d_normal;
        }
    }
    return result;
}

source_place source_plane::off_plane(const source_place& place, double by) const
{
    if (!d_normal || d_normal->dot(place.direction) >= by) {
        return place;
    }
    source_place result = place;
    result.direction += (by - d_normal->dot(place.direction)) * *d_normal;
    result.direction.normalize();
    return result;
}

double source_plane::inverse_wave_range(const source_place& place) const
{
    return place.inverse_range / d_wave_number;
}

Eigen::VectorXcd source_plane::respond(const Eigen::VectorXcd& phasors) const
{
    return d_response.size() > 0 ? Eigen::VectorXcd(d_response * phasors) : phasors;
}

Eigen::VectorXd source_plane::phases(const source_place& place) const
{
    Eigen::VectorXd phase = d_wave_positions * place.direction;
    if (!has_elevation()) {
        for (Eigen::Index l = 0; l < phase.size(); ++l) {
            phase(l) =
                lead_of_path(phase(l), d_squared_distance(l), inverse_wave_range(place))
                    .value;
        }
    }
    return phase;
}

Eigen::VectorXcd source_plane::steering(const source_place& place) const
{
    return respond(phases(place).unaryExpr([](double phase) {
        return std::complex<double>(std::cos(phase), std::sin(phase));
    }));
}

plane_expansion source_plane::expand(const source_place& place) const
{
    const Eigen::Index n = d_wave_positions.rows();
    const arcs here = arcs_at(place.direction);
    const Eigen::VectorXd along = d_wave_positions * place.direction;
    const Eigen::VectorXd east = d_wave_positions * here.east;
    const Eigen::VectorXd up = d_wave_positions * here.up;
    plane_expansion result{ Eigen::VectorXcd(n),
                            Eigen::MatrixXcd(n, 2),
                            Eigen::MatrixXcd(n, 3) };
    for (Eigen::Index l = 0; l < n; ++l) {
        // Phase and its derivatives. An arc through u bends towards -u.
        double phase = along(l);
        double x = east(l);
        double y = up(l);
        double xx = -along(l);
        double xy = 0.0;
        double yy = -along(l);
        if (!has_elevation()) {
            const path_lead lead =
                lead_of_path(along(l), d_squared_distance(l), inverse_wave_range(place));
            phase = lead.value;
            xx = lead.by_projection_twice * x * x + lead.by_projection * xx;
            xy = lead.by_both * x / d_wave_number;
            yy = lead.by_inverse_range_twice / (d_wave_number * d_wave_number);
            x *= lead.by_projection;
            y = lead.by_inverse_range / d_wave_number;
        }
        const std::complex<double> a(std::cos(phase), std::sin(phase));
        result.a(l) = a;
        result.d.row(l) << imaginary_unit * x * a, imaginary_unit * y * a;
        result.second.row(l) << (imaginary_unit * xx - x * x) * a,
            (imaginary_unit * xy - x * y) * a, (imaginary_unit * yy - y * y) * a;
    }
    if (d_response.size() > 0) {
        result.a = d_response * result.a;
        result.d = d_response * result.d;
        result.second = d_response * result.second;
    }
    return result;
}

Eigen::MatrixXd source_plane::phase_rates(const source_place& place) const
{
    const arcs here = arcs_at(place.direction);
    Eigen::MatrixXd rates(d_wave_positions.rows(), 2);
    rates.col(0) = d_wave_positions * here.east;
    rates.col(1) = d_wave_positions * here.up;
    if (!has_elevation()) {
        const Eigen::VectorXd along = d_wave_positions * place.direction;
        for (Eigen::Index l = 0; l < rates.rows(); ++l) {
            const path_lead lead =
                lead_of_path(along(l), d_squared_distance(l), inverse_wave_range(place));
            rates(l, 0) *= lead.by_projection;
            rates(l, 1) = lead.by_inverse_range / d_wave_number;
        }
    }
    return rates.rowwise() - rates.colwise().mean();
}

Eigen::MatrixXcd source_plane::centred_derivative(const source_place& place) const
{
    const Eigen::VectorXcd phasors = phases(place).unaryExpr([](double phase) {
        return std::complex<double>(std::cos(phase), std::sin(phase));
    });
    const Eigen::MatrixXcd d =
        phasors.asDiagonal() * (imaginary_unit * phase_rates(place));
    return d_response.size() > 0 ? Eigen::MatrixXcd(d_response * d) : d;
}

Eigen::Matrix2d source_plane::metric(const source_place& place) const
{
    const double n = static_cast<double>(d_wave_positions.rows());
    const Eigen::MatrixXd rates = phase_rates(place);
    return 12.0 / (n * (n * n - 1.0)) * rates.transpose() * rates;
}

double source_plane::distance(const source_place& place, const source_place& other) const
{
    const double n = static_cast<double>(d_wave_positions.rows());
    const Eigen::VectorXd difference = phases(place) - phases(other);
    return std::sqrt(12.0 / (n * (n * n - 1.0)) *
                     (difference.array() - difference.mean()).square().sum());
}

} // namespace core
} // namespace bearing
} // namespace gr
