/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "music_impl.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/music_2d.h>
#include <stdexcept>

namespace gr {
namespace bearing {

namespace {

const std::string azimuth_only = "azimuth";

std::string checked_search(const std::string& search)
{
    if (search != azimuth_only && search != "azimuth_elevation" &&
        search != "azimuth_range") {
        throw std::invalid_argument("search is '" + search +
                                    "'; it must be 'azimuth', 'azimuth_elevation' or "
                                    "'azimuth_range'");
    }
    return search;
}

template <class Estimator>
bearing_estimator caller_of(Estimator estimator)
{
    return [estimator](const Eigen::MatrixXcd& covariance, std::size_t snapshots) {
        return estimator.estimate(covariance, snapshots);
    };
}

// The settings' variant is the search.
bearing_estimator build(const estimator_settings& settings)
{
    if (settings.variant == azimuth_only) {
        const core::music_config config{ settings.num_sources, settings.counting };
        return caller_of(
            core::music_estimator(settings.array, settings.grid.value(), config));
    }
    core::music_2d_config config;
    config.num_sources = settings.num_sources;
    config.counting = settings.counting;
    config.search = core::search_plane_from_string(settings.variant);
    return caller_of(
        core::music_2d_estimator(settings.array, settings.grid.value(), config));
}

} // namespace

music::sptr music::make(const core::antenna_array& array,
                        int num_sources,
                        int snapshots,
                        int num_points,
                        const std::vector<double>& limits_deg,
                        double heading_deg,
                        const std::string& counting,
                        const std::string& search)
{
    return gnuradio::make_block_sptr<music_impl>(array,
                                                 num_sources,
                                                 snapshots,
                                                 num_points,
                                                 limits_deg,
                                                 heading_deg,
                                                 counting,
                                                 search);
}

music_impl::music_impl(const core::antenna_array& array,
                       int num_sources,
                       int snapshots,
                       int num_points,
                       const std::vector<double>& limits_deg,
                       double heading_deg,
                       const std::string& counting,
                       const std::string& search)
    : gr::sync_block(
          "music", covariance_signature(array), spectrum_signature(num_points)),
      spectrum_block({ array,
                       "music",
                       num_sources,
                       counting_from_string(counting),
                       spectrum_grid(array, num_points, limits_deg),
                       checked_search(search) },
                     build,
                     snapshots,
                     heading_deg)
{
}

} // namespace bearing
} // namespace gr
