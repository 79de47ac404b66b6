/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "pmt_dict.h"
#include "pmt_vector.h"
#include "wave_follower.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {

namespace {

constexpr double radians_per_degree = M_PI / 180.0;

} // namespace

std::optional<heard_bearings> bearings_from_pmt(const pmt::pmt_t& message)
{
    // PMT_NIL is a dict too, and no pair.
    if (!pmt::is_pair(message) || !pmt::is_dict(pmt::car(message))) {
        return std::nullopt;
    }
    const pmt::pmt_t dict = pmt::car(message);
    const pmt::pmt_t status = value_of(dict, "status");
    const std::optional<Eigen::VectorXd> azimuth =
        real_vector_from_pmt(pmt::cdr(message));
    if (!pmt::is_symbol(status) || !azimuth) {
        return std::nullopt;
    }
    Eigen::VectorXd elevation = Eigen::VectorXd::Zero(azimuth->size());
    const pmt::pmt_t told = value_of(dict, "elevation_deg");
    if (!pmt::is_null(told)) {
        const std::optional<Eigen::VectorXd> values = real_vector_from_pmt(told);
        if (!values || values->size() != azimuth->size()) {
            return std::nullopt;
        }
        elevation = *values;
    }
    heard_bearings heard{ pmt::symbol_to_string(status), {} };
    for (Eigen::Index k = 0; k < azimuth->size(); ++k) {
        if (std::isfinite((*azimuth)(k)) && std::isfinite(elevation(k))) {
            heard.directions.push_back(
                { (*azimuth)(k)*radians_per_degree, elevation(k) * radians_per_degree });
        }
    }
    return heard;
}

std::vector<core::propagator>
wave_follower::follow(std::vector<core::propagator> propagators,
                      std::vector<direction> heard)
{
    d_azimuth.resize(propagators.size());
    std::vector<std::size_t> waves;
    for (std::size_t k = 0; k < propagators.size(); ++k) {
        if (propagators[k].is_plane_wave()) {
            waves.push_back(k);
        }
    }
    heard.resize(std::min(heard.size(), waves.size()));
    const auto turn = [&](std::size_t wave, std::size_t which) {
        propagators[wave] =
            propagators[wave].towards(heard[which].azimuth, heard[which].elevation);
        d_azimuth[wave] = heard[which].azimuth;
        waves.erase(std::find(waves.begin(), waves.end(), wave));
        heard.erase(heard.begin() + which);
    };
    // The closest pair first, until waves of known direction have theirs.
    while (true) {
        double smallest = HUGE_VAL;
        std::size_t nearest_wave = 0;
        std::size_t nearest_heard = 0;
        for (const std::size_t wave : waves) {
            for (std::size_t which = 0; d_azimuth[wave] && which < heard.size();
                 ++which) {
                const double distance = std::abs(
                    std::remainder(heard[which].azimuth - *d_azimuth[wave], 2.0 * M_PI));
                if (distance < smallest) {
                    smallest = distance;
                    nearest_wave = wave;
                    nearest_heard = which;
                }
            }
        }
        if (smallest == HUGE_VAL) {
            break;
        }
        turn(nearest_wave, nearest_heard);
    }
    while (!heard.empty()) {
        turn(waves.front(), 0);
    }
    return propagators;
}

} // namespace bearing
} // namespace gr
