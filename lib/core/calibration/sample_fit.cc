/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "known_sources.h"
#include "median.h"
#include "sample_fit.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double no_limit = std::numeric_limits<double>::infinity();
constexpr double limit_factor = 4.0;
constexpr double learning_label_factor = 30.0;
constexpr int newest = 5;
// Another start differs in gain and phase as uncalibrated receivers do, and has so many
// steps to show where it leads.
constexpr double other_phase = 0.8;
constexpr double other_log_gain = 0.3;
constexpr int other_steps = 15;

double robust_weight(double depth, double limit)
{
    if (depth <= 0.0) {
        // Rounding, of data without noise; the limit may be zero as well.
        return 1.0;
    }
    const double excess = depth / limit;
    const double root = 1.0 + excess * excess;
    return 1.0 / (root * root);
}

double range_of(const calibration_sample& sample, int source)
{
    return source < sample.num_known ? sample.range(source) : far_away;
}

} // namespace

sample_fit::sample_fit(const antenna_array& drawn, bool fit_positions)
    : d_drawn(drawn),
      d_parameters(array_parameters::of(drawn)),
      d_source(drawn.num_elements()),
      d_search(drawn),
      d_num_axes(num_fitted_axes(drawn, fit_positions)),
      d_newton(drawn.num_elements(), d_num_axes),
      d_drift(drawn.num_elements())
{
    d_parameters.impose_gauge(d_drawn);
}

void sample_fit::set_parameters(const array_parameters& parameters)
{
    d_parameters = parameters;
    d_parameters.impose_gauge(d_drawn);
}

void sample_fit::find_peaks(calibration_sample& sample)
{
    d_search.update(d_parameters);
    look_for_peaks(sample);
}

void sample_fit::look_for_peaks(calibration_sample& sample)
{
    sample.is_doubtful =
        !d_search.find(d_parameters, sample) || d_search.is_doubtful(sample);
}

void sample_fit::measure_depths(calibration_sample& sample)
{
    for (int k = 0; k < sample.num_sources(); ++k) {
        d_source.evaluate(d_parameters, sample, sample.azimuth(k), range_of(sample, k));
        sample.depth(k) = d_source.depth();
    }
}

// Directions and depths of all sources by the present parameters.
void sample_fit::locate(const sample_list& samples, bool look_again)
{
    if (look_again) {
        d_search.update(d_parameters);
    }
    for (calibration_sample* sample : samples) {
        if (sample->num_known < sample->num_sources()) {
            if (look_again) {
                look_for_peaks(*sample);
            } else {
                d_search.refine(d_parameters, *sample);
            }
        }
        measure_depths(*sample);
    }
}

// Depths of the known sources, or of the others, of the newest samples.
std::vector<double>&
sample_fit::newest_depths(const sample_list& samples, bool known, int most)
{
    d_depths.clear();
    for (std::size_t i = samples.size(); i-- > 0 && most > 0;) {
        const calibration_sample& sample = *samples[i];
        const int first = known ? 0 : sample.num_known;
        const int last = known ? sample.num_known : sample.num_sources();
        if (first == last || (!known && sample.is_doubtful)) {
            continue;
        }
        for (int k = first; k < last; ++k) {
            d_depths.push_back(sample.depth(k));
        }
        --most;
    }
    return d_depths;
}

void sample_fit::set_limits(const sample_list& samples, source_weighting weighting)
{
    const int all = static_cast<int>(samples.size());
    switch (weighting) {
    case source_weighting::batch:
        d_label_limit = no_limit;
        d_peak_limit = limit_factor * median(newest_depths(samples, false, all));
        break;
    case source_weighting::learning:
        d_label_limit = learning_label_factor * median(newest_depths(samples, true, all));
        d_peak_limit = limit_factor * median(newest_depths(samples, false, all));
        break;
    case source_weighting::tracking:
        // The labels of one bearing may all fit while the newest, at another, does not.
        d_label_limit = limit_factor * label_depth(samples);
        // Sampling alone makes depths of about 1.
        d_peak_limit =
            limit_factor * std::max(median(newest_depths(samples, false, newest)), 1.0);
        break;
    }
}

