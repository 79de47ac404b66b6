/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/null_polynomial.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// How far the harmonics are kept beyond x = 4 pi r / lambda: J_n(x) is below 1e-8 there.
constexpr double harmonic_margin = 6.5; // times x^(1/3)
constexpr double smallest_margin = 10.0;
// The time to find all roots grows with the square of their number.
constexpr int largest_degree = 256;

// The sums of the diagonals of M^H M, which need not be formed: column by column, M is
// correlated with itself.
Eigen::VectorXcd sums_of_diagonals(const Eigen::MatrixXcd& m)
{
    const Eigen::Map<const Eigen::VectorXcd> columns(m.data(), m.size());
    Eigen::VectorXcd sums(m.cols());
    sums(0) = m.squaredNorm();
    for (Eigen::Index k = 1; k < m.cols(); ++k) {
        const Eigen::Index size = m.rows() * (m.cols() - k);
        sums(k) = columns.head(size).dot(columns.tail(size));
    }
    return sums;
}

int harmonics(const antenna_array& array)
{
    Eigen::MatrixXd positions = array.positions();
    if (array.has_position_offsets()) {
        positions += array.calibration().positions;
    }
    const Eigen::RowVector3d centroid = positions.colwise().mean();
    // Elevation is zero: height does not matter.
    const double radius =
        (positions.rowwise() - centroid).leftCols(2).rowwise().norm().maxCoeff() /
        array.wavelength().value_or(1.0);
    const double bandwidth = 4.0 * M_PI * radius;
    const double degree =
        std::ceil(bandwidth) +
        std::ceil(std::max(smallest_margin, harmonic_margin * std::cbrt(bandwidth)));
    if (degree > largest_degree) {
        throw std::invalid_argument(
            "array: its elements reach " + std::to_string(radius) +
            " wavelengths from their centroid, so root-MUSIC's polynomial would have "
            "degree " +
            std::to_string(static_cast<int>(degree)) + "; at most " +
            std::to_string(largest_degree) +
            " is allowed for arrays that are not uniform lines, use MUSIC");
    }
    return static_cast<int>(degree);
}

} // namespace

line_null_polynomial::line_null_polynomial(const variant_frame& frame)
    : d_response(frame.response())
{
    const int n = frame.array().num_elements();
    if (d_response.size() > 0) {
        d_total = sums_of_diagonals(d_response);
    } else {
        d_total = Eigen::VectorXcd::Unit(n, 0) * static_cast<double>(n);
    }
}

Eigen::VectorXcd
line_null_polynomial::coefficients(const Eigen::MatrixXcd& signal_subspace) const
{
    Eigen::MatrixXcd signal_part = signal_subspace.adjoint();
    if (d_response.size() > 0) {
        signal_part = signal_part * d_response;
    }
    return d_total - sums_of_diagonals(signal_part);
}

fourier_null_polynomial::fourier_null_polynomial(const antenna_array& array)
{
    const int degree = harmonics(array);
    int size = 1;
    while (size < 4 * degree) {
        size *= 2;
    }
    const Eigen::VectorXd azimuth =
        Eigen::VectorXd::LinSpaced(size, 0.0, 2.0 * M_PI * (size - 1) / size);
    d_manifold = array.steering(azimuth, Eigen::VectorXd::Zero(size));
    d_total = d_manifold.colwise().squaredNorm().transpose();
    const Eigen::MatrixXd phase =
        Eigen::VectorXd::LinSpaced(degree + 1, 0.0, degree) * azimuth.transpose();
    d_cosines = phase.array().cos() / size;
    d_sines = -phase.array().sin() / size;
}

Eigen::VectorXcd
fourier_null_polynomial::coefficients(const Eigen::MatrixXcd& signal_subspace) const
{
    const Eigen::MatrixXcd signal_part = signal_subspace.adjoint() * d_manifold;
    const Eigen::VectorXd f = d_total - signal_part.colwise().squaredNorm().transpose();
    // At so few points a product with a table is as fast as an FFT.
    Eigen::VectorXcd coefficients(d_cosines.rows());
    coefficients.real() = d_cosines * f;
    coefficients.imag() = d_sines * f;
    return coefficients;
}

} // namespace core
} // namespace bearing
} // namespace gr
