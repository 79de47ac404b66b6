/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "chi_squared.h"
#include "fitted_manifold.h"
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <gnuradio/bearing/core/subspace/subspace_fit_accuracy.h>
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

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// Sources whose effects on the data are this much alike cannot be told apart.
constexpr double smallest_condition = 1e-12;

// The gates within which the predicted interval covers what it promises.
constexpr double eigenvalue_margin = 2.0;
constexpr double largest_share_of_separate = 0.25;
constexpr double largest_share_of_coherent = 0.06;

// H^-1 Q H^-1, diagonal, square root; NaN where H is singular or not positive.
Eigen::VectorXd sandwich_deviation(const Eigen::MatrixXd& h, const Eigen::MatrixXd& q)
{
    const Eigen::VectorXd failed = Eigen::VectorXd::Constant(h.rows(), nan);
    if (!(h.diagonal().minCoeff() > 0.0)) {
        return failed;
    }
    // Scaled to a unit diagonal, so that only how alike the sources are counts and not
    // how unequal their powers.
    const Eigen::VectorXd scale = h.diagonal().cwiseSqrt().cwiseInverse();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scale.asDiagonal() * h *
                                                               scale.asDiagonal());
    if (!(eigen.eigenvalues()(0) > smallest_condition)) {
        return failed;
    }
    const Eigen::MatrixXd inverse =
        scale.asDiagonal() *
        (eigen.eigenvectors() * eigen.eigenvalues().cwiseInverse().asDiagonal() *
         eigen.eigenvectors().transpose()) *
        scale.asDiagonal();
    return (inverse * q * inverse).diagonal().cwiseSqrt();
}

// From A^+ Es, the signal eigenvectors in terms of the sources, and their eigenvalues.
Eigen::VectorXd deviation_of(const fitted_manifold& manifold,
                             const Eigen::MatrixXcd& coordinates,
                             const Eigen::VectorXd& values,
                             double noise_power,
                             double snapshots,
                             fit_criterion criterion)
{
    const bool is_wsf = criterion == fit_criterion::wsf;
    // WSF sees the sources through its weights, DML as they are.
    const Eigen::VectorXd weights = is_wsf
                                        ? fitting_weights(values, noise_power)
                                        : Eigen::VectorXd(values.array() - noise_power);
    const Eigen::MatrixXcd seen =
        coordinates * weights.asDiagonal() * coordinates.adjoint();
    const Eigen::MatrixXcd disturbed =
        is_wsf ? seen : Eigen::MatrixXcd(seen + noise_power * manifold.gram_inverse());
    const Eigen::MatrixXd gradient_covariance =
        noise_power / (2.0 * snapshots) * manifold.information(disturbed) +
        manifold.calibration_information(seen);
    return sandwich_deviation(manifold.information(seen), gradient_covariance);
}

// What rises clearly from the noise of a sample covariance of M > K snapshots.
struct sampled_signal {
    sampled_signal(const eigendecomposition& decomposition,
                   int num_sources,
                   std::size_t num_snapshots)
        : snapshots(static_cast<double>(num_snapshots))
    {
        part =
            above_noise(decomposition.values,
                        num_sources,
                        sampled_noise_power(decomposition.values, num_sources, snapshots),
                        num_snapshots,
                        eigenvalue_margin);
        vectors = decomposition.vectors.leftCols(part.dimension);
        values =
            debiased(decomposition.values, part.dimension, part.noise_power, snapshots);
    }

    double snapshots;
    signal_part part;
    Eigen::MatrixXcd vectors; // N x K'
    Eigen::VectorXd values;   // debiased
};

// Of what the directions leave of the K' eigenvectors, all those they were not fitted to.
int degrees_of_freedom(const sampled_signal& signal, int num_sources)
{
    const int num_elements = static_cast<int>(signal.vectors.rows());
    return 2 * signal.part.dimension * (num_elements - num_sources) - num_sources;
}

bool is_supported(const fitted_manifold& manifold, const sampled_signal& signal)
{
    const Eigen::VectorXd weights =
        fitting_weights(signal.values, signal.part.noise_power);
    const double to_chi_squared = 2.0 * signal.snapshots / signal.part.noise_power;
    const Eigen::MatrixXcd residual = manifold.left_of(signal.vectors);
    const double misfit =
        to_chi_squared * (residual.cwiseAbs2() * weights.asDiagonal()).sum();

    chi_squared_sum sampling;
    sampling.add(1.0, degrees_of_freedom(signal, manifold.num_sources()));
    const Eigen::MatrixXcd coordinates = manifold.inverse() * signal.vectors;
    const Eigen::ArrayXd power =
        to_chi_squared * manifold.element_power(coordinates * weights.asDiagonal() *
                                                coordinates.adjoint());
    chi_squared_sum calibration;
    calibration.add_errors_of(manifold.array().calibration(), power);
    return misfit <= sampling.limit() + calibration.limit();
}

