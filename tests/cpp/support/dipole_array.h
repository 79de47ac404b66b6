/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_DIPOLE_ARRAY_H
#define INCLUDED_BEARING_TESTS_DIPOLE_ARRAY_H

#include <Eigen/Dense>
#include <cmath>
#include <complex>
#include <random>

/*!
 * \brief Impedance between the feeds of two thin dipoles side by side, in ohms, lengths in
 * wavelengths.
 *
 * Induced EMF: the field that the sinusoidal current of one makes along the other (C. A.
 * Balanis, "Antenna Theory", section 8.5) is summed up numerically over the current of the
 * other. At the radius of the wire it is the impedance of one by itself.
 */
inline std::complex<double> induced_impedance(double distance, double length)
{
    using namespace std::complex_literals;
    constexpr double free_space = 376.730313;
    constexpr double k = 2.0 * M_PI;
    const double half = 0.5 * length;
    const auto wave = [&](double height) {
        const double r = std::hypot(distance, height);
        return std::exp(-1i * (k * r)) / r;
    };
    // Simpson's rule over the upper half, which the lower one equals. Close wires need steps
    // well below their distance.
    constexpr int intervals = 4000;
    const double step = half / intervals;
    std::complex<double> sum = 0.0;
    for (int i = 0; i <= intervals; ++i) {
        const double z = i * step;
        const double weight = i == 0 || i == intervals ? 1.0 : i % 2 ? 4.0 : 2.0;
        sum += weight * std::sin(k * (half - z)) *
               (wave(z - half) + wave(z + half) - 2.0 * std::cos(k * half) * wave(z));
    }
    const double feed_current = std::sin(k * half);
    return 1i * free_space / (4.0 * M_PI) / (feed_current * feed_current) * 2.0 * step /
           3.0 * sum;
}

//! Half-wave dipoles at \p positions (N x 3, wavelengths), all with one load but for its
//! tolerance.
class dipole_array
{
public:
    dipole_array(const Eigen::MatrixXd& positions, std::complex<double> load)
        : d_impedance(positions.rows(), positions.rows()), d_load(load)
    {
        constexpr double length = 0.5;
        constexpr double wire_radius = 1e-3;
        const std::complex<double> own = induced_impedance(wire_radius, length);
        for (Eigen::Index i = 0; i < positions.rows(); ++i) {
            d_impedance(i, i) = own;
            for (Eigen::Index k = 0; k < i; ++k) {
                d_impedance(i, k) = induced_impedance(
                    (positions.row(i) - positions.row(k)).norm(), length);
                d_impedance(k, i) = d_impedance(i, k);
            }
        }
    }

    /*!
     * \brief C between open-circuit voltages and those at the loads, relative to a dipole by
     * itself, C(0, 0) = 1: diag(Z_A + Z_L) (Z + diag Z_L)^-1.
     *
     * Real and imaginary part of each load deviate by \p tolerance of themselves.
     */
    Eigen::MatrixXcd coupling(std::mt19937_64& random, double tolerance = 0.02) const
    {
        std::normal_distribution<double> normal;
        const Eigen::Index n = d_impedance.rows();
        Eigen::VectorXcd load(n);
        for (std::complex<double>& one : load) {
            const double resistance = d_load.real() * (1.0 + tolerance * normal(random));
            one = { resistance, d_load.imag() * (1.0 + tolerance * normal(random)) };
        }
        const Eigen::MatrixXcd loaded = d_impedance + Eigen::MatrixXcd(load.asDiagonal());
        const Eigen::VectorXcd alone = d_impedance.diagonal() + load;
        const Eigen::MatrixXcd c = alone.asDiagonal() * loaded.inverse();
        return c / c(0, 0);
    }

    const Eigen::MatrixXcd& impedance() const { return d_impedance; }

private:
    Eigen::MatrixXcd d_impedance;
    std::complex<double> d_load;
};

#endif /* INCLUDED_BEARING_TESTS_DIPOLE_ARRAY_H */
