/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// splitmix64 and Box-Muller: the same numbers with every standard library, unlike
// std::normal_distribution.
class normal_numbers
{
public:
    explicit normal_numbers(std::uint64_t seed) : d_state(seed) {}

    void fill(Eigen::MatrixXd& values)
    {
        for (Eigen::Index k = 0; k < values.size(); k += 2) {
            // In (0, 1]: the logarithm is finite.
            const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
            const double angle = 2.0 * M_PI * uniform();
            values(k) = radius * std::cos(angle);
            if (k + 1 < values.size()) {
                values(k + 1) = radius * std::sin(angle);
            }
        }
    }

private:
    double uniform()
    {
        std::uint64_t z = d_state += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        return static_cast<double>(z >> 11) * 0x1p-53;
    }

    std::uint64_t d_state;
};

Eigen::MatrixXd
denoised(const noise_predictor& predictor, const Eigen::MatrixXd& x, double alpha_bar)
{
    return (x - std::sqrt(1.0 - alpha_bar) * predictor(x, alpha_bar)) /
           std::sqrt(alpha_bar);
}

void check_variance(double variance)
{
    if (!(variance >= 0.0)) {
        throw std::invalid_argument("variance: " + std::to_string(variance) +
                                    "; allowed are 0 and above");
    }
}

} // namespace

double guidance_gain(double alpha_bar, double variance)
{
    check_variance(variance);
    const double r2 = 1.0 - alpha_bar;
    return variance > 0.0 ? r2 / (r2 + variance) : 1.0;
}

Eigen::MatrixXd ddim_sample(const noise_schedule& schedule,
                            const noise_predictor& predictor,
                            const guidance& guide,
                            Eigen::MatrixXd start,
                            int count)
{
    Eigen::MatrixXd& x = start;
    Eigen::MatrixXd estimate;
    const std::vector<int> times = schedule.descent(count);
    for (std::size_t k = 0; k < times.size(); ++k) {
        const double alpha_bar = schedule.alpha_bar(times[k]);
        estimate = denoised(predictor, x, alpha_bar);
        if (guide) {
            estimate = guide(estimate, alpha_bar);
        }
        if (k + 1 < times.size()) {
            const double next = schedule.alpha_bar(times[k + 1]);
            x = std::sqrt(next) * estimate + std::sqrt((1.0 - next) / (1.0 - alpha_bar)) *
                                                 (x - std::sqrt(alpha_bar) * estimate);
        }
    }
    return estimate;
}

Eigen::MatrixXd euler_maruyama_sample(const noise_schedule& schedule,
                                      const noise_predictor& predictor,
                                      const Eigen::MatrixXd& measurement,
                                      double variance,
                                      Eigen::MatrixXd start,
                                      std::uint64_t seed)
{
    check_variance(variance);
    const bool is_measured = std::isfinite(variance);
    if (is_measured &&
        (measurement.rows() != start.rows() || measurement.cols() != start.cols())) {
        throw std::invalid_argument("measurement: must have the size of start");
    }
    // Not the numbers that standard_normal() makes a start of with the same seed.
    normal_numbers numbers(~seed);
    Eigen::MatrixXd& x = start;
    Eigen::MatrixXd noise(x.rows(), x.cols());
    for (int t = schedule.steps() - 1; t >= 0; --t) {
        const double beta = schedule.beta(t);
        const double alpha_bar = schedule.alpha_bar(t);
        const double r2 = 1.0 - alpha_bar;
        const Eigen::MatrixXd predicted = predictor(x, alpha_bar);
        Eigen::MatrixXd drift = 0.5 * x - predicted / std::sqrt(r2);
        if (is_measured) {
            const Eigen::MatrixXd estimate =
                (x - std::sqrt(r2) * predicted) / std::sqrt(alpha_bar);
            drift += std::sqrt(alpha_bar) / (variance + r2) * (measurement - estimate);
        }
        x += beta * drift;
        // The last step arrives where there is no noise.
        if (t > 0) {
            numbers.fill(noise);
            x += std::sqrt(beta) * noise;
        }
    }
    return x;
}

Eigen::MatrixXd posterior_mean(const noise_schedule& schedule,
                               const noise_predictor& predictor,
                               const Eigen::MatrixXd& measurement,
                               double variance)
{
    check_variance(variance);
    // Between the steps of the schedule a network interpolates; beyond them it knows
    // nothing.
    const double alpha_bar = std::clamp(1.0 / (1.0 + variance),
                                        schedule.alpha_bar(schedule.steps() - 1),
                                        schedule.alpha_bar(0));
    return denoised(predictor, std::sqrt(alpha_bar) * measurement, alpha_bar);
}

Eigen::MatrixXd
standard_normal(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed)
{
    Eigen::MatrixXd values(rows, columns);
    normal_numbers(seed).fill(values);
    return values;
}

} // namespace core
} // namespace bearing
} // namespace gr
