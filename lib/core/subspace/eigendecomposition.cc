/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Eigenvalues>

namespace gr {
namespace bearing {
namespace core {

namespace {
// A channel this much weaker than the strongest one delivers nothing: -60 dB.
constexpr double dead_channel_power = 1e-6;
// Powers beyond these overflow or vanish when they are squared; nobody measures them.
constexpr double weakest_power = 1e-100;
constexpr double strongest_power = 1e100;
// Rounding of a single-precision covariance is 1e-7; a transposed or shifted matrix
// misses by far more than this.
constexpr double hermitian_tolerance = 1e-3;
} // namespace

status check_covariance(const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    if (covariance.size() == 0 || !covariance.allFinite()) {
        return status::bad_data;
    }
    const Eigen::VectorXd power = covariance.diagonal().real();
    const double strongest = power.maxCoeff();
    if (!(strongest >= weakest_power && strongest <= strongest_power) ||
        power.minCoeff() <= dead_channel_power * strongest) {
        return status::bad_data;
    }
    const double limit = hermitian_tolerance * strongest;
    const double asymmetry = (covariance - covariance.adjoint()).cwiseAbs2().maxCoeff();
    return asymmetry <= limit * limit ? status::ok : status::bad_data;
}

eigendecomposition decompose(const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    const Eigen::MatrixXcd hermitian = 0.5 * (covariance + covariance.adjoint());
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(hermitian);
    return { solver.eigenvalues().reverse(), solver.eigenvectors().rowwise().reverse() };
}

Eigen::VectorXd eigenvalues(const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    const Eigen::MatrixXcd hermitian = 0.5 * (covariance + covariance.adjoint());
    return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd>(hermitian,
                                                           Eigen::EigenvaluesOnly)
        .eigenvalues()
        .reverse();
}

} // namespace core
} // namespace bearing
} // namespace gr
