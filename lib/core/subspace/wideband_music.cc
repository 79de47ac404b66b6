/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "chi_squared.h"
#include "estimation_steps.h"
#include "focusing.h"
#include "null_statistics.h"
#include "null_sum.h"
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <gnuradio/bearing/core/subspace/decibels.h>
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <gnuradio/bearing/core/subspace/wideband_music.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };

// The search grid steps by a sixteenth of a ripple of the null function; with several
// sources, this many times finer, so that two of them share no coarse minimum.
constexpr int finer_for_several = 4;
// Minima nearer to each other than this, in radians, are one.
constexpr double same_minimum = 1e-7;
// The spectrum 1 / f never exceeds this: f is only rounding error below.
constexpr double null_floor = 1e-16;
// What rounding leaves of a slope that is zero, per radian.
constexpr double flat_slope = 1e-12;
// The gate within which the predicted interval covers what it promises, as of
// predict_plug_in().
constexpr double largest_relative_deviation = 0.06;
// How far around the directions to focus, in beams, round by round: the first ones are not
// known to better than that, and the nearer, the less is left out of focus.
constexpr double focusing_shares[] = { 0.25, 0.1, 0.03 };
// Sources whose coherence in the sub-bands exceeds this, squared, are echoes of each other;
// sampling alone makes it one over the number of snapshots.
constexpr double echo_coherence = 0.05;
constexpr double sampled_coherence = 2.0;
// A sub-band with less than this share of the median signal lies at the signal's edge or
// beyond: what is in it is not about its centre.
constexpr double occupied_share = 0.5;
// How often the outermost sub-bands are left out, where the model is contradicted: an edge
// is in the main lobe of the window, two sub-bands to each side, of no more than these.
constexpr int num_peelings = 2;
// Frequencies of an even spacing, given in Hz, are rounded.
constexpr double even_tolerance = 1e-6;

angle_grid
search_grid(const angle_grid& shown, const antenna_array& array, int num_sources)
{
    const angle_grid grid = shown.searched_by(array);
    if (num_sources == 1) {
        return grid;
    }
    const int points = finer_for_several * grid.size();
    return grid.is_circle()
               ? angle_grid::sector(
                     array, grid.first(), grid.first() + 2.0 * M_PI, points)
               : angle_grid::sector(array, grid.first(), grid.last(), points);
}

// The array as waves of another frequency see it.
antenna_array at_frequency(const antenna_array& array, double relative_frequency)
{
    const double wavelength = array.wavelength().value_or(1.0) / relative_frequency;
    if (array.wavelength()) {
        return array.with_wavelength(wavelength);
    }
    // What is in wavelengths of the centre is in metres of waves of one metre.
    return antenna_array::custom(array.positions(), wavelength)
        .with_calibration(array.calibration());
}

void require_frequencies(double center_frequency, const Eigen::VectorXd& frequencies)
{
    if (!(std::isfinite(center_frequency) && center_frequency > 0.0)) {
        throw std::invalid_argument("center_frequency is " +
                                    std::to_string(center_frequency) +
                                    "; it must be finite and > 0 Hz");
    }
    const Eigen::Index m = frequencies.size();
    if (m < 1) {
        throw std::invalid_argument("frequencies has 0 values; it must have one for each "
                                    "sub-band");
    }
    const double step = m > 1 ? (frequencies(m - 1) - frequencies(0)) / (m - 1) : 1.0;
    bool is_even = frequencies.allFinite() && frequencies(0) > 0.0 && step > 0.0;
    for (Eigen::Index k = 1; is_even && k < m; ++k) {
        is_even = std::abs(frequencies(k) - frequencies(k - 1) - step) <=
                  even_tolerance * std::max(step, 1e-6 * frequencies(m - 1));
    }
    if (!is_even) {
        throw std::invalid_argument("frequencies run from " +
                                    std::to_string(frequencies(0)) + " to " +
                                    std::to_string(frequencies(m - 1)) +
                                    "; they must be finite, > 0 Hz (radio frequencies), "
                                    "ascending and evenly spaced");
    }
}

