/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_parameters.h"
#include "record_spectrum.h"
#include <cmath>
#include <complex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

std::string text(double value)
{
    std::ostringstream stream;
    stream.precision(12);
    stream << value;
    return stream.str();
}

[[noreturn]] void refuse(const std::string& why)
{
    throw std::invalid_argument("propagator_ls: " + why);
}

void require_densities(const char* name,
                       const Eigen::MatrixXd& values,
                       Eigen::Index num_bins,
                       Eigen::Index num_columns,
                       const char* columns)
{
    if (values.rows() != num_bins || values.cols() != num_columns) {
        refuse(std::string(name) + " is " + std::to_string(values.rows()) + " x " +
               std::to_string(values.cols()) + "; it must have " +
               std::to_string(num_bins) + " rows, one for each bin, and " + columns);
    }
    for (const double value : values.reshaped()) {
        if (!(value >= 0.0) || !std::isfinite(value)) {
            refuse(std::string(name) + " has " + text(value) +
                   "; power densities must be finite and not negative");
        }
    }
}

} // namespace

void require_sample_rate(double sample_rate)
{
    if (!(sample_rate > 0.0) || !std::isfinite(sample_rate)) {
        refuse("sample_rate is " + text(sample_rate) +
               "; it must be positive and finite");
    }
}

bool estimates_noise(const propagator_ls_config& config)
{
    return config.noise_psd.size() == 0 ||
           (config.noise == sensor_noise::per_sensor && config.noise_psd.cols() == 1);
}

propagator_ls_config at_all_bins(propagator_ls_config config, Eigen::Index num_bins)
{
    for (Eigen::MatrixXd* density : { &config.source_psd, &config.noise_psd }) {
        if (density->rows() == 1) {
            *density = density->replicate(num_bins, 1).eval();
        }
    }
    return config;
}

void require_valid(const std::vector<propagator>& propagators,
                   const propagator_ls_config& config,
                   Eigen::Index num_bins)
{
    if (propagators.empty()) {
        refuse("p is empty; one propagator for each source is needed");
    }
    const int num_sensors = propagators.front().num_sensors();
    for (const propagator& p : propagators) {
        if (p.num_sensors() != num_sensors) {
            refuse("p has propagators of " + std::to_string(num_sensors) + " and of " +
                   std::to_string(p.num_sensors()) +
                   " sensors; all must have the same number");
        }
    }
    const int num_sources = static_cast<int>(propagators.size());
    if (num_sensors < num_sources) {
        refuse("p has " + std::to_string(num_sources) + " sources and " +
               std::to_string(num_sensors) +
               " sensors; there must be no more sources than sensors");
    }
    if (num_sensors == num_sources && estimates_noise(config)) {
        refuse("p has as many sources as sensors, " + std::to_string(num_sources) +
               "; estimating the noise takes one sensor more, or noise_psd");
    }
    if (!(config.mu >= 0.0) || !std::isfinite(config.mu)) {
        refuse("mu is " + text(config.mu) + "; it must be finite and not negative");
    }
    if (config.ridge && (!(*config.ridge >= 0.0) || !std::isfinite(*config.ridge))) {
        refuse("ridge is " + text(*config.ridge) +
               "; it must be finite and not negative");
    }
    if (config.mode == ls_mode::ridge && !config.ridge) {
        refuse("ridge is not given; mode ridge needs it");
    }
    if (config.source_psd.size() > 0) {
        require_densities("source_psd",
                          config.source_psd,
                          num_bins,
                          num_sources,
                          "one column for each source");
    }
    if (config.noise_psd.size() > 0) {
        const Eigen::Index columns = config.noise_psd.cols() == 1 ? 1 : num_sensors;
        require_densities("noise_psd",
                          config.noise_psd,
                          num_bins,
                          columns,
                          "one column, or one for each sensor");
    }
}

double center_frequency_of(const std::vector<propagator>& propagators,
                           double requested,
                           bool is_real)
{
    if (!std::isfinite(requested)) {
        refuse("center_frequency is " + text(requested) + "; it must be finite");
    }
    if (is_real) {
        if (requested != 0.0) {
            refuse("center_frequency is " + text(requested) +
                   "; of real samples it must be 0");
        }
        return 0.0;
    }
    if (requested != 0.0) {
        return requested;
    }
    // Rounding of velocity over wavelength.
    constexpr double same = 1e-9;
    std::optional<double> result;
    for (const propagator& p : propagators) {
        const std::optional<double> own = p.own_center_frequency();
        if (own && result && std::abs(*own - *result) > same * *result) {
            refuse("center_frequency is not given, and the propagators' own are " +
                   text(*result) + " and " + text(*own) + " Hz");
        }
        if (own) {
            result = own;
        }
    }
    return result.value_or(0.0);
}

std::vector<Eigen::MatrixXcd> bin_responses(const std::vector<propagator>& propagators,
                                            Eigen::Index num_samples,
                                            double sample_rate,
                                            double center_frequency,
                                            spectrum_sides sides)
{
    const bool is_real = sides == spectrum_sides::one;
    const Eigen::VectorXd frequency = bin_frequencies(num_samples, sample_rate, sides);
    std::vector<Eigen::MatrixXcd> result;
    for (const propagator& p : propagators) {
        result.push_back(p.response(frequency, center_frequency, is_real));
        if (is_real) {
            Eigen::MatrixXcd& response = result.back();
            response.row(0) = response.row(0).real().eval().cast<std::complex<double>>();
            if (num_samples % 2 == 0) {
                response.bottomRows(1) =
                    response.bottomRows(1).real().eval().cast<std::complex<double>>();
            }
        }
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
