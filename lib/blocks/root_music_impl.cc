/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "root_music_impl.h"
#include <gnuradio/bearing/core/subspace/root_music.h>

namespace gr {
namespace bearing {

namespace {

bearing_estimator build(const estimator_settings& settings)
{
    core::root_music_config config;
    config.num_sources = settings.num_sources;
    config.counting = settings.counting;
    config.variant = core::root_music_variant_from_string(settings.variant);
    config.all_roots = false; // messages have none
    const core::root_music_estimator estimator(settings.array, config);
    return [estimator](const Eigen::MatrixXcd& covariance, std::size_t snapshots) {
        return estimator.estimate(covariance, snapshots);
    };
}

} // namespace

root_music::sptr root_music::make(const core::antenna_array& array,
                                  int num_sources,
                                  const std::string& variant,
                                  int snapshots,
                                  double heading_deg,
                                  const std::string& counting)
{
    return gnuradio::make_block_sptr<root_music_impl>(
        array, num_sources, variant, snapshots, heading_deg, counting);
}

root_music_impl::root_music_impl(const core::antenna_array& array,
                                 int num_sources,
                                 const std::string& variant,
                                 int snapshots,
                                 double heading_deg,
                                 const std::string& counting)
    : gr::sync_block(
          "root_music", covariance_signature(array), gr::io_signature::make(0, 0, 0)),
      estimator_block({ array,
                        "root_music",
                        num_sources,
                        counting_from_string(counting),
                        std::nullopt,
                        variant },
                      build,
                      snapshots,
                      heading_deg,
                      [](const estimator_settings& settings) { build(settings); })
{
}

void root_music_impl::set_variant(const std::string& variant)
{
    d_runner.set_variant(variant);
}

} // namespace bearing
} // namespace gr
