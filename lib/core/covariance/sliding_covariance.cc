/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "hermitian_matrix.h"
#include <gnuradio/bearing/core/covariance/sliding_covariance.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Bounds the memory, at 64 MB for 64 elements. Windows that differ by less than a
// thousandth of their snapshots are the same to every estimator.
constexpr std::size_t max_hops = 1024;

sliding_covariance_config checked(sliding_covariance_config config)
{
    const std::string snapshots = std::to_string(config.snapshots);
    if (config.snapshots < 1) {
        throw std::invalid_argument("snapshots is " + snapshots + "; it must be >= 1");
    }
    if (!(config.forgetting >= 0.0 && config.forgetting < 1.0)) {
        throw std::invalid_argument("forgetting is " + std::to_string(config.forgetting) +
                                    "; it must be >= 0 and < 1");
    }
    if (config.hop == 0) {
        config.hop = config.snapshots;
    }
    const std::string hop = std::to_string(config.hop);
    if (config.hop > config.snapshots || config.snapshots % config.hop != 0) {
        throw std::invalid_argument("hop is " + hop + " and snapshots is " + snapshots +
                                    "; hop must divide snapshots, or be 0 for windows "
                                    "side by side");
    }
    if (config.snapshots / config.hop > max_hops) {
        throw std::invalid_argument("hop is " + hop + " and snapshots is " + snapshots +
                                    "; there must be at most " +
                                    std::to_string(max_hops) + " hops in the snapshots");
    }
    if (config.hop < config.snapshots && config.forgetting > 0.0) {
        throw std::invalid_argument(
            "hop is " + hop + " of " + snapshots + " snapshots and forgetting is " +
            std::to_string(config.forgetting) +
            "; windows either overlap (forgetting = 0) or are forgotten (hop = 0)");
    }
    return config;
}

void add(const double* from, std::size_t size, double* to)
{
    for (std::size_t k = 0; k < size; ++k) {
        to[k] += from[k];
    }
}

bool is_finite(const std::vector<double>& values)
{
    return std::all_of(
        values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

} // namespace

sliding_covariance::sliding_covariance(int num_elements, sliding_covariance_config config)
    : d_config(checked(config)),
      d_hop_sum(num_elements),
      d_num_slots(d_config.snapshots / d_config.hop)
{
    const std::size_t size = d_hop_sum.upper_sum().size();
    if (d_num_slots > 1) {
        d_hops.resize(d_num_slots * size);
        d_back.resize(size);
        d_total.resize(size);
    } else if (d_config.forgetting > 0.0) {
        d_memory.resize(size);
        d_total.resize(size);
    }
}

std::size_t sliding_covariance::update(const std::complex<float>* const* channels,
                                       std::size_t num_snapshots)
{
    if (d_hop_is_over) {
        d_hop_sum.reset();
        d_hop_is_over = false;
        d_is_complete = false;
    }
    const std::size_t count =
        std::min(num_snapshots, d_config.hop - d_hop_sum.num_snapshots());
    d_hop_sum.update(channels, count);
    if (d_hop_sum.num_snapshots() == d_config.hop) {
        end_hop();
    }
    return count;
}

void sliding_covariance::end_hop()
{
    d_hop_is_over = true;
    d_is_complete = true;
    if (d_num_slots > 1) {
        slide();
    } else if (d_config.forgetting > 0.0) {
        forget();
    }
}

void sliding_covariance::slide()
{
    const upper_sum& hop = d_hop_sum.upper_sum();
    const std::size_t size = hop.size();
    std::copy(hop.begin(), hop.end(), d_hops.begin() + d_slot * size);
    if (d_slot == 0) {
        d_back = hop;
    } else {
        add(hop.data(), size, d_back.data());
    }
    ++d_slot;
    const bool ends_round = d_slot == d_num_slots;
    d_is_complete = d_has_round || ends_round;
    if (d_is_complete) {
        d_total = d_back;
        if (!ends_round) {
            add(d_hops.data() + d_slot * size, size, d_total.data());
        }
    }
    if (ends_round) {
        // No window of the next round holds all of this one's hops: that of slot 0 is
        // never asked for.
        for (std::size_t slot = d_num_slots - 1; slot > 1; --slot) {
            add(d_hops.data() + slot * size, size, d_hops.data() + (slot - 1) * size);
        }
        d_slot = 0;
        d_has_round = true;
    }
}

void sliding_covariance::forget()
{
    const upper_sum& hop = d_hop_sum.upper_sum();
    const double b = d_config.forgetting;
    const double count = static_cast<double>(d_config.snapshots);
    for (double& value : d_memory) {
        value *= b;
    }
    d_memory_weight *= b;
    d_memory_square *= b * b;

    d_total = d_memory;
    add(hop.data(), hop.size(), d_total.data());
    d_weight = d_memory_weight + count;
    d_square = d_memory_square + count;
    if (is_finite(hop)) {
        d_memory = d_total;
        d_memory_weight = d_weight;
        d_memory_square = d_square;
    }
}

double sliding_covariance::num_snapshots() const
{
    return d_weight > 0.0 ? d_weight * d_weight / d_square
                          : static_cast<double>(d_config.snapshots);
}

void sliding_covariance::reset()
{
    d_hop_sum.reset();
    d_hop_is_over = false;
    d_is_complete = false;
    d_slot = 0;
    d_has_round = false;
    std::fill(d_memory.begin(), d_memory.end(), 0.0);
    d_memory_weight = 0.0;
    d_memory_square = 0.0;
    d_weight = 0.0;
    d_square = 0.0;
}

void sliding_covariance::resume(const sliding_covariance& earlier)
{
    reset();
    if (d_config.forgetting > 0.0 && earlier.d_config.forgetting > 0.0) {
        d_memory = earlier.d_memory;
        d_memory_weight = earlier.d_memory_weight;
        d_memory_square = earlier.d_memory_square;
    }
    if (earlier.d_hop_is_over || earlier.d_hop_sum.num_snapshots() > d_config.hop) {
        return;
    }
    d_hop_sum = earlier.d_hop_sum;
    if (d_hop_sum.num_snapshots() == d_config.hop) {
        end_hop();
    }
}

const double* sliding_covariance::complete_sum() const
{
    return d_total.empty() ? d_hop_sum.upper_sum().data() : d_total.data();
}

double sliding_covariance::divisor() const
{
    return d_config.forgetting > 0.0 ? d_weight : static_cast<double>(d_config.snapshots);
}

void sliding_covariance::covariance(std::complex<float>* out) const
{
    write_hermitian(complete_sum(), num_elements(), divisor(), out);
}

Eigen::MatrixXcd sliding_covariance::covariance() const
{
    Eigen::MatrixXcd r(num_elements(), num_elements());
    write_hermitian(complete_sum(), num_elements(), divisor(), r.data());
    return r;
}

} // namespace core
} // namespace bearing
} // namespace gr
