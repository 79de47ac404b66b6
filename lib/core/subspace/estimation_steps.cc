/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// Noise-free data has no noise eigenvalues; -150 dB of the mean power keeps ratios
// finite.
constexpr double noise_floor = 1e-15;
constexpr double power_floor = 1e-10;
constexpr double rounding_of_a_turn = 1e-14;
// Steering vectors whose Gram matrix has pivots of Cholesky's factor further apart than this
// may depend on one another, as far as rounding tells.
constexpr double least_pivot = 1e-5;

Eigen::VectorXd permuted(const Eigen::VectorXd& values, const std::vector<int>& order)
{
    Eigen::VectorXd sorted(values.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
        sorted(k) = values(order[k]);
    }
    return sorted;
}

// (A^H A)^+.
Eigen::MatrixXcd gram_inverse(const Eigen::MatrixXcd& a)
{
    const Eigen::MatrixXcd gram = a.adjoint() * a;
    const Eigen::LLT<Eigen::MatrixXcd> factor(gram);
    if (factor.info() == Eigen::Success) {
        const Eigen::VectorXd pivots = factor.matrixLLT().diagonal().real();
        if (pivots.minCoeff() > least_pivot * pivots.maxCoeff()) {
            return factor.solve(Eigen::MatrixXcd::Identity(gram.rows(), gram.cols()));
        }
    }
    return gram.completeOrthogonalDecomposition().pseudoInverse();
}

} // namespace

void require_num_sources(const antenna_array& array, int num_sources)
{
    const int n = array.num_elements();
    if (n < 2) {
        throw std::invalid_argument(
            "array has 1 element; direction finding needs at least 2");
    }
    if (num_sources < 0 || num_sources >= n) {
        throw std::invalid_argument("num_sources is " + std::to_string(num_sources) +
                                    "; an array of " + std::to_string(n) +
                                    " elements allows 0 (count them) to " +
                                    std::to_string(n - 1));
    }
}

void require_covariance_size(const antenna_array& array,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    const int n = array.num_elements();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) +
                                    " elements, so it must be N x N");
    }
}

covariance_analysis analyse(const variant_frame& frame,
                            const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                            int num_sources,
                            count_method counting,
                            std::size_t snapshots)
{
    covariance_analysis analysis;
    analysis.num_sources = num_sources;
    analysis.status = check_covariance(covariance);
    if (analysis.status != status::ok) {
        return analysis;
    }
    analysis.eigen = frame.decompose(covariance);
    if (num_sources == 0) {
        if (snapshots == 0) {
            analysis.status = status::not_identifiable;
            return analysis;
        }
        // Counting is a matter of R itself: averaging ties eigenvalues together.
        analysis.num_sources = count_sources(frame.variant() == subspace_variant::complex
                                                 ? analysis.eigen.values
                                                 : eigenvalues(covariance),
                                             snapshots,
                                             counting);
        if (analysis.num_sources == 0) {
            analysis.status = status::no_source;
        }
    }
    const int dimension = frame.signal_dimension(analysis.num_sources);
    const Eigen::Index n = covariance.rows();
    if (dimension >= n) { // of a counted number
        analysis.status = status::not_identifiable;
        return analysis;
    }
    const double looks = frame.looks(snapshots);
    const double noise =
        looks > dimension ? sampled_noise_power(analysis.eigen.values, dimension, looks)
                          : analysis.eigen.values.tail(n - dimension).mean();
    analysis.noise_power = std::max(noise, noise_floor * analysis.eigen.values.mean());
    return analysis;
}

bearing_estimate nothing_found(const antenna_array& array, int num_sources, status why)
{
    bearing_estimate estimate;
    estimate.is_front_only = array.is_front_only();
    estimate.num_sources = num_sources;
    estimate.status = why;
    estimate.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    estimate.deviation = estimate.azimuth;
    estimate.power_db = estimate.azimuth;
    estimate.snr_db = estimate.azimuth;
    return estimate;
}

double reported_azimuth(const antenna_array& array, double azimuth)
{
    if (array.is_front_only()) {
        return azimuth;
    }
    const double wrapped = azimuth - 2.0 * M_PI * std::floor(azimuth / (2.0 * M_PI));
    // What is a rounding error short of a full turn would become 360 degrees.
    return wrapped < 2.0 * M_PI - rounding_of_a_turn ? wrapped : 0.0;
}

