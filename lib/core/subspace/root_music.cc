/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include "mirror_rejection.h"
#include "root_polish.h"
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
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

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// Offsets up to this rms, in wavelengths, leave the roots of the line near enough to those
// of the true null function for Newton's method.
constexpr double small_offset = 0.05;
// A direction whose steering vector has this much of its power along another one's is
// within that one's beam.
constexpr double same_beam = 0.5;
// Roots farther inside the circle than this are far above any null.
constexpr double null_radius = 0.8;

bool is_nearly_uniform(const antenna_array& array)
{
    if (!array.uniform_spacing()) {
        return false;
    }
    if (!array.has_position_offsets()) {
        return true;
    }
    const Eigen::MatrixXd& offsets = array.calibration().positions;
    return offsets.leftCols(2).norm() <= small_offset * array.wavelength().value_or(1.0) *
                                             std::sqrt(array.num_elements());
}

subspace_variant chosen(const antenna_array& array, const root_music_config& config)
{
    return config.variant.value_or(variant_frame::suits_unitary(array)
                                       ? subspace_variant::unitary
                                       : subspace_variant::complex);
}

// The w of z = exp(j w): its imaginary part is the distance from the circle.
std::complex<double> complex_phase(const std::complex<double>& z)
{
    return { std::arg(z), -std::log(std::abs(z)) };
}

bool is_within_a_beam(const antenna_array& array,
                      double azimuth,
                      const Eigen::VectorXd& others)
{
    const Eigen::VectorXcd a = array.steering(azimuth);
    return std::any_of(others.begin(), others.end(), [&](double other) {
        const Eigen::VectorXcd b = array.steering(other);
        return std::norm(b.dot(a)) > same_beam * a.squaredNorm() * b.squaredNorm();
    });
}

// Whether a direction lies in the beam of another one's mirror image.
bool has_mirrored_pair(const antenna_array& array, const Eigen::VectorXd& azimuth)
{
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        Eigen::VectorXd others = -azimuth;
        others(k) = nan;
        if (is_within_a_beam(array, azimuth(k), others)) {
            return true;
        }
    }
    return false;
}

} // namespace

std::optional<subspace_variant> root_music_variant_from_string(const std::string& name)
{
    if (name == "auto") {
        return std::nullopt;
    }
    try {
        return subspace_variant_from_string(name);
    } catch (const std::invalid_argument&) {
        throw std::invalid_argument(
            "variant is '" + name +
            "'; it must be 'auto', 'complex', 'unitary' or 'real'");
    }
}

//! What a search finds.
struct root_music_estimator::directions {
    Eigen::VectorXcd roots;
    //! nearest to the circle first; NaN where there are fewer roots
    Eigen::VectorXd azimuth;
    //! per element, as many as there are azimuths; empty: not known yet
    Eigen::VectorXd power;
    //! all roots within the visible region
    bool is_visible = true;
    //! a direction and its mirror image fell together
    bool is_collapsed = false;
    //! further directions that may be nulls too
    std::vector<double> others;
};

root_music_estimator::root_music_estimator(antenna_array array, root_music_config config)
    : d_config(config), d_frame(array, chosen(array, config))
{
    require_num_sources(array, d_config.num_sources);
    const bool is_real = variant() == subspace_variant::real;
    if (is_real && 2 * d_config.num_sources >= array.num_elements()) {
        throw std::invalid_argument(
            "num_sources is " + std::to_string(d_config.num_sources) +
            "; variant 'real' on " + std::to_string(array.num_elements()) +
            " elements allows 0 (count them) to " +
            std::to_string((array.num_elements() - 1) / 2));
    }
    if (is_nearly_uniform(array)) {
        d_line = std::make_shared<const line_null_polynomial>(d_frame);
    }
    if (!d_line || array.has_position_offsets()) {
        d_fourier = std::make_shared<const fourier_null_polynomial>(array);
    }
    if (is_real) {
        config.variant = subspace_variant::complex;
        d_complex =
            std::make_shared<const root_music_estimator>(std::move(array), config);
    }
}

root_music_estimator::directions
root_music_estimator::search_line(const Eigen::MatrixXcd& signal_subspace) const
{
    directions found;
    found.roots = roots_inside(d_line->coefficients(signal_subspace));
    const Eigen::Index num_sources = signal_subspace.cols();
    const Eigen::Index num_found = std::min(num_sources, found.roots.size());
    Eigen::VectorXcd sines(num_found);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        sines(k) =
            complex_phase(found.roots(k)) / (2.0 * M_PI * *array().uniform_spacing());
        found.is_visible = found.is_visible && std::abs(sines(k).real()) <= 1.0;
    }
    if (array().has_position_offsets() && found.is_visible && num_found == num_sources) {
        const std::optional<Eigen::VectorXcd> polished =
            polished_roots(array(), signal_subspace, sines.array().asin());
        if (!polished) {
            return search_circle(signal_subspace);
        }
        sines = polished->array().sin();
    }
    found.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        found.azimuth(k) = std::asin(std::clamp(sines(k).real(), -1.0, 1.0));
    }
    return found;
}

