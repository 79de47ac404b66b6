/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_sample.h"
#include "fit_accuracy.h"
#include "known_sources.h"
#include "label_consensus.h"
#include "sample_fit.h"
#include "sample_ring.h"
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// All depths are relative to what sampling gives to the null function at a true direction.

// The array is calibrated when arrivals are, by the median, this deep before the step.
constexpr double calibrated_depth = 3.0;
// And the phases of its elements, in all directions, are known to this in all, in radians.
constexpr double known_shape = 0.3;
// What arrives is off the model when its null is this many times as high as lately, and a
// label contradicts it when the null is this many times as high there.
constexpr double off_model_factor = 8.0;
constexpr double bad_label_factor = 30.0;
// So many of them in a row are no accident: the array has changed.
constexpr int step_change_count = 20;
// Unless it was followed for less than this: then it had not been learnt in the first place.
constexpr int least_tracked = 20;
// Back to the last good state when accepted arrivals are so many times as high as there,
// so many times in a row.
constexpr double rollback_factor = 4.0;
constexpr int rollback_count = 20;
// A state is good when the array was calibrated for so many accepted arrivals since the
// last one.
constexpr int good_interval = 20;
// A new start that has not converged by then was none.
constexpr int longest_relearning = 200;
// So many arrivals tell whether the array is still the one that was left behind.
constexpr int resumed_count = 7;
// So many times as many equations as unknowns tell gains and positions.
constexpr double unlabelled_margin = 1.5;
constexpr double labelled_margin = 1.25;
// What is remembered counts half after so many arrivals, in buffers' lengths. Peaks come
// with every arrival and tell the shape; labels may be rare and tell what drifts away
// unseen, so they must not be stale.
constexpr double label_memory = 1.5;
constexpr double peak_memory = 3.0;
// What was learnt of drift before counts up to so many times as much as what is remembered.
constexpr double drift_memory = 3.0;
// How far an element may be carried in one step, in wavelengths, against the data of one
// source: when the array has settled, after so many arrivals, and when it has been followed
// for long. A label counts for several arrivals, being rarer.
constexpr double settled_offset_step = 0.002;
constexpr double least_offset_step = 0.0002;
constexpr int settled_count = 60;
constexpr int arrivals_per_label = 6;

void require(bool holds, const std::string& what)
{
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

int require_at_least(const char* name, int value, int least)
{
    require(value >= least,
            std::string(name) + " is " + std::to_string(value) +
                "; it must be at least " + std::to_string(least));
    return value;
}

// exp(j phases), not evaluated.
template <class Phases>
auto phasors(const Phases& phases)
{
    return phases.unaryExpr([](double phase) { return std::polar(1.0, phase); });
}

antenna_array checked(antenna_array array, const online_config& config)
{
    require_calibratable(array, config.num_sources);
    return array;
}

} // namespace

const char* to_string(update_outcome outcome)
{
    switch (outcome) {
    case update_outcome::accepted:
        return "accepted";
    case update_outcome::bad_data:
        return "bad_data";
    case update_outcome::weak:
        return "weak";
    case update_outcome::too_many_sources:
        return "too_many_sources";
    case update_outcome::close_sources:
        return "close_sources";
    case update_outcome::off_model:
        return "off_model";
    case update_outcome::bad_label:
    case update_outcome::num_outcomes:
        break;
    }
    return "bad_label";
}

struct diffmusic_online::state {
    state(antenna_array drawn, const online_config& chosen)
        : array(checked(std::move(drawn), chosen)),
          config(chosen),
          labelled(require_at_least("labelled_buffer", config.labelled_buffer, 1),
                   array.num_elements(),
                   config.num_sources),
          unlabelled(require_at_least("unlabelled_buffer", config.unlabelled_buffer, 1),
                     array.num_elements(),
                     config.num_sources),
          arriving(array.num_elements(), config.num_sources),
          peaks(array.num_elements(), config.num_sources),
          consensus(array, config.fit_positions),
          fit(array, config.fit_positions),
          good(fit.parameters())
    {
        require_at_least("label_lifetime", config.label_lifetime, 1);
        samples.reserve(config.labelled_buffer + config.unlabelled_buffer);
        directions.reserve(config.num_sources * samples.capacity());
        hold_start();
    }