double to_db(double power) { return 10.0 * std::log10(std::max(power, lowest_power)); }

double lowest_reported_power(const Eigen::Ref<const Eigen::MatrixXcd>& covariance)
{
    return power_floor * covariance.diagonal().real().mean();
}

void set_power(double power,
               double noise_power,
               Eigen::Index k,
               bearing_estimate& estimate)
{
    estimate.power_db(k) = to_db(power);
    estimate.snr_db(k) = 10.0 * std::log10(power / noise_power);
}

void fill_powers(const Eigen::MatrixXcd& steering,
                 const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                 double noise_power,
                 bearing_estimate& estimate)
{
    std::vector<int> found;
    for (int k = 0; k < estimate.num_sources; ++k) {
        if (steering.col(k).allFinite()) {
            found.push_back(k);
        }
    }
    if (found.empty()) {
        return;
    }
    Eigen::MatrixXcd a(steering.rows(), found.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
        a.col(k) = steering.col(found[k]);
    }
    // A^+ R A^+H with A^+ = (A^H A)^+ A^H.
    const Eigen::MatrixXcd inverse = gram_inverse(a);
    const Eigen::MatrixXcd beams = a.adjoint() * covariance * a;
    const double floor = lowest_reported_power(covariance);
    for (std::size_t k = 0; k < found.size(); ++k) {
        const double fitted = inverse.col(k).dot(beams * inverse.col(k)).real() -
                              noise_power * inverse(k, k).real();
        // Per element: a calibrated steering vector need not have unit entries.
        const double per_element =
            std::max(fitted, floor) * a.col(k).squaredNorm() / steering.rows();
        set_power(per_element, noise_power, found[k], estimate);
    }
}

void fill_powers(const antenna_array& array,
                 const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                 double noise_power,
                 bearing_estimate& estimate)
{
    fill_powers(
        array.steering(estimate.azimuth, Eigen::VectorXd::Zero(estimate.azimuth.size())),
        covariance,
        noise_power,
        estimate);
}

void fill_accuracy(const variant_frame& frame,
                   const covariance_analysis& analysis,
                   std::size_t snapshots,
                   bool is_ambiguous,
                   bearing_estimate& estimate)
{
    const plug_in_accuracy accuracy =
        predict_plug_in(analysis.eigen, frame, estimate.azimuth, snapshots);
    estimate.deviation = accuracy.deviation;
    estimate.status = accuracy.status;
    if (is_ambiguous) {
        estimate.deviation.setConstant(nan);
        estimate.status = status::not_identifiable;
    }
}

void sort_by_power(bearing_estimate& estimate)
{
    std::vector<int> order(estimate.num_sources);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int i, int k) {
        const double pi = estimate.power_db(i);
        const double pk = estimate.power_db(k);
        return std::isnan(pk) ? !std::isnan(pi) : pi > pk;
    });
    estimate.azimuth = permuted(estimate.azimuth, order);
    estimate.deviation = permuted(estimate.deviation, order);
    estimate.power_db = permuted(estimate.power_db, order);
    estimate.snr_db = permuted(estimate.snr_db, order);
    for (Eigen::VectorXd* const values : { &estimate.elevation,
                                           &estimate.elevation_deviation,
                                           &estimate.range,
                                           &estimate.range_deviation }) {
        if (values->size() > 0) {
            *values = permuted(*values, order);
        }
    }
}

std::vector<int> local_minima(const Eigen::VectorXd& values, bool is_circle)
{
    const int n = static_cast<int>(values.size());
    std::vector<int> minima;
    for (int g = 0; g < n; ++g) {
        const bool has_left = is_circle || g > 0;
        const bool has_right = is_circle || g < n - 1;
        // Of equal neighbours the first one is the minimum.
        if ((!has_left || values(g) < values((g + n - 1) % n)) &&
            (!has_right || values(g) <= values((g + 1) % n))) {
            minima.push_back(g);
        }
    }
    std::stable_sort(minima.begin(), minima.end(), [&](int i, int k) {
        return values(i) < values(k);
    });
    return minima;
}

} // namespace core
} // namespace bearing
} // namespace gr
