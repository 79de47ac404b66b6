/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include <complex>

namespace gr {
namespace bearing {
namespace core {

covariance_point::covariance_point(const coupled_covariance& covariance_model,
                                   const coupled_scene& scene)
    : model(covariance_model.model()),
      power(scene.power),
      noise_power(scene.noise_power),
      coupling(model.coupling(scene.weights))
{
    const Eigen::Index n = coupling.rows();
    const Eigen::Index num_sources = scene.azimuth.size();
    steering.resize(n, num_sources);
    slopes.resize(n, num_sources);
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        const manifold_point here = covariance_model.array().manifold(scene.azimuth(k));
        steering.col(k) = here.a;
        slopes.col(k) = here.d;
    }
    response.noalias() = coupling * steering;
    covariance.noalias() = response * power.asDiagonal() * response.adjoint();
    covariance.diagonal().array() += noise_power;
}

Eigen::MatrixXcd covariance_point::derivatives(const Eigen::MatrixXcd& factor) const
{
    const Eigen::Index n = coupling.rows();
    const Eigen::Index num_sources = power.size();
    const Eigen::Index num_weights = model.num_weights();
    Eigen::MatrixXcd columns(n * n, num_weights + 2 * num_sources + 1);
    const auto matrix = [&](Eigen::Index i) {
        return Eigen::Map<Eigen::MatrixXcd>(columns.col(i).data(), n, n);
    };
    const Eigen::MatrixXcd v = factor * response;
    const Eigen::MatrixXcd scaled = steering * power.asDiagonal();
    Eigen::MatrixXcd half(n, n);
    Eigen::MatrixXcd u(n, num_sources);
    for (Eigen::Index j = 0; j < num_weights; ++j) {
        u.noalias() = factor * (model.basis()[j] * scaled).eval();
        half.noalias() = u * v.adjoint();
        matrix(j) = half + half.adjoint();
    }
    const Eigen::MatrixXcd slope = factor * (coupling * slopes).eval();
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        half.noalias() = power(k) * slope.col(k) * v.col(k).adjoint();
        matrix(num_weights + k) = half + half.adjoint();
        matrix(num_weights + num_sources + k).noalias() =
            power(k) * v.col(k) * v.col(k).adjoint();
    }
    matrix(num_weights + 2 * num_sources).noalias() =
        noise_power * factor * factor.adjoint();
    return columns;
}

} // namespace core
} // namespace bearing
} // namespace gr
