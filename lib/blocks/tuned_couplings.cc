/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimator_runner.h"
#include "tuned_couplings.h"
#include "wavelength.h"
#include <exception>
#include <limits>
#include <utility>

namespace gr {
namespace bearing {

namespace {

bool is_from_weights(core::coupling_knowledge prior)
{
    return prior != core::coupling_knowledge::none;
}

bool is_same(const core::coupling_model& one, const core::coupling_model& other)
{
    return one.num_weights() == other.num_weights() && one.mean() == other.mean() &&
           one.basis() == other.basis();
}

// From the one at work, whose weights are the ones for this frequency, if there is one.
core::coupling_estimator estimator_at(std::optional<double> frequency,
                                      const tuned_coupling& tuning)
{
    const coupling_settings& settings = *tuning.settings;
    core::antenna_array array =
        settings.estimator.array().with_calibration(settings.calibrations.at(frequency));
    if (frequency && array.wavelength()) {
        array = array.with_wavelength(wavelength_at(*frequency));
    }
    const core::coupling_estimator& present =
        tuning.tracker ? tuning.tracker->estimator() : settings.estimator;
    return present.adapted(array, settings.estimator.config().num_sources);
}

// What was learnt stays, unless other weights now say what coupling looks like.
void give(tuned_coupling& tuning, core::coupling_estimator estimator)
{
    if (tuning.tracker &&
        is_same(tuning.tracker->estimator().model(), estimator.model())) {
        tuning.tracker->set_estimator(std::move(estimator));
        return;
    }
    tuning.tracker.emplace(std::move(estimator), tuning.settings->tracking);
    tuning.coupling.resize(0, 0);
    tuning.has_news = true;
}

void build(tuned_coupling& tuning)
{
    tuning.fault = core::status::ok;
    tuning.reason.clear();
    try {
        give(tuning, estimator_at(tuning.built_for, tuning));
    } catch (const std::exception& error) {
        // The array was found to work as drawn, so the frequency is to blame: nothing to
        // be seen at it, or no weights for it.
        tuning.fault = is_from_weights(tuning.settings->estimator.config().prior)
                           ? core::status::not_identifiable
                           : core::status::bad_data;
        tuning.reason = error.what();
    }
}

core::coupling_estimate
failed(core::status status, int num_sources, const std::string& reason)
{
    core::coupling_estimate result;
    result.bearings = failed_estimate(num_sources);
    result.bearings.status = status;
    result.glrt = result.glrt_limit = std::numeric_limits<double>::quiet_NaN();
    result.reason = reason;
    return result;
}

} // namespace

tuned_coupling& tuned_couplings::at(std::optional<double> frequency,
                                    const shared_settings& settings)
{
    tuned_coupling* tuning = d_tunings.find(frequency);
    if (!tuning) {
        tuned_coupling added;
        added.frequency = frequency;
        tuning = &d_tunings.add(std::move(added));
    }
    const bool has_moved =
        settings->estimator.array().wavelength() && tuning->built_for != frequency;
    if (tuning->settings != settings || has_moved) {
        tuning->settings = settings;
        tuning->built_for = frequency;
        build(*tuning);
    }
    return *tuning;
}

core::coupling_estimate tuned_couplings::update(tuned_coupling& tuning,
                                                const Eigen::MatrixXcd& covariance,
                                                std::size_t snapshots)
{
    const int num_sources = tuning.settings->estimator.config().num_sources;
    tuning.has_learnt = false;
    if (tuning.fault != core::status::ok) {
        return failed(tuning.fault, num_sources, tuning.reason);
    }
    try {
        core::coupling_tracker& tracker = *tuning.tracker;
        const std::uint64_t scenes = tracker.scenes();
        const std::uint64_t restarts = tracker.restarts();
        const core::coupling_estimate result = tracker.update(covariance, snapshots);
        const bool has_restarted = tracker.restarts() != restarts;
        const bool averages = tuning.settings->tracking.memory > 0.0;
        tuning.has_learnt = averages ? tracker.scenes() != scenes || has_restarted
                                     : result.bearings.status == core::status::ok;
        if (tuning.has_learnt) {
            tuning.coupling = averages ? tracker.coupling() : result.coupling;
        }
        tuning.glrt = result.glrt;
        tuning.has_news = tuning.has_news || tuning.has_learnt;
        return result;
    } catch (const std::exception& error) {
        return failed(core::status::bad_data, num_sources, error.what());
    }
}

} // namespace bearing
} // namespace gr
