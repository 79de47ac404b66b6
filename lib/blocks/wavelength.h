/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_WAVELENGTH_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_WAVELENGTH_H

namespace gr {
namespace bearing {

//! The wavelength in metres, in air taken as vacuum, of a frequency in Hz.
inline double wavelength_at(double frequency)
{
    constexpr double speed_of_light = 299792458.0; // m/s
    return speed_of_light / frequency;
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_WAVELENGTH_H */
