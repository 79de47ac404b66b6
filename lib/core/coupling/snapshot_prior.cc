/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "weights_file.h"
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <gnuradio/bearing/core/coupling/snapshot_prior.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {
// What is taken for the signal where the samples have no more power than the noise.
constexpr double faintest = 0.01;
} // namespace

snapshot_prior::snapshot_prior(antenna_family family,
                               noise_schedule schedule,
                               noise_network network,
                               double scale)
    : d_family(std::move(family)),
      d_schedule(std::move(schedule)),
      d_network(std::move(network)),
      d_scale(scale)
{
}

std::shared_ptr<const snapshot_prior> snapshot_prior::load(const std::string& path)
{
    const weights_file file = weights_file::load(path, "snapshot");
    return std::shared_ptr<const snapshot_prior>(
        new snapshot_prior(file.family,
                           file.schedule,
                           noise_network(file.tensors, 2 * file.family.num_elements),
                           file.scale()));
}

Eigen::MatrixXcd
snapshot_prior::diffuse(const Eigen::Ref<const Eigen::MatrixXcd>& snapshots,
                        double noise_power,
                        int steps,
                        std::uint64_t seed) const
{
    const int n = d_family.num_elements;
    if (snapshots.rows() != n || snapshots.cols() < 1) {
        throw std::invalid_argument("snapshots: " + std::to_string(snapshots.rows()) +
                                    " x " + std::to_string(snapshots.cols()) +
                                    "; the weights are for " + std::to_string(n) +
                                    " rows, and one column or more");
    }
    if (!(noise_power > 0.0) || !std::isfinite(noise_power)) {
        throw std::invalid_argument("noise_power: " + std::to_string(noise_power) +
                                    "; allowed is > 0");
    }
    const double power = std::max(
        snapshots.squaredNorm() / static_cast<double>(snapshots.size()) - noise_power,
        faintest * noise_power);
    const double unit = d_scale * std::sqrt(power);
    Eigen::MatrixXd measured(2 * n, snapshots.cols());
    measured.topRows(n) = snapshots.real() / unit;
    measured.bottomRows(n) = snapshots.imag() / unit;
    const double variance = 0.5 * noise_power / (unit * unit);
    const guidance guide = [&](const Eigen::MatrixXd& estimate, double alpha_bar) {
        const double gain = guidance_gain(alpha_bar, variance);
        return Eigen::MatrixXd(estimate + gain * (measured - estimate));
    };
    const Eigen::MatrixXd found =
        ddim_sample(d_schedule,
                    std::cref(d_network),
                    guide,
                    standard_normal(2 * n, snapshots.cols(), seed),
                    steps);
    Eigen::MatrixXcd clean(n, snapshots.cols());
    clean.real() = unit * found.topRows(n);
    clean.imag() = unit * found.bottomRows(n);
    return clean.allFinite() ? clean : Eigen::MatrixXcd(snapshots);
}

} // namespace core
} // namespace bearing
} // namespace gr
