/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_parameters.h"
#include "stream_learner.h"
#include <algorithm>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {

// A block with less of the window on samples is cut off within, at another place of the
// source for each sensor, which looks like noise: worth something only where there are no
// whole ones.
constexpr double whole_share = 0.999;
// Pieces of a stream without a whole block until partial blocks count again, at least: a
// short piece between long ones is not worth its error.
constexpr double patience = 2.0;

// Rounds until noise levels of sensors and their weights agree; later blocks take one each.
constexpr int first_level_rounds = 4;
constexpr double level_blocks = 16.0;

// Rounds until the spectra of several sources have settled, for the first block.
constexpr int first_source_rounds = 10;
// Of several sources each keeps this much of the noise in its estimate, so that one that
// appears is noticed: the rounds multiply, and would never leave 0.
constexpr double least_source = 1e-3;

// Deviations above the mean, exponents of Chernoff's bound on an average, and powers over
// the noise, that noise does not reach in 10^5 bins but with a chance of 1e-4 or less. The
// window makes neighbours alike.
constexpr double surely_above = 5.0;
constexpr double surely_peak = 20.0;
constexpr double surely_more = 6.0;
constexpr double bins_that_agree = 2.0;

constexpr float centre_tap = 3.0f / 8.0f;
constexpr float near_tap = -1.0f / 4.0f;
constexpr float far_tap = 1.0f / 16.0f;

// What a spectrum is beyond its ends: even there, or on a circle.
template <class Value>
std::complex<float> beyond(const Value& value, int k, int num_bins, spectrum_sides sides)
{
    if (sides == spectrum_sides::two) {
        return value((k + num_bins) % num_bins);
    }
    if (k < 0) {
        return std::conj(value(-k));
    }
    return k < num_bins ? value(k) : std::conj(value(2 * (num_bins - 1) - k));
}

template <class Value>
float power_at_end(const Value& value, int k, int num_bins, spectrum_sides sides)
{
    const auto at = [&](int bin) { return beyond(value, bin, num_bins, sides); };
    return std::norm(centre_tap * at(k) + near_tap * (at(k - 1) + at(k + 1)) +
                     far_tap * (at(k - 2) + at(k + 2)));
}

// Bins whose five taps leave the spectrum.
template <class Function>
void for_ends(int num_bins, const Function& function)
{
    for (const int k : { 0, 1, num_bins - 2, num_bins - 1 }) {
        function(k);
    }
}

// Levels of these sensors to a geometric mean of 1.
void normalise(const std::vector<int>& sensors, Eigen::VectorXd& levels)
{
    double mean_log = 0.0;
    for (const int sensor : sensors) {
        mean_log += std::log(levels(sensor));
    }
    const double mean = std::exp(mean_log / static_cast<double>(sensors.size()));
    for (const int sensor : sensors) {
        levels(sensor) /= mean;
    }
}

} // namespace

stream_learner::stream_learner(const propagator_ls_config& config,
                               spectrum_sides sides,
                               int block_length,
                               int num_sensors,
                               int num_sources,
                               double averaging,
                               double unit)
    : d_sides(sides),
      d_num_bins(sides == spectrum_sides::one ? block_length / 2 + 1 : block_length),
      d_num_sources(num_sources),
      d_learns_noise(config.noise_psd.size() == 0),
      d_learns_source(config.source_psd.size() == 0),
      d_learns_levels(config.noise == sensor_noise::per_sensor &&
                      estimates_noise(config)),
      d_step(1.0 / averaging),
      d_noise_box(noise_smoothing, sides, block_length),
      d_source_box(source_smoothing, sides, block_length),
      d_gamma(num_sensors),
      d_measured(num_sensors),
      d_noise_average(d_num_bins),
      d_source_average(static_cast<std::size_t>(num_sources) * d_num_bins),
      d_source_gain_average(d_source_average.size()),
      d_total(2 * padded(d_num_bins)),
      d_share(2 * padded(d_num_bins)),
      d_taps(2 * padded(d_num_bins)),
      d_power(d_num_bins),
      d_smooth(d_num_bins),
      d_ones(d_num_bins, 1.0),
      d_sources(num_sources > 1 ? 2 * padded(d_num_bins) * num_sources : 0),
      d_by_sensor(num_sensors),
      d_left(num_sensors)
{
    d_given.noise.resize(d_num_bins);
    d_given.source.resize(d_source_average.size());
    for (int k = 0; k < d_num_bins; ++k) {
        if (!d_learns_noise) {
            d_given.noise[k] = unit * config.noise_psd.row(k).mean();
        }
        for (int m = 0; m < num_sources && !d_learns_source; ++m) {
            d_given.source[static_cast<std::size_t>(m) * d_num_bins + k] =
                unit * config.source_psd(k, m);
        }
    }
    d_prior = d_given;
    forget();
}

