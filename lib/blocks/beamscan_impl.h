/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H
#define INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H

#include "estimator_runner.h"
#include <gnuradio/bearing/beamscan.h>

namespace gr {
namespace bearing {

class beamscan_impl : public beamscan
{
public:
    beamscan_impl(const core::antenna_array& array,
                  int num_sources,
                  const std::string& method,
                  int snapshots,
                  int num_points,
                  const std::vector<double>& limits_deg,
                  double heading_deg,
                  const std::string& counting);

    void set_num_sources(int num_sources) override;
    void set_method(const std::string& method) override;
    void set_heading_deg(double heading_deg) override;
    void set_limits_deg(const std::vector<double>& limits_deg) override;
    void set_calibration(const core::calibration_state& calibration) override;
    std::vector<double> grid_deg() const override;

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

private:
    estimator_runner d_runner;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H */
