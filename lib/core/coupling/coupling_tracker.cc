/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/coupling/coupling_tracker.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// The 99.9 % quantile of a Gaussian, one-sided, for that of chi-squared by E. B. Wilson and
// M. M. Hilferty (1931).
constexpr double deviations = 3.09;

double chi_squared_limit(double freedom)
{
    const double spread = 2.0 / (9.0 * freedom);
    return freedom * std::pow(1.0 - spread + deviations * std::sqrt(spread), 3);
}

// Squared distance of what a scene tells of w from what was learnt, in units of both
// uncertainties: chi-squared with as many degrees of freedom as weights.
double contradiction(const coupling_estimate& scene, const weight_prior& learnt)
{
    const Eigen::LDLT<Eigen::MatrixXd> own(scene.weight_information);
    const Eigen::VectorXd difference =
        own.solve(scene.information_times_weights) - learnt.mean;
    const Eigen::Index m = learnt.mean.size();
    const Eigen::MatrixXd spread =
        own.solve(Eigen::MatrixXd::Identity(m, m)) + learnt.covariance;
    return difference.dot(spread.ldlt().solve(difference));
}

} // namespace

coupling_tracker::coupling_tracker(const antenna_array& array,
                                   coupling_config config,
                                   coupling_tracking tracking)
    : d_estimator(array, std::move(config)), d_tracking(tracking)
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
    d_information = Eigen::MatrixXd::Zero(m, m);
    d_information_times_weights = Eigen::VectorXd::Zero(m);
    d_scenes = 0;
    d_contradictions = 0;
}

std::optional<weight_prior> coupling_tracker::learnt() const
{
    if (d_scenes == 0) {
        return std::nullopt;
    }
    const Eigen::LLT<Eigen::MatrixXd> root(d_information);
    if (root.info() != Eigen::Success) {
        return std::nullopt;
    }
    const Eigen::Index m = d_information.rows();
    return weight_prior{ root.solve(d_information_times_weights),
                         root.solve(Eigen::MatrixXd::Identity(m, m)) };
}

void coupling_tracker::average(const coupling_estimate& scene)
{
    const double kept = std::exp(-1.0 / d_tracking.memory);
    d_information = kept * d_information + scene.weight_information;
    d_information_times_weights =
        kept * d_information_times_weights + scene.information_times_weights;
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
    // Two points: nobody looks at the spectrum.
    const bearing_estimate found =
        music_estimator(array,
                        angle_grid::whole_range(array, 2),
                        music_config{ d_estimator.config().num_sources,
                                      d_estimator.config().counting })
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
               !scene.is_gated && scene.weight_information.size() > 0;
    };
    const std::optional<weight_prior> known = learnt();
    coupling_estimate scene =
        d_estimator.estimate(covariance, snapshots, Eigen::MatrixXcd(), known);
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
    const bool agrees = can_be_averaged(scene) &&
                        contradiction(scene, *known) <=
                            chi_squared_limit(static_cast<double>(known->mean.size()));
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
    const std::optional<weight_prior> known = d_estimator.combined_weights(learnt());
    return known ? model.coupling(known->mean) : model.mean();
}

} // namespace core
} // namespace bearing
} // namespace gr
