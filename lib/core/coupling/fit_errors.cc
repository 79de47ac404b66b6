/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "fit_errors.h"
#include "fit_quality.h"
#include "scoring.h"

namespace gr {
namespace bearing {
namespace core {

fit_errors likelihood_errors(const coupled_covariance& model,
                             const coupled_scene& scene,
                             std::size_t snapshots,
                             const std::optional<weight_prior>& prior)
{
    fit_errors errors;
    errors.information = fisher_information(covariance_point(model, scene), snapshots);
    Eigen::MatrixXd all = errors.information;
    const Eigen::Index m = scene.weights.size();
    if (prior && m > 0 && all.size() > 0) {
        all.topLeftCorner(m, m) += precision(*prior, m);
    }
    errors.covariance = inverse_information(all);
    if (errors.covariance.size() > 0) {
        errors.parameters = effective_parameters(errors.information, errors.covariance);
    }
    return errors;
}

fit_errors least_squares_errors(const coupled_covariance& model,
                                const coupled_scene& scene,
                                std::size_t snapshots)
{
    const covariance_point point(model, scene);
    const Eigen::Index n = point.covariance.rows();
    const Eigen::MatrixXcd flat = point.derivatives(Eigen::MatrixXcd::Identity(n, n));
    const Eigen::MatrixXcd root = point.covariance.llt().matrixU();
    const Eigen::MatrixXcd coloured = point.derivatives(root);
    const auto jacobian = real_columns(flat);
    const auto spread = real_columns(coloured);
    const Eigen::MatrixXd inverse = inverse_information(jacobian.transpose() * jacobian);
    fit_errors errors;
    if (inverse.size() > 0) {
        errors.covariance = inverse * (spread.transpose() * spread) * inverse /
                            static_cast<double>(snapshots);
        errors.parameters = static_cast<double>(jacobian.cols());
    }
    return errors;
}

weight_evidence evidence_of_weights(const likelihood_fit& fit,
                                    const coupled_scene& scene,
                                    const Eigen::MatrixXd& information)
{
    const Eigen::Index m = scene.weights.size();
    const Eigen::Index rest = information.rows() - m;
    const Eigen::MatrixXd other =
        inverse_information(information.bottomRightCorner(rest, rest));
    if (other.size() == 0) {
        return {};
    }
    const Eigen::MatrixXd cross = information.topRightCorner(m, rest) * other;
    const Eigen::VectorXd slope = fit.gradient(scene);
    weight_evidence result;
    result.information =
        information.topLeftCorner(m, m) - cross * information.bottomLeftCorner(rest, m);
    // One scoring step from here, as the data alone would take it.
    result.information_times_weights =
        result.information * scene.weights - (slope.head(m) - cross * slope.tail(rest));
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
