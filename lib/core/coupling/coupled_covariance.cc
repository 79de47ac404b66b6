/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "covariance_point.h"
#include "scoring.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// What is left of a derivative that the others make up already.
constexpr double rank_tolerance = 1e-7;

void require_scene(const coupled_covariance& model, const coupled_scene& scene)
{
    if (scene.weights.size() != model.model().num_weights() ||
        scene.power.size() != scene.azimuth.size()) {
        throw std::invalid_argument(
            "scene has " + std::to_string(scene.weights.size()) + " weights, " +
            std::to_string(scene.azimuth.size()) + " azimuths and " +
            std::to_string(scene.power.size()) + " powers; it must have " +
            std::to_string(model.model().num_weights()) +
            " weights and a power for each azimuth");
    }
}

} // namespace

coupled_covariance::coupled_covariance(const antenna_array& array, coupling_model model)
    : d_array(array.with_calibration(array.calibration().without_coupling())),
      d_model(std::move(model))
{
    if (d_model.num_elements() != d_array.num_elements()) {
        throw std::invalid_argument(
            "model is for " + std::to_string(d_model.num_elements()) +
            " elements; the array has " + std::to_string(d_array.num_elements()));
    }
}

int coupled_covariance::num_parameters(int num_sources) const
{
    return d_model.num_weights() + 2 * num_sources + 1;
}

Eigen::MatrixXcd coupled_covariance::covariance(const coupled_scene& scene) const
{
    require_scene(*this, scene);
    return covariance_point(*this, scene).covariance;
}

std::vector<Eigen::MatrixXcd>
coupled_covariance::derivatives(const coupled_scene& scene) const
{
    require_scene(*this, scene);
    const Eigen::Index n = d_array.num_elements();
    const Eigen::MatrixXcd columns =
        covariance_point(*this, scene).derivatives(Eigen::MatrixXcd::Identity(n, n));
    std::vector<Eigen::MatrixXcd> result;
    for (Eigen::Index i = 0; i < columns.cols(); ++i) {
        result.emplace_back(
            Eigen::Map<const Eigen::MatrixXcd>(columns.col(i).data(), n, n));
    }
    return result;
}

coupled_scene coupled_covariance::moved(const coupled_scene& scene,
                                        const Eigen::VectorXd& step)
{
    const Eigen::Index m = scene.weights.size();
    const Eigen::Index k = scene.azimuth.size();
    if (step.size() != m + 2 * k + 1) {
        throw std::invalid_argument("step has " + std::to_string(step.size()) +
                                    " values; the scene has " +
                                    std::to_string(m + 2 * k + 1) + " parameters");
    }
    coupled_scene result = scene;
    result.weights += step.head(m);
    result.azimuth += step.segment(m, k);
    result.power.array() *= step.segment(m + k, k).array().exp();
    result.noise_power *= std::exp(step(m + 2 * k));
    return result;
}

Eigen::MatrixXd
coupled_covariance::information(const coupled_scene& scene,
                                std::size_t snapshots,
                                const std::optional<weight_prior>& prior) const
{
    require_scene(*this, scene);
    Eigen::MatrixXd result =
        fisher_information(covariance_point(*this, scene), snapshots);
    if (prior) {
        const Eigen::Index m = d_model.num_weights();
        result.topLeftCorner(m, m) += precision(*prior, m);
    }
    return result;
}

coupled_covariance::identifiability
coupled_covariance::identify(const coupled_scene& scene) const
{
    require_scene(*this, scene);
    const Eigen::Index n = d_array.num_elements();
    const Eigen::MatrixXcd columns =
        covariance_point(*this, scene).derivatives(Eigen::MatrixXcd::Identity(n, n));
    Eigen::MatrixXd jacobian = real_columns(columns);
    for (auto column : jacobian.colwise()) {
        column.normalize(); // a zero column stays zero
    }
    if (!jacobian.allFinite()) {
        return { static_cast<int>(jacobian.cols()), 0 };
    }
    const Eigen::VectorXd values = jacobian.bdcSvd(Eigen::ComputeThinV).singularValues();
    const Eigen::Index rank =
        (values.array() > rank_tolerance * values.maxCoeff()).count();
    return { static_cast<int>(jacobian.cols()), static_cast<int>(rank) };
}

Eigen::VectorXd coupled_cramer_rao_deviation(const antenna_array& array,
                                             const coupling_model& model,
                                             const Eigen::VectorXd& weights,
                                             const Eigen::VectorXd& azimuth,
                                             const Eigen::VectorXd& snr_db,
                                             std::size_t snapshots,
                                             const std::optional<weight_prior>& prior)
{
    const coupled_covariance covariance(array, model);
    coupled_scene scene;
    scene.weights = weights;
    scene.azimuth = azimuth;
    scene.power = source_powers(array, azimuth, snr_db, snapshots);
    scene.noise_power = 1.0;
    if (weights.size() != model.num_weights() || !weights.allFinite()) {
        throw std::invalid_argument("weights has " + std::to_string(weights.size()) +
                                    " values; the model needs " +
                                    std::to_string(model.num_weights()) + ", all finite");
    }
    const Eigen::Index num_sources = azimuth.size();
    Eigen::VectorXd deviation =
        Eigen::VectorXd::Constant(num_sources, std::numeric_limits<double>::quiet_NaN());
    // What is known beforehand of the coupling may tell what R does not.
    if (!prior && !covariance.identify(scene).is_identifiable()) {
        return deviation;
    }
    const Eigen::MatrixXd bound =
        inverse_information(covariance.information(scene, snapshots, prior));
    if (bound.size() > 0) {
        deviation =
            bound.diagonal().segment(model.num_weights(), num_sources).cwiseSqrt();
    }
    return deviation;
}

} // namespace core
} // namespace bearing
} // namespace gr
