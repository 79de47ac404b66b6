/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "element_scan.h"
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {
// How far from its drawing an element is looked for, and how close together, in wavelengths:
// the width of a minimum is about half a wavelength.
constexpr double reach = 0.5;
constexpr int points_per_axis = 17;
// Nearer than this the fit finds the place by itself.
constexpr double own_minimum = 0.15;
} // namespace

element_scan::element_scan(const antenna_array& drawn, int num_axes)
    : d_drawn(array_parameters::of(drawn.with_calibration({})).positions.leftCols(2)),
      d_power(drawn.num_elements())
{
    const Eigen::VectorXd line =
        Eigen::VectorXd::LinSpaced(points_per_axis, -reach, reach);
    const int num_rows = num_axes > 1 ? points_per_axis : 1;
    d_places.setZero(points_per_axis * num_rows, 2);
    for (int row = 0; row < num_rows; ++row) {
        d_places.col(0).segment(row * points_per_axis, points_per_axis) = line;
        if (num_axes > 1) {
            d_places.col(1)
                .segment(row * points_per_axis, points_per_axis)
                .setConstant(line(row));
        }
    }
    clear();
}

void element_scan::clear()
{
    d_sums.setZero(d_places.rows(), d_drawn.rows());
    d_present.setZero(d_drawn.rows());
    d_power.setZero(d_drawn.rows());
}

void element_scan::add(const source_null& source,
                       const array_parameters& parameters,
                       double weight)
{
    const double scale = weight / source.variance();
    for (Eigen::Index l = 0; l < d_drawn.rows(); ++l) {
        // D = Q_ll |gamma|^2 + 2 Re(conj(gamma) e^-j(phase) (c_l - Q_ll)) + const, with
        // gamma e^j(phase) the factor by which the response of the element changes.
        const double own = source.own_curvature(l);
        const std::complex<double> pull = scale * (source.correlation()(l) - own);
        const Eigen::RowVector2d rate = source.phase_by_position().row(l);
        const Eigen::RowVector2d away =
            d_drawn.row(l) - parameters.positions.row(l).leftCols(2);
        for (Eigen::Index g = 0; g < d_places.rows(); ++g) {
            const double phase = rate.dot(d_places.row(g) + away);
            d_sums(g, l) += std::polar(1.0, -phase) * pull;
        }
        d_present(l) += pull;
        d_power(l) += scale * own;
    }
}

bool element_scan::move_worst(array_parameters& parameters) const
{
    double most = 0.0;
    Eigen::Index worst = -1;
    Eigen::Index best_place = 0;
    for (Eigen::Index l = 0; l < d_drawn.rows(); ++l) {
        Eigen::Index place;
        const double there = d_sums.col(l).cwiseAbs2().maxCoeff(&place);
        const double gained = (there - std::norm(d_present(l))) / d_power(l);
        const Eigen::RowVector2d step = d_drawn.row(l) + d_places.row(place) -
                                        parameters.positions.row(l).leftCols(2);
        if (gained > most && step.norm() > own_minimum) {
            most = gained;
            worst = l;
            best_place = place;
        }
    }
    if (worst < 0) {
        return false;
    }
    parameters.gains(worst) *= -d_sums(best_place, worst) / d_power(worst);
    parameters.positions.row(worst).leftCols(2) =
        d_drawn.row(worst) + d_places.row(best_place);
    return true;
}

} // namespace core
} // namespace bearing
} // namespace gr