    update_outcome judge(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                         std::size_t snapshots);
    update_outcome judge_depth();
    void step(double depth);
    void advance();
    void change_drift(const Eigen::VectorXd& change);
    void turn_phases(const Eigen::VectorXd& by);
    template <class Action>
    void for_each_remembered(Action action);
    void follow_drift(double depth);
    known_bearings known_now();
    parameter_prior step_prior() const;
    void forget();
    void start_again();
    void hear_labels();
    void go_back();
    void follow(double depth);
    bool is_determined();
    bool knows_shape();
    void hold();
    void hold_start();
    bool is_held() const;
    calibration_state present_calibration(Eigen::MatrixXd& sigma_positions);

    antenna_array array;
    online_config config;
    sample_ring labelled;
    sample_ring unlabelled;
    timed_sample arriving;
    timed_sample peaks; // of what arrives, without its labels
    label_consensus consensus;
    std::uint64_t arrivals = 0;
    std::uint64_t advanced_to = 0; // arrivals by which drift was followed

    sample_fit fit;
    array_parameters good;
    sample_list samples;
    std::vector<double> directions; // azimuths that are apart from each other
    free_map map;

    recent_median depths;
    double good_depth = nan;
    core::status status = status::learning;
    core::orientation orientation = orientation::unknown;
    int rejected_in_a_row = 0;
    int worse_in_a_row = 0;
    int since_good = 0;
    int since_start = 0;
    int tracked = 0;
    int labels_heard = 0;
    bool is_stepped = false;
    Eigen::VectorXcd turn; // of the phases, N

    // What is told while the calibrator is frozen, and until it knows the shape for the first
    // time: the calibration it started from.
    calibration_state held;
    Eigen::MatrixXd held_sigma_positions;

    std::array<std::uint64_t, static_cast<std::size_t>(update_outcome::num_outcomes)>
        counts{};
    std::uint64_t restarts = 0;
    std::uint64_t rollbacks = 0;
};

// Whether there are as many equations as unknowns: each direction gives two for each
// dimension of the noise subspace, less one where it is not known. A second source in the
// same place says nothing new.
bool diffmusic_online::state::is_determined()
{
    const int noise_dimension = array.num_elements() - config.num_sources;
    const double apart = resolved_distance(array);
    int equations = 0;
    directions.clear();
    for (const calibration_sample* sample : samples) {
        for (int k = 0; k < sample->num_sources(); ++k) {
            const double azimuth = sample->azimuth(k);
            const bool is_new =
                std::none_of(directions.begin(), directions.end(), [&](double other) {
                    return seen_distance(array.is_front_only(), azimuth, other) < apart;
                });
            if (is_new) {
                directions.push_back(azimuth);
                equations += 2 * noise_dimension - (k < sample->num_known ? 0 : 1);
            }
        }
    }
    // What labels tell is beyond doubt. A fit without them may put peaks where no source is,
    // so that more are wanted.
    if (orientation == core::orientation::unknown) {
        return equations > unlabelled_margin * fit.num_unknowns();
    }
    const Eigen::Index num_free =
        fit.num_unknowns() - fit.newton().pinned(fit.parameters(), map).cols();
    return equations >= (config.fit_positions ? labelled_margin : 1.0) * num_free;
}

update_outcome
diffmusic_online::state::judge(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots)
{
    if (check_covariance(covariance) != status::ok) {
        return update_outcome::bad_data;
    }
    const eigendecomposition eigen = decompose(covariance);
    const eigenvalue_margins margin =
        margins(eigen.values, config.num_sources, snapshots);
    if (margin.is_weak()) {
        return update_outcome::weak;
    }
    if (margin.has_further_sources()) {
        return update_outcome::too_many_sources;
    }
    calibration_sample& sample = arriving.sample;
    assign(eigen, config.num_sources, snapshots, array.calibration().coupling, sample);
    if (sample.num_known < config.num_sources) {
        fit.find_peaks(sample);
        if (sample.is_doubtful) {
            return update_outcome::close_sources;
        }
    }
    hear_labels();
    return judge_depth();
}

// Compares the null at the sources with what it was lately. Before the array is
// calibrated nobody knows what it should be.
update_outcome diffmusic_online::state::judge_depth()
{
    calibration_sample& sample = arriving.sample;
    fit.measure_depths(sample);
    if (status == status::tracking) {
        const double lately = std::max(depths.value(), 1.0);
        if (sample.depth_at_peaks() > off_model_factor * lately) {
            return update_outcome::off_model;
        }
        // The first labels may well move the whole array.
        if (orientation == orientation::known && labelled.size() > 0 &&
            sample.depth_at_labels() >
                bad_label_factor * std::max(lately, fit.label_depth(samples))) {
            return update_outcome::bad_label;
        }
    }
    return update_outcome::accepted;
}

