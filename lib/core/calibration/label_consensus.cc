/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "known_sources.h"
#include "label_consensus.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr std::size_t most_pairs = 20;
// Bearings agree when they are nearer to each other than this part of 1 / aperture.
constexpr double agreeing_part = 0.03;
// No label bends the array by more than this.
constexpr double steepest = 2.0;
// One label more may be an accident.
constexpr int clear_majority = 2;
} // namespace

double nearest_azimuth(const Eigen::VectorXd& azimuths, double target)
{
    Eigen::Index nearest = 0;
    (azimuths.array() - target)
        .unaryExpr([](double x) { return std::abs(std::remainder(x, 2.0 * M_PI)); })
        .minCoeff(&nearest);
    return azimuths(nearest);
}

label_consensus::label_consensus(const antenna_array& drawn, bool may_stretch)
    : d_is_line(drawn.is_front_only()),
      d_may_stretch(may_stretch),
      d_tolerance(agreeing_part / drawn.aperture())
{
    d_pairs.reserve(most_pairs);
}

void label_consensus::add(double label, double found)
{
    if (d_pairs.size() == most_pairs) {
        d_pairs.erase(d_pairs.begin());
    }
    d_pairs.push_back({ label, found });
}

int label_consensus::support(const bearing_map& map) const
{
    return static_cast<int>(
        std::count_if(d_pairs.begin(), d_pairs.end(), [&](const pair& one) {
            const double mapped = map(one.found);
            const double distance = d_is_line
                                        ? std::sin(mapped) - std::sin(one.label)
                                        : std::remainder(mapped - one.label, 2.0 * M_PI);
            return std::abs(distance) < d_tolerance;
        }));
}

bearing_map label_consensus::best_map() const
{
    bearing_map best{ d_is_line };
    int most = support(best);
    const auto consider = [&](const bearing_map& map) {
        const int agreeing = support(map);
        if (agreeing > most) {
            most = agreeing;
            best = map;
        }
    };
    for (const pair& one : d_pairs) {
        if (!d_is_line) {
            consider({ false, 1.0, std::remainder(one.label - one.found, 2.0 * M_PI) });
            continue;
        }
        consider({ true, 1.0, std::sin(one.label) - std::sin(one.found) });
        for (const pair& other : d_pairs) {
            const double from = std::sin(other.found) - std::sin(one.found);
            const double to = std::sin(other.label) - std::sin(one.label);
            if (d_may_stretch && std::abs(from) > well_apart && to / from < steepest &&
                to / from > 1.0 / steepest) {
                const double slope = to / from;
                consider(
                    { true, slope, std::sin(one.label) - slope * std::sin(one.found) });
            }
        }
    }
    return best;
}

std::optional<bearing_map> label_consensus::better_map() const
{
    const bearing_map best = best_map();
    const bool is_clear = support(best) >= support({ d_is_line }) + clear_majority;
    return is_clear ? std::optional<bearing_map>(best) : std::nullopt;
}

void label_consensus::apply(const bearing_map& map)
{
    for (pair& one : d_pairs) {
        one.found = map(one.found);
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