root_music_estimator::directions
root_music_estimator::search_circle(const Eigen::MatrixXcd& signal_subspace) const
{
    const Eigen::Index num_sources = signal_subspace.cols();
    directions found;
    found.roots = roots_inside(d_fourier->coefficients(signal_subspace));
    std::vector<std::complex<double>> seen;
    for (const std::complex<double>& root : found.roots) {
        // What an array sees in front of it and behind it alike has two roots.
        if (!array().is_front_only() || root.real() >= 0.0) {
            seen.push_back(root);
        }
    }
    const Eigen::Index num_found =
        std::min<Eigen::Index>(num_sources, static_cast<Eigen::Index>(seen.size()));
    Eigen::VectorXcd azimuth = Eigen::Map<const Eigen::VectorXcd>(seen.data(), num_found)
                                   .unaryExpr([](const std::complex<double>& root) {
                                       return complex_phase(root);
                                   });
    // The truncated series is a good start for the exact roots.
    azimuth = polished_roots(array(), signal_subspace, azimuth).value_or(azimuth);
    found.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        found.azimuth(k) = reported_azimuth(array(), azimuth(k).real());
    }
    for (std::size_t k = num_found; k < seen.size(); ++k) {
        const double other = reported_azimuth(array(), std::arg(seen[k]));
        if (std::abs(seen[k]) > null_radius &&
            !is_within_a_beam(array(), other, found.azimuth)) {
            found.others.push_back(other);
        }
    }
    return found;
}

root_music_estimator::directions root_music_estimator::search_mirrored_line(
    const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
    const Eigen::MatrixXcd& signal_subspace,
    int num_sources) const
{
    directions found;
    const Eigen::VectorXd coefficients = d_line->coefficients(signal_subspace).real();
    found.roots = roots_inside(coefficients);
    found.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    // One of each pair of mirror images; real roots are pairs that fell together.
    Eigen::Index num_found = 0;
    for (const std::complex<double>& root : found.roots) {
        if (root.imag() < 0.0 || num_found == num_sources) {
            continue;
        }
        found.is_collapsed = found.is_collapsed || root.imag() == 0.0;
        const double sine = std::arg(root) / (2.0 * M_PI * *array().uniform_spacing());
        found.is_visible = found.is_visible && sine <= 1.0;
        found.azimuth(num_found++) = std::asin(std::min(sine, 1.0));
    }
    if (!found.is_collapsed && num_found > 0) {
        const unmirrored real = reject_mirrors(
            array(), covariance, found.azimuth.head(num_found), d_config.mirror);
        found.azimuth.head(num_found) = real.azimuth;
        found.power = real.power;
    }
    return found;
}

root_music_estimator::directions
root_music_estimator::search(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             const Eigen::MatrixXcd& signal_subspace,
                             int num_sources) const
{
    if (variant() == subspace_variant::real) {
        return search_mirrored_line(covariance, signal_subspace, num_sources);
    }
    return d_line ? search_line(signal_subspace) : search_circle(signal_subspace);
}

bearing_estimate
root_music_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                               std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    bearing_estimate estimate =
        nothing_found(array(), analysis.num_sources, analysis.status);
    if (analysis.status != status::ok) {
        return estimate;
    }

    const int num_sources = analysis.num_sources;
    const directions found =
        search(covariance,
               analysis.eigen.vectors.leftCols(d_frame.signal_dimension(num_sources)),
               num_sources);
    if (found.is_collapsed) {
        estimate = d_complex->estimate(covariance, snapshots);
        estimate.roots = found.roots;
        estimate.deviation.setConstant(nan);
        estimate.status = status::collapsed;
        return estimate;
    }
    estimate.roots = found.roots;
    estimate.azimuth = found.azimuth;
    if (found.power.size() > 0) {
        const double floor = lowest_reported_power(covariance);
        for (Eigen::Index k = 0; k < found.power.size(); ++k) {
            set_power(std::max(found.power(k), floor), analysis.noise_power, k, estimate);
        }
    } else {
        fill_powers(array(), covariance, analysis.noise_power, estimate);
    }
    fill_accuracy(
        d_frame, analysis, snapshots, array().is_ambiguous(-M_PI_2, M_PI_2), estimate);
    // Endfire stands in for a direction that does not exist; what it does not explain is no
    // fault of the array's.
    if (!found.is_visible && estimate.status == status::model_mismatch) {
        estimate.status = status::unresolved;
    }
    // Mirror images of each other leave Re R short of dimensions, which looks like a weak
    // source.
    if (variant() == subspace_variant::real && estimate.status == status::low_snr &&
        has_mirrored_pair(array(), estimate.azimuth)) {
        estimate.status = status::unresolved;
    }
    if (estimate.status == status::ok &&
        (!found.is_visible || estimate.azimuth.hasNaN())) {
        estimate.status = status::unresolved;
    }
    // A further direction that the data supports as well: nobody can tell which are true.
    if (estimate.deviation.array().isFinite().any() &&
        std::any_of(found.others.begin(), found.others.end(), [&](double other) {
            return supports_direction(
                analysis.eigen, d_frame, num_sources, other, snapshots);
        })) {
        estimate.deviation.setConstant(nan);
        estimate.status = status::not_identifiable;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
