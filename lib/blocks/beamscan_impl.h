/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H
#define INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H

#include "estimator_block.h"
#include <gnuradio/bearing/beamscan.h>

namespace gr {
namespace bearing {

class beamscan_impl : public spectrum_block<beamscan>
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

    void set_method(const std::string& method) override;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BEAMSCAN_IMPL_H */
