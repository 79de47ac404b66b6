/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "plane_search.h"
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Where f is larger than this on the grid, a minimum is a side lobe and hides none.
constexpr double shallow = 0.2;
// f is only rounding error below.
constexpr double null_floor = 1e-16;

// Of Newton's method, in steps of the grid. Beyond two of them the parabola is another's.
constexpr double longest_step = 2.0;
// One more step from here, and rounding is all that is left.
constexpr double converged_step = 1e-7;
constexpr int most_steps = 50;
// It starts this far off a flat array's plane, where no slope would lead it away from.
constexpr double off_plane = 0.25;
constexpr int most_halvings = 12;
// What rounding does to f.
constexpr double value_rounding = 1e-14;
// The least curvature, relative to the largest, that is divided by.
constexpr double smallest_curvature = 1e-9;

// Nulls of strong sources near to each other lie in one valley, which the grid sees as one
// minimum. Where one of the K deepest minima is shallower than the deepest by more than this
// factor, its null may be hidden: Newton's method starts again, so many steps from each null.
constexpr double same_depth = 10.0;
constexpr double starts[] = { -6.0, -3.0, -1.5, -0.7, 0.7, 1.5, 3.0, 6.0 };
// Minima nearer to each other than this, in steps of the grid, are one.
constexpr double same_minimum = 1e-4;
// Limits are met to rounding.
constexpr double limit_tolerance = 1e-9;

// f, and its slope and curvature in local coordinates.
struct expansion {
    double value;
    Eigen::Vector2d slope;
    Eigen::Matrix2d curvature;
};

double value_at(const source_plane& plane,
                const Eigen::MatrixXcd& subspace,
                const source_place& place)
{
    const Eigen::VectorXcd a = plane.steering(place);
    return (a - subspace * (subspace.adjoint() * a)).squaredNorm() / a.squaredNorm();
}

// Value, slope and curvature of a^H y, where y is a or Pn a and d^H Q d what it makes of
// the derivatives.
expansion quadratic(const plane_expansion& here,
                    const Eigen::VectorXcd& y,
                    const Eigen::Matrix2cd& rates)
{
    const Eigen::Vector2cd slope = here.d.adjoint() * y;
    const Eigen::Vector3cd second = here.second.adjoint() * y;
    expansion result{ here.a.dot(y).real(), 2.0 * slope.real(), 2.0 * rates.real() };
    result.curvature(0, 0) += 2.0 * second(0).real();
    result.curvature(0, 1) += 2.0 * second(1).real();
    result.curvature(1, 0) += 2.0 * second(1).real();
    result.curvature(1, 1) += 2.0 * second(2).real();
    return result;
}

expansion expand(const source_plane& plane,
                 const Eigen::MatrixXcd& subspace,
                 const source_place& place)
{
    const plane_expansion here = plane.expand(place);
    const Eigen::VectorXcd y = here.a - subspace * (subspace.adjoint() * here.a);
    const Eigen::MatrixXcd inside = subspace.adjoint() * here.d;
    const Eigen::Matrix2cd gram = here.d.adjoint() * here.d;
    // f = D / S with D = a^H Pn a and S = a^H a.
    expansion f = quadratic(here, y, gram - inside.adjoint() * inside);
    const expansion s = quadratic(here, here.a, gram);
    f.value = y.squaredNorm() / s.value;
    f.slope = (f.slope - f.value * s.slope) / s.value;
    const Eigen::Matrix2d mixed = f.slope * s.slope.transpose();
    f.curvature =
        (f.curvature - mixed - mixed.transpose() - f.value * s.curvature) / s.value;
    return f;
}

// Looks for the minima of one null function.
class searcher
{
public:
    searcher(const source_plane& plane,
             const plane_grid& grid,
             const Eigen::MatrixXcd& subspace)
        : d_plane(plane),
          d_grid(grid),
          d_subspace(subspace),
          d_step(grid.azimuth().at(1) - grid.azimuth().at(0),
                 grid.second()(1) - grid.second()(0)),
          d_coarse(grid.null_function(subspace))
    {
    }

