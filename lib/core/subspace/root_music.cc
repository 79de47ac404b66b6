/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

// A leading coefficient below this share of c_0 is rounding error: its roots lie at zero
// and at infinity.
constexpr double vanishing_coefficient = 1e-14;
// Where position offsets are refined: this share of a beamwidth to each side.
constexpr double offset_reach = 0.5;

// c_k = sum of the k-th diagonal of G^H C^H Pn C G: the null function of a calibrated
// uniform line is sum_k c_k z^k.
Eigen::VectorXcd null_coefficients(const antenna_array& array,
                                   const Eigen::MatrixXcd& signal_subspace)
{
    const int n = array.num_elements();
    Eigen::MatrixXcd response = Eigen::MatrixXcd::Identity(n, n);
    const calibration_state& calibration = array.calibration();
    if (calibration.coupling.size() > 0) {
        response = calibration.coupling;
    }
    if (calibration.gains.size() > 0) {
        response = response * calibration.gains.asDiagonal();
    }
    const Eigen::MatrixXcd signal_part = signal_subspace.adjoint() * response;
    const Eigen::MatrixXcd noise_form =
        response.adjoint() * response - signal_part.adjoint() * signal_part;
    Eigen::VectorXcd coefficients(n);
    for (int k = 0; k < n; ++k) {
        coefficients(k) = noise_form.diagonal(k).sum();
    }
    return coefficients;
}

} // namespace

Eigen::VectorXcd roots_inside(const Eigen::VectorXcd& coefficients)
{
    int degree = static_cast<int>(coefficients.size()) - 1;
    const double smallest = vanishing_coefficient * std::abs(coefficients(0));
    while (degree > 0 && std::abs(coefficients(degree)) <= smallest) {
        --degree;
    }
    if (degree < 1) {
        return {};
    }
    // Companion matrix of the monic polynomial of degree 2 n with coefficient c_(k-n) at
    // z^k.
    const int size = 2 * degree;
    Eigen::MatrixXcd companion = Eigen::MatrixXcd::Zero(size, size);
    companion.diagonal(-1).setOnes();
    for (int k = 0; k < size; ++k) {
        const int order = k - degree;
        const std::complex<double> c =
            order < 0 ? std::conj(coefficients(-order)) : coefficients(order);
        companion(k, size - 1) = -c / coefficients(degree);
    }
    const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(companion, false);
    Eigen::VectorXcd roots = solver.eigenvalues();
    std::sort(roots.begin(),
              roots.end(),
              [](const std::complex<double>& i, const std::complex<double>& k) {
                  return std::norm(i) < std::norm(k);
              });
    return roots.head(degree).reverse();
}

root_music_estimator::root_music_estimator(antenna_array array, root_music_config config)
    : d_array(std::move(array)), d_config(config)
{
    require_num_sources(d_array, d_config.num_sources);
    if (!d_array.uniform_spacing()) {
        throw std::invalid_argument("array: root-MUSIC needs a uniform line, its "
                                    "elements in the order of increasing "
                                    "x; use MUSIC for other arrays");
    }
}

bearing_estimate
root_music_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots) const
{
    require_covariance_size(d_array, covariance);
    const covariance_analysis analysis =
        analyse(covariance, d_config.num_sources, d_config.counting, snapshots);
    bearing_estimate estimate = nothing_found(analysis.num_sources, analysis.status);
    if (analysis.status != status::ok) {
        return estimate;
    }

    const Eigen::MatrixXcd signal_subspace =
        analysis.eigen.vectors.leftCols(analysis.num_sources);
    estimate.roots = roots_inside(null_coefficients(d_array, signal_subspace));
    const Eigen::VectorXcd& roots = estimate.roots;
    const double phase_at_endfire = 2.0 * M_PI * *d_array.uniform_spacing();
    bool is_visible = true;
    for (int k = 0; k < std::min<int>(analysis.num_sources, roots.size()); ++k) {
        const double sine = std::arg(roots(k)) / phase_at_endfire;
        is_visible = is_visible && std::abs(sine) <= 1.0;
        estimate.azimuth(k) = std::asin(std::clamp(sine, -1.0, 1.0));
    }
    if (d_array.has_position_offsets()) {
        const null_function f(d_array, signal_subspace);
        const double reach = offset_reach / d_array.aperture();
        for (Eigen::Index k = 0; k < estimate.azimuth.size(); ++k) {
            const double start = estimate.azimuth(k);
            if (std::isfinite(start)) {
                estimate.azimuth(k) = f.minimum(std::max(start - reach, -M_PI_2),
                                                start,
                                                std::min(start + reach, M_PI_2));
            }
        }
    }
    fill_powers(d_array, analysis, estimate);
    fill_accuracy(
        d_array, analysis, snapshots, d_array.is_ambiguous(-M_PI_2, M_PI_2), estimate);
    // Endfire stands in for a direction that does not exist; what it does not explain is no
    // fault of the array's.
    if (!is_visible && estimate.status == status::model_mismatch) {
        estimate.status = status::unresolved;
    }
    if (estimate.status == status::ok && (!is_visible || estimate.azimuth.hasNaN())) {
        estimate.status = status::unresolved;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
