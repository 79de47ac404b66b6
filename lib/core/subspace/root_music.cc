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
// And is no farther away than this in distance_in_beams().
constexpr double beamwidth = 0.35;
// A direction that the data supports has its root at most so many deviations from the
// circle: the null function grows with the square of that distance, and its limit is the
// 0.9999 quantile of chi-squared, 40 for thirteen degrees of freedom.
constexpr double supported_deviations = 6.3;
// No deviation is published above this share of two beamwidths, 4 pi / N in the spatial
// frequency of a line of N elements.
constexpr double largest_share = 0.06;

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

// Of two directions, as aperture over wavelength times the distance of their unit vectors;
// of those a front-only array sees x alone.
double distance_in_beams(const antenna_array& array, double azimuth, double other)
{
    const double x = std::sin(azimuth) - std::sin(other);
    const double y = array.is_front_only() ? 0.0 : std::cos(azimuth) - std::cos(other);
    return array.aperture() * std::hypot(x, y);
}

// A grating lobe is as much alike, but not near.
bool is_within_a_beam(const antenna_array& array,
                      double azimuth,
                      const Eigen::VectorXd& others)
{
    const Eigen::VectorXcd a = array.steering(azimuth);
    return std::any_of(others.begin(), others.end(), [&](double other) {
        const Eigen::VectorXcd b = array.steering(other);
        return distance_in_beams(array, azimuth, other) < beamwidth &&
               std::norm(b.dot(a)) > same_beam * a.squaredNorm() * b.squaredNorm();
    });
}

// Roots of a line's polynomial farther inside the circle than this are no nulls.
double null_radius_of_line(int num_elements)
{
    return std::exp(-supported_deviations * largest_share * 4.0 * M_PI / num_elements);
}

// The same of a Fourier series. A line of N elements with the array's response to a turn has
// an rms length r of N / sqrt(12) elements, so that 4 pi / N of it are 2 / sqrt(12) / (r /
// lambda) in azimuth; r is about a third of the aperture.
double null_radius_of_circle(const antenna_array& array)
{
    return std::exp(-supported_deviations * largest_share * 2.0 / std::sqrt(12.0) * 3.0 /
                    array.aperture());
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

// Whether offsets can take a root of the drawn line across the end of the range of spatial
// frequencies, to where it stands for a direction at the line's other end.
bool is_near_fold(const antenna_array& array, const Eigen::VectorXcd& roots)
{
    const double largest_offset =
        array.calibration().positions.leftCols(2).cwiseAbs().maxCoeff() /
        array.wavelength().value_or(1.0);
    const double limit = M_PI * (1.0 - 4.0 * largest_offset);
    return std::any_of(
        roots.begin(), roots.end(), [limit](const std::complex<double>& z) {
            return std::abs(std::arg(z)) > limit;
        });
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
    if (!config.all_roots && d_line && !is_real && !has_further_nulls()) {
        d_nearest.emplace(array.num_elements() - 1);
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
    const int num_sources = static_cast<int>(signal_subspace.cols());
    const Eigen::VectorXcd coefficients = d_line->coefficients(signal_subspace);
    found.roots = d_nearest ? d_nearest->find(coefficients, num_sources)
                            : roots_inside(coefficients);
    const Eigen::Index num_found =
        std::min<Eigen::Index>(num_sources, found.roots.size());
    Eigen::VectorXcd sines(num_found);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        sines(k) =
            complex_phase(found.roots(k)) / (2.0 * M_PI * *array().uniform_spacing());
        found.is_visible = found.is_visible && std::abs(sines(k).real()) <= 1.0;
    }
    if (array().has_position_offsets() &&
        is_near_fold(array(), found.roots.head(num_found))) {
        return search_circle(signal_subspace);
    }
    if (array().has_position_offsets() && found.is_visible && num_found == num_sources) {
        const std::optional<Eigen::VectorXcd> polished =
            polished_roots(d_frame, signal_subspace, sines.array().asin());
        if (!polished) {
            return search_circle(signal_subspace);
        }
        sines = polished->array().sin();
    }
    found.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        found.azimuth(k) = std::asin(std::clamp(sines(k).real(), -1.0, 1.0));
    }
    add_others(found, found.azimuth);
    return found;
}

// The ideal line has no more nulls than sources; unequal gains or coupling can give it some.
bool root_music_estimator::has_further_nulls() const
{
    return d_frame.response().size() > 0;
}

void root_music_estimator::add_others(directions& found,
                                      const Eigen::VectorXd& known) const
{
    for (Eigen::Index k = 0; has_further_nulls() && k < found.roots.size(); ++k) {
        const double sine =
            std::arg(found.roots(k)) / (2.0 * M_PI * *array().uniform_spacing());
        if (std::abs(found.roots(k)) > null_radius_of_line(array().num_elements()) &&
            std::abs(sine) <= 1.0 && !is_within_a_beam(array(), std::asin(sine), known)) {
            found.others.push_back(std::asin(sine));
        }
    }
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
    azimuth = polished_roots(d_frame, signal_subspace, azimuth).value_or(azimuth);
    found.azimuth = Eigen::VectorXd::Constant(num_sources, nan);
    for (Eigen::Index k = 0; k < num_found; ++k) {
        // Polishing may take a root at endfire across it.
        const double theta = azimuth(k).real();
        found.azimuth(k) = array().is_front_only() ? std::asin(std::sin(theta))
                                                   : reported_azimuth(array(), theta);
    }
    for (std::size_t k = num_found; k < seen.size(); ++k) {
        const double other = reported_azimuth(array(), std::arg(seen[k]));
        if (std::abs(seen[k]) > null_radius_of_circle(array()) &&
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
        // The images of what was found are roots too, and none of a further direction.
        Eigen::VectorXd known(2 * num_found);
        known << real.azimuth, -real.azimuth;
        add_others(found, known);
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
        if (estimate.status != status::low_snr) { // noise has real roots too
            estimate.status = status::collapsed;
        }
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
