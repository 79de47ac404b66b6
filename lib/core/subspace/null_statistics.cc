/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "chi_squared.h"
#include "null_statistics.h"
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {
// The gate within which the predicted interval covers what it promises.
constexpr double smallest_eigenvalue_margin = 2.0;
} // namespace

status check_signal(const Eigen::VectorXd& values, Eigen::Index dimension, double looks)
{
    if (looks <= dimension) {
        return status::not_identifiable;
    }
    const Eigen::Index n = values.size();
    const double rounding = rounding_of(values);
    if (values(dimension - 1) <= rounding) {
        return status::unresolved;
    }
    if (values.tail(n - dimension).mean() <= rounding) {
        return status::not_identifiable;
    }
    const double margin = std::pow(1.0 + std::sqrt(n / looks), 2);
    return values(dimension - 1) >= smallest_eigenvalue_margin * margin *
                                        sampled_noise_power(values, dimension, looks)
               ? status::ok
               : status::low_snr;
}

Eigen::VectorXd music_weights(const Eigen::VectorXd& signal_values, double noise_power)
{
    return signal_values.array() / (signal_values.array() - noise_power).square();
}

signal_model sampled_model(const eigendecomposition& decomposition,
                           const variant_frame& frame,
                           int num_sources,
                           std::size_t snapshots)
{
    const int dimension = frame.signal_dimension(num_sources);
    const double looks = frame.looks(snapshots);
    const double noise_power =
        sampled_noise_power(decomposition.values, dimension, looks);
    return { frame.variant(),
             noise_power / snapshots,
             decomposition.vectors.leftCols(dimension),
             music_weights(debiased(decomposition.values, dimension, noise_power, looks),
                           noise_power) };
}

null_moments moments(const Eigen::VectorXcd& a, const signal_model& model)
{
    const Eigen::ArrayXcd b = model.subspace.adjoint() * a;
    const Eigen::ArrayXd weights = model.noise_over_snapshots * model.weights.array();
    null_moments result{ (weights * b.abs2()).sum(), 0.0 };
    if (model.variant == subspace_variant::real) {
        result.pseudo_variance = (weights * b.square()).sum();
    }
    return result;
}

bool is_supported(const calibration_state& calibration,
                  const Eigen::VectorXcd& a,
                  const signal_model& model,
                  const null_moments& null,
                  int fitted_coordinates)
{
    const double dimension =
        static_cast<double>(model.subspace.rows() - model.subspace.cols());
    chi_squared_sum sampling;
    switch (model.variant) {
    case subspace_variant::complex:
        sampling.add(null.variance / 2.0, 2.0 * dimension - fitted_coordinates);
        break;
    case subspace_variant::unitary:
        sampling.add(null.variance / 2.0, std::max(dimension - fitted_coordinates, 1.0));
        break;
    case subspace_variant::real:
        for (const double sign : { -1.0, 1.0 }) {
            sampling.add((null.variance + sign * std::abs(null.pseudo_variance)) / 4.0,
                         dimension - 0.5 * fitted_coordinates);
        }
        break;
    }
    chi_squared_sum errors;
    errors.add_errors_of(calibration, a.cwiseAbs2().array());
    const double depth =
        (a - model.subspace * (model.subspace.adjoint() * a)).squaredNorm();
    return depth <= sampling.limit() + errors.limit();
}

bool has_deviations(const calibration_state& calibration)
{
    return calibration.sigma_phase_rad.size() > 0 ||
           calibration.sigma_log_gain.size() > 0;
}

Eigen::MatrixXd calibration_information(const calibration_state& calibration,
                                        const Eigen::MatrixXcd& mixing,
                                        const Eigen::VectorXcd& a,
                                        const Eigen::MatrixXcd& projected)
{
    // A gain error moves the elements' own response, so both sides of q are taken before
    // the mixing.
    Eigen::VectorXcd element_response = a;
    Eigen::MatrixXcd q = projected.conjugate();
    if (mixing.size() > 0) {
        element_response = mixing.partialPivLu().solve(a);
        q = (mixing.adjoint() * projected).conjugate();
    }
    q = element_response.asDiagonal() * q;
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(q.cols(), q.cols());
    if (calibration.sigma_phase_rad.size() > 0) {
        const Eigen::MatrixXd effect =
            calibration.sigma_phase_rad.asDiagonal() * q.imag();
        sum += effect.transpose() * effect;
    }
    if (calibration.sigma_log_gain.size() > 0) {
        const Eigen::MatrixXd effect = calibration.sigma_log_gain.asDiagonal() * q.real();
        sum += effect.transpose() * effect;
    }
    return sum;
}

} // namespace core
} // namespace bearing
} // namespace gr
