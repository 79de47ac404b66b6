/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "newton_minimum.h"
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Sums over the elements, whose number is too small for anything but a plain loop.
double dot(const double* x, const double* y, Eigen::Index n)
{
    double sum = 0.0;
    for (Eigen::Index l = 0; l < n; ++l) {
        sum += x[l] * y[l];
    }
    return sum;
}

} // namespace

null_function::null_function(const antenna_array& array,
                             const Eigen::MatrixXcd& signal_subspace)
    : d_waves(array.wave_positions()),
      d_gains(array.calibration().gains),
      d_coupling(array.calibration().coupling),
      d_subspace{ signal_subspace.real(), signal_subspace.imag() }
{
    const Eigen::Index n = d_waves.rows();
    const auto resize = [](parts& some, Eigen::Index rows, Eigen::Index columns) {
        some.real.resize(rows, columns);
        some.imag.resize(rows, columns);
    };
    resize(d_manifold, n, 3);
    resize(d_inside, signal_subspace.cols(), 2);
    resize(d_noise_part, n, 1);
    if (d_coupling.size() > 0) {
        resize(d_uncoupled, n, 3);
    }
}

void null_function::steer(double azimuth, int derivatives) const
{
    const double east = std::sin(azimuth);
    const double north = std::cos(azimuth);
    const bool has_gains = d_gains.size() > 0;
    const Eigen::Index n = d_waves.rows();
    parts& response = d_coupling.size() > 0 ? d_uncoupled : d_manifold;
    for (Eigen::Index l = 0; l < n; ++l) {
        const double x = d_waves(l, 0);
        const double y = d_waves(l, 1);
        const double phase = x * east + y * north;
        double re = std::cos(phase);
        double im = std::sin(phase);
        if (has_gains) {
            const double before = re;
            re = before * d_gains(l).real() - im * d_gains(l).imag();
            im = before * d_gains(l).imag() + im * d_gains(l).real();
        }
        response.real(l, 0) = re;
        response.imag(l, 0) = im;
        if (derivatives > 0) {
            // e = exp(j phase): e' = j phase' e, e'' = (j phase'' - phase'^2) e, and
            // phase'' = -phase.
            const double rate = x * north - y * east;
            response.real(l, 1) = -rate * im;
            response.imag(l, 1) = rate * re;
            response.real(l, 2) = phase * im - rate * rate * re;
            response.imag(l, 2) = -phase * re - rate * rate * im;
        }
    }
    if (d_coupling.size() == 0) {
        return;
    }
    for (int k = 0; k <= derivatives; ++k) {
        for (Eigen::Index l = 0; l < n; ++l) {
            double re = 0.0;
            double im = 0.0;
            for (Eigen::Index m = 0; m < n; ++m) {
                const std::complex<double> c = d_coupling(l, m);
                re += c.real() * response.real(m, k) - c.imag() * response.imag(m, k);
                im += c.real() * response.imag(m, k) + c.imag() * response.real(m, k);
            }
            d_manifold.real(l, k) = re;
            d_manifold.imag(l, k) = im;
        }
    }
}

void null_function::project(int of) const
{
    const Eigen::Index n = d_waves.rows();
    const double* const re = d_manifold.real.col(of).data();
    const double* const im = d_manifold.imag.col(of).data();
    for (Eigen::Index k = 0; k < d_subspace.real.cols(); ++k) {
        const double* const sr = d_subspace.real.col(k).data();
        const double* const si = d_subspace.imag.col(k).data();
        d_inside.real(k, of) = dot(sr, re, n) + dot(si, im, n);
        d_inside.imag(k, of) = dot(sr, im, n) - dot(si, re, n);
    }
}

double null_function::noise_part() const
{
    double square = 0.0;
    for (Eigen::Index l = 0; l < d_waves.rows(); ++l) {
        double re = d_manifold.real(l, 0);
        double im = d_manifold.imag(l, 0);
        for (Eigen::Index k = 0; k < d_subspace.real.cols(); ++k) {
            const double sr = d_subspace.real(l, k);
            const double si = d_subspace.imag(l, k);
            re -= sr * d_inside.real(k, 0) - si * d_inside.imag(k, 0);
            im -= sr * d_inside.imag(k, 0) + si * d_inside.real(k, 0);
        }
        d_noise_part.real(l, 0) = re;
        d_noise_part.imag(l, 0) = im;
        square += re * re + im * im;
    }
    return square;
}

double null_function::value(double azimuth) const
{
    steer(azimuth, 0);
    project(0);
    return noise_part() /
           (d_manifold.real.col(0).squaredNorm() + d_manifold.imag.col(0).squaredNorm());
}

null_function::expansion null_function::at(double azimuth) const
{
    steer(azimuth, 2);
    project(0);
    project(1);
    const Eigen::Index n = d_waves.rows();
    // Re(x^H y) of columns of the manifold.
    const auto product = [&](int x, const parts& y) {
        return dot(d_manifold.real.col(x).data(), y.real.data(), n) +
               dot(d_manifold.imag.col(x).data(), y.imag.data(), n);
    };
    const double a1_squared =
        d_manifold.real.col(1).squaredNorm() + d_manifold.imag.col(1).squaredNorm();
    const double projected_rate = a1_squared - (d_inside.real.col(1).squaredNorm() +
                                                d_inside.imag.col(1).squaredNorm());

    // f = D / S with D = a^H Pn a and S = a^H a, each with two derivatives.
    const double d0 = noise_part();
    const double d1 = 2.0 * product(1, d_noise_part);
    const double d2 = 2.0 * (product(2, d_noise_part) + projected_rate);
    const double s0 = product(0, d_manifold);
    const double s1 = 2.0 * product(1, d_manifold);
    const double s2 = 2.0 * (product(2, d_manifold) + a1_squared);

    expansion f;
    f.value = d0 / s0;
    f.slope = (d1 - f.value * s1) / s0;
    f.curvature = (d2 - 2.0 * f.slope * s1 - f.value * s2) / s0;
    return f;
}

double null_function::minimum(double lower,
                              double start,
                              double upper,
                              expansion& at_minimum) const
{
    return newton_minimum(*this, lower, start, upper, at_minimum);
}

double null_function::minimum(double lower, double start, double upper) const
{
    expansion unused;
    return minimum(lower, start, upper, unused);
}

} // namespace core
} // namespace bearing
} // namespace gr
