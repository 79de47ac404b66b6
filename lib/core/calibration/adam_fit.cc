/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "known_sources.h"
#include <gnuradio/bearing/core/calibration/adam_fit.h>
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double gain_rate = 1e-2;
constexpr double position_rate = 0.3 * gain_rate;

diffmusic_loss loss_of(diffmusic_method method)
{
    switch (method) {
    case diffmusic_method::sl_p:
        return diffmusic_loss::sl_p;
    case diffmusic_method::sl_theta:
        return diffmusic_loss::sl_theta;
    case diffmusic_method::ul:
        return diffmusic_loss::ul;
    default:
        throw std::invalid_argument(
            "method is gauss_newton, which descends no loss by Adam; it must be sl_p, "
            "sl_theta or ul");
    }
}

//! Adam's steps for a vector of unknowns, with the constants of its paper.
class adam
{
public:
    explicit adam(const Eigen::ArrayXd& rate)
        : d_rate(rate),
          d_mean(Eigen::ArrayXd::Zero(rate.size())),
          d_square(Eigen::ArrayXd::Zero(rate.size())),
          d_step(Eigen::ArrayXd::Zero(rate.size()))
    {
    }

    //! What to add to the unknowns; \p schedule multiplies the rates.
    Eigen::ArrayXd& step(const Eigen::ArrayXd& gradient, double schedule)
    {
        d_mean_decay *= mean_memory;
        d_square_decay *= square_memory;
        d_mean += (1.0 - mean_memory) * (gradient - d_mean);
        d_square += (1.0 - square_memory) * (gradient.square() - d_square);
        d_step = -schedule * d_rate * d_mean / (1.0 - d_mean_decay) /
                 ((d_square / (1.0 - d_square_decay)).sqrt() + smallest);
        return d_step;
    }

private:
    static constexpr double mean_memory = 0.9;
    static constexpr double square_memory = 0.999;
    static constexpr double smallest = 1e-8;

    Eigen::ArrayXd d_rate;
    Eigen::ArrayXd d_mean;
    Eigen::ArrayXd d_square;
    Eigen::ArrayXd d_step;
    double d_mean_decay = 1.0;
    double d_square_decay = 1.0;
};

/*!
 * Takes out of a step what unlabelled data cannot tell: common phase, and on a line tilt and
 * stretch, sin(theta) -> alpha sin(theta) + beta, on other arrays rotation. The gradient has
 * no such part, but Adam's scale of its own for each unknown brings one in, and the bearings
 * would wander off together.
 */
class freedom
{
public:
    freedom(int num_elements, int num_axes, bool is_line)
        : d_num_elements(num_elements),
          d_num_axes(num_axes),
          d_is_line(is_line),
          d_basis(Eigen::MatrixXd::Zero((2 + num_axes) * num_elements, 3)),
          d_place(Eigen::MatrixXd::Zero(num_elements, 2))
    {
    }

    void remove_from(Eigen::ArrayXd& step, const array_parameters& parameters)
    {
        fill(parameters);
        for (int k = 0; k < d_count; ++k) {
            for (int i = 0; i < k; ++i) {
                d_basis.col(k) -= d_basis.col(i).dot(d_basis.col(k)) * d_basis.col(i);
            }
            d_basis.col(k).normalize();
            step -= d_basis.col(k).dot(step.matrix()) * d_basis.col(k).array();
        }
    }

private:
    void fill(const array_parameters& parameters)
    {
        const int n = d_num_elements;
        const Eigen::VectorXcd& g = parameters.gains;
        for (int axis = 0; axis < 2; ++axis) {
            d_place.col(axis) = parameters.positions.col(axis).array() -
                                parameters.positions.col(axis).mean();
        }
        d_basis.setZero();
        d_basis.col(0).head(n) = -g.imag();
        d_basis.col(0).segment(n, n) = g.real();
        d_count = 1;
        if (d_is_line) {
            d_basis.col(1).head(n) = -d_place.col(0).cwiseProduct(g.imag());
            d_basis.col(1).segment(n, n) = d_place.col(0).cwiseProduct(g.real());
            d_count = 2;
        }
        if (d_is_line && d_num_axes > 0) {
            d_basis.col(2).tail(n) = d_place.col(0);
            d_count = 3;
        } else if (d_num_axes == 2) {
            d_basis.col(1).segment(2 * n, n) = d_place.col(1);
            d_basis.col(1).tail(n) = -d_place.col(0);
            d_count = 2;
        }
    }

    int d_num_elements;
    int d_num_axes;
    bool d_is_line;
    int d_count = 0;
    Eigen::MatrixXd d_basis;
    Eigen::MatrixXd d_place;
};

} // namespace

adam_result fit_by_adam(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                        const antenna_array& drawn,
                        const array_parameters& start,
                        diffmusic_method method,
                        const Eigen::MatrixXd& azimuth,
                        int iterations,
                        bool fit_positions)
{
    if (iterations < 0) {
        throw std::invalid_argument("iterations is " + std::to_string(iterations) +
                                    "; it must be 0 or more");
    }
    diffmusic_losses losses(signal_subspaces, drawn, loss_of(method), azimuth);
    const int n = drawn.num_elements();
    const int num_axes = num_fitted_axes(drawn, fit_positions);
    // Re g, Im g, and the positions axis by axis.
    Eigen::ArrayXd rate(2 * n + num_axes * n);
    rate.head(2 * n) = gain_rate;
    rate.tail(num_axes * n) = position_rate;
    adam optimizer(rate);
    freedom unseen(n, num_axes, drawn.is_front_only());
    Eigen::ArrayXd gradient(rate.size());

    adam_result result;
    result.parameters = start;
    result.parameters.impose_gauge(drawn);
    result.loss.reserve(iterations);
    array_parameters parameters = result.parameters;
    losses.move_windows(parameters);
    const loss_gradient* loss = &losses.evaluate(parameters);
    double least = loss->value;
    for (int i = 0; i < iterations; ++i) {
        gradient.head(n) = loss->gains.real();
        gradient.segment(n, n) = loss->gains.imag();
        for (int axis = 0; axis < num_axes; ++axis) {
            gradient.segment((2 + axis) * n, n) = loss->positions.col(axis);
        }
        const double schedule = 0.5 * (1.0 + std::cos(M_PI * i / iterations));
        Eigen::ArrayXd& step = optimizer.step(gradient, schedule);
        if (method == diffmusic_method::ul) {
            unseen.remove_from(step, parameters);
        }
        parameters.gains.real() += step.head(n).matrix();
        parameters.gains.imag() += step.segment(n, n).matrix();
        for (int axis = 0; axis < num_axes; ++axis) {
            parameters.positions.col(axis) += step.segment((2 + axis) * n, n).matrix();
        }
        parameters.impose_gauge(drawn);
        losses.move_windows(parameters);
        loss = &losses.evaluate(parameters);
        result.loss.push_back(loss->value);
        // A window loss can jump to worse places and stay there.
        if (std::isnan(least) || loss->value < least) {
            least = loss->value;
            result.parameters = parameters;
        }
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
