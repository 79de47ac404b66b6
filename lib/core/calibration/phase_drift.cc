/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "phase_drift.h"

namespace gr {
namespace bearing {
namespace core {

namespace {
// What is usual: 10 degrees a minute at 10 arrivals a second, in radians an arrival.
constexpr double usual_rate = 3e-4;
// How much of the rate becomes the rate of before in each step.
constexpr double before_share = 1.0 / 16.0;
// No step changes a rate by more.
constexpr double largest_change = 2e-3;
} // namespace

phase_drift::phase_drift(int num_elements)
    : d_rate(Eigen::VectorXd::Zero(num_elements)),
      d_before(Eigen::VectorXd::Zero(num_elements)),
      d_normal(num_elements, num_elements),
      d_cross(num_elements, num_elements),
      d_gradient(num_elements),
      d_phase_normal(num_elements, num_elements),
      d_eliminated(num_elements, num_elements),
      d_azimuth_column(num_elements),
      d_solver(num_elements),
      d_change(num_elements),
      d_next(num_elements)
{
    clear();
}

void phase_drift::forget()
{
    d_rate.setZero();
    d_before.setZero();
}

void phase_drift::clear()
{
    d_normal.setZero();
    d_cross.setZero();
    d_gradient.setZero();
}

void phase_drift::add(const source_null& source,
                      const Eigen::MatrixXd& curvature,
                      bool is_known,
                      double weight,
                      double age)
{
    const double scale = weight / source.variance();
    d_phase_normal = curvature;
    Eigen::VectorXd& gradient = d_change;
    gradient = source.correlation().imag();
    if (!is_known && source.azimuth_curvature() > 0.0) {
        d_azimuth_column = source.azimuth_coupling().real();
        const double inverse = 1.0 / source.azimuth_curvature();
        d_phase_normal.noalias() -=
            inverse * d_azimuth_column * d_azimuth_column.transpose();
        gradient -= (inverse * source.azimuth_slope()) * d_azimuth_column;
    }
    // A phase that grows was behind by age times the rate.
    d_normal += (scale * age * age) * d_phase_normal;
    d_cross -= (scale * age) * d_phase_normal;
    d_gradient -= (scale * age) * gradient;
}

const Eigen::VectorXd& phase_drift::step(double windows, gauss_newton& newton)
{
    const Eigen::Index n = d_rate.size();
    // The normal matrix is half the information.
    constexpr double phase_information = 0.5 / (vague_prior.phase * vague_prior.phase);
    constexpr double rate_information = 0.5 / (usual_rate * usual_rate);
    // The phases themselves are eliminated.
    d_phase_normal = newton.normal_matrix().block(n, n, n, n);
    d_phase_normal.diagonal().array() += phase_information;
    d_solver.compute(d_phase_normal);
    d_eliminated = d_cross;
    d_solver.solveInPlace(d_eliminated);
    d_normal.noalias() -= d_cross.transpose() * d_eliminated;
    d_gradient.noalias() -= d_eliminated.transpose() * newton.gradient().segment(n, n);

    // Without this data the rate is what it was before, known as well as usual rates tell and
    // as data of so many windows.
    d_next = d_rate - d_before;
    d_change = -d_gradient - rate_information * d_next;
    d_change.noalias() -= windows * d_normal * d_next;
    d_normal *= 1.0 + windows;
    d_normal.diagonal().array() += rate_information;
    d_solver.compute(d_normal);
    d_solver.solveInPlace(d_change);
    if (!d_change.allFinite()) {
        d_change.setZero();
        return d_change;
    }
    d_next = d_rate + d_change.cwiseMin(largest_change).cwiseMax(-largest_change);
    // Nor must it go on along what nobody sees any more.
    newton.release_phases(d_next);
    d_change = d_next - d_rate;
    d_rate = d_next;
    if (windows > 0.0) {
        d_before += before_share * (d_rate - d_before);
        newton.release_phases(d_before);
    }
    return d_change;
}

} // namespace core
} // namespace bearing
} // namespace gr
