/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "scoring.h"
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {
// Below this, relative to the largest, a curvature is rounding.
constexpr double smallest_curvature = 1e-14;
} // namespace

Eigen::MatrixXcd whitener(const Eigen::MatrixXcd& covariance)
{
    const Eigen::LLT<Eigen::MatrixXcd> root(covariance);
    if (root.info() != Eigen::Success) {
        return Eigen::MatrixXcd();
    }
    return root.matrixL().solve(
        Eigen::MatrixXcd::Identity(covariance.rows(), covariance.cols()));
}

Eigen::MatrixXd fisher_information(const covariance_point& point, std::size_t snapshots)
{
    const Eigen::MatrixXcd white = whitener(point.covariance);
    if (white.size() == 0) {
        return Eigen::MatrixXd();
    }
    const Eigen::MatrixXcd columns = point.derivatives(white);
    const auto jacobian = real_columns(columns);
    return static_cast<double>(snapshots) * (jacobian.transpose() * jacobian);
}

Eigen::MatrixXd precision(const weight_prior& prior, Eigen::Index num_weights)
{
    if (prior.mean.size() != num_weights || prior.covariance.rows() != num_weights ||
        prior.covariance.cols() != num_weights) {
        throw std::invalid_argument(
            "prior has a mean of " + std::to_string(prior.mean.size()) +
            " values and a covariance of " + std::to_string(prior.covariance.rows()) +
            " x " + std::to_string(prior.covariance.cols()) + "; the model has " +
            std::to_string(num_weights) + " weights");
    }
    const Eigen::LLT<Eigen::MatrixXd> root(prior.covariance);
    if (!prior.mean.allFinite() || !prior.covariance.allFinite() ||
        root.info() != Eigen::Success) {
        throw std::invalid_argument(
            "prior must be finite and its covariance positive definite");
    }
    return root.solve(Eigen::MatrixXd::Identity(num_weights, num_weights));
}

Eigen::MatrixXd inverse_information(const Eigen::MatrixXd& information)
{
    if (information.size() == 0 || !information.allFinite() ||
        !(information.diagonal().minCoeff() > 0.0)) {
        return Eigen::MatrixXd();
    }
    const Eigen::VectorXd scale = information.diagonal().cwiseSqrt().cwiseInverse();
    const Eigen::LLT<Eigen::MatrixXd> root(scale.asDiagonal() * information *
                                           scale.asDiagonal());
    if (root.info() != Eigen::Success || !(root.rcond() > smallest_curvature)) {
        return Eigen::MatrixXd();
    }
    const Eigen::Index size = information.rows();
    return scale.asDiagonal() * root.solve(Eigen::MatrixXd::Identity(size, size)) *
           scale.asDiagonal();
}

Eigen::VectorXd damped_step(const Eigen::MatrixXd& curvature,
                            const Eigen::VectorXd& gradient,
                            double damping)
{
    const Eigen::VectorXd diagonal = curvature.diagonal();
    const double floor = smallest_curvature * diagonal.maxCoeff();
    Eigen::MatrixXd system = curvature;
    system.diagonal() += damping * diagonal.cwiseMax(floor);
    return system.ldlt().solve(-gradient);
}

} // namespace core
} // namespace bearing
} // namespace gr
