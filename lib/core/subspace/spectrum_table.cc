/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel_choice.h"
#include "line_step.h"
#include "spectrum_kernel.h"
#include <gnuradio/bearing/core/subspace/spectrum_table.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Sums along the diagonals of u u^H times \p weight, u = (re, im) interleaved; added to
// sum(m) = sum_i u(i) conj(u(i + m)).
void add_diagonals(const Eigen::VectorXcd& u, double weight, Eigen::VectorXcd& sum)
{
    const Eigen::Index n = u.size();
    for (Eigen::Index m = 0; m < n; ++m) {
        double re = 0.0;
        double im = 0.0;
        for (Eigen::Index i = 0; i + m < n; ++i) {
            re += u(i).real() * u(i + m).real() + u(i).imag() * u(i + m).imag();
            im += u(i).imag() * u(i + m).real() - u(i).real() * u(i + m).imag();
        }
        sum(m) += std::complex<double>(weight * re, weight * im);
    }
}

const double* parts_of(const std::complex<double>* values)
{
    return reinterpret_cast<const double*>(values);
}

} // namespace

spectrum_table::spectrum_table(const antenna_array& array,
                               const angle_grid& grid,
                               const std::string& kernel)
    : d_kernel(chosen_kernel(kernel))
{
    const std::optional<Eigen::RowVector3d> step = line_step(array);
    if (step) {
        const Eigen::ArrayXd phase = (*step)(0) * grid.azimuth().array().sin() +
                                     (*step)(1) * grid.azimuth().array().cos();
        d_cosine = phase.cos();
        d_sine = phase.sin();
        d_response = variant_frame(array).response();
        // a^H a by the same sums, of T^H I T.
        const Eigen::Index n = array.num_elements();
        d_inverse_norm.resize(grid.size());
        quadratic_form(
            Eigen::MatrixXcd::Identity(n, n), Eigen::VectorXd::Ones(n), d_inverse_norm);
    } else {
        d_manifold.emplace(array, grid, kernel);
        d_inverse_norm = d_manifold->squared_norm();
    }
    d_inverse_norm = d_inverse_norm.cwiseInverse().eval();
    d_inverse_squared_norm = d_inverse_norm.cwiseAbs2();
}

void spectrum_table::evaluate(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                              const Eigen::Ref<const Eigen::VectorXd>& weights,
                              const double* scale,
                              double offset,
                              Eigen::VectorXd& result) const
{
    if (d_manifold) {
        d_manifold->scaled_quadratic_form(vectors, weights, scale, offset, result);
        return;
    }
    const Eigen::Index n = vectors.rows();
    Eigen::VectorXcd coefficients = Eigen::VectorXcd::Zero(n);
    Eigen::VectorXcd u(n);
    for (Eigen::Index k = 0; k < vectors.cols(); ++k) {
        if (d_response.size() > 0) {
            u.noalias() = d_response.adjoint() * vectors.col(k);
        } else {
            u = vectors.col(k);
        }
        add_diagonals(u, weights(k), coefficients);
    }
    result.resize(d_cosine.size());
    d_kernel->line_form(d_cosine.data(),
                        d_sine.data(),
                        d_cosine.size(),
                        parts_of(coefficients.data()),
                        static_cast<int>(n) - 1,
                        scale,
                        offset,
                        result.data());
}

void spectrum_table::quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                                    Eigen::VectorXd& result) const
{
    evaluate(vectors, weights, nullptr, 0.0, result);
}

void spectrum_table::beam_power(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                                const Eigen::Ref<const Eigen::VectorXd>& weights,
                                Eigen::VectorXd& result) const
{
    evaluate(vectors, weights, d_inverse_squared_norm.data(), 0.0, result);
}

void spectrum_table::null_function(
    const Eigen::Ref<const Eigen::MatrixXcd>& signal_subspace,
    Eigen::VectorXd& result) const
{
    evaluate(signal_subspace,
             Eigen::VectorXd::Constant(signal_subspace.cols(), -1.0),
             d_inverse_norm.data(),
             1.0,
             result);
}

} // namespace core
} // namespace bearing
} // namespace gr
