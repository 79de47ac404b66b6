/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "filter_support.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int margin = 60;
constexpr double weakest = 1e-5;

// Points over the band: steps between two see delays up to half as many samples (real
// streams: as many).
constexpr int coarsest = 8192;
// Delays of plane waves are the same at all frequencies.
constexpr int coarsest_of_waves = 64;
constexpr int finest = 131072;

// A second step from each point, shorter by a ratio far from all simple fractions, tells
// true delays from those that wrapped around.
constexpr double shorter_step = 0.3819660112501051;
constexpr double same_phase = 0.3;
// Jumps of a phase are at few frequencies; delays that are too long, at many.
constexpr double largest_share_of_jumps = 0.01;

// What one of several sources' estimates takes from another's goes to and fro between them:
// measured with sources from both ends of a line, twice the delays lose 0.1 dB, once 0.9.
constexpr int to_and_fro = 2;

// What a propagator may become on a running stream.
constexpr double slower = 0.95;
constexpr double faster = 1.05;
constexpr int num_directions = 36;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// In samples, F x N for each propagator; NaN where a sensor does not count.
struct group_delays {
    std::vector<Eigen::MatrixXd> delay;
    double share_of_jumps;
};

group_delays delays_at(const std::vector<propagator>& propagators,
                       double sample_rate,
                       double center_frequency,
                       bool is_real,
                       int num_points)
{
    const double band = is_real ? sample_rate / 2.0 : sample_rate;
    const double lowest = is_real ? 0.0 : -band / 2.0;
    const double step = band / num_points;
    const Eigen::VectorXd edges =
        Eigen::VectorXd::LinSpaced(num_points + 1, lowest, lowest + band);
    const Eigen::VectorXd between =
        (edges.head(num_points).array() + shorter_step * step).matrix();

    group_delays result;
    Eigen::Index counted = 0;
    Eigen::Index jumps = 0;
    for (const propagator& p : propagators) {
        const Eigen::MatrixXcd at_edges = p.response(edges, center_frequency, is_real);
        const Eigen::MatrixXcd at_between =
            p.response(between, center_frequency, is_real);
        Eigen::MatrixXd delay(num_points, p.num_sensors());
        for (Eigen::Index k = 0; k < num_points; ++k) {
            const double strongest = at_edges.row(k).cwiseAbs().maxCoeff();
            for (Eigen::Index i = 0; i < delay.cols(); ++i) {
                const std::complex<double> here = at_edges(k, i);
                const double advance = std::arg(at_edges(k + 1, i) * std::conj(here));
                const double part = std::arg(at_between(k, i) * std::conj(here));
                delay(k, i) = unknown;
                if (!(std::abs(here) > weakest * strongest)) {
                    continue;
                }
                ++counted;
                if (std::abs(std::remainder(part - shorter_step * advance, 2.0 * M_PI)) >
                    same_phase) {
                    ++jumps;
                    continue;
                }
                delay(k, i) = -advance / (2.0 * M_PI * step) * sample_rate;
            }
        }
        result.delay.push_back(std::move(delay));
    }
    result.share_of_jumps = static_cast<double>(jumps) /
                            static_cast<double>(std::max<Eigen::Index>(counted, 1));
    return result;
}

group_delays find_delays(const std::vector<propagator>& propagators,
                         double sample_rate,
                         double center_frequency,
                         bool is_real)
{
    const bool are_waves = std::all_of(propagators.begin(),
                                       propagators.end(),
                                       [](const auto& p) { return p.is_plane_wave(); });
    for (int num_points = are_waves ? coarsest_of_waves : coarsest;; num_points *= 2) {
        group_delays result =
            delays_at(propagators, sample_rate, center_frequency, is_real, num_points);
        if (result.share_of_jumps == 0.0 ||
            (num_points == finest && result.share_of_jumps < largest_share_of_jumps)) {
            return result;
        }
        if (num_points == finest) {
            throw std::invalid_argument(
                "propagators: group delays are longer than " + std::to_string(finest) +
                " samples, or their phases jump from frequency to frequency");
        }
    }
}

