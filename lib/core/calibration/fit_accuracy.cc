/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fit_accuracy.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double two_pi = 2.0 * M_PI;
// More than any data tell; of data without noise rounding makes more, beside which what is
// not known would be lost.
constexpr double most_information = 1e12;

// Mean squares of what was found, in the order of the unknowns: how far an array is from
// its drawing in what data can tell is how far it may be in what data cannot.
Eigen::VectorXd found_variances(const array_parameters& parameters,
                                const antenna_array& drawn,
                                int num_axes,
                                const Eigen::MatrixXd& pinned,
                                const Eigen::VectorXd& metric)
{
    const Eigen::Index n = parameters.num_elements();
    const array_parameters start = array_parameters::of(drawn);
    const double weakest = dead_gain * parameters.gains.cwiseAbs().maxCoeff();
    Eigen::VectorXd found((2 + num_axes) * n);
    for (Eigen::Index l = 0; l < n; ++l) {
        // A dead element says nothing about the others.
        const std::complex<double> ratio = parameters.gains(l) / start.gains(l);
        const bool is_alive =
            std::isfinite(std::abs(ratio)) && std::abs(parameters.gains(l)) > weakest;
        found(l) = is_alive ? std::log(std::abs(ratio)) : 0.0;
        found(n + l) = is_alive ? std::arg(ratio) : 0.0;
    }
    for (int axis = 0; axis < num_axes; ++axis) {
        found.segment((2 + axis) * n, n) =
            parameters.positions.col(axis) - start.positions.col(axis);
    }
    const Eigen::VectorXd in_pinned = pinned.transpose() * metric.cwiseProduct(found);
    found -= pinned * in_pinned;
    Eigen::VectorXd variances(found.size());
    variances.head(n).setConstant(found.head(n).squaredNorm() / n);
    variances.segment(n, n).setConstant(found.segment(n, n).squaredNorm() / n);
    if (num_axes > 0) {
        variances.tail(num_axes * n)
            .setConstant(found.tail(num_axes * n).squaredNorm() / (num_axes * n));
    }
    return variances;
}

} // namespace

fit_accuracy::fit_accuracy(gauss_newton& fit,
                           const array_parameters& parameters,
                           const free_map& map,
                           const antenna_array& drawn,
                           double inflation)
    : d_num_elements(parameters.num_elements()),
      d_num_axes(fit.num_unknowns() / d_num_elements - 2),
      d_parameters(parameters),
      d_is_front_only(drawn.is_front_only())
{
    const Eigen::MatrixXd gauge = fit.pinned(parameters, {});
    const Eigen::MatrixXd pinned = fit.pinned(parameters, map);
    const Eigen::VectorXd& metric = fit.metric();
    Eigen::MatrixXd information = 2.0 / std::max(1.0, inflation) * fit.normal_matrix();
    information *= most_information / std::max(most_information, information.trace());
    add_information(vague_prior, 1.0, d_num_elements, information);
    information += information.trace() * pinned * pinned.transpose();
    d_covariance = information.llt().solve(
        Eigen::MatrixXd::Identity(information.rows(), information.cols()));
    const Eigen::MatrixXd complement =
        Eigen::MatrixXd::Identity(information.rows(), information.cols()) -
        pinned * pinned.transpose() * metric.asDiagonal();
    d_covariance = complement * d_covariance * complement.transpose();
    if (!d_covariance.allFinite()) {
        Eigen::MatrixXd nothing =
            Eigen::MatrixXd::Zero(information.rows(), information.cols());
        add_information(vague_prior, 1.0, d_num_elements, nothing);
        d_covariance = nothing.diagonal().cwiseInverse().asDiagonal();
    }

    double largest = 0.0;
    for (int l = 0; l < d_num_elements; ++l) {
        // A weak element bears on a bearing by its power, a dead one not at all.
        const double share = std::min(std::norm(parameters.gains(l)), 1.0);
        largest = std::max(largest, share * phase_variance(l));
    }
    d_largest_shape_deviation = std::sqrt(largest);
    double sum = 0.0;
    for (int l = 0; l < d_num_elements; ++l) {
        sum += std::norm(parameters.gains(l)) * phase_variance(l);
    }
    d_shape_deviation = std::sqrt(sum);

    // The pinned directions behind those of the gauge are the free map.
    const Eigen::VectorXd variances =
        found_variances(parameters, drawn, d_num_axes, pinned, metric);
    for (Eigen::Index k = gauge.cols(); k < pinned.cols(); ++k) {
        const double variance =
            metric.cwiseProduct(pinned.col(k)).cwiseAbs2().dot(variances);
        d_covariance += variance * pinned.col(k) * pinned.col(k).transpose();
    }
}

