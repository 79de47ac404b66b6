/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_MESSAGE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_MESSAGE_H

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <pmt/pmt.h>

namespace gr {
namespace bearing {

/*!
 * \brief The calibration that a message of port `calibration` carries.
 *
 * A dict with any of `gains` (c32vector, N), `positions` (f32vector, row-major N x 3
 * offsets), `coupling` (c32vector, column-major N x N), `sigma_phase_rad` and
 * `sigma_log_gain` (f32vectors, N), `reference` (integer), `frequency` and `time`
 * (numbers); vectors in double precision are taken too. A missing key, or one that is
 * PMT_NIL, is an absent part; other keys are left alone.
 *
 * The parts agree with each other, but may still disagree with the array of a block.
 *
 * \throws std::invalid_argument naming the key and what it must be
 */
core::calibration_state from_pmt(const pmt::pmt_t& message);

//! The message that carries \p calibration: a dict with the parts that it has, in single
//! precision, its reference, frequency and time.
pmt::pmt_t to_pmt(const core::calibration_state& calibration);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_MESSAGE_H */
