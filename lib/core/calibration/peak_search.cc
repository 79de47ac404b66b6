/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "peak_search.h"
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {
// Sources nearer to each other than this part of 1 / aperture are not resolved, and those
// beyond this sin(theta) slide along a line's endfire.
constexpr double resolved_part = 0.22;
constexpr double farthest_off_broadside = 0.97;
constexpr int most_newton_steps = 12;
constexpr double converged_step = 1e-9;
} // namespace

double seen_distance(bool is_front_only, double azimuth, double other)
{
    const double dx = std::sin(azimuth) - std::sin(other);
    const double dy = is_front_only ? 0.0 : std::cos(azimuth) - std::cos(other);
    return std::hypot(dx, dy);
}

double resolved_distance(const antenna_array& drawn)
{
    return resolved_part / drawn.aperture();
}

peak_search::peak_search(const antenna_array& drawn)
    : d_is_front_only(drawn.is_front_only()),
      d_least_distance(resolved_distance(drawn)),
      d_azimuth(angle_grid::whole_range(drawn).searched_by(drawn).azimuth()),
      d_direction(d_azimuth.size(), 2),
      d_phase(d_azimuth.size(), drawn.num_elements()),
      d_real(d_azimuth.size(), drawn.num_elements()),
      d_imag(d_azimuth.size(), drawn.num_elements()),
      d_spectrum(d_azimuth.size()),
      d_source(drawn.num_elements())
{
    d_step = d_azimuth(1) - d_azimuth(0);
    d_direction.col(0) = (2.0 * M_PI * d_azimuth.array().sin()).cast<float>();
    d_direction.col(1) = (2.0 * M_PI * d_azimuth.array().cos()).cast<float>();
    d_candidates.reserve(d_azimuth.size());
}

void peak_search::update(const array_parameters& parameters)
{
    d_phase.matrix().noalias() =
        d_direction * parameters.positions.leftCols(2).cast<float>().transpose();
    for (Eigen::Index l = 0; l < d_phase.cols(); ++l) {
        const float magnitude = static_cast<float>(std::abs(parameters.gains(l)));
        d_phase.col(l) += static_cast<float>(std::arg(parameters.gains(l)));
        d_real.col(l) = magnitude * d_phase.col(l).cos();
        d_imag.col(l) = magnitude * d_phase.col(l).sin();
    }
}

void peak_search::fill_spectrum(const calibration_sample& sample)
{
    // sum_k |Es_k^H a|^2: high where the null function is low
    d_basis_real = sample.signal_subspace.real().cast<float>();
    d_basis_imag = sample.signal_subspace.imag().cast<float>();
    d_projected.noalias() = d_real * d_basis_real;
    d_projected.noalias() += d_imag * d_basis_imag;
    d_spectrum = d_projected.array().square().rowwise().sum();
    d_projected.noalias() = d_imag * d_basis_real;
    d_projected.noalias() -= d_real * d_basis_imag;
    d_spectrum += d_projected.array().square().rowwise().sum();
}

bool peak_search::find(const array_parameters& parameters, calibration_sample& sample)
{
    fill_spectrum(sample);
    const int size = static_cast<int>(d_azimuth.size());
    d_candidates.clear();
    for (int g = 0; g < size; ++g) {
        const bool is_first = g == 0 && d_is_front_only;
        const bool is_last = g == size - 1 && d_is_front_only;
        const bool above_left =
            is_first || d_spectrum(g) >= d_spectrum((g + size - 1) % size);
        const bool above_right = is_last || d_spectrum(g) > d_spectrum((g + 1) % size);
        if (above_left && above_right) {
            d_candidates.push_back({ -d_spectrum(g), d_azimuth(g) });
        }
    }
    const std::size_t wanted = sample.num_sources();
    if (d_candidates.size() < wanted) {
        return false;
    }
    std::partial_sort(
        d_candidates.begin(), d_candidates.begin() + wanted, d_candidates.end());
    d_candidates.resize(wanted);
    for (candidate& one : d_candidates) {
        one.second = refined(parameters, sample, one.second);
    }
    // The peaks of the known sources are theirs.
    for (int k = 0; k < sample.num_known; ++k) {
        const double known = sample.azimuth(k);
        d_candidates.erase(std::min_element(
            d_candidates.begin(),
            d_candidates.end(),
            [known](const candidate& one, const candidate& other) {
                return std::abs(std::remainder(one.second - known, 2.0 * M_PI)) <
                       std::abs(std::remainder(other.second - known, 2.0 * M_PI));
            }));
    }
    for (std::size_t k = 0; k < d_candidates.size(); ++k) {
        sample.azimuth(sample.num_known + k) = d_candidates[k].second;
    }
    return true;
}

void peak_search::refine(const array_parameters& parameters, calibration_sample& sample)
{
    for (int k = sample.num_known; k < sample.num_sources(); ++k) {
        sample.azimuth(k) = refined(parameters, sample, sample.azimuth(k));
    }
}

double peak_search::refined(const array_parameters& parameters,
                            const calibration_sample& sample,
                            double azimuth)
{
    for (int step = 0; step < most_newton_steps; ++step) {
        d_source.evaluate(parameters, sample, azimuth);
        const double move = std::clamp(d_source.newton_step(), -d_step, d_step);
        azimuth += move;
        if (d_is_front_only) {
            azimuth = std::clamp(azimuth, -0.5 * M_PI, 0.5 * M_PI);
        }
        if (std::abs(move) < converged_step) {
            break;
        }
    }
    return azimuth;
}

bool peak_search::is_doubtful(const calibration_sample& sample) const
{
    const int m = sample.num_sources();
    for (int i = 0; i < m; ++i) {
        const double azimuth = sample.azimuth(i);
        if (d_is_front_only && i >= sample.num_known &&
            std::abs(std::sin(azimuth)) > farthest_off_broadside) {
            return true;
        }
        for (int k = std::max(i + 1, sample.num_known); k < m; ++k) {
            if (seen_distance(d_is_front_only, azimuth, sample.azimuth(k)) <
                d_least_distance) {
                return true;
            }
        }
    }
    return false;
}

} // namespace core
} // namespace bearing
} // namespace gr
