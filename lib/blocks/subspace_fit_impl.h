/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_IMPL_H
#define INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_IMPL_H

#include "estimator_block.h"
#include <gnuradio/bearing/subspace_fit.h>

namespace gr {
namespace bearing {

class subspace_fit_impl : public estimator_block<subspace_fit>
{
public:
    subspace_fit_impl(const core::antenna_array& array,
                      int num_sources,
                      const std::string& criterion,
                      int snapshots,
                      double heading_deg,
                      const std::string& counting);

    void set_criterion(const std::string& criterion) override;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_IMPL_H */
