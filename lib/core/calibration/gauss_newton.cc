/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gauss_newton.h"
#include <algorithm>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {
// A step larger than this, relative to the mean gain and in wavelengths, leaves the region
// in which the null function is a parabola.
constexpr double largest_gain_step = 0.3;
constexpr double largest_offset_step = 0.1;
// Two for the gauge of the gains, two for a shift, two for a line's affine map.
constexpr int most_pinned = 6;
// What is left of a direction that others span already.
constexpr double rounding = 1e-8;
} // namespace

void add_information(const parameter_prior& prior,
                     double factor,
                     int num_elements,
                     Eigen::MatrixXd& information)
{
    const double widths[] = { prior.log_gain, prior.phase, prior.offset, prior.offset };
    const int num_blocks = static_cast<int>(information.rows()) / num_elements;
    for (int block = 0; block < num_blocks; ++block) {
        information.diagonal().segment(block * num_elements, num_elements).array() +=
            factor / (widths[block] * widths[block]);
    }
}

gauss_newton::gauss_newton(int num_elements, int num_axes)
    : d_num_elements(num_elements),
      d_num_axes(num_axes),
      d_normal((2 + num_axes) * num_elements, (2 + num_axes) * num_elements),
      d_gradient((2 + num_axes) * num_elements),
      d_real(num_elements, num_elements),
      d_imag(num_elements, num_elements),
      d_azimuth_column(d_gradient.size()),
      d_pinned_storage(d_gradient.size(), most_pinned),
      d_metric(d_gradient.size()),
      d_direction(d_gradient.size()),
      d_system(d_normal.rows(), d_normal.cols()),
      d_solver(d_normal.rows()),
      d_move(d_gradient.size())
{
    clear();
}

void gauss_newton::clear()
{
    d_normal.setZero();
    d_gradient.setZero();
    d_is_complete = true;
}

void gauss_newton::add(const source_null& source, bool is_known, double weight)
{
    const int n = d_num_elements;
    const double scale = weight / source.variance();
    const Eigen::MatrixXd& rate = source.phase_by_position();
    source.fill_curvature(d_real, d_imag);

    // Re(conj(d_m) Pn d_l) with d = a (log gain), j a (phase), j rate a (offset): real
    // parts between phases, and log gains; minus imaginary ones from log gain to phase.
    d_normal.block(0, 0, n, n) += scale * d_real;
    d_normal.block(n, n, n, n) += scale * d_real;
    d_normal.block(0, n, n, n) -= scale * d_imag;
    for (int axis = 0; axis < d_num_axes; ++axis) {
        const int column = (2 + axis) * n;
        d_normal.block(0, column, n, n) -= scale * (d_imag * rate.col(axis).asDiagonal());
        d_normal.block(n, column, n, n) += scale * (d_real * rate.col(axis).asDiagonal());
        for (int other = 0; other <= axis; ++other) {
            d_normal.block((2 + other) * n, column, n, n) +=
                scale *
                (rate.col(other).asDiagonal() * d_real * rate.col(axis).asDiagonal());
        }
    }
    const Eigen::VectorXcd& c = source.correlation();
    d_gradient.head(n) += scale * c.real();
    d_gradient.segment(n, n) += scale * c.imag();
    for (int axis = 0; axis < d_num_axes; ++axis) {
        d_gradient.segment((2 + axis) * n, n) +=
            scale * rate.col(axis).cwiseProduct(c.imag());
    }
    d_is_complete = false;
    if (is_known || !(source.azimuth_curvature() > 0.0)) {
        return;
    }
    // Re(conj(d_m) Pn da/dtheta): the direction moves along with the parameters.
    const Eigen::VectorXcd& z = source.azimuth_coupling();
    d_azimuth_column.head(n) = -z.imag();
    d_azimuth_column.segment(n, n) = z.real();
    for (int axis = 0; axis < d_num_axes; ++axis) {
        d_azimuth_column.segment((2 + axis) * n, n) =
            rate.col(axis).cwiseProduct(z.real());
    }
    const double inverse = scale / source.azimuth_curvature();
    d_normal.selfadjointView<Eigen::Upper>().rankUpdate(d_azimuth_column, -inverse);
    d_gradient -= inverse * source.azimuth_slope() * d_azimuth_column;
}

const Eigen::MatrixXd& gauss_newton::normal_matrix()
{
    if (!d_is_complete) {
        d_normal.triangularView<Eigen::StrictlyLower>() = d_normal.transpose();
        d_is_complete = true;
    }
    return d_normal;
}

void gauss_newton::pin(const Eigen::VectorXd& direction)
{
    const auto product = [this](const auto& one, const auto& other) {
        return d_metric.cwiseProduct(one).dot(other);
    };
    d_direction = direction;
    const double length = std::sqrt(product(d_direction, d_direction));
    for (int k = 0; k < d_num_pinned; ++k) {
        d_direction -=
            product(d_pinned_storage.col(k), d_direction) * d_pinned_storage.col(k);
    }
    const double left = std::sqrt(product(d_direction, d_direction));
    if (left > rounding * length) {
        d_pinned_storage.col(d_num_pinned++) = d_direction / left;
    }
}

