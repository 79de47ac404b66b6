/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_BEARING_MESSAGE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_BEARING_MESSAGE_H

#include "item_tags.h"
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <pmt/pmt.h>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief The PDU for the message port `bearings`: cons(dict, f32vector angles_deg).
 *
 * The dict always holds `rx_time`, `rx_freq`, `method`, `status`, `num_sources`,
 * `snapshots`, `std_deg`, `true_bearing_deg`, `power_db` and `snr_db`; what \p item does
 * not tell is PMT_NIL. A search over two coordinates adds `elevation_deg` and
 * `elevation_std_deg`, or `range_m` and `range_std_m` (in the array's unit: metres, or
 * wavelengths when it has no wavelength). Angles and bearings are in degrees; those on the full circle stay
 * below 360 also after rounding to single precision.
 *
 * \param estimate directions in radians
 * \param method the symbol for `method`
 * \param heading_deg direction of the array's +y axis, clockwise from north, in degrees
 * \param item what the stream told about the covariance item
 */
pmt::pmt_t bearing_message(const core::bearing_estimate& estimate,
                           const std::string& method,
                           double heading_deg,
                           const item_info& item);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_BEARING_MESSAGE_H */