void stream_learner::forget()
{
    if (d_learns_noise) {
        std::fill(d_prior.noise.begin(), d_prior.noise.end(), 0.0);
    }
    if (d_learns_source) {
        std::fill(d_prior.source.begin(), d_prior.source.end(), 0.0);
    }
    d_gamma.setOnes();
    d_level_blocks = 0;
    for (std::vector<double>* average :
         { &d_noise_average, &d_source_average, &d_source_gain_average }) {
        std::fill(average->begin(), average->end(), 0.0);
    }
    d_noise_weight = 0.0;
    d_source_weight = 0.0;
    d_wanted_share = 0.0;
    d_last_share = 0.0;
    d_piece_share = 0.0;
    d_is_falling = false;
    d_is_first_piece = true;
    d_has_whole = false;
    d_broken_pieces = 0.0;
}

void stream_learner::follow(const stream_filter& filter)
{
    for (std::size_t k = 0; k < d_given.source.size() && !d_learns_source; ++k) {
        d_prior.source[k] = d_given.source[k] * filter.scale_power()[k];
    }
}

// Whether a block is as good as those that can be had.
bool stream_learner::takes(double share)
{
    // A piece's shares rise and fall; of pieces as short as a block, there is one each.
    if ((d_is_falling && share > d_last_share) ||
        (share == d_last_share && share < whole_share)) {
        end_piece();
    }
    if (share != d_last_share) {
        d_is_falling = share < d_last_share;
    }
    d_last_share = share;
    d_piece_share = std::max(d_piece_share, share);
    return share > 0.0 && (share >= whole_share || share >= d_wanted_share);
}

// Where a stream breaks more often than blocks are long there are no whole ones: after an
// averaging time, the best blocks of its pieces have to do, else spectra would stay for ever
// what they were before.
void stream_learner::end_piece()
{
    d_is_first_piece = false;
    if (d_piece_share >= whole_share) {
        d_broken_pieces = 0.0;
    } else {
        d_broken_pieces += 1.0;
        if (d_broken_pieces >= std::max(patience, 1.0 / d_step)) {
            d_wanted_share = std::min(d_wanted_share, d_piece_share);
        }
    }
    d_piece_share = 0.0;
}

void stream_learner::learn(stream_filter& filter,
                           const float* spectra,
                           const std::vector<int>& sensors,
                           double share)
{
    filter.weigh(sensors, d_gamma);
    filter.match(spectra);
    if (!takes(share) || static_cast<int>(sensors.size()) < d_num_sources) {
        return;
    }
    const bool is_whole = share >= whole_share;
    // Blocks of one piece overlap: the better one takes the place of the lesser.
    const bool is_better = d_is_first_piece && share > d_wanted_share;
    if (d_wanted_share > 0.0 && !d_has_whole && (is_whole || is_better)) {
        forget();
        filter.weigh(sensors, d_gamma);
        filter.match(spectra);
        d_last_share = share;
        d_piece_share = share;
    }
    d_wanted_share = std::max(d_wanted_share, share);
    d_has_whole = d_has_whole || is_whole;
    const bool has_residual = static_cast<int>(sensors.size()) > d_num_sources;
    if (d_learns_noise || d_learns_levels || d_num_sources == 1) {
        filter.solve_least_squares();
    }
    if (has_residual && (d_learns_noise || d_learns_levels)) {
        if (d_learns_levels) {
            learn_levels(filter, spectra, share);
        } else {
            fill_residual(filter, spectra, false);
        }
        if (d_learns_noise) {
            learn_noise(share);
        }
    }
    if (d_learns_source) {
        if (d_num_sources == 1) {
            learn_source(filter, share);
        } else {
            learn_sources(filter, share);
        }
    }
}

