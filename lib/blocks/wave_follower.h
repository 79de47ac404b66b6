/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_WAVE_FOLLOWER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_WAVE_FOLLOWER_H

#include <gnuradio/bearing/core/propagation/propagator.h>
#include <pmt/pmt.h>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

//! A direction in radians.
struct direction {
    double azimuth;
    double elevation;
};

//! What a PDU of port `bearings` says.
struct heard_bearings {
    std::string status;
    //! strongest first, without those that are NaN
    std::vector<direction> directions;
};

//! Reads cons(dict, f32vector angles_deg) with `status` and, where it is there,
//! `elevation_deg`; absent when \p message is anything else.
std::optional<heard_bearings> bearings_from_pmt(const pmt::pmt_t& message);

/*!
 * \brief Turns plane waves to where sources are heard.
 *
 * As many of the strongest directions as there are waves count. At first they go to the
 * waves in their order, then each to the wave that is nearest in azimuth: sources of
 * similar power do not change places.
 */
class wave_follower
{
public:
    //! Waves have directions of their own again.
    void forget() { d_azimuth.clear(); }

    //! The propagators, of which plane waves that a direction is for are turned.
    std::vector<core::propagator> follow(std::vector<core::propagator> propagators,
                                         std::vector<direction> heard);

private:
    std::vector<std::optional<double>> d_azimuth; // one a propagator
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_WAVE_FOLLOWER_H */
