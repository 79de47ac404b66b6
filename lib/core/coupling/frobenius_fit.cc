/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "scene_descent.h"
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

// A step that promises less than this share of ||R^||^2 moves nothing that matters.
constexpr double enough = 1e-14;
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
    return slope_of(columns, excess, 2.0);
}

class frobenius_descent : public scene_descent
{
public:
    frobenius_descent(const coupled_covariance& model,
                      const Eigen::MatrixXcd& sample,
                      bool powers_and_noise,
                      const coupled_scene& start)
        : scene_descent(as_modelled(start, powers_and_noise),
                        powers_and_noise ? power_floor(sample) : 0.0),
          d_model(model),
          d_sample(sample),
          d_powers_and_noise(powers_and_noise),
          d_enough(enough * sample.squaredNorm())
    {
        begin();
    }

    slope here() const override
    {
        return slope_at(covariance_point(d_model, scene()), d_sample, d_powers_and_noise);
    }
    bool is_spent(double promise) const override { return promise < d_enough; }

protected:
    double cost_of(const coupled_scene& scene) const override
    {
        return (covariance_point(d_model, scene).covariance - d_sample).squaredNorm();
    }

private:
    const coupled_covariance& d_model;
    const Eigen::MatrixXcd& d_sample;
    bool d_powers_and_noise;
    double d_enough;
};

// Down the gradient of one block, as far as the linear covariance says.
void take_turn(scene_descent& descent, Eigen::Index first, Eigen::Index size)
{
    for (int k = 0; k < steps_in_a_turn; ++k) {
        const slope here = descent.here();
        Eigen::VectorXd step = Eigen::VectorXd::Zero(here.gradient.size());
        step.segment(first, size) = -here.gradient.segment(first, size);
        const double curvature = step.dot(here.curvature * step);
        if (!(curvature > 0.0)) {
            return;
        }
        step *= step.squaredNorm() / curvature;
        int halvings = 0;
        while (!descent.try_step(step)) {
            step *= 0.5;
            if (++halvings > most_halvings) {
                return;
            }
        }
    }
}

coupled_fit by_turns(scene_descent& descent,
                     const std::vector<std::pair<Eigen::Index, Eigen::Index>>& blocks,
                     int max_iterations)
{
    coupled_fit fit;
    while (fit.iterations < max_iterations && !fit.converged) {
        const double before = descent.cost();
        for (const auto& [first, size] : blocks) {
            take_turn(descent, first, size);
        }
        ++fit.iterations;
        const double gain = before - descent.cost();
        fit.converged =
            gain <= gain_of_a_round * descent.cost() || descent.is_spent(gain);
    }
    fit.scene = descent.scene();
    fit.cost = descent.cost();
    return fit;
}

} // namespace

frobenius_fit::frobenius_fit(const coupled_covariance& model,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             bool powers_and_noise)
    : d_model(model), d_covariance(covariance), d_powers_and_noise(powers_and_noise)
{
    require_covariance_size(model, covariance);
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
    frobenius_descent descent(d_model, d_covariance, d_powers_and_noise, start);
    if (search == frobenius_search::levenberg_marquardt) {
        return levenberg_marquardt(
            descent, 0, d_powers_and_noise ? m + 2 * k + 1 : m + k, max_iterations);
    }
    std::vector<std::pair<Eigen::Index, Eigen::Index>> blocks{ { 0, m }, { m, k } };
    if (d_powers_and_noise) {
        blocks.emplace_back(m + k, k + 1);
    }
    return by_turns(descent, blocks, max_iterations);
}

} // namespace core
} // namespace bearing
} // namespace gr
