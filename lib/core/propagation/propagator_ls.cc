/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_parameters.h"
#include "good_sensors.h"
#include "record_spectrum.h"
#include "source_spectra.h"
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

// The columns of good sensors.
template <class Matrix>
Matrix chosen(const Matrix& matrix, const std::vector<int>& good)
{
    Matrix result(matrix.rows(), static_cast<Eigen::Index>(good.size()));
    for (std::size_t i = 0; i < good.size(); ++i) {
        result.col(static_cast<Eigen::Index>(i)) = matrix.col(good[i]);
    }
    return result;
}

template <class Scalar>
propagator_ls_result<Scalar>
estimate(const typename propagator_ls_result<Scalar>::matrix& data,
         double sample_rate,
         const std::vector<propagator>& propagators,
         const propagator_ls_config& requested)
{
    constexpr spectrum_sides sides = sides_of<Scalar>;
    constexpr bool is_real = sides == spectrum_sides::one;
    const Eigen::Index num_samples = data.rows();
    const Eigen::Index num_sensors = data.cols();
    const auto num_sources = static_cast<Eigen::Index>(propagators.size());
    require_sample_rate(sample_rate);
    if (num_samples < 2) {
        throw std::invalid_argument("propagator_ls: d has " +
                                    std::to_string(num_samples) +
                                    " samples; at least 2 are needed");
    }
    const Eigen::Index num_bins = is_real ? num_samples / 2 + 1 : num_samples;
    const propagator_ls_config config = at_all_bins(requested, num_bins);
    require_valid(propagators, config, num_bins);
    if (num_sensors != propagators.front().num_sensors()) {
        throw std::invalid_argument("propagator_ls: d has " +
                                    std::to_string(num_sensors) + " columns and p " +
                                    std::to_string(propagators.front().num_sensors()) +
                                    " sensors; d must be T x N, time first");
    }
    const double center =
        center_frequency_of(propagators, config.center_frequency, is_real);
    const std::vector<Eigen::MatrixXcd> responses =
        bin_responses(propagators, num_samples, sample_rate, center, sides);

    propagator_ls_result<Scalar> result;
    result.signal.setZero(num_samples, num_sensors);
    result.source.setZero(num_samples, num_sources);
    result.frequency = bin_frequencies(num_samples, sample_rate, sides);
    result.noise_psd.setZero(num_bins, num_sensors);
    result.source_psd.setZero(num_bins, num_sources);

    const std::vector<int> good = good_sensors(data);
    const Eigen::Index least = num_sources + (estimates_noise(config) ? 1 : 0);
    if (good.empty() && data.isZero(0.0)) {
        result.status = status::no_source;
        return result;
    }
    if (static_cast<Eigen::Index>(good.size()) < least) {
        result.status = status::not_identifiable;
        return result;
    }

    sensor_spectra spectra;
    spectra.data = record_spectrum(chosen(data, good));
    spectra.sides = sides;
    spectra.num_samples = num_samples;
    for (const Eigen::MatrixXcd& response : responses) {
        spectra.responses.push_back(chosen(response, good));
    }
    propagator_ls_config of_good = config;
    if (config.noise_psd.cols() == num_sensors) {
        of_good.noise_psd = chosen(config.noise_psd, good);
    }
    const double bin_power = static_cast<double>(num_samples) * sample_rate;
    const source_spectra estimated = estimate_spectra(spectra, of_good, bin_power);

    Eigen::MatrixXcd signal = Eigen::MatrixXcd::Zero(num_bins, num_sensors);
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        signal += estimated.source.col(k).asDiagonal() * responses[k];
    }
    record_of_spectrum(signal, result.signal);
    record_of_spectrum(estimated.source, result.source);
    result.source_psd = estimated.source_power / bin_power;
    for (std::size_t i = 0; i < good.size(); ++i) {
        result.noise_psd.col(good[i]) =
            estimated.noise_power.col(static_cast<Eigen::Index>(i)) / bin_power;
    }
    if (static_cast<Eigen::Index>(good.size()) < num_sensors) {
        result.status = status::bad_data;
    } else {
        const bool has_prior = (estimated.source_power.array() > 0.0).any();
        result.status =
            estimated.has_signal && has_prior ? status::ok : status::no_source;
    }
    return result;
}

} // namespace

ls_mode ls_mode_from_string(const std::string& name)
{
    if (name == "ls") {
        return ls_mode::ls;
    }
    if (name == "ridge") {
        return ls_mode::ridge;
    }
    if (name == "wiener") {
        return ls_mode::wiener;
    }
    throw std::invalid_argument("propagator_ls: mode is \"" + name +
                                "\"; it must be \"ls\", \"ridge\" or \"wiener\"");
}

sensor_noise sensor_noise_from_string(const std::string& name)
{
    if (name == "common") {
        return sensor_noise::common;
    }
    if (name == "per_sensor") {
        return sensor_noise::per_sensor;
    }
    throw std::invalid_argument("propagator_ls: noise is \"" + name +
                                "\"; it must be \"common\" or \"per_sensor\"");
}

propagator_ls_result<double> propagator_ls(const Eigen::MatrixXd& data,
                                           double sample_rate,
                                           const std::vector<propagator>& propagators,
                                           const propagator_ls_config& config)
{
    return estimate<double>(data, sample_rate, propagators, config);
}

propagator_ls_result<std::complex<double>>
propagator_ls(const Eigen::MatrixXcd& data,
              double sample_rate,
              const std::vector<propagator>& propagators,
              const propagator_ls_config& config)
{
    return estimate<std::complex<double>>(data, sample_rate, propagators, config);
}

} // namespace core
} // namespace bearing
} // namespace gr
