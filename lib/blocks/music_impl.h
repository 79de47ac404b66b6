/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_MUSIC_IMPL_H
#define INCLUDED_GNURADIO_BEARING_MUSIC_IMPL_H

#include "estimator_block.h"
#include <gnuradio/bearing/music.h>

namespace gr {
namespace bearing {

class music_impl : public spectrum_block<music>
{
public:
    music_impl(const core::antenna_array& array,
               int num_sources,
               int snapshots,
               int num_points,
               const std::vector<double>& limits_deg,
               double heading_deg,
               const std::string& counting,
               const std::string& search);
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_MUSIC_IMPL_H */