    std::vector<plane_minimum> search();

private:
    int rows() const { return static_cast<int>(d_coarse.rows()); }
    int columns() const { return static_cast<int>(d_coarse.cols()); }
    bool has(int g, int e) const;
    double coarse(int g, int e) const { return d_coarse((g + rows()) % rows(), e); }
    bool is_minimum(int g, int e) const;
    std::vector<std::pair<int, int>> candidates() const;

    source_place refined(source_place place) const;
    bool is_within_limits(const source_place& place) const;
    void add(const source_place& place);
    void add_around(const source_place& place);
    bool may_hide_nulls() const;
    void sort();

    const source_plane& d_plane;
    const plane_grid& d_grid;
    const Eigen::MatrixXcd& d_subspace;
    const Eigen::Vector2d d_step;
    const Eigen::MatrixXd d_coarse;
    std::vector<plane_minimum> d_found;
};

bool searcher::has(int g, int e) const
{
    return e >= 0 && e < columns() &&
           (d_grid.azimuth().is_circle() || (g >= 0 && g < rows()));
}

bool searcher::is_minimum(int g, int e) const
{
    const double here = d_coarse(g, e);
    for (int de = -1; de <= 1; ++de) {
        for (int dg = -1; dg <= 1; ++dg) {
            if ((dg == 0 && de == 0) || !has(g + dg, e + de)) {
                continue;
            }
            const double there = coarse(g + dg, e + de);
            // Of equal neighbours the first one is the minimum.
            const bool is_before = de < 0 || (de == 0 && dg < 0);
            if (is_before ? there <= here : there < here) {
                return false;
            }
        }
    }
    return true;
}

// Points of the grid with a local minimum, lowest first.
std::vector<std::pair<int, int>> searcher::candidates() const
{
    std::vector<std::pair<int, int>> points;
    for (int e = 0; e < columns(); ++e) {
        for (int g = 0; g < rows(); ++g) {
            if (is_minimum(g, e)) {
                points.emplace_back(g, e);
            }
        }
    }
    std::stable_sort(points.begin(), points.end(), [this](const auto& i, const auto& k) {
        return d_coarse(i.first, i.second) < d_coarse(k.first, k.second);
    });
    return points;
}

// Newton's method, which goes downhill wherever f is not convex and never goes up.
source_place searcher::refined(source_place place) const
{
    const auto scale = d_step.asDiagonal();
    place = d_plane.off_plane(place, off_plane * d_step(0));
    for (int count = 0; count < most_steps; ++count) {
        const expansion f = expand(d_plane, d_subspace, place);
        const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> solver(
            Eigen::Matrix2d(scale * f.curvature * scale));
        const Eigen::Vector2d size = solver.eigenvalues().cwiseAbs();
        const Eigen::Vector2d curvature =
            size.cwiseMax(std::max(smallest_curvature * size.maxCoeff(), null_floor));
        const Eigen::Vector2d downhill =
            -(solver.eigenvectors().transpose() * (scale * f.slope));
        Eigen::Vector2d step = solver.eigenvectors() * downhill.cwiseQuotient(curvature);
        step *= std::min(1.0, longest_step / std::max(step.norm(), longest_step));
        source_place next = d_plane.moved(place, scale * step);
        for (int halving = 0;
             halving < most_halvings &&
             value_at(d_plane, d_subspace, next) > f.value + value_rounding;
             ++halving) {
            step *= 0.5;
            next = d_plane.moved(place, scale * step);
        }
        place = next;
        if (step.norm() < converged_step) {
            break;
        }
    }
    return place;
}

bool searcher::is_within_limits(const source_place& place) const
{
    const angle_grid& azimuth = d_grid.azimuth();
    if (!d_plane.has_elevation() &&
        place.inverse_range >= d_plane.largest_inverse_range()) {
        return false; // f goes on falling towards what is nearer
    }
    if (azimuth.is_circle()) {
        return true;
    }
    const double centre = 0.5 * (azimuth.first() + azimuth.last());
    const double off = std::remainder(d_plane.azimuth(place) - centre, 2.0 * M_PI);
    return std::abs(off) <= 0.5 * (azimuth.last() - azimuth.first()) + limit_tolerance;
}