double sample_fit::label_depth(const sample_list& samples)
{
    double largest = 1.0;
    for (const double depth : newest_depths(samples, true, newest)) {
        largest = std::max(largest, depth);
    }
    return largest;
}

void sample_fit::set_mean_age(const sample_list& samples)
{
    double sum = 0.0;
    double weights = 0.0;
    for (const calibration_sample* sample : samples) {
        sum += sample->weight * sample->age;
        weights += sample->weight;
    }
    d_mean_age = weights > 0.0 ? sum / weights : 0.0;
}

// Evaluates each source that is not doubtful, and weighs it.
template <class Action>
void sample_fit::for_each_source(const sample_list& samples, Action action)
{
    for (const calibration_sample* sample : samples) {
        for (int k = 0; k < sample->num_sources(); ++k) {
            const bool is_known = k < sample->num_known;
            if (!is_known && sample->is_doubtful) {
                continue;
            }
            d_source.evaluate(
                d_parameters, *sample, sample->azimuth(k), range_of(*sample, k));
            const double limit = is_known ? d_label_limit : d_peak_limit;
            const double depth = sample->depth(k);
            action(
                *sample, is_known, depth, sample->weight * robust_weight(depth, limit));
        }
    }
}

double sample_fit::assemble(const sample_list& samples,
                            source_weighting weighting,
                            bool look_again)
{
    locate(samples, look_again);
    set_limits(samples, weighting);
    set_mean_age(samples);
    d_newton.clear();
    d_drift.clear();
    d_depths.clear();
    double sum = 0.0;
    for_each_source(samples,
                    [&](const calibration_sample& sample,
                        bool is_known,
                        double depth,
                        double weight) {
                        d_newton.add(d_source, is_known, weight);
                        if (sample.age != d_mean_age) {
                            d_drift.add(d_source,
                                        d_newton.last_curvature(),
                                        is_known,
                                        weight,
                                        sample.age - d_mean_age);
                        }
                        d_depths.push_back(depth);
                        sum += depth;
                    });
    if (d_depths.empty()) {
        d_median_depth = nan;
        return nan;
    }
    const double count = static_cast<double>(d_depths.size());
    d_median_depth = median(d_depths);
    return sum / count;
}

double sample_fit::move(const free_map& map, const parameter_prior& prior)
{
    const double length = d_newton.step(d_parameters, map, prior);
    d_parameters.impose_gauge(d_drawn);
    return length;
}

double sample_fit::move_near(const array_parameters& expected, const free_map& map)
{
    d_newton.pull_towards(expected, d_parameters);
    return move(map);
}

void sample_fit::try_other_start(const sample_list& samples,
                                 const free_map& map,
                                 source_weighting weighting,
                                 const array_parameters& start)
{
    assemble(samples, weighting, true);
    const double present_depth = d_median_depth;
    const array_parameters present = d_parameters;

    array_parameters other = start;
    std::normal_distribution<double> normal;
    for (std::complex<double>& gain : other.gains) {
        const double magnitude = std::exp(other_log_gain * normal(d_random));
        gain *= std::polar(magnitude, other_phase * normal(d_random));
    }
    set_parameters(other);
    for (int k = 0; k < other_steps; ++k) {
        assemble(samples, weighting, k % steps_per_search == 0);
        move(map);
    }
    assemble(samples, weighting, true);
    if (!(d_median_depth < present_depth)) {
        d_parameters = present;
        assemble(samples, weighting, true);
    }
}

bool sample_fit::move_worst_element(const sample_list& samples)
{
    if (d_num_axes == 0) {
        return false;
    }
    element_scan scan(d_drawn, d_num_axes);
    for_each_source(samples, [&](const calibration_sample&, bool, double, double weight) {
        scan.add(d_source, d_parameters, weight);
    });
    const bool is_moved = scan.move_worst(d_parameters);
    d_parameters.impose_gauge(d_drawn);
    return is_moved;
}

} // namespace core
} // namespace bearing
} // namespace gr
