/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_parameters.h"
#include "good_sensors.h"
#include "record_spectrum.h"
#include <gnuradio/bearing/core/propagation/velocity_scale.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double coarsest_step = 0.005;
// Phases turn by less than this from one scale to the next, in radians: the maximum is more
// than two steps wide.
constexpr double largest_turn = 0.7;
constexpr int most_steps = 4000;
// Each round of parabolas narrows the step by this; the last one is a thousandth of the
// grid's, where a parabola is exact to rounding.
constexpr int num_rounds = 4;
constexpr double narrowing = 0.1;
// Scales that tell how much the sum varies by noise alone.
constexpr int num_probes = 21;
// Deviations that noise does not reach among some hundred independent scales: few bins may
// decide, and sums of few exponentially distributed powers have long tails; 1 of 200 records
// of unequal sensors reached 6.
constexpr double surely_above = 8.0;

// Good sensors' spectra against a propagator of any velocity.
class matched_power
{
public:
    template <class Matrix>
    matched_power(const Matrix& data,
                  const std::vector<int>& good,
                  double sample_rate,
                  const propagator& p,
                  double center_frequency,
                  spectrum_sides sides)
        : d_good(good),
          d_num_samples(data.rows()),
          d_sample_rate(sample_rate),
          d_propagator(p),
          d_center_frequency(center_frequency),
          d_sides(sides)
    {
        Matrix chosen(data.rows(), static_cast<Eigen::Index>(good.size()));
        for (std::size_t i = 0; i < good.size(); ++i) {
            chosen.col(static_cast<Eigen::Index>(i)) = data.col(good[i]);
        }
        // Scaled, so that squares of powers stay within range.
        d_data = record_spectrum(chosen);
        d_data /= d_data.cwiseAbs().maxCoeff();
    }

    // P / |P| at each bin, F x N; 0 where there is no response.
    Eigen::MatrixXcd direction(double scale) const
    {
        const Eigen::MatrixXcd all =
            bin_responses({ d_propagator.with_velocity_scale(scale) },
                          d_num_samples,
                          d_sample_rate,
                          d_center_frequency,
                          d_sides)
                .front();
        Eigen::MatrixXcd result(all.rows(), d_data.cols());
        for (std::size_t i = 0; i < d_good.size(); ++i) {
            result.col(static_cast<Eigen::Index>(i)) = all.col(d_good[i]);
        }
        for (Eigen::Index f = 0; f < result.rows(); ++f) {
            const double size = result.row(f).stableNorm();
            if (size > 0.0) {
                result.row(f) /= size;
            }
        }
        return result;
    }

    // |P^H d|^2 / P^H P at each bin, F.
    Eigen::VectorXd at_bins(const Eigen::MatrixXcd& direction) const
    {
        return direction.conjugate().cwiseProduct(d_data).rowwise().sum().cwiseAbs2();
    }

    double operator()(double scale) const { return at_bins(direction(scale)).sum(); }

    // Root mean square, over where the power is, of how fast the phases of the sensors move
    // against each other, radians for a unit of scale.
    double phase_rate() const
    {
        constexpr double step = 1e-6;
        const Eigen::MatrixXcd here = direction(1.0);
        const Eigen::MatrixXcd there = direction(1.0 + step);
        const Eigen::MatrixXd weight = d_data.cwiseAbs2().cwiseProduct(here.cwiseAbs2());
        const Eigen::MatrixXd rate =
            there.cwiseProduct(here.conjugate()).cwiseArg() / step;
        double sum = 0.0;
        double power = 0.0;
        for (Eigen::Index f = 0; f < rate.rows(); ++f) {
            const double total = weight.row(f).sum();
            if (total > 0.0) {
                const double mean = weight.row(f).dot(rate.row(f)) / total;
                sum += weight.row(f).dot((rate.row(f).array() - mean).square().matrix());
                power += total;
            }
        }
        return power > 0.0 ? std::sqrt(sum / power) : 0.0;
    }

