/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "real_columns.h"
#include "scene_descent.h"
#include "scoring.h"
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Steps beyond these leave the region in which a linear covariance can be trusted.
constexpr double largest_turn = 0.15;
constexpr double largest_move = 1.0;
constexpr double lowest_share = 1e-12;
constexpr double first_damping = 1e-3;
constexpr double least_damping = 1e-9;
constexpr double most_damping = 1e8;

} // namespace

slope slope_of(const Eigen::MatrixXcd& columns,
               const Eigen::MatrixXcd& residual,
               double factor)
{
    const auto jacobian = real_columns(columns);
    const Eigen::Map<const Eigen::VectorXd> difference(
        reinterpret_cast<const double*>(residual.data()), 2 * residual.size());
    slope result;
    result.gradient = factor * (jacobian.transpose() * difference);
    result.curvature = factor * (jacobian.transpose() * jacobian);
    return result;
}

void require_covariance_size(const coupled_covariance& model,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    const Eigen::Index n = model.array().num_elements();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) +
                                    " elements, so it must be N x N");
    }
}

scene_descent::scene_descent(coupled_scene start, double floor)
    : d_scene(std::move(start)), d_floor(floor)
{
    keep_positive(d_scene);
}

Eigen::VectorXd scene_descent::limits() const
{
    const Eigen::Index m = d_scene.weights.size();
    const Eigen::Index k = d_scene.azimuth.size();
    Eigen::VectorXd limits = Eigen::VectorXd::Constant(m + 2 * k + 1, largest_move);
    limits.segment(m, k).setConstant(largest_turn);
    return limits;
}

double scene_descent::power_floor(const Eigen::MatrixXcd& sample)
{
    return lowest_share * sample.diagonal().real().mean();
}

void scene_descent::keep_positive(coupled_scene& scene) const
{
    scene.power = scene.power.cwiseMax(d_floor);
    scene.noise_power = std::max(scene.noise_power, d_floor);
}

bool scene_descent::try_step(Eigen::VectorXd step)
{
    step /= std::max(step.cwiseAbs().cwiseQuotient(limits()).maxCoeff(), 1.0);
    coupled_scene candidate = coupled_covariance::moved(d_scene, step);
    keep_positive(candidate);
    const double cost = cost_of(candidate);
    if (!(cost < d_cost)) {
        return false;
    }
    d_scene = std::move(candidate);
    d_cost = cost;
    return true;
}

coupled_fit levenberg_marquardt(scene_descent& descent,
                                Eigen::Index first,
                                Eigen::Index size,
                                int max_iterations)
{
    coupled_fit fit;
    double damping = first_damping;
    bool has_moved = true;
    slope here;
    while (std::isfinite(descent.cost()) && fit.iterations < max_iterations &&
           damping < most_damping) {
        if (has_moved) {
            here = descent.here();
        }
        const Eigen::VectorXd gradient = here.gradient.segment(first, size);
        const Eigen::VectorXd move = damped_step(
            here.curvature.block(first, first, size, size), gradient, damping);
        if (!move.allFinite()) {
            break;
        }
        if (descent.is_spent(-gradient.dot(move))) {
            fit.converged = true;
            break;
        }
        Eigen::VectorXd step = Eigen::VectorXd::Zero(here.gradient.size());
        step.segment(first, size) = move;
        has_moved = descent.try_step(step);
        ++fit.iterations;
        damping = has_moved ? std::max(damping / 10.0, least_damping) : damping * 10.0;
    }
    fit.scene = descent.scene();
    fit.cost = descent.cost();
    return fit;
}

} // namespace core
} // namespace bearing
} // namespace gr
