/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fitted_manifold.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

fitted_manifold::fitted_manifold(const antenna_array& array,
                                 const Eigen::VectorXd& azimuth)
    : d_array(array),
      d_a(array.num_elements(), azimuth.size()),
      d_d(d_a.rows(), d_a.cols())
{
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        const manifold_point here = array.manifold(azimuth(k));
        d_a.col(k) = here.a;
        d_d.col(k) = here.d;
    }
    const Eigen::HouseholderQR<Eigen::MatrixXcd> qr(d_a);
    d_basis = qr.householderQ() * Eigen::MatrixXcd::Identity(d_a.rows(), d_a.cols());
    d_inverse = qr.matrixQR()
                    .topRows(d_a.cols())
                    .triangularView<Eigen::Upper>()
                    .solve(Eigen::MatrixXcd(d_basis.adjoint()));
    d_projected_d = left_of(d_d);
    d_response = d_a;
    // A gain error moves the elements' response before coupling.
    const Eigen::MatrixXcd& coupling = array.calibration().coupling;
    if (coupling.size() > 0) {
        d_response = coupling.partialPivLu().solve(d_a);
    }
}

Eigen::MatrixXcd fitted_manifold::gram_inverse() const
{
    return d_inverse * d_inverse.adjoint();
}

Eigen::MatrixXcd fitted_manifold::left_of(const Eigen::MatrixXcd& vectors) const
{
    return vectors - d_basis * (d_basis.adjoint() * vectors);
}

Eigen::MatrixXd fitted_manifold::information(const Eigen::MatrixXcd& s) const
{
    const Eigen::MatrixXcd h = d_projected_d.adjoint() * d_projected_d;
    return s.cwiseProduct(h.transpose()).real();
}

Eigen::MatrixXd fitted_manifold::calibration_information(const Eigen::MatrixXcd& s) const
{
    const calibration_state& calibration = d_array.calibration();
    Eigen::MatrixXcd projected = d_projected_d;
    if (calibration.coupling.size() > 0) {
        projected = calibration.coupling.adjoint() * d_projected_d;
    }
    const Eigen::MatrixXcd q =
        (s * d_response.adjoint()).cwiseProduct(projected.transpose());
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(s.rows(), s.cols());
    if (calibration.sigma_phase_rad.size() > 0) {
        const Eigen::MatrixXd effect =
            q.imag() * calibration.sigma_phase_rad.asDiagonal();
        sum += effect * effect.transpose();
    }
    if (calibration.sigma_log_gain.size() > 0) {
        const Eigen::MatrixXd effect = q.real() * calibration.sigma_log_gain.asDiagonal();
        sum += effect * effect.transpose();
    }
    return sum;
}

Eigen::ArrayXd fitted_manifold::element_power(const Eigen::MatrixXcd& s) const
{
    Eigen::ArrayXd power =
        (d_response * s).cwiseProduct(d_response.conjugate()).rowwise().sum().real();
    const Eigen::MatrixXcd& coupling = d_array.calibration().coupling;
    if (coupling.size() > 0) {
        power *= coupling.colwise().squaredNorm().transpose().array();
    }
    return power;
}

double fitted_manifold::measure(Eigen::Index k) const
{
    const Eigen::VectorXcd a = d_a.col(k);
    const Eigen::VectorXcd turn = d_d.col(k) - a * (a.dot(d_d.col(k)) / a.squaredNorm());
    return of_a_line() * turn.norm() / a.norm();
}

double fitted_manifold::distance_to_nearest(Eigen::Index k) const
{
    double nearest = 4.0 * M_PI / static_cast<double>(d_a.rows());
    for (Eigen::Index other = 0; other < d_a.cols(); ++other) {
        const double alike = std::norm(d_a.col(k).dot(d_a.col(other))) /
                             (d_a.col(k).squaredNorm() * d_a.col(other).squaredNorm());
        if (other != k) {
            nearest = std::min(
                nearest, of_a_line() * std::sqrt(std::max(1.0 - alike, 0.0) / alike));
        }
    }
    return nearest;
}

double fitted_manifold::of_a_line() const
{
    const double n = static_cast<double>(d_a.rows());
    return std::sqrt(12.0 / (n * n - 1.0));
}

} // namespace core
} // namespace bearing
} // namespace gr
