/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "subspace_fit_impl.h"
#include <gnuradio/bearing/core/subspace/subspace_fit.h>

namespace gr {
namespace bearing {

namespace {

bearing_estimator build(const estimator_settings& settings)
{
    const core::subspace_fit_config config{ settings.num_sources,
                                            core::fit_criterion_from_string(
                                                settings.method),
                                            settings.counting };
    const core::subspace_fit_estimator estimator(settings.array, config);
    return [estimator](const Eigen::MatrixXcd& covariance, std::size_t snapshots) {
        return estimator.estimate(covariance, snapshots);
    };
}

} // namespace

subspace_fit::sptr subspace_fit::make(const core::antenna_array& array,
                                      int num_sources,
                                      const std::string& criterion,
                                      int snapshots,
                                      double heading_deg,
                                      const std::string& counting)
{
    return gnuradio::make_block_sptr<subspace_fit_impl>(
        array, num_sources, criterion, snapshots, heading_deg, counting);
}

subspace_fit_impl::subspace_fit_impl(const core::antenna_array& array,
                                     int num_sources,
                                     const std::string& criterion,
                                     int snapshots,
                                     double heading_deg,
                                     const std::string& counting)
    : gr::sync_block(
          "subspace_fit", covariance_signature(array), gr::io_signature::make(0, 0, 0)),
      estimator_block(
          { array, criterion, num_sources, counting_from_string(counting), std::nullopt },
          build,
          snapshots,
          heading_deg)
{
}

void subspace_fit_impl::set_criterion(const std::string& criterion)
{
    core::fit_criterion_from_string(criterion); // throws for an unknown one
    d_runner.set_method(criterion);
}

} // namespace bearing
} // namespace gr