// Takes the phases, and what is remembered, along with the drift of the receivers, so that
// what is old is not stale. No drift is steady for long.
void diffmusic_online::state::advance()
{
    const std::uint64_t longest = config.unlabelled_buffer;
    const std::uint64_t elapsed = std::min(arrivals - advanced_to, longest);
    advanced_to = arrivals;
    turn_phases(static_cast<double>(elapsed) * fit.drift().rate());
    for_each_remembered([this](timed_sample& one) {
        if (one.arrival < arrivals) {
            one.sample.signal_subspace.array().colwise() *= turn.array();
        }
    });
}

// Goes on as if the drift had always been what it is known to be now.
void diffmusic_online::state::change_drift(const Eigen::VectorXd& change)
{
    turn_phases(fit.mean_age() * change);
    for_each_remembered([&](timed_sample& one) {
        turn = phasors(static_cast<double>(arrivals - one.arrival) * change);
        one.sample.signal_subspace.array().colwise() *= turn.array();
    });
}

// Leaves exp(j by) in turn.
void diffmusic_online::state::turn_phases(const Eigen::VectorXd& by)
{
    turn = phasors(by);
    array_parameters turned = fit.parameters();
    turned.gains.array() *= turn.array();
    fit.set_parameters(turned);
}

template <class Action>
void diffmusic_online::state::for_each_remembered(Action action)
{
    for (sample_ring* ring : { &labelled, &unlabelled }) {
        for (int k = 0; k < ring->size(); ++k) {
            action((*ring)[k]);
        }
    }
}

// Learns the drift from what is remembered, but not while the array turns onto its first
// labels, or follows a surprise.
void diffmusic_online::state::follow_drift(double depth)
{
    const bool is_turning = labelled.size() > 0 &&
                            arrivals - labelled.newest().arrival < settled_count &&
                            arrivals_per_label * labels_heard < settled_count;
    if (!is_turning && depth < calibrated_depth) {
        const double window = config.unlabelled_buffer;
        const double before = std::clamp(tracked / window - 1.0, 0.0, drift_memory);
        change_drift(fit.drift().step(before, fit.newton()));
    }
}

void diffmusic_online::state::step(double depth)
{
    if (status == status::tracking) {
        advance();
    } else {
        advanced_to = arrivals;
    }
    labelled.drop_before(arrivals, config.label_lifetime);
    const known_bearings known = known_now();
    orientation = std::max(orientation, known.orientation());
    map = known.left_free();
    samples.clear();
    for (sample_ring* ring : { &labelled, &unlabelled }) {
        for (int k = 0; k < ring->size(); ++k) {
            timed_sample& one = (*ring)[k];
            const double age = static_cast<double>(arrivals - one.arrival);
            const double memory = ring == &labelled
                                      ? label_memory * config.labelled_buffer
                                      : peak_memory * config.unlabelled_buffer;
            one.sample.weight = std::exp2(-age / memory);
            one.sample.age = age;
            samples.push_back(&one.sample);
        }
    }
    // While the array is far from calibrated its peaks jump; later they follow.
    const bool is_tracking = status == status::tracking;
    const source_weighting weighting =
        is_tracking ? source_weighting::tracking : source_weighting::learning;
    fit.assemble(samples, weighting, !is_tracking);
    if (is_tracking) {
        fit.move(map, step_prior());
    } else {
        fit.move_near(good, map);
    }
    is_stepped = true;
    if (is_tracking) {
        follow_drift(depth);
    }
    // Peaks of an array far from its drawing may lie where no source is.
    if (!is_tracking && is_determined() && fit.median_depth() > calibrated_depth) {
        fit.try_other_start(samples, map, weighting, good);
    }
}

// Receivers' phases drift; elements, once found, stay where they are unless the data
// insists. Without that a transmitter that does not move, which shows the array from one
// side only, would carry them away.
parameter_prior diffmusic_online::state::step_prior() const
{
    int evidence = tracked;
    if (orientation != orientation::unknown) {
        evidence = std::min(evidence, arrivals_per_label * labels_heard);
    }
    parameter_prior prior = vague_prior;
    if (evidence > settled_count) {
        prior.offset =
            std::max(settled_offset_step * settled_count / evidence, least_offset_step);
    }
    return prior;
}

