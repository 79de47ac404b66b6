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
      d_runner(*this,
               d_logger,
               { array,
                 "music",
                 num_sources,
                 counting_from_string(counting),
                 spectrum_grid(array, num_points, limits_deg) },
               build,
               snapshots,
               heading_deg)
{
}

void music_impl::set_num_sources(int num_sources)
{
    d_runner.set_num_sources(num_sources);
}

void music_impl::set_heading_deg(double heading_deg)
{
    d_runner.set_heading_deg(heading_deg);
}

void music_impl::set_limits_deg(const std::vector<double>& limits_deg)
{
    d_runner.set_limits_deg(limits_deg);
}

void music_impl::set_calibration(const core::calibration_state& calibration)
{
    d_runner.set_calibration(calibration);
}

std::vector<double> music_impl::grid_deg() const { return d_runner.grid_deg(); }

int music_impl::work(int noutput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items)
{
    std::vector<gr::tag_t> tags;
    get_tags_in_window(tags, 0, 0, noutput_items);
    d_runner.work(static_cast<const gr_complex*>(input_items[0]),
                  noutput_items,
                  std::move(tags),
                  output_items.empty() ? nullptr : static_cast<float*>(output_items[0]));
    return noutput_items;
}

} // namespace bearing
} // namespace gr
