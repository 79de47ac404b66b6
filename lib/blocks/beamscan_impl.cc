/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "beamscan_impl.h"
#include <gnuradio/bearing/core/subspace/beamscan.h>

namespace gr {
namespace bearing {

namespace {

bearing_estimator build(const estimator_settings& settings)
{
    const core::beamscan_config config{ core::beamscan_method_from_string(
                                            settings.method),
                                        settings.num_sources,
                                        settings.counting };
    const core::beamscan_estimator estimator(
        settings.array, settings.grid.value(), config);
    return [estimator](const Eigen::MatrixXcd& covariance, std::size_t snapshots) {
        return estimator.estimate(covariance, snapshots);
    };
}

} // namespace

beamscan::sptr beamscan::make(const core::antenna_array& array,
                              int num_sources,
                              const std::string& method,
                              int snapshots,
                              int num_points,
                              const std::vector<double>& limits_deg,
                              double heading_deg,
                              const std::string& counting)
{
    return gnuradio::make_block_sptr<beamscan_impl>(array,
                                                    num_sources,
                                                    method,
                                                    snapshots,
                                                    num_points,
                                                    limits_deg,
                                                    heading_deg,
                                                    counting);
}

beamscan_impl::beamscan_impl(const core::antenna_array& array,
                             int num_sources,
                             const std::string& method,
                             int snapshots,
                             int num_points,
                             const std::vector<double>& limits_deg,
                             double heading_deg,
                             const std::string& counting)
    : gr::sync_block(
          "beamscan", covariance_signature(array), spectrum_signature(num_points)),
      spectrum_block({ array,
                       method,
                       num_sources,
                       counting_from_string(counting),
                       spectrum_grid(array, num_points, limits_deg) },
                     build,
                     snapshots,
                     heading_deg)
{
}

void beamscan_impl::set_method(const std::string& method)
{
    core::beamscan_method_from_string(method); // throws for an unknown one
    d_runner.set_method(method);
}

} // namespace bearing
} // namespace gr