void require_correlation(const std::vector<double>& correlation)
{
    for (const double value : correlation) {
        if (!(value >= 0.0 && value <= 1.0)) {
            throw std::invalid_argument("correlation has " + std::to_string(value) +
                                        "; each value must lie in [0, 1]");
        }
    }
}

// Radians of phase between neighbours of the uniform line whose response to a turn is the
// same as the array's, for each radian of azimuth.
double turn_scale(const antenna_array& array, double azimuth)
{
    const double n = array.num_elements();
    const manifold_point here = array.manifold(azimuth);
    const Eigen::VectorXcd d =
        here.d - imaginary_unit * array.centroid_phase_derivative(azimuth) * here.a;
    return std::sqrt(12.0 / (n * n - 1.0) * d.squaredNorm() / here.a.squaredNorm());
}

// The number of sources in most sub-bands, of those where there are any; of two equally
// frequent ones the larger.
int most_frequent(const std::vector<int>& counts)
{
    std::map<int, int> frequency;
    for (const int count : counts) {
        frequency[count] += count > 0 ? 1 : 0;
    }
    int best = 0;
    for (const auto& [count, times] : frequency) {
        best = count > 0 && times >= frequency[best] ? count : best;
    }
    return best;
}

} // namespace

subband_combination subband_combination_from_string(const std::string& name)
{
    if (name == "incoherent") {
        return subband_combination::incoherent;
    }
    if (name == "coherent") {
        return subband_combination::coherent;
    }
    throw std::invalid_argument("combination is '" + name +
                                "'; it must be 'incoherent' or 'coherent'");
}

std::vector<double> wideband_music_config::default_correlation()
{
    return { subband_correlation(1), subband_correlation(2), subband_correlation(3) };
}

struct wideband_music_estimator::part {
    int subband;
    covariance_analysis analysis;
    Eigen::MatrixXcd subspace; // Us, N x K
    signal_model model;        // has meaning only where the number of snapshots is known
    double weight;             // of the first search, > 0
};