double fit_accuracy::phase_variance(int element) const
{
    // sin and cos of the azimuth have mean squares of a half and are uncorrelated.
    const int n = d_num_elements;
    double variance = d_covariance(n + element, n + element);
    for (int axis = 0; axis < d_num_axes; ++axis) {
        const int column = (2 + axis) * n + element;
        variance += 0.5 * two_pi * two_pi * d_covariance(column, column);
    }
    return std::max(variance, 0.0);
}

void fit_accuracy::fill(calibration_state& calibration) const
{
    const int n = d_num_elements;
    calibration.sigma_phase_rad.resize(n);
    for (int l = 0; l < n; ++l) {
        calibration.sigma_phase_rad(l) = std::sqrt(phase_variance(l));
    }
    calibration.sigma_log_gain =
        d_covariance.diagonal().head(n).cwiseMax(0.0).cwiseSqrt();

    // The error of a single source's bearing is linear in the unknowns: through the
    // derivative's part outside the steering vector, q = conj(P d) a.
    constexpr int num_directions = 24;
    constexpr double front_limit = M_PI / 3.0;
    double true_variance = 0.0;
    double independent_variance = 0.0;
    for (int k = 0; k < num_directions; ++k) {
        const double azimuth =
            d_is_front_only ? front_limit * (2.0 * k / (num_directions - 1.0) - 1.0)
                            : two_pi * k / num_directions;
        const double x = std::sin(azimuth);
        const double y = std::cos(azimuth);
        const Eigen::ArrayXd px = d_parameters.positions.col(0).array();
        const Eigen::ArrayXd py = d_parameters.positions.col(1).array();
        const Eigen::ArrayXd power = d_parameters.gains.array().abs2();
        const Eigen::ArrayXd rate = two_pi * (px * y - py * x);
        const double centre = (power * rate).sum() / power.sum();
        const Eigen::ArrayXd lever = power * (rate - centre);
        const double curvature = (lever * (rate - centre)).sum();
        // Im q = -lever and Re q = 0: a single source's bearing feels phases only.
        Eigen::VectorXd response = Eigen::VectorXd::Zero(d_covariance.rows());
        response.segment(n, n) = (lever / curvature).matrix();
        const double towards[] = { two_pi * x, two_pi * y };
        for (int axis = 0; axis < d_num_axes; ++axis) {
            response.segment((2 + axis) * n, n) = towards[axis] * response.segment(n, n);
        }
        true_variance += response.dot(d_covariance * response);
        independent_variance += response.segment(n, n).cwiseAbs2().dot(
            calibration.sigma_phase_rad.cwiseAbs2());
    }
    if (independent_variance > 0.0) {
        calibration.sigma_phase_rad *=
            std::sqrt(std::max(true_variance, 0.0) / independent_variance);
    }
}

Eigen::MatrixXd fit_accuracy::sigma_positions(int reference) const
{
    const int n = d_num_elements;
    Eigen::MatrixXd sigma = Eigen::MatrixXd::Zero(n, 3);
    for (int axis = 0; axis < d_num_axes; ++axis) {
        const int r = (2 + axis) * n + reference;
        for (int l = 0; l < n; ++l) {
            const int i = (2 + axis) * n + l;
            sigma(l, axis) = std::sqrt(std::max(
                d_covariance(i, i) + d_covariance(r, r) - 2.0 * d_covariance(i, r), 0.0));
        }
    }
    return sigma;
}

} // namespace core
} // namespace bearing
} // namespace gr