void searcher::add(const source_place& place)
{
    const auto is_same = [&](const plane_minimum& other) {
        return d_plane.displacement(other.place, place).cwiseQuotient(d_step).norm() <
               same_minimum;
    };
    if (is_within_limits(place) &&
        std::none_of(d_found.begin(), d_found.end(), is_same)) {
        d_found.push_back({ place, value_at(d_plane, d_subspace, place) });
    }
}

// Adds the minima that are reached from starts along the axes of f around a minimum.
void searcher::add_around(const source_place& place)
{
    const auto scale = d_step.asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d> solver(
        Eigen::Matrix2d(scale * expand(d_plane, d_subspace, place).curvature * scale));
    for (int axis = 0; axis < 2; ++axis) {
        for (const double start : starts) {
            const Eigen::Vector2d by = scale * (start * solver.eigenvectors().col(axis));
            add(refined(d_plane.moved(place, by)));
        }
    }
}

bool searcher::may_hide_nulls() const
{
    const std::size_t num_sources = d_subspace.cols();
    return num_sources > 1 && !d_found.empty() &&
           (d_found.size() < num_sources ||
            d_found[num_sources - 1].value >
                same_depth * std::max(d_found[0].value, null_floor));
}

void searcher::sort()
{
    std::sort(d_found.begin(), d_found.end(), [](const auto& i, const auto& k) {
        return i.value < k.value;
    });
}

std::vector<plane_minimum> searcher::search()
{
    const std::size_t num_sources = d_subspace.cols();
    // A sharp null between the points of the grid can look shallower than a blunt minimum
    // does, so the coarse order decides nothing: every candidate that can be a null is
    // refined.
    for (const auto& [g, e] : candidates()) {
        if (d_found.size() >= num_sources && d_coarse(g, e) > shallow) {
            break;
        }
        add(refined(d_plane.at(d_grid.azimuth().at(g), d_grid.second()(e))));
    }
    sort();
    // Each null that is found so can hide another one.
    for (std::size_t k = 0; k < num_sources && k < d_found.size() && may_hide_nulls() &&
                            d_found[k].value < shallow;
         ++k) {
        add_around(source_place(d_found[k].place));
        sort();
    }
    return d_found;
}

Eigen::MatrixXcd steering_over(const source_plane& plane,
                               const angle_grid& azimuth,
                               const Eigen::VectorXd& second)
{
    const Eigen::Index rows = azimuth.size();
    Eigen::MatrixXcd steering;
    for (Eigen::Index e = 0; e < second.size(); ++e) {
        for (Eigen::Index g = 0; g < rows; ++g) {
            const Eigen::VectorXcd a =
                plane.steering(plane.at(azimuth.azimuth()(g), second(e)));
            if (steering.size() == 0) {
                steering.resize(a.size(), rows * second.size());
            }
            steering.col(g + rows * e) = a;
        }
    }
    return steering;
}

} // namespace

plane_grid::plane_grid(const source_plane& plane,
                       angle_grid azimuth,
                       Eigen::VectorXd second)
    : d_azimuth(std::move(azimuth)),
      d_second(std::move(second)),
      d_table(steering_over(plane, d_azimuth, d_second))
{
}

Eigen::MatrixXd plane_grid::null_function(const Eigen::MatrixXcd& signal_subspace) const
{
    Eigen::VectorXd f;
    d_table.quadratic_form(
        signal_subspace, Eigen::VectorXd::Ones(signal_subspace.cols()), f);
    f = (1.0 - f.array() / d_table.squared_norm().array()).max(null_floor);
    return Eigen::Map<const Eigen::MatrixXd>(f.data(), d_azimuth.size(), d_second.size());
}

std::vector<plane_minimum> deepest_minima(const source_plane& plane,
                                          const plane_grid& grid,
                                          const Eigen::MatrixXcd& signal_subspace)
{
    return searcher(plane, grid, signal_subspace).search();
}

} // namespace core
} // namespace bearing
} // namespace gr
