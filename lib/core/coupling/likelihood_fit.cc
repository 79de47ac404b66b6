/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "scoring.h"
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Steps beyond these leave the region in which a scoring step can be trusted.
constexpr double largest_turn = 0.15;
constexpr double largest_move = 1.0;
constexpr double first_damping = 1e-3;
constexpr double least_damping = 1e-9;
constexpr double most_damping = 1e8;
// A step that promises less than this, in nats, is a ten-thousandth of a deviation.
constexpr double enough = 1e-8;
// Or less than what rounding makes of the cost.
constexpr double rounding = 1e-14;
// Powers stay above this share of the mean power: R(x) must stay invertible.
constexpr double power_floor = 1e-12;

// The prior's part of the cost.
class weight_penalty
{
public:
    weight_penalty(const std::optional<weight_prior>& prior, Eigen::Index num_weights)
        : d_is_there(prior && num_weights > 0)
    {
        if (d_is_there) {
            d_mean = prior->mean;
            d_precision = precision(*prior, num_weights);
            d_deviation = prior->covariance.diagonal().cwiseSqrt();
        }
    }

    double cost(const Eigen::VectorXd& weights) const
    {
        return d_is_there ? 0.5 * (weights - d_mean).dot(d_precision * (weights - d_mean))
                          : 0.0;
    }
    void add_to(const Eigen::VectorXd& weights,
                Eigen::VectorXd& gradient,
                Eigen::MatrixXd* curvature) const
    {
        if (!d_is_there) {
            return;
        }
        gradient.head(d_mean.size()) += d_precision * (weights - d_mean);
        if (curvature) {
            curvature->topLeftCorner(d_mean.size(), d_mean.size()) += d_precision;
        }
    }
    // How far a step from a scene may go, for each parameter.
    Eigen::VectorXd limits(const coupled_scene& scene) const
    {
        const Eigen::Index num_weights = scene.weights.size();
        const Eigen::Index num_sources = scene.azimuth.size();
        Eigen::VectorXd limit =
            Eigen::VectorXd::Constant(num_weights + 2 * num_sources + 1, largest_move);
        if (d_is_there) {
            // Back to where it is expected a weight may always go.
            limit.head(num_weights) =
                (scene.weights - d_mean).cwiseAbs().cwiseMax(d_deviation);
        }
        limit.segment(num_weights, num_sources).setConstant(largest_turn);
        return limit;
    }

private:
    bool d_is_there;
    Eigen::VectorXd d_mean;
    Eigen::MatrixXd d_precision;
    Eigen::VectorXd d_deviation;
};

// logdet R + tr R^-1 R^; infinite where R is not positive definite.
double negative_log_likelihood(const Eigen::MatrixXcd& r, const Eigen::MatrixXcd& sample)
{
    const Eigen::LLT<Eigen::MatrixXcd> root(r);
    if (root.info() != Eigen::Success) {
        return infinity;
    }
    const double log_det = 2.0 * root.matrixLLT().diagonal().real().array().log().sum();
    const double value = log_det + root.solve(sample).trace().real();
    return std::isfinite(value) ? value : infinity;
}

struct slope {
    Eigen::VectorXd gradient;  // of the data's part of the cost
    Eigen::MatrixXd curvature; // Fisher's information
};

slope slope_at(const covariance_point& point,
               const Eigen::MatrixXcd& sample,
               double snapshots)
{
    const Eigen::Index n = sample.rows();
    const Eigen::LLT<Eigen::MatrixXcd> root(point.covariance);
    const Eigen::MatrixXcd identity = Eigen::MatrixXcd::Identity(n, n);
    const Eigen::MatrixXcd whitener = root.matrixL().solve(identity);
    const Eigen::MatrixXcd excess = identity - whitener * sample * whitener.adjoint();
    const Eigen::MatrixXcd columns = point.derivatives(whitener);
    const auto jacobian = real_columns(columns);
    const Eigen::Map<const Eigen::VectorXd> residual(
        reinterpret_cast<const double*>(excess.data()), 2 * excess.size());
    slope result;
    result.gradient = snapshots * (jacobian.transpose() * residual);
    result.curvature = snapshots * (jacobian.transpose() * jacobian);
    return result;
}

} // namespace

likelihood_fit::likelihood_fit(const coupled_covariance& model,
                               const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots)
    : d_model(model), d_covariance(covariance), d_snapshots(snapshots)
{
    const Eigen::Index n = model.array().num_elements();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) +
                                    " elements, so it must be N x N");
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is 0; it must be at least 1");
    }
}