void stream_learner::fill_residual(const stream_filter& filter,
                                   const float* spectra,
                                   bool is_shared)
{
    float* const total = d_total.data();
    std::fill_n(total, filter.stride(), 0.0f);
    std::fill(d_by_sensor.begin(), d_by_sensor.end(), 0.0);
    filter.residual(spectra, is_shared ? d_share.data() : nullptr, total, d_by_sensor);
    for_ends(d_num_bins, [&](int k) {
        double sum = 0.0;
        for (const int sensor : filter.sensors()) {
            sum += power_at_end(
                       [&](int bin) { return filter.residual(spectra, sensor, bin); },
                       k,
                       d_num_bins,
                       d_sides) /
                   d_gamma(sensor);
        }
        total[2 * k] = static_cast<float>(sum);
        total[2 * k + 1] = 0.0f;
    });
    const double* const freedom = filter.degrees_of_freedom().data();
    for (int k = 0; k < d_num_bins; ++k) {
        const double both = total[2 * k] + total[2 * k + 1];
        d_power[k] = both / (window_power * std::max(freedom[k], 1e-3));
    }
}

// 1 / q up to a factor; the ends, which the kernel does not get right, do not count.
void stream_learner::fill_share()
{
    float* const share = d_share.data();
    double largest = 0.0;
    for (const double q : d_smooth) {
        largest = std::max(largest, q);
    }
    // Squares of bins that differ by more are rounding.
    constexpr double smallest = 1e-20;
    for (int k = 0; k < d_num_bins; ++k) {
        const bool counts =
            k >= 2 && k < d_num_bins - 2 && d_smooth[k] > smallest * largest;
        share[2 * k] = counts ? static_cast<float>(largest / d_smooth[k]) : 0.0f;
        share[2 * k + 1] = share[2 * k];
    }
}

// Residual powers of sensors over the part of the noise that is left in them.
Eigen::VectorXd& stream_learner::measured_levels(stream_filter& filter)
{
    filter.left_noise(d_share.data(), d_left);
    d_measured = d_gamma;
    double largest = 0.0;
    for (std::size_t n = 0; n < filter.sensors().size(); ++n) {
        // Where next to nothing is left, nothing can be told.
        if (d_left[n] > 1e-3 * d_num_bins) {
            d_measured(filter.sensors()[n]) = d_by_sensor[n] / d_left[n];
        }
        largest = std::max(largest, d_measured(filter.sensors()[n]));
    }
    if (!(largest > 0.0)) {
        d_measured = d_gamma;
        return d_measured;
    }
    for (const int sensor : filter.sensors()) {
        // A sensor without any noise would be the only one that counts.
        d_measured(sensor) = std::max(d_measured(sensor), 1e-9 * largest);
    }
    normalise(filter.sensors(), d_measured);
    return d_measured;
}