// Whether the directions explain the data without one of them.
bool has_idle_source(const antenna_array& array,
                     const Eigen::VectorXd& azimuth,
                     const sampled_signal& signal)
{
    const Eigen::Index num_others = azimuth.size() - 1;
    for (Eigen::Index k = 0; k <= num_others && num_others > 0; ++k) {
        Eigen::VectorXd others(num_others);
        others << azimuth.head(k), azimuth.tail(num_others - k);
        if (is_supported(fitted_manifold(array, others), signal)) {
            return true;
        }
    }
    return false;
}

} // namespace

Eigen::VectorXd
predict_fit_deviation(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                      const antenna_array& array,
                      const Eigen::VectorXd& azimuth,
                      std::size_t snapshots,
                      fit_criterion criterion)
{
    const int n = array.num_elements();
    const Eigen::Index num_sources = azimuth.size();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) + " elements");
    }
    if (num_sources < 1 || num_sources >= n) {
        throw std::invalid_argument("angles: " + std::to_string(num_sources) +
                                    " sources; allowed are 1 to " +
                                    std::to_string(n - 1));
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is 0; it must be at least 1");
    }
    if (check_covariance(covariance) != status::ok || !azimuth.allFinite()) {
        return Eigen::VectorXd::Constant(num_sources, nan);
    }
    const eigendecomposition eigen = decompose(covariance);
    const fitted_manifold manifold(array, azimuth);
    return deviation_of(manifold,
                        manifold.inverse() * eigen.vectors.leftCols(num_sources),
                        eigen.values.head(num_sources),
                        eigen.values.tail(n - num_sources).mean(),
                        static_cast<double>(snapshots),
                        criterion);
}

plug_in_accuracy predict_fit_plug_in(const eigendecomposition& decomposition,
                                     const antenna_array& array,
                                     const Eigen::VectorXd& azimuth,
                                     std::size_t snapshots,
                                     fit_criterion criterion)
{
    const Eigen::Index n = array.num_elements();
    const int num_sources = static_cast<int>(azimuth.size());
    const Eigen::VectorXd& values = decomposition.values;
    plug_in_accuracy result{ Eigen::VectorXd::Constant(num_sources, nan), status::ok };
    if (snapshots <= static_cast<std::size_t>(num_sources)) {
        result.status = status::not_identifiable;
        return result;
    }
    if (!azimuth.allFinite()) {
        result.status = status::unresolved;
        return result;
    }
    const double rounding = rounding_of(values);
    const sampled_signal signal(decomposition, num_sources, snapshots);
    if (signal.part.noise_power <= rounding) {
        result.status = status::not_identifiable;
        return result;
    }
    if (signal.part.dimension == 0) {
        result.status = status::low_snr;
        return result;
    }
    const bool is_deficient = signal.part.dimension < num_sources;
    if (is_deficient && values(signal.part.dimension) >
                            noise_edge(n, snapshots) * signal.part.noise_power) {
        result.status = status::unresolved;
        return result;
    }
    const int freedom = degrees_of_freedom(signal, num_sources);
    // With one dimension left, two directions can move together and still explain the data;
    // and with less left over than was fitted, others explain it as well by chance. Lines are
    // spared: there fewer directions than elements are independent.
    const bool is_loose =
        !array.is_front_only() && (num_sources == n - 1 || freedom < num_sources);
    if (freedom <= 0 || is_loose) {
        result.status = status::not_identifiable;
        return result;
    }
    const fitted_manifold manifold(array, azimuth);
    if (!is_supported(manifold, signal)) {
        result.status = status::model_mismatch;
        return result;
    }
    if (is_deficient && has_idle_source(array, azimuth, signal)) {
        result.status = status::unresolved;
        return result;
    }

    const Eigen::MatrixXcd coordinates = manifold.inverse() * signal.vectors;
    const Eigen::VectorXd deviation = deviation_of(manifold,
                                                   coordinates,
                                                   signal.values,
                                                   signal.part.noise_power,
                                                   static_cast<double>(snapshots),
                                                   criterion);
    const double largest_share =
        is_deficient ? largest_share_of_coherent : largest_share_of_separate;
    for (int k = 0; k < num_sources; ++k) {
        const bool is_apart = manifold.measure(k) * deviation(k) <
                              largest_share * manifold.distance_to_nearest(k);
        if (is_apart && is_off_endfire(array, azimuth(k), deviation(k))) {
            result.deviation(k) = deviation(k);
        } else {
            result.status = status::unresolved;
        }
    }
    if (is_deficient && result.status != status::ok) {
        result.deviation.setConstant(nan);
    }
    return result;
}

bool supports_directions(const eigendecomposition& decomposition,
                         const antenna_array& array,
                         const Eigen::VectorXd& azimuth,
                         std::size_t snapshots)
{
    return is_supported(
        fitted_manifold(array, azimuth),
        sampled_signal(decomposition, static_cast<int>(azimuth.size()), snapshots));
}

} // namespace core
} // namespace bearing
} // namespace gr
