/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "starting_scenes.h"
#include <gnuradio/bearing/core/coupling/coupling_tracker.h>
#include <gnuradio/bearing/core/subspace/chi_squared_quantile.h>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// The 99.9 % quantile of a Gaussian.
constexpr double deviations = 3.09;

// Directions of w that a scene tells less of than this, relative to the best, are not told.
constexpr double least_told = 1e-9;

// Whether what a scene tells of w is too far from what was known: the squared distance in units
// of both uncertainties is chi-squared, with as many degrees of freedom as directions of w that
// the scene tells.
bool contradicts(const weight_evidence& scene, const weight_prior& known)
{
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scene.information);
    const Eigen::VectorXd& values = solver.eigenvalues(); // ascending
    const Eigen::Index m = values.size();
    if (m == 0 || !(values(m - 1) > 0.0)) {
        return false;
    }
    const Eigen::Index told = (values.array() > least_told * values(m - 1)).count();
    const Eigen::VectorXd root = values.tail(told).cwiseSqrt();
    const Eigen::MatrixXd directions = solver.eigenvectors().rightCols(told);
    const Eigen::VectorXd difference =
        (directions.transpose() *
         (scene.information_times_weights - scene.information * known.mean))
            .cwiseQuotient(root);
    const Eigen::MatrixXd scaled = directions * root.asDiagonal();
    const Eigen::MatrixXd spread = Eigen::MatrixXd::Identity(told, told) +
                                   scaled.transpose() * known.covariance * scaled;
    return difference.dot(spread.llt().solve(difference)) >
           chi_squared_quantile(static_cast<double>(told), deviations);
}

} // namespace

coupling_tracker::coupling_tracker(const antenna_array& array,
                                   coupling_config config,
                                   coupling_tracking tracking)
    : coupling_tracker(coupling_estimator(array, std::move(config)), tracking)
{
}

coupling_tracker::coupling_tracker(coupling_estimator estimator,
                                   coupling_tracking tracking)
    : d_estimator(std::move(estimator)), d_tracking(tracking)
{
    if (!(d_tracking.memory >= 0.0)) {
        throw std::invalid_argument("memory is " + std::to_string(d_tracking.memory) +
                                    "; it must be >= 0 scenes");
    }
    if (d_tracking.patience < 1) {
        throw std::invalid_argument("patience is " + std::to_string(d_tracking.patience) +
                                    "; it must be >= 1 scene");
    }
    const coupling_config& used = d_estimator.config();
    if (d_tracking.memory > 0.0 && (used.criterion != coupling_criterion::ml ||
                                    used.prior == coupling_knowledge::covariance ||
                                    used.prior == coupling_knowledge::snapshot)) {
        throw std::invalid_argument(
            "memory is " + std::to_string(d_tracking.memory) +
            "; scenes are averaged with criterion ml and priors none, gaussian and "
            "coupling only, else it must be 0");
    }
    forget();
}

void coupling_tracker::forget()
{
    const Eigen::Index m = d_estimator.model().num_weights();
    d_learnt.information = Eigen::MatrixXd::Zero(m, m);
    d_learnt.information_times_weights = Eigen::VectorXd::Zero(m);
    d_scenes = 0;
    d_contradictions = 0;
}

void coupling_tracker::average(const coupling_estimate& scene)
{
    const double kept = std::exp(-1.0 / d_tracking.memory);
    d_learnt.information = kept * d_learnt.information + scene.evidence.information;
    d_learnt.information_times_weights = kept * d_learnt.information_times_weights +
                                         scene.evidence.information_times_weights;
    ++d_scenes;
    d_contradictions = 0;
}

// Too weak to calibrate from: bearings with what others told of the coupling.
void coupling_tracker::correct(coupling_estimate& scene,
                               const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots) const
{
    scene.coupling = coupling();
    calibration_state calibration = d_estimator.array().calibration();
    calibration.coupling = scene.coupling;
    const antenna_array array = d_estimator.array().with_calibration(calibration);
    const coupling_config& config = d_estimator.config();
    const bearing_estimate found = plain_music(array, config.num_sources, config.counting)
                                       .estimate(covariance, snapshots);
    // The deviations are those of a coupling that is known, and of stronger signals.
    scene.bearings.azimuth = found.azimuth;
    scene.bearings.power_db = found.power_db;
    scene.bearings.snr_db = found.snr_db;
    scene.power = Eigen::pow(10.0, found.power_db.array() / 10.0);
}

coupling_estimate
coupling_tracker::update(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                         std::size_t snapshots)
{
    const auto can_be_averaged = [this](const coupling_estimate& scene) {
        return d_tracking.memory > 0.0 && scene.bearings.status == status::ok &&
               !scene.is_gated && scene.evidence.information.size() > 0;
    };
    const std::optional<weight_prior> known =
        d_scenes > 0 ? d_estimator.combined_weights(d_learnt) : std::nullopt;
    coupling_estimate scene = d_estimator.estimate(
        covariance, snapshots, Eigen::MatrixXcd(), known ? d_learnt : weight_evidence());
    if (!known) {
        if (can_be_averaged(scene)) {
            average(scene);
        }
        return scene;
    }
    if (scene.is_gated) {
        correct(scene, covariance, snapshots);
        return scene;
    }
    const bool agrees = can_be_averaged(scene) && !contradicts(scene.evidence, *known);
    if (agrees) {
        average(scene);
        return scene;
    }
    if (!can_be_averaged(scene) && scene.bearings.status != status::model_mismatch) {
        return scene; // tells nothing of the coupling
    }
    // What was learnt does not fit this scene: does the scene make sense by itself?
    const coupling_estimate alone = d_estimator.estimate(covariance, snapshots);
    if (!can_be_averaged(alone)) {
        return scene;
    }
    if (++d_contradictions >= d_tracking.patience) {
        forget();
        average(alone);
        ++d_restarts;
    }
    return alone;
}

core::status coupling_tracker::status() const
{
    return d_scenes == 0 ? core::status::learning : core::status::tracking;
}

Eigen::MatrixXcd coupling_tracker::coupling() const
{
    const coupling_model& model = d_estimator.model();
    const std::optional<weight_prior> known = d_estimator.combined_weights(d_learnt);
    return known ? model.coupling(known->mean) : model.mean();
}

} // namespace core
} // namespace bearing
} // namespace gr
