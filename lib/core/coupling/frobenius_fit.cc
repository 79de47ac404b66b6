/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "scoring.h"
#include <gnuradio/bearing/core/coupling/frobenius_fit.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Steps beyond these leave the region in which the covariance is nearly linear.
constexpr double largest_turn = 0.15;
constexpr double largest_move = 1.0;
constexpr double first_damping = 1e-3;
constexpr double least_damping = 1e-9;
constexpr double most_damping = 1e8;
// A step that promises less than this share of ||R^||^2 moves nothing that matters.
constexpr double enough = 1e-14;
// Powers stay above this share of the mean power.
constexpr double power_floor = 1e-12;
// Descent by turns: steps of a block in its turn, halvings of a step, and the share of the
// cost below which a round of turns has gained nothing.
constexpr int steps_in_a_turn = 10;
constexpr int most_halvings = 10;
constexpr double gain_of_a_round = 1e-4;

coupled_scene as_modelled(const coupled_scene& scene, bool powers_and_noise)
{
    coupled_scene result = scene;
    if (!powers_and_noise) {
        result.power.setOnes();
        result.noise_power = 0.0;
    }
    return result;
}

struct slope {
    Eigen::VectorXd gradient;
    Eigen::MatrixXd curvature; // of Gauss and Newton
};

slope slope_at(const covariance_point& point,
               const Eigen::MatrixXcd& sample,
               bool powers_and_noise)
{
    const Eigen::Index n = sample.rows();
    Eigen::MatrixXcd columns = point.derivatives(Eigen::MatrixXcd::Identity(n, n));
    if (!powers_and_noise) {
        columns.rightCols(point.power.size() + 1).setZero();
    }
    const Eigen::MatrixXcd excess = point.covariance - sample;
    const auto jacobian = real_columns(columns);
    const Eigen::Map<const Eigen::VectorXd> residual(
        reinterpret_cast<const double*>(excess.data()), 2 * excess.size());
    slope result;
    result.gradient = 2.0 * (jacobian.transpose() * residual);
    result.curvature = 2.0 * (jacobian.transpose() * jacobian);
    return result;
}

// A scene that the fit moves, with its cost.
class descent
{
public:
    descent(const coupled_covariance& model,
            const Eigen::MatrixXcd& sample,
            bool powers_and_noise,
            const coupled_scene& start)
        : d_model(model),
          d_sample(sample),
          d_powers_and_noise(powers_and_noise),
          d_floor(power_floor * sample.diagonal().real().mean()),
          d_scene(as_modelled(start, powers_and_noise))
    {
        keep_positive(d_scene);
        d_cost = cost_of(d_scene);
    }

    const coupled_scene& scene() const { return d_scene; }
    double cost() const { return d_cost; }
    slope here() const
    {
        return slope_at(covariance_point(d_model, d_scene), d_sample, d_powers_and_noise);
    }
    // Whether the step was a good one and taken.
    bool try_step(Eigen::VectorXd step)
    {
        const Eigen::Index m = d_scene.weights.size();
        const Eigen::Index k = d_scene.azimuth.size();
        Eigen::VectorXd limit = Eigen::VectorXd::Constant(step.size(), largest_move);
        limit.segment(m, k).setConstant(largest_turn);
        step /= std::max(step.cwiseAbs().cwiseQuotient(limit).maxCoeff(), 1.0);
        coupled_scene candidate = coupled_covariance::moved(d_scene, step);
        keep_positive(candidate);
        const double cost = cost_of(candidate);
        if (!(cost < d_cost)) {
            return false;
        }
        d_scene = candidate;
        d_cost = cost;
        return true;
    }

private:
    double cost_of(const coupled_scene& scene) const
    {
        return (covariance_point(d_model, scene).covariance - d_sample).squaredNorm();
    }
    void keep_positive(coupled_scene& scene) const
    {
        if (d_powers_and_noise) {
            scene.power = scene.power.cwiseMax(d_floor);
            scene.noise_power = std::max(scene.noise_power, d_floor);
        }
    }

    const coupled_covariance& d_model;
    const Eigen::MatrixXcd& d_sample;
    bool d_powers_and_noise;
    double d_floor;
    coupled_scene d_scene;
    double d_cost;
};