void stream_learner::learn_levels(stream_filter& filter,
                                  const float* spectra,
                                  double share)
{
    if (d_level_blocks == 0) {
        for (int round = 0; round < first_level_rounds; ++round) {
            fill_residual(filter, spectra, false);
            if (d_learns_noise) {
                d_noise_box.smooth(d_power.data(), d_smooth.data());
            } else {
                d_smooth = d_prior.noise;
            }
            fill_share();
            fill_residual(filter, spectra, true);
            d_gamma = measured_levels(filter);
            filter.weigh(filter.sensors(), d_gamma);
            filter.match(spectra);
            filter.solve_least_squares();
        }
        fill_residual(filter, spectra, false);
    } else {
        std::copy(d_prior.noise.begin(), d_prior.noise.end(), d_smooth.begin());
        fill_share();
        fill_residual(filter, spectra, true);
        const double step =
            share * std::max(1.0 / (d_level_blocks + 1.0), 1.0 / level_blocks);
        measured_levels(filter);
        for (const int sensor : filter.sensors()) {
            d_gamma(sensor) += step * (d_measured(sensor) - d_gamma(sensor));
        }
        // The next block is the first that is weighed by it.
        normalise(filter.sensors(), d_gamma);
    }
    ++d_level_blocks;
}

void stream_learner::learn_noise(double share)
{
    d_noise_weight += d_step * (share - d_noise_weight);
    const double step = d_step;
    for (int k = 0; k < d_num_bins; ++k) {
        d_noise_average[k] += step * (d_power[k] - d_noise_average[k]);
    }
    d_noise_box.smooth(d_noise_average.data(), d_prior.noise.data());
    const double over_weight = 1.0 / d_noise_weight;
    for (double& q : d_prior.noise) {
        q = std::max(q * over_weight, 0.0);
    }
}

// |x|^2 under the window, over what the window leaves, to d_power.
void stream_learner::fill_window_power(const float* bins)
{
    const int last = 2 * (d_num_bins - 2);
    float* const taps = d_taps.data();
    for (int j = 4; j < last; ++j) {
        const float x = centre_tap * bins[j] + near_tap * (bins[j - 2] + bins[j + 2]) +
                        far_tap * (bins[j - 4] + bins[j + 4]);
        taps[j] = x * x;
    }
    for (int k = 2; k < d_num_bins - 2; ++k) {
        d_power[k] = taps[2 * k] + taps[2 * k + 1];
    }
    for_ends(d_num_bins, [&](int k) {
        d_power[k] = power_at_end(
            [&](int bin) {
                return std::complex<float>(bins[2 * bin], bins[2 * bin + 1]);
            },
            k,
            d_num_bins,
            d_sides);
    });
    constexpr double over_window = 1.0 / window_power;
    for (int k = 0; k < d_num_bins; ++k) {
        d_power[k] *= over_window;
    }
}

void stream_learner::learn_source(const stream_filter& filter, double share)
{
    fill_window_power(filter.least_squares());
    d_source_weight += d_step * (share - d_source_weight);
    const double over_weight = 1.0 / d_source_weight;
    const double step = d_step;
    const float* const gain = filter.noise_gain().data();
    for (int k = 0; k < d_num_bins; ++k) {
        d_source_average[k] += step * (d_power[k] - d_source_average[k]);
        d_source_gain_average[k] += step * (share * gain[k] - d_source_gain_average[k]);
        d_smooth[k] = d_source_average[k] - d_prior.noise[k] * d_source_gain_average[k];
    }
    d_source_box.smooth(d_smooth.data(), d_prior.source.data());
    for (double& s : d_prior.source) {
        s = std::max(s * over_weight, 0.0);
    }
}

// S of one source, from the smoothed power in d_power over what was kept of it in d_smooth.
void stream_learner::set_source(const stream_filter& filter, int source, double share)
{
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(source) * d_num_bins;
    for (int k = 0; k < d_num_bins; ++k) {
        const double floor =
            least_source * d_prior.noise[k] * filter.alone_gain()[first + k];
        d_prior.source[first + k] =
            std::max(d_smooth[k] > 0.0 ? d_power[k] / (share * d_smooth[k]) : 0.0, floor);
    }
}