known_bearings diffmusic_online::state::known_now()
{
    known_bearings known(array);
    for (int k = 0; k < labelled.size(); ++k) {
        known.add(labelled[k].sample);
    }
    return known;
}

void diffmusic_online::state::forget()
{
    labelled.clear();
    unlabelled.clear();
    consensus.clear();
    depths.clear();
    rejected_in_a_row = 0;
    worse_in_a_row = 0;
    since_good = 0;
    since_start = 0;
    tracked = 0;
    labels_heard = 0;
    fit.drift().forget();
}

// Keeps telling the last good calibration until a new one is found.
void diffmusic_online::state::hold()
{
    if (status == status::tracking) {
        const array_parameters present = fit.parameters();
        fit.set_parameters(good);
        held = present_calibration(held_sigma_positions);
        fit.set_parameters(present);
        status = status::frozen;
    }
}

bool diffmusic_online::state::is_held() const { return status != status::tracking; }

void diffmusic_online::state::hold_start()
{
    held = good.calibration(array);
    held.sigma_phase_rad = array.calibration().sigma_phase_rad;
    held.sigma_log_gain = array.calibration().sigma_log_gain;
    held_sigma_positions = Eigen::MatrixXd::Zero(array.num_elements(), 3);
}

void diffmusic_online::state::start_again()
{
    if (tracked < least_tracked) {
        // It had not seen enough of the array yet.
        rejected_in_a_row = 0;
        status = status::learning;
        return;
    }
    hold();
    forget();
    ++restarts;
}

// Remembers the labels with the bearings found in their place, and turns the array when
// most of them agree on another orientation.
void diffmusic_online::state::hear_labels()
{
    const calibration_sample& sample = arriving.sample;
    if (status != status::tracking || sample.num_known == 0) {
        return;
    }
    peaks.sample.signal_subspace = sample.signal_subspace;
    peaks.sample.null_weights = sample.null_weights;
    fit.find_peaks(peaks.sample);
    if (peaks.sample.is_doubtful) {
        return;
    }
    for (int k = 0; k < sample.num_known; ++k) {
        const double label = sample.azimuth(k);
        consensus.add(label, nearest_azimuth(peaks.sample.azimuth, label));
    }
    if (const std::optional<bearing_map> map = consensus.better_map()) {
        array_parameters turned = fit.parameters();
        map->apply(turned);
        fit.set_parameters(turned);
        consensus.apply(*map);
        const double limit = bad_label_factor * std::max(depths.value(), 1.0);
        labelled.drop_if([&](timed_sample& one) {
            fit.measure_depths(one.sample);
            return one.sample.depth_at_labels() > limit;
        });
        for (int k = 0; k < unlabelled.size(); ++k) {
            fit.find_peaks(unlabelled[k].sample);
        }
        good = fit.parameters();
    }
}

void diffmusic_online::state::go_back()
{
    hold();
    forget();
    fit.set_parameters(good);
    ++rollbacks;
}

// Follows the depth that accepted arrivals had before their step.
void diffmusic_online::state::follow(double depth)
{
    depths.add(depth);
    const double lately = depths.value();
    if (status != status::tracking) {
        ++since_start;
        if (status == status::learning && since_start == resumed_count &&
            lately > off_model_factor) {
            // It will be learnt anew, so an orientation from before is not known of it.
            orientation = known_now().orientation();
        }
        if (is_determined() && depths.is_full() && lately < calibrated_depth &&
            knows_shape()) {
            if (status == status::frozen) {
                // It found a new state by itself: what was known of the old one's
                // orientation is not known of this one.
                orientation = known_now().orientation();
            }
            status = status::tracking;
            good = fit.parameters();
            good_depth = lately;
            since_good = 0;
        } else if (status == status::frozen && since_start > longest_relearning) {
            forget();
            fit.set_parameters(good);
        }
        return;
    }
    worse_in_a_row =
        lately > rollback_factor * std::max(good_depth, 1.0) ? worse_in_a_row + 1 : 0;
    if (worse_in_a_row >= rollback_count) {
        go_back();
    } else if (lately < calibrated_depth && ++since_good >= good_interval) {
        good = fit.parameters();
        good_depth = lately;
        since_good = 0;
    }
}