void gauss_newton::pull_towards(const array_parameters& expected,
                                const array_parameters& present)
{
    const int n = d_num_elements;
    for (int l = 0; l < n; ++l) {
        const std::complex<double> ratio = present.gains(l) / expected.gains(l);
        if (std::isfinite(std::abs(ratio)) && std::abs(ratio) > 0.0) {
            d_gradient(l) += 0.5 * std::log(std::abs(ratio)) /
                             (vague_prior.log_gain * vague_prior.log_gain);
            d_gradient(n + l) +=
                0.5 * std::arg(ratio) / (vague_prior.phase * vague_prior.phase);
        }
    }
    for (int axis = 0; axis < d_num_axes; ++axis) {
        d_gradient.segment((2 + axis) * n, n) +=
            0.5 / (vague_prior.offset * vague_prior.offset) *
            (present.positions.col(axis) - expected.positions.col(axis));
    }
}

const Eigen::MatrixXd& gauss_newton::pinned(const array_parameters& parameters,
                                            const free_map& map)
{
    const int n = d_num_elements;
    const Eigen::MatrixXd& p = parameters.positions;
    Eigen::VectorXd& v = d_move;
    d_num_pinned = 0;
    for (int block = 0; block < 2 + d_num_axes; ++block) {
        // Of a wavelength's 2 pi radians, sin and cos of the azimuth leave half the square.
        const double scale = block < 2 ? 1.0 : 2.0 * M_PI * M_PI;
        d_metric.segment(block * n, n) = scale * parameters.gains.cwiseAbs2();
    }
    for (int quadrature = 0; quadrature < 2; ++quadrature) {
        v.setZero();
        v.segment(quadrature * n, n).setOnes();
        pin(v);
    }
    for (int axis = 0; axis < d_num_axes; ++axis) {
        v.setZero();
        v.segment((2 + axis) * n, n).setOnes();
        pin(v);
    }
    if (map.tilt) {
        v.setZero();
        v.segment(n, n) = p.col(0);
        pin(v);
    }
    if (map.stretch && d_num_axes > 0) {
        v.setZero();
        v.segment(n, n) = -2.0 * M_PI * map.fixed * p.col(0);
        v.segment(2 * n, n) = p.col(0);
        pin(v);
    }
    if (map.rotation && d_num_axes > 1) {
        v.setZero();
        v.segment(2 * n, n) = p.col(1);
        v.segment(3 * n, n) = -p.col(0);
        pin(v);
    }
    d_pinned = d_pinned_storage.leftCols(d_num_pinned);
    return d_pinned;
}

double gauss_newton::step(array_parameters& parameters,
                          const free_map& map,
                          const parameter_prior& prior)
{
    const int n = d_num_elements;
    const Eigen::MatrixXd& pins = pinned(parameters, map);
    d_system = normal_matrix();
    // Stiff along what is pinned, so that the rest is solved as if it were not there.
    const double stiffness = d_system.trace();
    d_system.noalias() += stiffness * pins * pins.transpose();
    // The normal matrix is half the information.
    add_information(prior, 0.5, n, d_system);
    d_solver.compute(d_system);
    d_move = -d_gradient;
    d_solver.solveInPlace(d_move);
    for (Eigen::Index k = 0; k < pins.cols(); ++k) {
        d_move -= d_metric.cwiseProduct(pins.col(k)).dot(d_move) * pins.col(k);
    }
    if (!d_move.allFinite()) {
        return 0.0;
    }

    double length = 0.0;
    for (int l = 0; l < n; ++l) {
        const double gain_step =
            std::abs(parameters.gains(l)) * std::hypot(d_move(l), d_move(n + l));
        length = std::max(length, gain_step / largest_gain_step);
    }
    length = std::max(length,
                      d_move.tail(d_num_axes * n).lpNorm<Eigen::Infinity>() /
                          largest_offset_step);
    if (length > 1.0) {
        d_move /= length;
    }
    for (int l = 0; l < n; ++l) {
        parameters.gains(l) *= std::complex<double>(1.0 + d_move(l), d_move(n + l));
    }
    for (int axis = 0; axis < d_num_axes; ++axis) {
        parameters.positions.col(axis) += d_move.segment((2 + axis) * n, n);
    }
    return length;
}

void gauss_newton::release_phases(Eigen::VectorXd& phases) const
{
    const int n = d_num_elements;
    for (Eigen::Index k = 0; k < d_pinned.cols(); ++k) {
        const double part = d_pinned.col(k)
                                .segment(n, n)
                                .cwiseProduct(d_metric.segment(n, n))
                                .dot(phases);
        phases -= part * d_pinned.col(k).segment(n, n);
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
