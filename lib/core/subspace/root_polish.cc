/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "root_polish.h"
#include <algorithm>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };
// Radians; rounding of the null function moves its zeros by more.
constexpr double converged_step = 1e-13;
constexpr int most_steps = 30;
// A zero farther from its start than this share of a beamwidth is another source's.
constexpr double largest_move = 0.5;

// Below this share of a^H a the null function is rounding: a double root is as good as
// reached.
constexpr double rounding = 1e-15;
// A root starts at least this far from the real axis, where it would meet its conjugate.
constexpr double smallest_distance = 1e-8;

// f(theta) / f'(theta) of the null function continued to complex theta.
class analytic_null
{
public:
    analytic_null(const variant_frame& frame, const Eigen::MatrixXcd& signal_subspace)
        : d_positions(frame.array().positions())
    {
        const antenna_array& array = frame.array();
        if (array.has_position_offsets()) {
            d_positions += array.calibration().positions;
        }
        d_positions *= 2.0 * M_PI / array.wavelength().value_or(1.0);

        const Eigen::Index n = d_positions.rows();
        const Eigen::MatrixXcd response =
            frame.response().size() > 0
                ? frame.response()
                : Eigen::MatrixXcd(Eigen::MatrixXcd::Identity(n, n));
        const Eigen::MatrixXcd signal_part = signal_subspace.adjoint() * response;
        d_form = response.adjoint() * response - signal_part.adjoint() * signal_part;
        d_scale = response.squaredNorm();
    }

    std::complex<double> newton_step(std::complex<double> theta) const
    {
        const std::complex<double> sine = std::sin(theta);
        const std::complex<double> cosine = std::cos(theta);
        const Eigen::VectorXcd phase =
            d_positions.col(0) * sine + d_positions.col(1) * cosine;
        const Eigen::VectorXcd rate =
            imaginary_unit * (d_positions.col(0) * cosine - d_positions.col(1) * sine);
        const Eigen::VectorXcd right = (imaginary_unit * phase).array().exp();
        const Eigen::VectorXcd left = right.cwiseInverse();
        const Eigen::VectorXcd form_right = d_form * right;
        const std::complex<double> value = left.cwiseProduct(form_right).sum();
        if (std::abs(value) < rounding * d_scale) {
            return 0.0;
        }
        const std::complex<double> slope =
            left.cwiseProduct(d_form * rate.cwiseProduct(right)).sum() -
            left.cwiseProduct(rate).cwiseProduct(form_right).sum();
        return value / slope;
    }

private:
    Eigen::MatrixXd d_positions; // radians per unit of direction
    Eigen::MatrixXcd d_form;     // T^H Pn T
    double d_scale;              // of a^H a
};

} // namespace

std::optional<Eigen::VectorXcd> polished_roots(const variant_frame& frame,
                                               const Eigen::MatrixXcd& signal_subspace,
                                               const Eigen::VectorXcd& start)
{
    const analytic_null f(frame, signal_subspace);
    const double reach = largest_move / frame.array().aperture();
    Eigen::VectorXcd roots = start;
    for (std::complex<double>& root : roots) {
        root.imag(std::max(root.imag(), smallest_distance));
    }
    for (int step = 0; step < most_steps; ++step) {
        double largest_step = 0.0;
        for (Eigen::Index k = 0; k < roots.size(); ++k) {
            const std::complex<double> newton = f.newton_step(roots(k));
            std::complex<double> repulsion = 1.0 / (roots(k) - std::conj(roots(k)));
            for (Eigen::Index other = 0; other < roots.size(); ++other) {
                if (other != k) {
                    repulsion += 1.0 / (roots(k) - roots(other)) +
                                 1.0 / (roots(k) - std::conj(roots(other)));
                }
            }
            const std::complex<double> move = newton / (1.0 - newton * repulsion);
            roots(k) -= move;
            // Written so that NaN ends here too.
            if (!(std::abs(roots(k) - start(k)) < reach)) {
                return std::nullopt;
            }
            largest_step = std::max(largest_step, std::abs(move));
        }
        if (largest_step < converged_step) {
            return roots;
        }
    }
    return std::nullopt;
}

} // namespace core
} // namespace bearing
} // namespace gr
