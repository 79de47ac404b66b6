/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "wavelength.h"
#include "wideband_music_impl.h"
#include <gnuradio/bearing/core/subspace/wideband_music.h>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {

namespace {

const std::string& checked_combination(const std::string& combination)
{
    core::subband_combination_from_string(combination);
    return combination;
}

double center_of(const core::antenna_array& array, const wideband_layout& layout)
{
    // The same division takes a wavelength to its frequency.
    return array.wavelength() ? wavelength_at(*array.wavelength())
                              : layout.center_frequency;
}

const wideband_layout& checked_layout(const core::antenna_array& array,
                                      const wideband_layout& layout)
{
    core::subband_frequencies(layout.subbands, layout.sample_rate);
    const double center = layout.center_frequency;
    if (!(std::isfinite(center) && center >= 0.0)) {
        throw std::invalid_argument("center_frequency is " + std::to_string(center) +
                                    "; it must be finite and > 0 Hz, or 0");
    }
    if (center == 0.0 && !array.wavelength()) {
        throw std::invalid_argument(
            "center_frequency is 0; an array whose geometry is in wavelengths does not "
            "tell it, so it must be > 0 Hz");
    }
    const double lowest =
        center_of(array, layout) +
        core::subband_frequencies(layout.subbands, layout.sample_rate)(0);
    if (!(lowest > 0.0)) {
        throw std::invalid_argument(
            "sample_rate is " + std::to_string(layout.sample_rate) +
            " Hz; the lowest sub-band would be at " + std::to_string(lowest) +
            " Hz, and must lie above 0 Hz");
    }
    return layout;
}

gr::io_signature::sptr subband_signature(const core::antenna_array& array,
                                         const wideband_layout& layout)
{
    core::subband_frame_length(layout.subbands); // names what it throws
    const int n = array.num_elements();
    return gr::io_signature::make(
        1, 1, layout.subbands.num_subbands * n * n * sizeof(gr_complex));
}

// The settings' variant is the combination.
estimator_builder builder_of(const wideband_layout& layout)
{
    return [layout](const estimator_settings& settings) -> bearing_estimator {
        core::wideband_music_config config;
        config.num_sources = settings.num_sources;
        config.counting = settings.counting;
        config.combination = core::subband_combination_from_string(settings.variant);
        const double center = center_of(settings.array, layout);
        const Eigen::VectorXd frequencies =
            core::subband_frequencies(layout.subbands, layout.sample_rate).array() +
            center;
        const auto estimator = std::make_shared<const core::wideband_music_estimator>(
            settings.array, center, frequencies, settings.grid.value(), config);
        return [estimator](const Eigen::MatrixXcd& covariances, std::size_t snapshots) {
            return estimator->estimate(covariances, snapshots);
        };
    };
}

estimator_settings settings_of(const core::antenna_array& array,
                               int num_sources,
                               const wideband_layout& layout,
                               const std::string& combination,
                               int num_points,
                               const std::vector<double>& limits_deg,
                               const std::string& counting)
{
    estimator_settings settings{ array,
                                 "wideband_music",
                                 num_sources,
                                 counting_from_string(counting),
                                 spectrum_grid(array, num_points, limits_deg),
                                 checked_combination(combination) };
    settings.num_covariances = layout.subbands.num_subbands;
    return settings;
}

} // namespace

wideband_music::sptr wideband_music::make(const core::antenna_array& array,
                                          int num_sources,
                                          int num_subbands,
                                          double sample_rate,
                                          double bandwidth,
                                          double center_frequency,
                                          const std::string& combination,
                                          int snapshots,
                                          int num_points,
                                          const std::vector<double>& limits_deg,
                                          double heading_deg,
                                          const std::string& counting)
{
    const wideband_layout layout{ { num_subbands, bandwidth },
                                  sample_rate,
                                  center_frequency };
    return gnuradio::make_block_sptr<wideband_music_impl>(array,
                                                          num_sources,
                                                          checked_layout(array, layout),
                                                          combination,
                                                          snapshots,
                                                          num_points,
                                                          limits_deg,
                                                          heading_deg,
                                                          counting);
}

wideband_music_impl::wideband_music_impl(const core::antenna_array& array,
                                         int num_sources,
                                         const wideband_layout& layout,
                                         const std::string& combination,
                                         int snapshots,
                                         int num_points,
                                         const std::vector<double>& limits_deg,
                                         double heading_deg,
                                         const std::string& counting)
    : gr::sync_block("wideband_music",
                     subband_signature(array, layout),
                     spectrum_signature(num_points)),
      spectrum_block(
          settings_of(
              array, num_sources, layout, combination, num_points, limits_deg, counting),
          builder_of(layout),
          snapshots,
          heading_deg)
{
}

void wideband_music_impl::set_combination(const std::string& combination)
{
    d_runner.set_variant(checked_combination(combination));
}

} // namespace bearing
} // namespace gr
