/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "scene_descent.h"
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

// A step that promises less than this, in nats, is a ten-thousandth of a deviation.
constexpr double enough = 1e-8;
// Or less than what rounding makes of the cost.
constexpr double rounding = 1e-14;
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
    // How far weights may go: by a deviation, and back to where they are expected always.
    void limit(const Eigen::VectorXd& weights, Eigen::VectorXd& limits) const
    {
        if (d_is_there) {
            limits.head(weights.size()) =
                (weights - d_mean).cwiseAbs().cwiseMax(d_deviation);
        }
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

// Of the data's part of the cost, with Fisher's information for its curvature.
slope slope_at(const covariance_point& point,
               const Eigen::MatrixXcd& sample,
               double snapshots)
{
    const Eigen::Index n = sample.rows();
    Eigen::MatrixXcd white = whitener(point.covariance);
    if (white.size() == 0) {
        white.setConstant(n, n, std::numeric_limits<double>::quiet_NaN());
    }
    const Eigen::MatrixXcd excess =
        Eigen::MatrixXcd::Identity(n, n) - white * sample * white.adjoint();
    const Eigen::MatrixXcd columns = point.derivatives(white);
    return slope_of(columns, excess, snapshots);
}

class likelihood_descent : public scene_descent
{
public:
    likelihood_descent(const coupled_covariance& model,
                       const Eigen::MatrixXcd& sample,
                       double snapshots,
                       const std::optional<weight_prior>& prior,
                       const coupled_scene& start)
        : scene_descent(start, power_floor(sample)),
          d_model(model),
          d_sample(sample),
          d_snapshots(snapshots),
          d_penalty(prior, start.weights.size())
    {
        begin();
    }

    slope here() const override
    {
        slope result =
            slope_at(covariance_point(d_model, scene()), d_sample, d_snapshots);
        d_penalty.add_to(scene().weights, result.gradient, &result.curvature);
        return result;
    }
    bool is_spent(double promise) const override
    {
        return promise < std::max(enough, rounding * std::abs(cost()));
    }

protected:
    double cost_of(const coupled_scene& scene) const override
    {
        return d_snapshots * negative_log_likelihood(
                                 covariance_point(d_model, scene).covariance, d_sample) +
               d_penalty.cost(scene.weights);
    }
    Eigen::VectorXd limits() const override
    {
        Eigen::VectorXd result = scene_descent::limits();
        d_penalty.limit(scene().weights, result);
        return result;
    }

private:
    const coupled_covariance& d_model;
    const Eigen::MatrixXcd& d_sample;
    double d_snapshots;
    weight_penalty d_penalty;
};

} // namespace

likelihood_fit::likelihood_fit(const coupled_covariance& model,
                               const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots)
    : d_model(model), d_covariance(covariance), d_snapshots(snapshots)
{
    require_covariance_size(model, covariance);
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
    likelihood_descent descent(
        d_model, d_covariance, static_cast<double>(d_snapshots), prior, start);
    const Eigen::Index held = hold_weights ? start.weights.size() : 0;
    const Eigen::Index size =
        d_model.num_parameters(static_cast<int>(start.azimuth.size()));
    return levenberg_marquardt(descent, held, size - held, max_iterations);
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