// A source that hardly moves is matched by many arrays; only from enough sides the one is
// known that will also match the next source.
bool diffmusic_online::state::knows_shape()
{
    return fit_accuracy(fit.newton(), fit.parameters(), map, array, depths.value())
               .shape_deviation() < known_shape;
}

calibration_state
diffmusic_online::state::present_calibration(Eigen::MatrixXd& sigma_positions)
{
    calibration_state result = fit.parameters().calibration(array);
    sigma_positions = Eigen::MatrixXd::Zero(array.num_elements(), 3);
    if (is_stepped) {
        const fit_accuracy known(
            fit.newton(), fit.parameters(), map, array, depths.value());
        known.fill(result);
        sigma_positions =
            known.sigma_positions(*result.reference) * array.wavelength().value_or(1.0);
    }
    return result;
}

diffmusic_online::diffmusic_online(antenna_array array, online_config config)
    : d_state(std::make_unique<state>(std::move(array), config))
{
}

diffmusic_online::~diffmusic_online() = default;
diffmusic_online::diffmusic_online(diffmusic_online&&) noexcept = default;
diffmusic_online& diffmusic_online::operator=(diffmusic_online&&) noexcept = default;

update_outcome
diffmusic_online::update(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                         std::size_t snapshots,
                         const Eigen::VectorXd& azimuth,
                         const Eigen::VectorXd& range)
{
    state& s = *d_state;
    const int n = s.array.num_elements();
    require(covariance.rows() == n && covariance.cols() == n,
            "R is " + std::to_string(covariance.rows()) + " x " +
                std::to_string(covariance.cols()) + "; the array has " +
                std::to_string(n) + " elements, so it must be N x N");
    require(snapshots >= 1, "snapshots is 0; it must be at least 1");
    set_known(s.array, azimuth, range, s.arriving.sample);

    ++s.arrivals;
    const update_outcome outcome = s.judge(covariance, snapshots);
    ++s.counts[static_cast<std::size_t>(outcome)];
    if (outcome == update_outcome::accepted) {
        s.rejected_in_a_row = 0;
        const bool is_labelled = s.arriving.sample.num_known > 0;
        // Labels may wait for the array to be turned; peaks tell how well its shape is.
        const double depth = s.arriving.sample.depth.mean();
        s.arriving.arrival = s.arrivals;
        (is_labelled ? s.labelled : s.unlabelled).push(s.arriving);
        s.tracked += s.status == status::tracking;
        s.labels_heard += is_labelled;
        s.step(depth);
        s.follow(depth);
    } else if (outcome == update_outcome::off_model) {
        if (++s.rejected_in_a_row >= step_change_count) {
            s.start_again();
        }
    }
    return outcome;
}

const online_config& diffmusic_online::config() const { return d_state->config; }

const antenna_array& diffmusic_online::array() const { return d_state->array; }

calibration_state diffmusic_online::calibration() const
{
    if (d_state->is_held()) {
        return d_state->held;
    }
    Eigen::MatrixXd sigma_positions;
    return d_state->present_calibration(sigma_positions);
}

Eigen::MatrixXd diffmusic_online::sigma_positions() const
{
    if (d_state->is_held()) {
        return d_state->held_sigma_positions;
    }
    Eigen::MatrixXd sigma_positions;
    d_state->present_calibration(sigma_positions);
    return sigma_positions;
}

status diffmusic_online::status() const { return d_state->status; }

orientation diffmusic_online::orientation() const { return d_state->orientation; }

double diffmusic_online::loss() const { return d_state->depths.value(); }

std::uint64_t diffmusic_online::count(update_outcome outcome) const
{
    return d_state->counts.at(static_cast<std::size_t>(outcome));
}

std::uint64_t diffmusic_online::restarts() const { return d_state->restarts; }

std::uint64_t diffmusic_online::rollbacks() const { return d_state->rollbacks; }

void diffmusic_online::resume(const calibration_state& calibration,
                              core::orientation orientation)
{
    state& s = *d_state;
    s.fit.set_parameters(array_parameters::of(s.array.calibrated(calibration)));
    s.good = s.fit.parameters();
    s.forget();
    s.status = status::learning;
    s.orientation = orientation;
    s.is_stepped = false;
    s.hold_start();
    s.held = s.array.calibrated(calibration).calibration();
}

} // namespace core
} // namespace bearing
} // namespace gr