double likelihood_fit::cost(const coupled_scene& scene,
                            const std::optional<weight_prior>& prior) const
{
    return static_cast<double>(d_snapshots) *
               negative_log_likelihood(d_model.covariance(scene), d_covariance) +
           weight_penalty(prior, scene.weights.size()).cost(scene.weights);
}

Eigen::VectorXd likelihood_fit::gradient(const coupled_scene& scene,
                                         const std::optional<weight_prior>& prior) const
{
    Eigen::VectorXd result = slope_at(covariance_point(d_model, scene),
                                      d_covariance,
                                      static_cast<double>(d_snapshots))
                                 .gradient;
    weight_penalty(prior, scene.weights.size()).add_to(scene.weights, result, nullptr);
    return result;
}

coupled_fit likelihood_fit::minimise(const coupled_scene& start,
                                     const std::optional<weight_prior>& prior,
                                     bool hold_weights,
                                     int max_iterations) const
{
    const Eigen::Index num_weights = start.weights.size();
    const Eigen::Index num_sources = start.azimuth.size();
    const Eigen::Index held = hold_weights ? num_weights : 0;
    const Eigen::Index num_free = num_weights + 2 * num_sources + 1 - held;
    const double snapshots = static_cast<double>(d_snapshots);
    const double floor = power_floor * d_covariance.diagonal().real().mean();
    const weight_penalty penalty(prior, num_weights);
    const auto cost_of = [&](const covariance_point& point,
                             const Eigen::VectorXd& weights) {
        return snapshots * negative_log_likelihood(point.covariance, d_covariance) +
               penalty.cost(weights);
    };

    coupled_fit fit;
    fit.scene = start;
    fit.scene.power = start.power.cwiseMax(floor);
    fit.scene.noise_power = std::max(start.noise_power, floor);
    fit.cost = cost_of(covariance_point(d_model, fit.scene), fit.scene.weights);
    double damping = first_damping;
    bool has_moved = true;
    slope here;
    Eigen::VectorXd step = Eigen::VectorXd::Zero(num_weights + 2 * num_sources + 1);
    while (std::isfinite(fit.cost) && fit.iterations < max_iterations &&
           damping < most_damping) {
        if (has_moved) {
            here =
                slope_at(covariance_point(d_model, fit.scene), d_covariance, snapshots);
            penalty.add_to(fit.scene.weights, here.gradient, &here.curvature);
        }
        const Eigen::VectorXd gradient = here.gradient.tail(num_free);
        Eigen::VectorXd move = damped_step(
            here.curvature.bottomRightCorner(num_free, num_free), gradient, damping);
        if (!move.allFinite()) {
            break;
        }
        const double promise = -gradient.dot(move);
        if (promise < std::max(enough, rounding * std::abs(fit.cost))) {
            fit.converged = true;
            break;
        }
        const Eigen::VectorXd limit = penalty.limits(fit.scene).tail(num_free);
        const double length = move.cwiseAbs().cwiseQuotient(limit).maxCoeff();
        step.tail(num_free) = move / std::max(length, 1.0);
        coupled_scene candidate = coupled_covariance::moved(fit.scene, step);
        candidate.power = candidate.power.cwiseMax(floor);
        candidate.noise_power = std::max(candidate.noise_power, floor);
        const double cost =
            cost_of(covariance_point(d_model, candidate), candidate.weights);
        ++fit.iterations;
        has_moved = cost < fit.cost;
        if (has_moved) {
            fit.scene = candidate;
            fit.cost = cost;
            damping = std::max(damping / 10.0, least_damping);
        } else {
            damping *= 10.0;
        }
    }
    return fit;
}

double likelihood_fit::likelihood_ratio(const coupled_scene& scene) const
{
    const Eigen::Index n = d_covariance.rows();
    if (d_snapshots < static_cast<std::size_t>(n)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const Eigen::LLT<Eigen::MatrixXcd> root(d_covariance);
    const double log_det =
        root.info() == Eigen::Success
            ? 2.0 * root.matrixLLT().diagonal().real().array().log().sum()
            : -infinity;
    // Noise-free data has no density of its own to compare with.
    if (!std::isfinite(log_det)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return 2.0 * static_cast<double>(d_snapshots) *
           (negative_log_likelihood(d_model.covariance(scene), d_covariance) - log_det -
            static_cast<double>(n));
}

} // namespace core
} // namespace bearing
} // namespace gr
