/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "weights_file.h"
#include <gnuradio/bearing/core/coupling/covariance_prior.h>
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <cmath>
#include <complex>
#include <functional>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

covariance_prior::covariance_prior(antenna_family family,
                                   noise_schedule schedule,
                                   noise_network network,
                                   Eigen::VectorXd mean,
                                   double scale)
    : d_family(std::move(family)),
      d_schedule(std::move(schedule)),
      d_network(std::move(network)),
      d_mean(std::move(mean)),
      d_scale(scale)
{
}

std::shared_ptr<const covariance_prior> covariance_prior::load(const std::string& path)
{
    const weights_file file = weights_file::load(path, "covariance");
    const std::int64_t dimension =
        static_cast<std::int64_t>(file.family.num_elements) * file.family.num_elements;
    const tensor_file::tensor& mean = file.tensors.require("mean", { dimension });
    const Eigen::VectorXd centre =
        Eigen::Map<const Eigen::VectorXf>(mean.values.data(), dimension).cast<double>();
    return std::shared_ptr<const covariance_prior>(
        new covariance_prior(file.family,
                             file.schedule,
                             noise_network(file.tensors, static_cast<int>(dimension)),
                             centre,
                             file.scale()));
}

Eigen::MatrixXcd
covariance_prior::diffuse(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          int num_sources,
                          std::size_t snapshots,
                          int steps,
                          int samples,
                          std::uint64_t seed) const
{
    const int n = d_family.num_elements;
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("covariance: " + std::to_string(covariance.rows()) +
                                    " x " + std::to_string(covariance.cols()) +
                                    "; the weights are for " + std::to_string(n) + " x " +
                                    std::to_string(n));
    }
    if (num_sources < 1 || num_sources >= n) {
        throw std::invalid_argument("num_sources: " + std::to_string(num_sources) +
                                    "; allowed are 1 .. " + std::to_string(n - 1));
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots: 0; allowed are 1 and above");
    }
    if (samples < 1) {
        throw std::invalid_argument("samples: " + std::to_string(samples) +
                                    "; allowed are 1 and above");
    }
    const eigendecomposition parts = decompose(covariance);
    const double noise = parts.values.tail(n - num_sources).mean();
    const double power = (parts.values.sum() - n * noise) / n;
    const Eigen::MatrixXcd raw = covariance - noise * Eigen::MatrixXcd::Identity(n, n);
    // Without a signal above the noise there is nothing to scale by.
    if (!(power > 0.0) || !std::isfinite(power)) {
        return raw;
    }
    const Eigen::MatrixXcd measured = raw / power;
    const double unit = power * d_scale;
    const Eigen::ArrayXXd variance =
        (parts.values * parts.values.transpose()).array().max(0.0) /
        (static_cast<double>(snapshots) * unit * unit);

    const guidance guide = [&](const Eigen::MatrixXd& estimate, double alpha_bar) {
        Eigen::MatrixXd guided(estimate.rows(), estimate.cols());
        const double r2 = 1.0 - alpha_bar;
        const Eigen::MatrixXcd gain =
            (r2 / (r2 + variance)).matrix().cast<std::complex<double>>();
        for (Eigen::Index s = 0; s < estimate.cols(); ++s) {
            const Eigen::MatrixXcd expected =
                vector_to_hermitian(d_scale * estimate.col(s) + d_mean);
            const Eigen::MatrixXcd error =
                parts.vectors.adjoint() * (measured - expected) * parts.vectors;
            const Eigen::MatrixXcd pulled = expected + parts.vectors *
                                                           gain.cwiseProduct(error) *
                                                           parts.vectors.adjoint();
            guided.col(s) = (hermitian_to_vector(pulled) - d_mean) / d_scale;
        }
        return guided;
    };
    const Eigen::MatrixXd found = ddim_sample(d_schedule,
                                              std::cref(d_network),
                                              guide,
                                              standard_normal(n * n, samples, seed),
                                              steps);
    const Eigen::MatrixXcd clean =
        power * vector_to_hermitian(d_scale * found.rowwise().mean() + d_mean);
    return clean.allFinite() ? clean : raw;
}

Eigen::VectorXd hermitian_to_vector(const Eigen::Ref<const Eigen::MatrixXcd>& matrix)
{
    const Eigen::Index n = matrix.rows();
    const Eigen::Index pairs = n * (n - 1) / 2;
    Eigen::VectorXd vector(n * n);
    Eigen::Index k = n;
    for (Eigen::Index row = 0; row < n; ++row) {
        vector(row) = matrix(row, row).real();
        for (Eigen::Index column = row + 1; column < n; ++column, ++k) {
            vector(k) = M_SQRT2 * matrix(row, column).real();
            vector(k + pairs) = M_SQRT2 * matrix(row, column).imag();
        }
    }
    return vector;
}

Eigen::MatrixXcd vector_to_hermitian(const Eigen::Ref<const Eigen::VectorXd>& vector)
{
    const auto n =
        static_cast<Eigen::Index>(std::lround(std::sqrt(double(vector.size()))));
    if (n * n != vector.size()) {
        throw std::invalid_argument("vector: " + std::to_string(vector.size()) +
                                    " values; allowed are squares");
    }
    const Eigen::Index pairs = n * (n - 1) / 2;
    Eigen::MatrixXcd matrix(n, n);
    Eigen::Index k = n;
    for (Eigen::Index row = 0; row < n; ++row) {
        matrix(row, row) = vector(row);
        for (Eigen::Index column = row + 1; column < n; ++column, ++k) {
            matrix(row, column) =
                std::complex<double>(vector(k), vector(k + pairs)) * M_SQRT1_2;
            matrix(column, row) = std::conj(matrix(row, column));
        }
    }
    return matrix;
}

} // namespace core
} // namespace bearing
} // namespace gr
