/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "source_null.h"
#include <gnuradio/bearing/core/array/near_field.h>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr double two_pi = 2.0 * M_PI;
} // namespace

source_null::source_null(int num_elements)
    : d_phasor(num_elements),
      d_correlation(num_elements),
      d_power(num_elements),
      d_phase_by_position(num_elements, 2),
      d_rate(num_elements),
      d_acceleration(num_elements),
      d_azimuth_coupling(num_elements)
{
}

void source_null::evaluate(const array_parameters& parameters,
                           const calibration_sample& sample,
                           double azimuth,
                           double range)
{
    const Eigen::Index n = d_phasor.size();
    const double x = std::sin(azimuth);
    const double y = std::cos(azimuth);
    for (Eigen::Index l = 0; l < n; ++l) {
        const double px = parameters.positions(l, 0);
        const double py = parameters.positions(l, 1);
        double path = x * px + y * py;
        double towards_x = x;
        double towards_y = y;
        if (std::isfinite(range)) {
            const Eigen::Vector3d p = parameters.positions.row(l);
            path = lead_of_path(path, p.squaredNorm(), 1.0 / range).value;
            const Eigen::Vector3d towards =
                (range * Eigen::Vector3d(x, y, 0.0) - p).normalized();
            towards_x = towards(0);
            towards_y = towards(1);
        }
        d_phasor(l) = parameters.gains(l) * std::polar(1.0, two_pi * path);
        d_phase_by_position(l, 0) = two_pi * towards_x;
        d_phase_by_position(l, 1) = two_pi * towards_y;
        d_rate(l) = two_pi * (px * y - py * x);
        d_acceleration(l) = -two_pi * (px * x + py * y);
    }

    d_power = d_phasor.cwiseAbs2();
    d_projection.resize(n, sample.num_sources());
    d_projection.noalias() = d_phasor.conjugate().asDiagonal() * sample.signal_subspace;
    d_in_subspace = d_projection.colwise().sum().adjoint();
    d_correlation.noalias() = -d_projection * d_in_subspace;
    d_correlation += d_power;
    d_value = d_correlation.real().sum();
    d_variance = sample.null_weights.dot(d_in_subspace.cwiseAbs2());
    d_noise_dimension = sample.noise_dimension();

    d_rate_in_subspace.noalias() = d_projection.adjoint() * d_rate;
    d_azimuth_coupling.noalias() = -d_projection * d_rate_in_subspace;
    d_azimuth_coupling += d_power.cwiseProduct(d_rate);
    d_azimuth_curvature = d_rate.dot(d_azimuth_coupling.real());
    d_azimuth_slope = d_rate.dot(d_correlation.imag());
}

void source_null::fill_curvature(Eigen::MatrixXd& real, Eigen::MatrixXd& imag) const
{
    const Eigen::Index n = d_phasor.size();
    real.setZero(n, n);
    imag.setZero(n, n);
    for (Eigen::Index k = 0; k < d_projection.cols(); ++k) {
        for (Eigen::Index l = 0; l < n; ++l) {
            const std::complex<double> other = d_projection(l, k);
            for (Eigen::Index m = 0; m < n; ++m) {
                const std::complex<double> one = d_projection(m, k);
                real(m, l) -= one.real() * other.real() + one.imag() * other.imag();
                imag(m, l) -= one.imag() * other.real() - one.real() * other.imag();
            }
        }
    }
    real.diagonal() += d_power;
}

double source_null::newton_step() const
{
    // Re(a''^H Pn a) with a'' = (j acceleration - rho^2) a
    const double bend = d_acceleration.dot(d_correlation.imag()) -
                        d_rate.cwiseAbs2().dot(d_correlation.real());
    const double curvature = d_azimuth_curvature + bend;
    return curvature > 0.0 ? -d_azimuth_slope / curvature : 0.0;
}

} // namespace core
} // namespace bearing
} // namespace gr