namespace {

// Of several values, > 0; the upper one of an even number.
double median(std::vector<double> values)
{
    const auto middle = values.begin() + values.size() / 2;
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Those of M sub-bands whose both neighbours are used too.
std::vector<bool> inner(const std::vector<bool>& used)
{
    std::vector<bool> result(used.size(), false);
    for (std::size_t m = 1; m + 1 < used.size(); ++m) {
        result[m] = used[m - 1] && used[m] && used[m + 1];
    }
    return result;
}

} // namespace

struct wideband_music_estimator::direction {
    double deviation = 0.0;      // of the combination
    bool is_supported = false;   // the nulls are as deep as at a true direction
    std::vector<double> weights; // of each part, 1 / variance of its null
};

wideband_music_estimator::wideband_music_estimator(antenna_array array,
                                                   double center_frequency,
                                                   const Eigen::VectorXd& frequencies,
                                                   angle_grid grid,
                                                   wideband_music_config config)
    : d_array(std::move(array)),
      d_config(std::move(config)),
      d_shown(std::move(grid)),
      d_searched(d_shown),
      d_focused(d_array, d_shown, { d_config.num_sources, d_config.counting })
{
    require_frequencies(center_frequency, frequencies);
    require_correlation(d_config.correlation);
    std::vector<antenna_array> arrays;
    for (const double frequency : frequencies) {
        arrays.push_back(at_frequency(d_array, frequency / center_frequency));
    }
    d_searched = search_grid(d_shown, arrays.back(), d_config.num_sources);
    for (antenna_array& own : arrays) {
        spectrum_table shown(own, d_shown);
        spectrum_table searched(own, d_searched);
        d_subbands.push_back(
            { variant_frame(std::move(own)), std::move(shown), std::move(searched) });
    }
}

double wideband_music_estimator::correlation(int m, int other) const
{
    const std::size_t distance = std::abs(m - other);
    if (distance == 0) {
        return 1.0;
    }
    return distance <= d_config.correlation.size() ? d_config.correlation[distance - 1]
                                                   : 0.0;
}

// Those of sub-bands in which the sources stand out of the noise. Where they do in none,
// all whose data are good, and why.
std::vector<wideband_music_estimator::part>
wideband_music_estimator::parts(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                                std::size_t snapshots,
                                int& num_sources,
                                status& why) const
{
    const int n = d_array.num_elements();
    num_sources = d_config.num_sources;
    why = status::bad_data;
    std::vector<part> all;
    std::vector<int> counts;
    for (int m = 0; m < num_subbands(); ++m) {
        covariance_analysis analysis = analyse(d_subbands[m].frame,
                                               covariances.middleCols(m * n, n),
                                               d_config.num_sources,
                                               d_config.counting,
                                               snapshots);
        if (analysis.status == status::ok) {
            counts.push_back(analysis.num_sources);
            all.push_back({ m, std::move(analysis), {}, {}, 0.0 });
        } else if (why == status::bad_data) {
            why = analysis.status;
        }
    }
    if (d_config.num_sources == 0) {
        num_sources = most_frequent(counts);
    }
    all.erase(std::remove_if(all.begin(),
                             all.end(),
                             [num_sources](const part& one) {
                                 return one.analysis.num_sources != num_sources;
                             }),
              all.end());
    std::vector<part> strong;
    status weakness = status::ok;
    for (part& one : all) {
        const Eigen::VectorXd& values = one.analysis.eigen.values;
        const double noise = one.analysis.noise_power;
        one.subspace = one.analysis.eigen.vectors.leftCols(num_sources);
        // What sampling makes of the null of the weakest source.
        const double signal = values(num_sources - 1) - noise;
        one.weight =
            std::max(signal * signal / (noise * std::max(values(num_sources - 1), noise)),
                     null_floor);
        const status own = check_signal(values, num_sources, snapshots);
        if (own == status::ok) {
            one.model = sampled_model(one.analysis.eigen,
                                      d_subbands[one.subband].frame,
                                      num_sources,
                                      snapshots);
            strong.push_back(std::move(one));
        } else if (weakness != status::low_snr) {
            weakness = own;
        }
    }
    if (!strong.empty()) {
        why = status::ok;
        keep_occupied(strong, num_sources);
        return strong;
    }
    if (weakness != status::ok) {
        why = weakness;
    }
    return all;
}

// Leaves out sub-bands at the edge of a signal's spectrum or beyond it. Of several signals
// whose edges leave none, all stay.
void wideband_music_estimator::keep_occupied(std::vector<part>& parts, int num_sources)
{
    std::vector<bool> is_edge(parts.size(), false);
    for (int k = 0; k < num_sources; ++k) {
        std::vector<double> signal;
        for (const part& one : parts) {
            signal.push_back(one.analysis.eigen.values(k) - one.analysis.noise_power);
        }
        const double least = occupied_share * median(signal);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            is_edge[i] = is_edge[i] || signal[i] < least;
        }
    }
    if (std::find(is_edge.begin(), is_edge.end(), false) == is_edge.end()) {
        return;
    }
    std::vector<part> kept;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!is_edge[i]) {
            kept.push_back(std::move(parts[i]));
        }
    }
    parts = std::move(kept);
}

// Those of the parts whose sub-bands have others in use on both sides.
std::vector<wideband_music_estimator::part>
wideband_music_estimator::inner_parts(const std::vector<part>& parts) const
{
    std::vector<bool> used(num_subbands(), false);
    for (const part& one : parts) {
        used[one.subband] = true;
    }
    used = inner(used);
    std::vector<part> result;
    for (const part& one : parts) {
        if (used[one.subband]) {
            result.push_back(one);
        }
    }
    return result;
}