Eigen::VectorXi middle_delays(const group_delays& delays, Eigen::Index num_sensors)
{
    Eigen::VectorXi result = Eigen::VectorXi::Zero(num_sensors);
    for (Eigen::Index i = 0; i < num_sensors; ++i) {
        double least = std::numeric_limits<double>::infinity();
        double most = -least;
        for (const Eigen::MatrixXd& of_source : delays.delay) {
            for (const double delay : of_source.col(i)) {
                if (!std::isnan(delay)) {
                    least = std::min(least, delay);
                    most = std::max(most, delay);
                }
            }
        }
        if (least <= most) {
            result(i) = static_cast<int>(std::lround((least + most) / 2.0));
        }
    }
    return result;
}

int widest_difference(const group_delays& delays, const Eigen::VectorXi& alignment)
{
    double widest = 0.0;
    for (Eigen::Index k = 0; k < delays.delay.front().rows(); ++k) {
        // The source itself has no delay.
        double least = 0.0;
        double most = 0.0;
        for (const Eigen::MatrixXd& of_source : delays.delay) {
            for (Eigen::Index i = 0; i < alignment.size(); ++i) {
                const double delay = of_source(k, i) - alignment(i);
                if (!std::isnan(delay)) {
                    least = std::min(least, delay);
                    most = std::max(most, delay);
                }
            }
        }
        widest = std::max(widest, most - least);
    }
    if (delays.delay.size() > 1) {
        widest *= to_and_fro;
    }
    // Rounding is no reason for another sample.
    return static_cast<int>(std::ceil(widest - 1e-3)) + margin;
}

// Each with all of its velocities scaled, where it has any.
std::vector<propagator> scaled(const std::vector<propagator>& propagators, double scale)
{
    std::vector<propagator> result;
    for (const propagator& p : propagators) {
        result.push_back(p.has_velocity() ? p.with_velocity_scale(scale) : p);
    }
    return result;
}

std::vector<propagator>
turned(const std::vector<propagator>& propagators, double azimuth, double elevation)
{
    std::vector<propagator> result;
    for (const propagator& p : propagators) {
        result.push_back(p.is_plane_wave() ? p.towards(azimuth, elevation) : p);
    }
    return result;
}

// What they may become, and what they are.
std::vector<std::vector<propagator>> variants(const std::vector<propagator>& propagators,
                                              bool has_waves)
{
    std::vector<std::vector<propagator>> result{ propagators,
                                                 scaled(propagators, slower),
                                                 scaled(propagators, faster) };
    if (has_waves) {
        for (int k = 0; k < num_directions; ++k) {
            result.push_back(turned(
                scaled(propagators, slower), 2.0 * M_PI * k / num_directions, 0.0));
        }
        result.push_back(turned(scaled(propagators, slower), 0.0, M_PI / 2.0));
    }
    return result;
}

} // namespace

filter_support find_filter_support(const std::vector<propagator>& propagators,
                                   double sample_rate,
                                   double center_frequency,
                                   bool is_real,
                                   bool is_aligned)
{
    const int num_sensors = propagators.front().num_sensors();
    const bool has_waves = std::any_of(propagators.begin(),
                                       propagators.end(),
                                       [](const auto& p) { return p.is_plane_wave(); });
    filter_support result;
    result.alignment = Eigen::VectorXi::Zero(num_sensors);
    // A wave that turns would leave an alignment behind.
    if (is_aligned && !has_waves) {
        result.alignment = middle_delays(
            find_delays(propagators, sample_rate, center_frequency, is_real),
            num_sensors);
    }
    result.support = 0;
    for (const std::vector<propagator>& each : variants(propagators, has_waves)) {
        result.support =
            std::max(result.support,
                     support_after(
                         each, sample_rate, center_frequency, is_real, result.alignment));
    }
    return result;
}

int support_after(const std::vector<propagator>& propagators,
                  double sample_rate,
                  double center_frequency,
                  bool is_real,
                  const Eigen::VectorXi& alignment)
{
    return widest_difference(
        find_delays(propagators, sample_rate, center_frequency, is_real), alignment);
}

} // namespace core
} // namespace bearing
} // namespace gr
