/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "circle_radius.h"
#include "real_columns.h"
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

using complexd = std::complex<double>;

constexpr complexd imaginary_unit{ 0.0, 1.0 };
// C(0,0) of a model that was stored in single precision.
constexpr double scale_tolerance = 1e-6;
// A matrix that is a sum of the others up to rounding tells nothing new.
constexpr double independence = 1e-9;

void require_elements(int num_elements)
{
    if (num_elements < 2) {
        throw std::invalid_argument("num_elements is " + std::to_string(num_elements) +
                                    "; coupling needs at least 2");
    }
}

void require_coefficients(int coefficients, int most)
{
    if (coefficients < 1 || coefficients > most) {
        throw std::invalid_argument("coefficients is " + std::to_string(coefficients) +
                                    "; allowed are 1 to " + std::to_string(most) +
                                    ", the one of an element with itself included");
    }
}

// Both quadratures of each of the matrices.
std::vector<Eigen::MatrixXcd> quadratures(const std::vector<Eigen::MatrixXcd>& matrices)
{
    std::vector<Eigen::MatrixXcd> basis;
    for (const Eigen::MatrixXcd& matrix : matrices) {
        basis.push_back(matrix);
        basis.push_back(imaginary_unit * matrix);
    }
    return basis;
}

// Each matrix a column.
Eigen::MatrixXcd flattened(const std::vector<Eigen::MatrixXcd>& matrices)
{
    Eigen::MatrixXcd columns(matrices.front().size(), matrices.size());
    for (std::size_t j = 0; j < matrices.size(); ++j) {
        columns.col(j) = matrices[j].reshaped();
    }
    return columns;
}

} // namespace

coupling_model::coupling_model(Eigen::MatrixXcd mean, std::vector<Eigen::MatrixXcd> basis)
    : d_mean(std::move(mean)), d_basis(std::move(basis))
{
}

coupling_model coupling_model::toeplitz(int num_elements, int coefficients)
{
    require_elements(num_elements);
    require_coefficients(coefficients, num_elements);
    std::vector<Eigen::MatrixXcd> bands;
    for (int k = 1; k < coefficients; ++k) {
        Eigen::MatrixXcd band = Eigen::MatrixXcd::Zero(num_elements, num_elements);
        band.diagonal(k).setOnes();
        band.diagonal(-k).setOnes();
        bands.push_back(band);
    }
    return { Eigen::MatrixXcd::Identity(num_elements, num_elements), quadratures(bands) };
}

coupling_model coupling_model::circulant(int num_elements, int coefficients)
{
    require_elements(num_elements);
    require_coefficients(coefficients, num_elements / 2 + 1);
    std::vector<Eigen::MatrixXcd> rings;
    for (int k = 1; k < coefficients; ++k) {
        Eigen::MatrixXcd ring = Eigen::MatrixXcd::Zero(num_elements, num_elements);
        for (int l = 0; l < num_elements; ++l) {
            // Opposite elements of an even circle are neighbours on both sides at once.
            ring(l, (l + k) % num_elements) = 1.0;
            ring((l + k) % num_elements, l) = 1.0;
        }
        rings.push_back(ring);
    }
    return { Eigen::MatrixXcd::Identity(num_elements, num_elements), quadratures(rings) };
}

coupling_model coupling_model::general(Eigen::MatrixXcd mean,
                                       std::vector<Eigen::MatrixXcd> basis)
{
    const Eigen::Index n = mean.rows();
    if (n < 2 || mean.cols() != n || !mean.allFinite() ||
        !(std::abs(mean(0, 0) - 1.0) <= scale_tolerance)) {
        throw std::invalid_argument(
            "mean is " + std::to_string(mean.rows()) + " x " +
            std::to_string(mean.cols()) +
            "; it must be N x N with N >= 2, finite, and 1 at (0, 0)");
    }
    for (std::size_t j = 0; j < basis.size(); ++j) {
        if (basis[j].rows() != n || basis[j].cols() != n || !basis[j].allFinite() ||
            !(std::abs(basis[j](0, 0)) <= scale_tolerance)) {
            throw std::invalid_argument(
                "basis " + std::to_string(j) + " is " + std::to_string(basis[j].rows()) +
                " x " + std::to_string(basis[j].cols()) + "; it must be N x N as mean, " +
                std::to_string(n) + " here, finite, and 0 at (0, 0)");
        }
    }
    if (!basis.empty()) {
        const Eigen::MatrixXcd flat = flattened(basis);
        Eigen::MatrixXd columns = real_columns(flat);
        for (auto column : columns.colwise()) {
            column.normalize();
        }
        Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr;
        qr.setThreshold(independence);
        qr.compute(columns);
        if (qr.rank() < columns.cols()) {
            throw std::invalid_argument(
                "basis has " + std::to_string(basis.size()) + " matrices of which only " +
                std::to_string(qr.rank()) + " are independent; all must be");
        }
    }
    return { std::move(mean), std::move(basis) };
}

coupling_model coupling_model::of_array(const antenna_array& array, int coefficients)
{
    const int n = array.num_elements();
    if (array.uniform_spacing()) {
        return toeplitz(n, coefficients);
    }
    if (circle_radius(array)) {
        return circulant(n, coefficients);
    }
    throw std::invalid_argument(
        "array is neither a uniform line nor a uniform circle; its coupling has no "
        "structure that one covariance could tell, so it needs a coupling model of its "
        "own");
}

Eigen::MatrixXcd coupling_model::coupling(const Eigen::VectorXd& weights) const
{
    if (weights.size() != num_weights()) {
        throw std::invalid_argument("weights has " + std::to_string(weights.size()) +
                                    " values; the model needs " +
                                    std::to_string(num_weights()));
    }
    Eigen::MatrixXcd c = d_mean;
    for (std::size_t j = 0; j < d_basis.size(); ++j) {
        c += weights(j) * d_basis[j];
    }
    return c;
}

Eigen::VectorXd coupling_model::weights(const Eigen::MatrixXcd& coupling) const
{
    if (coupling.rows() != d_mean.rows() || coupling.cols() != d_mean.cols()) {
        throw std::invalid_argument("coupling is " + std::to_string(coupling.rows()) +
                                    " x " + std::to_string(coupling.cols()) +
                                    "; it must be N x N, " +
                                    std::to_string(num_elements()) + " here");
    }
    if (d_basis.empty()) {
        return Eigen::VectorXd(0);
    }
    const Eigen::MatrixXcd columns = flattened(d_basis);
    const Eigen::MatrixXcd difference = flattened({ coupling - d_mean });
    return real_columns(columns).colPivHouseholderQr().solve(
        real_columns(difference).col(0));
}

} // namespace core
} // namespace bearing
} // namespace gr