coupled_fit
by_levenberg_marquardt(descent& search, double scale, int num_free, int max_iterations)
{
    coupled_fit fit;
    double damping = first_damping;
    bool has_moved = true;
    slope here;
    while (fit.iterations < max_iterations && damping < most_damping) {
        if (has_moved) {
            here = search.here();
        }
        const Eigen::VectorXd gradient = here.gradient.head(num_free);
        const Eigen::VectorXd move = damped_step(
            here.curvature.topLeftCorner(num_free, num_free), gradient, damping);
        if (!move.allFinite()) {
            break;
        }
        if (-gradient.dot(move) < enough * scale) {
            fit.converged = true;
            break;
        }
        Eigen::VectorXd step = Eigen::VectorXd::Zero(here.gradient.size());
        step.head(num_free) = move;
        has_moved = search.try_step(step);
        ++fit.iterations;
        damping = has_moved ? std::max(damping / 10.0, least_damping) : damping * 10.0;
    }
    return fit;
}

// Down the gradient of one block, as far as the linear covariance says.
void take_turn(descent& search, Eigen::Index first, Eigen::Index size)
{
    for (int k = 0; k < steps_in_a_turn; ++k) {
        const slope here = search.here();
        Eigen::VectorXd step = Eigen::VectorXd::Zero(here.gradient.size());
        step.segment(first, size) = -here.gradient.segment(first, size);
        const double curvature = step.dot(here.curvature * step);
        if (!(curvature > 0.0)) {
            return;
        }
        step *= step.squaredNorm() / curvature;
        int halvings = 0;
        while (!search.try_step(step)) {
            step *= 0.5;
            if (++halvings > most_halvings) {
                return;
            }
        }
    }
}

coupled_fit by_turns(descent& search,
                     double scale,
                     const std::vector<std::pair<Eigen::Index, Eigen::Index>>& blocks,
                     int max_iterations)
{
    coupled_fit fit;
    while (fit.iterations < max_iterations && !fit.converged) {
        const double before = search.cost();
        for (const auto& [first, size] : blocks) {
            take_turn(search, first, size);
        }
        ++fit.iterations;
        fit.converged =
            before - search.cost() <= gain_of_a_round * search.cost() + enough * scale;
    }
    return fit;
}

} // namespace

frobenius_fit::frobenius_fit(const coupled_covariance& model,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             bool powers_and_noise)
    : d_model(model), d_covariance(covariance), d_powers_and_noise(powers_and_noise)
{
    const Eigen::Index n = model.array().num_elements();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) +
                                    " elements, so it must be N x N");
    }
}

double frobenius_fit::cost(const coupled_scene& scene) const
{
    return (d_model.covariance(as_modelled(scene, d_powers_and_noise)) - d_covariance)
        .squaredNorm();
}

Eigen::VectorXd frobenius_fit::gradient(const coupled_scene& scene) const
{
    return slope_at(covariance_point(d_model, as_modelled(scene, d_powers_and_noise)),
                    d_covariance,
                    d_powers_and_noise)
        .gradient;
}

coupled_fit frobenius_fit::minimise(const coupled_scene& start,
                                    frobenius_search search,
                                    int max_iterations) const
{
    const Eigen::Index m = start.weights.size();
    const Eigen::Index k = start.azimuth.size();
    const double scale = d_covariance.squaredNorm();
    descent from_start(d_model, d_covariance, d_powers_and_noise, start);
    coupled_fit fit;
    if (search == frobenius_search::levenberg_marquardt) {
        const Eigen::Index num_free = d_powers_and_noise ? m + 2 * k + 1 : m + k;
        fit = by_levenberg_marquardt(
            from_start, scale, static_cast<int>(num_free), max_iterations);
    } else {
        std::vector<std::pair<Eigen::Index, Eigen::Index>> blocks{ { 0, m }, { m, k } };
        if (d_powers_and_noise) {
            blocks.emplace_back(m + k, k + 1);
        }
        fit = by_turns(from_start, scale, blocks, max_iterations);
    }
    fit.scene = from_start.scene();
    fit.cost = from_start.cost();
    return fit;
}

} // namespace core
} // namespace bearing
} // namespace gr
