/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_IMPL_H
#define INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_IMPL_H

#include "estimator_block.h"
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <gnuradio/bearing/wideband_music.h>

namespace gr {
namespace bearing {

//! Which sub-bands there are, and where.
struct wideband_layout {
    core::subband_config subbands;
    double sample_rate;      // Hz
    double center_frequency; // Hz, of an array whose geometry is in wavelengths
};

class wideband_music_impl : public spectrum_block<wideband_music>
{
public:
    wideband_music_impl(const core::antenna_array& array,
                        int num_sources,
                        const wideband_layout& layout,
                        const std::string& combination,
                        int snapshots,
                        int num_points,
                        const std::vector<double>& limits_deg,
                        double heading_deg,
                        const std::string& counting);

    void set_combination(const std::string& combination) override;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_WIDEBAND_MUSIC_IMPL_H */
