/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "music_impl.h"
#include <gnuradio/bearing/core/subspace/music.h>

namespace gr {
namespace bearing {

namespace {

bearing_estimator build(const estimator_settings& settings)
{
    const core::music_config config{ settings.num_sources, settings.counting };
    const core::music_estimator estimator(settings.array, settings.grid.value(), config);
    return [estimator](const Eigen::MatrixXcd& covariance, std::size_t snapshots) {
        return estimator.estimate(covariance, snapshots);
    };
}

} // namespace

music::sptr music::make(const core::antenna_array& array,
                        int num_sources,
                        int snapshots,
                        int num_points,
                        const std::vector<double>& limits_deg,
                        double heading_deg,
                        const std::string& counting)
{
    return gnuradio::make_block_sptr<music_impl>(
        array, num_sources, snapshots, num_points, limits_deg, heading_deg, counting);
}

music_impl::music_impl(const core::antenna_array& array,
                       int num_sources,
                       int snapshots,
                       int num_points,
                       const std::vector<double>& limits_deg,
                       double heading_deg,
                       const std::string& counting)
    : gr::sync_block(
          "music", covariance_signature(array), spectrum_signature(num_points)),
      spectrum_block({ array,
                       "music",
                       num_sources,
                       counting_from_string(counting),
                       spectrum_grid(array, num_points, limits_deg) },
                     build,
                     snapshots,
                     heading_deg)
{
}

} // namespace bearing
} // namespace gr