// Azimuths of the minima of the sum of null functions, deepest first.
std::vector<double> wideband_music_estimator::minima(const std::vector<part>& parts) const
{
    null_sum sum;
    std::vector<double> weights;
    Eigen::VectorXd coarse = Eigen::VectorXd::Zero(d_searched.size());
    Eigen::VectorXd f;
    double total = 0.0;
    for (const part& one : parts) {
        sum.add(array_of(one.subband), one.subspace);
        weights.push_back(one.weight);
        d_subbands[one.subband].searched.null_function(one.subspace, f);
        coarse += one.weight * f;
        total += one.weight;
    }
    for (double& weight : weights) {
        weight /= total;
    }
    sum.set_weights(std::move(weights));

    std::vector<std::pair<double, double>> found; // depth, azimuth
    for (const int g : local_minima(coarse, d_searched.is_circle())) {
        if (d_searched.is_open_edge(g, d_array)) {
            // Unless f falls towards what the sector leaves out.
            const double inward = g == 0 ? 1.0 : -1.0;
            if (inward * sum.at(d_searched.at(g)).slope > flat_slope) {
                continue;
            }
        }
        const double azimuth =
            sum.minimum(d_searched.at(g - 1), d_searched.at(g), d_searched.at(g + 1));
        const bool is_new =
            std::none_of(found.begin(), found.end(), [azimuth](const auto& other) {
                return std::abs(std::remainder(azimuth - other.second, 2.0 * M_PI)) <
                       same_minimum;
            });
        if (is_new) {
            found.emplace_back(sum.at(azimuth).value, azimuth);
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<double> azimuths;
    for (const auto& [depth, azimuth] : found) {
        azimuths.push_back(azimuth);
    }
    return azimuths;
}

wideband_music_estimator::direction
wideband_music_estimator::look(const std::vector<part>& parts, double azimuth) const
{
    direction result;
    const calibration_state& calibration = d_array.calibration();
    std::vector<double> inverse_deviation;
    double sum = 0.0;         // of 1 / s_m^2
    double floors = 0.0;      // of the calibration's deviations, weighted
    double depth = 0.0;       // of the nulls, in units of what sampling makes of them
    double error_limit = 0.0; // what the calibration's errors may add to it
    double freedom = 0.0;
    for (const part& one : parts) {
        const variant_frame& frame = d_subbands[one.subband].frame;
        const manifold_point point = frame.manifold(azimuth);
        const double variance = moments(point.a, one.model).variance;
        const Eigen::VectorXcd projected =
            point.d - one.subspace * (one.subspace.adjoint() * point.d);
        const double gamma = projected.squaredNorm();
        const double information = 2.0 * gamma / variance; // 1 / s_m^2
        inverse_deviation.push_back(std::sqrt(information));
        sum += information;
        result.weights.push_back(point.a.squaredNorm() / variance);
        if (has_deviations(calibration)) {
            // An element's error is the same at all frequencies, so these add up.
            floors += information *
                      std::sqrt(calibration_information(
                          calibration, frame.mixing(), point.a, projected)(0)) /
                      gamma;
            chi_squared_sum errors;
            errors.add_errors_of(calibration, point.a.cwiseAbs2().array());
            error_limit += errors.limit() / (0.5 * variance);
        }
        depth +=
            (point.a - one.subspace * (one.subspace.adjoint() * point.a)).squaredNorm() /
            (0.5 * variance);
        freedom += 2.0 * (one.subspace.rows() - one.subspace.cols());
    }
    double variance = 0.0;
    double squared_correlation = 0.0; // for each part
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (std::size_t k = 0; k < parts.size(); ++k) {
            const double c = correlation(parts[i].subband, parts[k].subband);
            variance += c * inverse_deviation[i] * inverse_deviation[k];
            squared_correlation += c * c / parts.size();
        }
    }
    result.deviation = std::sqrt(variance + floors * floors) / sum;
    // The squares of correlated Gaussian variables correlate as the square of that.
    chi_squared_sum sampling;
    sampling.add(squared_correlation, std::max(freedom - 1.0, 1.0) / squared_correlation);
    result.is_supported = depth <= sampling.limit() + error_limit;
    return result;
}

void wideband_music_estimator::show(const std::vector<part>& parts,
                                    Eigen::VectorXd& spectrum_db) const
{
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(d_shown.size());
    Eigen::VectorXd f;
    double total = 0.0;
    for (const part& one : parts) {
        d_subbands[one.subband].shown.null_function(one.subspace, f);
        sum += one.weight * f;
        total += one.weight;
    }
    spectrum_db = sum / total;
    to_decibels(spectrum_db, null_floor, 1.0, -1.0);
}

void wideband_music_estimator::fill_accuracy(const std::vector<part>& parts,
                                             const std::vector<double>& others,
                                             bearing_estimate& estimate) const
{
    int num_found = 0;
    int num_supported = 0;
    for (int k = 0; k < estimate.num_sources; ++k) {
        const double azimuth = estimate.azimuth(k);
        if (!std::isfinite(azimuth)) {
            estimate.status = status::unresolved;
            continue;
        }
        ++num_found;
        const direction here = look(parts, azimuth);
        num_supported += here.is_supported ? 1 : 0;
        // Two beams: what is farther away has no influence.
        const double scale = turn_scale(d_array, azimuth);
        double nearest = 4.0 * M_PI / d_array.num_elements();
        for (int other = 0; other < estimate.num_sources; ++other) {
            if (other != k && std::isfinite(estimate.azimuth(other))) {
                nearest =
                    std::min(nearest,
                             scale * std::abs(std::remainder(
                                         azimuth - estimate.azimuth(other), 2.0 * M_PI)));
            }
        }
        if (scale * here.deviation < largest_relative_deviation * nearest &&
            is_off_endfire(d_array, azimuth, here.deviation)) {
            estimate.deviation(k) = here.deviation;
        } else {
            estimate.status = status::unresolved;
        }
    }
    if (num_supported < num_found) {
        estimate.deviation.setConstant(nan);
        estimate.status = num_supported > 0 ? status::unresolved : status::model_mismatch;
    }
    // A further direction that the data supports as well: nobody can tell which are true.
    if (estimate.deviation.array().isFinite().any() &&
        std::any_of(others.begin(), others.end(), [&](double azimuth) {
            return look(parts, azimuth).is_supported;
        })) {
        estimate.deviation.setConstant(nan);
        estimate.status = status::not_identifiable;
    }
}

bearing_estimate wideband_music_estimator::incoherent(
    const Eigen::Ref<const Eigen::MatrixXcd>& covariances, std::size_t snapshots) const
{
    int num_sources = 0;
    status why = status::ok;
    std::vector<part> used = parts(covariances, snapshots, num_sources, why);
    const bearing_estimate first = fit(covariances, used, num_sources, why);
    // What contradicts the array's model may be the edges of the signal alone.
    const std::size_t fewest = (used.size() + 1) / 2;
    for (int peeling = 0; peeling < num_peelings; ++peeling) {
        if (first.status != status::model_mismatch) {
            break;
        }
        used = inner_parts(used);
        if (used.size() < fewest) {
            break;
        }
        const bearing_estimate estimate = fit(covariances, used, num_sources, why);
        if (estimate.status != status::model_mismatch) {
            return estimate;
        }
    }
    return first;
}

// The parts as one answer.
bearing_estimate
wideband_music_estimator::fit(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                              const std::vector<part>& used,
                              int num_sources,
                              status why) const
{
    bearing_estimate estimate = nothing_found(d_array, num_sources, why);
    estimate.grid = d_shown.azimuth();
    // Without a signal subspace f is 1 everywhere: a flat spectrum.
    estimate.spectrum_db.setZero(d_shown.size());
    if (used.empty() || num_sources == 0) {
        return estimate;
    }
    show(used, estimate.spectrum_db);

    std::vector<double> found = minima(used);
    const std::size_t num_found =
        std::min(found.size(), static_cast<std::size_t>(num_sources));
    const std::vector<double> others(found.begin() + num_found, found.end());
    found.resize(num_found);
    null_sum sum;
    for (const part& one : used) {
        sum.add(array_of(one.subband), one.subspace);
    }
    for (std::size_t k = 0; k < num_found; ++k) {
        if (why == status::ok) {
            // Again, with this source's own weights, no farther than half way to another.
            double reach = std::abs(d_searched.at(1) - d_searched.at(0));
            for (std::size_t other = 0; other < num_found; ++other) {
                if (other != k) {
                    reach = std::min(reach,
                                     0.5 * std::abs(std::remainder(
                                               found[k] - found[other], 2.0 * M_PI)));
                }
            }
            sum.set_weights(look(used, found[k]).weights);
            double lower = found[k] - reach;
            double upper = found[k] + reach;
            if (!d_searched.is_circle()) {
                lower = std::max(lower, d_searched.first());
                upper = std::min(upper, d_searched.last());
            }
            found[k] = sum.minimum(lower, found[k], upper);
        }
        estimate.azimuth(k) = reported_azimuth(d_array, found[k]);
    }

    std::vector<double> noise_power(num_subbands(), 0.0);
    for (const part& one : used) {
        noise_power[one.subband] = one.analysis.noise_power;
    }
    sum_powers(covariances, noise_power, estimate);
    if (why == status::ok) {
        fill_accuracy(used, others, estimate);
    }
    sort_by_power(estimate);
    return estimate;
}

// Azimuths of the highest maxima of the sum of the sub-bands' beams.
std::vector<double> wideband_music_estimator::highest_beams(
    const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
    const std::vector<double>& weights,
    int count) const
{
    const int n = d_array.num_elements();
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(d_searched.size());
    Eigen::VectorXd beam;
    for (int m = 0; m < num_subbands(); ++m) {
        if (weights[m] > 0.0) {
            const eigendecomposition eigen = decompose(covariances.middleCols(m * n, n));
            d_subbands[m].searched.beam_power(eigen.vectors, eigen.values, beam);
            sum += weights[m] * beam;
        }
    }
    std::vector<double> azimuths;
    for (const int g : local_minima(-sum, d_searched.is_circle())) {
        if (static_cast<int>(azimuths.size()) < count) {
            azimuths.push_back(d_searched.at(g));
        }
    }
    return azimuths;
}

// Sums the powers of the sub-bands that have a noise power.
void wideband_music_estimator::sum_powers(
    const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
    const std::vector<double>& noise_power,
    bearing_estimate& estimate) const
{
    const int n = d_array.num_elements();
    Eigen::VectorXd power = Eigen::VectorXd::Zero(estimate.num_sources);
    double noise = 0.0;
    for (int m = 0; m < num_subbands(); ++m) {
        if (noise_power[m] > 0.0) {
            bearing_estimate own = estimate;
            fill_powers(
                array_of(m), covariances.middleCols(m * n, n), noise_power[m], own);
            power.array() += Eigen::pow(10.0, own.power_db.array() / 10.0);
            noise += noise_power[m];
        }
    }
    for (int k = 0; k < estimate.num_sources; ++k) {
        if (std::isfinite(power(k))) {
            set_power(power(k), noise, k, estimate);
        }
    }
}

// Whether any two of the sources have a coherence in the sub-bands.
bool wideband_music_estimator::has_echoes(
    const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
    const std::vector<double>& weights,
    const Eigen::VectorXd& azimuths,
    std::size_t snapshots) const
{
    const Eigen::Index num_sources = azimuths.size();
    if (num_sources < 2 || !azimuths.allFinite()) {
        return false;
    }
    const int n = d_array.num_elements();
    // Powers and cross-powers over the noise, squared and summed: a sub-band without signal
    // adds nothing, where the mean of its coherences would be one of errors.
    Eigen::MatrixXd coherence = Eigen::MatrixXd::Zero(num_sources, num_sources);
    Eigen::MatrixXd products = Eigen::MatrixXd::Zero(num_sources, num_sources);
    for (int m = 0; m < num_subbands(); ++m) {
        if (weights[m] > 0.0) {
            const Eigen::MatrixXcd inverse =
                array_of(m)
                    .steering(azimuths, Eigen::VectorXd::Zero(num_sources))
                    .completeOrthogonalDecomposition()
                    .pseudoInverse();
            const Eigen::MatrixXcd signal = covariances.middleCols(m * n, n) -
                                            Eigen::MatrixXcd::Identity(n, n) / weights[m];
            const Eigen::MatrixXcd power = inverse * signal * inverse.adjoint();
            const Eigen::VectorXd own = power.diagonal().real().cwiseMax(0.0);
            coherence += weights[m] * weights[m] * power.cwiseAbs2();
            products += weights[m] * weights[m] * own * own.transpose();
        }
    }
    coherence.array() /= products.array().max(std::numeric_limits<double>::min());
    coherence.diagonal().setZero();
    return coherence.maxCoeff() >
           echo_coherence +
               sampled_coherence / std::max<double>(static_cast<double>(snapshots), 1.0);
}

bearing_estimate
wideband_music_estimator::coherent(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                                   std::size_t snapshots) const
{
    const int n = d_array.num_elements();
    const bearing_estimate first = incoherent(covariances, snapshots);
    const int wanted = std::max(first.num_sources, 1);

    std::vector<double> weights(num_subbands(), 0.0);
    std::vector<double> signal(num_subbands(), 0.0); // over noise, at an element
    std::vector<double> noise_power(num_subbands(), 0.0);
    for (int m = 0; m < num_subbands(); ++m) {
        const Eigen::MatrixXcd own = covariances.middleCols(m * n, n);
        if (check_covariance(own) == status::ok) {
            const Eigen::VectorXd values = eigenvalues(own);
            const double noise = values.tail(n - wanted).mean();
            if (noise > rounding_of(values)) {
                weights[m] = 1.0 / noise;
                noise_power[m] = noise;
                signal[m] = std::max(values.mean() / noise - 1.0, 0.0);
            }
        }
    }
    const double num_used = static_cast<double>(
        std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0.0; }));
    if (num_used == 0.0) {
        return first;
    }
    // The independent snapshots that the sub-bands amount to together: where the signal's
    // power over the noise varies, those with more of it count for more.
    double terms = 0.0;
    double products = 0.0;
    for (int m = 0; m < num_subbands(); ++m) {
        terms += signal[m];
        for (int other = 0; other < num_subbands(); ++other) {
            products += std::sqrt(signal[m] * signal[other]) * correlation(m, other);
        }
    }
    const std::size_t looks =
        products > 0.0 ? static_cast<std::size_t>(snapshots * num_used * terms / products)
                       : snapshots;

    std::vector<double> azimuths;
    if (first.num_sources > 0 && first.azimuth.allFinite() &&
        first.status != status::low_snr) {
        azimuths.assign(first.azimuth.begin(), first.azimuth.end());
    } else {
        azimuths = highest_beams(covariances, weights, wanted);
    }
    bearing_estimate estimate;
    for (const double share : focusing_shares) {
        const Eigen::VectorXd at = focusing_azimuths(d_array, azimuths, share);
        Eigen::MatrixXcd focused = Eigen::MatrixXcd::Zero(n, n);
        for (int m = 0; m < num_subbands(); ++m) {
            if (weights[m] > 0.0) {
                const Eigen::MatrixXcd turn = focusing_matrix(d_array, array_of(m), at);
                focused += weights[m] / num_used * turn *
                           covariances.middleCols(m * n, n) * turn.adjoint();
            }
        }
        estimate = d_focused.estimate(focused, looks);
        if (estimate.num_sources == 0 || !estimate.azimuth.allFinite()) {
            break;
        }
        azimuths.assign(estimate.azimuth.begin(), estimate.azimuth.end());
    }
    if (has_echoes(covariances, weights, estimate.azimuth, snapshots)) {
        estimate.deviation.setConstant(nan);
        if (estimate.status == status::ok) {
            estimate.status = status::not_identifiable;
        }
    }
    sum_powers(covariances, noise_power, estimate);
    sort_by_power(estimate);
    return estimate;
}

bearing_estimate
wideband_music_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                                   std::size_t snapshots) const
{
    const int n = d_array.num_elements();
    if (covariances.rows() != n || covariances.cols() != n * num_subbands()) {
        throw std::invalid_argument(
            "covariances is " + std::to_string(covariances.rows()) + " x " +
            std::to_string(covariances.cols()) + "; " + std::to_string(num_subbands()) +
            " sub-bands of an array of " + std::to_string(n) + " elements take N x N M");
    }
    return d_config.combination == subband_combination::incoherent
               ? incoherent(covariances, snapshots)
               : coherent(covariances, snapshots);
}

} // namespace core
} // namespace bearing
} // namespace gr