// S_k <- smooth |s_k|^2 / smooth (1 - C_kk / S_k).
void stream_learner::learn_sources(stream_filter& filter, double share)
{
    if (d_source_weight == 0.0) {
        start_sources(filter, share);
    }
    d_source_weight += d_step * (share - d_source_weight);
    filter.estimate(d_prior, { ls_mode::wiener, 1.0, 0.0 }, d_ones, d_sources.data());
    const double step = d_step;
    for (int m = 0; m < d_num_sources; ++m) {
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(m) * d_num_bins;
        fill_window_power(d_sources.data() + m * filter.stride());
        double* const average = d_source_average.data() + first;
        double* const kept = d_source_gain_average.data() + first;
        for (int k = 0; k < d_num_bins; ++k) {
            average[k] += step * (d_power[k] - average[k]);
            kept[k] += step * (share * filter.kept()[first + k] - kept[k]);
        }
        d_source_box.smooth(average, d_power.data());
        d_source_box.smooth(kept, d_smooth.data());
        set_source(filter, m, 1.0);
    }
}

// The same from one block alone, and from what each source would be if it were the only one:
// where sources look alike, the noise of least squares exceeds all.
void stream_learner::start_sources(stream_filter& filter, double share)
{
    for (int m = 0; m < d_num_sources; ++m) {
        const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(m) * d_num_bins;
        filter.solve_alone(m, d_sources.data());
        fill_window_power(d_sources.data());
        d_source_box.smooth(d_power.data(), d_prior.source.data() + first);
        for (int k = 0; k < d_num_bins; ++k) {
            d_prior.source[first + k] = std::max(d_prior.source[first + k] / share, 0.0);
        }
    }
    for (int round = 0; round < first_source_rounds; ++round) {
        filter.estimate(d_prior, { ls_mode::wiener, 1.0, 0.0 }, d_ones, d_sources.data());
        for (int m = 0; m < d_num_sources; ++m) {
            const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(m) * d_num_bins;
            fill_window_power(d_sources.data() + m * filter.stride());
            d_source_box.smooth(d_power.data(), d_power.data());
            d_source_box.smooth(filter.kept().data() + first, d_smooth.data());
            set_source(filter, m, share);
        }
    }
}

bool stream_learner::has_signal(const stream_filter& filter) const
{
    if (!has_learnt() || d_source_weight == 0.0) {
        return has_any_source();
    }
    if (!has_any_source()) {
        return false;
    }
    if (d_num_sources > 1) {
        const float* const gain = filter.alone_gain().data();
        for (std::size_t k = 0; k < d_prior.source.size(); ++k) {
            const double noise = d_prior.noise[k % d_num_bins] * gain[k];
            if (d_prior.source[k] > surely_more * noise) {
                return true;
            }
        }
        return false;
    }
    // Of noise alone, excess is exponentially distributed, less 1.
    const auto excess = [&](int k) {
        const double noise = d_prior.noise[k] * d_source_gain_average[k];
        // Without any noise, all is signal.
        return noise > 0.0 ? d_source_average[k] / noise - 1.0
                           : (d_source_average[k] > 0.0 ? 1e9 : 0.0);
    };
    double sum = 0.0;
    for (int k = 0; k < d_num_bins; ++k) {
        sum += excess(k);
    }
    const double deviation = std::sqrt(bins_that_agree * d_num_bins);
    if (sum > surely_above * deviation) {
        return true;
    }
    const int width = source_smoothing.narrowest;
    double in_box = 0.0;
    for (int k = 0; k < d_num_bins; ++k) {
        in_box += excess(k) - (k >= width ? excess(k - width) : 0.0);
        const double peak = in_box / width;
        if (k + 1 >= width && peak > 0.0 &&
            width / bins_that_agree * (peak - std::log1p(peak)) > surely_peak) {
            return true;
        }
    }
    return false;
}

bool stream_learner::has_any_source() const
{
    return std::any_of(
        d_prior.source.begin(), d_prior.source.end(), [](double s) { return s > 0.0; });
}

} // namespace core
} // namespace bearing
} // namespace gr