    /*
     * Deviations by which the sum at a scale exceeds its mean over other scales. Bins at
     * which one sensor hears all, whatever the velocity, do not count: there the directions
     * of all scales agree.
     */
    double significance(double scale, double widest) const
    {
        const Eigen::MatrixXcd best = direction(scale);
        const Eigen::VectorXd power = at_bins(best);
        Eigen::VectorXd mean = Eigen::VectorXd::Zero(power.size());
        Eigen::VectorXd agreement = Eigen::VectorXd::Zero(power.size());
        for (int k = 0; k < num_probes; ++k) {
            const double other = 1.0 + widest * (2.0 * k / (num_probes - 1) - 1.0);
            const Eigen::MatrixXcd probe = direction(other);
            mean += at_bins(probe) / num_probes;
            agreement +=
                best.conjugate().cwiseProduct(probe).rowwise().sum().cwiseAbs2() /
                num_probes;
        }
        const double freedom = static_cast<double>(d_data.cols() - 1);
        const Eigen::VectorXd noise =
            smooth_spectrum((d_data.cwiseAbs2().rowwise().sum() - power) / freedom,
                            noise_smoothing,
                            d_sides,
                            d_num_samples)
                .cwiseMax(0.0);
        const double variance =
            noise.cwiseAbs2().dot((1.0 - agreement.array()).max(0.0).matrix());
        const double gain = (power - mean).sum();
        // Without noise any gain beyond rounding is significant.
        const double rounding =
            std::numeric_limits<double>::epsilon() * d_data.squaredNorm();
        return gain / std::max(std::sqrt(variance), rounding);
    }

private:
    std::vector<int> d_good;
    Eigen::Index d_num_samples;
    double d_sample_rate;
    propagator d_propagator;
    double d_center_frequency;
    spectrum_sides d_sides;
    Eigen::MatrixXcd d_data;
};

// Where the parabola through (-1, before), (0, here), (1, after) has its maximum; within
// [-1, 1].
double vertex(double before, double here, double after)
{
    const double curvature = before - 2.0 * here + after;
    if (!(curvature < 0.0)) {
        return 0.0;
    }
    return std::clamp(0.5 * (before - after) / curvature, -1.0, 1.0);
}

template <class Matrix>
velocity_fit fit(const Matrix& data,
                 double sample_rate,
                 const propagator& p,
                 double widest,
                 double requested_center)
{
    constexpr spectrum_sides sides = sides_of<typename Matrix::Scalar>;
    require_sample_rate(sample_rate);
    if (!p.has_velocity()) {
        throw std::invalid_argument(
            "velocity_scale: p is a table of responses, which has no velocity");
    }
    if (data.rows() < 2 || data.cols() != p.num_sensors()) {
        throw std::invalid_argument("velocity_scale: d is " +
                                    std::to_string(data.rows()) + " x " +
                                    std::to_string(data.cols()) + " and p has " +
                                    std::to_string(p.num_sensors()) +
                                    " sensors; d must be T x N, time first, with T >= 2");
    }
    if (!(widest > 0.0 && widest < 1.0)) {
        throw std::invalid_argument("velocity_scale: widest is " +
                                    std::to_string(widest) +
                                    "; it must be between 0 and 1");
    }
    const double center =
        center_frequency_of({ p }, requested_center, sides == spectrum_sides::one);
    // Throws where the propagator does not fit the band, whatever the data.
    bin_responses({ p }, data.rows(), sample_rate, center, sides);

    velocity_fit result{ std::numeric_limits<double>::quiet_NaN(), status::bad_data };
    const std::vector<int> good = good_sensors(data);
    if (good.size() < 2) {
        if (data.isZero(0.0)) {
            result.status = status::no_source;
        }
        return result;
    }

    const matched_power power(data, good, sample_rate, p, center, sides);
    const double rate = power.phase_rate();
    const double wanted =
        std::max(2.0 * widest / coarsest_step, 2.0 * widest * rate / largest_turn);
    const int num_steps =
        std::max(4, static_cast<int>(std::ceil(std::min<double>(wanted, most_steps))));
    const double step = 2.0 * widest / num_steps;
    double best = 0.0;
    int at = 0;
    for (int k = 0; k <= num_steps; ++k) {
        const double value = power(1.0 - widest + k * step);
        if (value > best) {
            best = value;
            at = k;
        }
    }
    double scale = 1.0 - widest + at * step;
    if (!(power.significance(scale, widest) > surely_above)) {
        result.status = status::no_source;
        return result;
    }
    if (at == 0 || at == num_steps) {
        result.status = status::not_identifiable;
        return result;
    }
    double span = step;
    for (int round = 0; round < num_rounds; ++round) {
        scale += span * vertex(power(scale - span), power(scale), power(scale + span));
        span *= narrowing;
    }
    result.scale = scale;
    result.status = status::ok;
    return result;
}

} // namespace

velocity_fit velocity_scale(const Eigen::MatrixXd& data,
                            double sample_rate,
                            const propagator& p,
                            double widest)
{
    return fit(data, sample_rate, p, widest, 0.0);
}

velocity_fit velocity_scale(const Eigen::MatrixXcd& data,
                            double sample_rate,
                            const propagator& p,
                            double widest,
                            double center_frequency)
{
    return fit(data, sample_rate, p, widest, center_frequency);
}

} // namespace core
} // namespace bearing
} // namespace gr
