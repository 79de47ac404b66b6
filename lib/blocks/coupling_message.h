/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_COUPLING_MESSAGE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_COUPLING_MESSAGE_H

#include "item_tags.h"
#include "tuned_couplings.h"
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <pmt/pmt.h>

namespace gr {
namespace bearing {

//! bearing_message() with what is known of the coupling, as bearing::coupling describes
//! it.
pmt::pmt_t coupling_bearing_message(const core::coupling_estimate& estimate,
                                    double heading_deg,
                                    const item_info& item);

//! The message for the port `calibration`, as bearing::coupling describes it.
pmt::pmt_t coupling_message(const tuned_coupling& tuning);

//! The coupling, frequency and time of \p tuning.
core::calibration_state calibration_of(const tuned_coupling& tuning);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_COUPLING_MESSAGE_H */
