/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_H
#define INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/sync_block.h>
#include <memory>

namespace gr {
namespace bearing {

/*!
 * \brief Divides each channel by its calibrated gain, so that the streams behind it look
 * like those of an array with equal gains.
 * \ingroup bearing
 *
 * Inputs and outputs: N streams of complex float; output k is input k / g_k. Tags pass
 * through, each on its own stream.
 *
 * Only gains are undone here: position offsets and coupling depend on the direction and
 * belong into the array that an estimator works with. An estimator behind this block must
 * not be given the same gains again.
 *
 * Dividing by gains of unequal magnitude makes the receivers' noise unequal, which biases
 * MUSIC at low SNR: where gains differ by more than phases, prefer to leave the samples
 * alone and to give the gains to the estimator's array.
 *
 * Message in `calibration`: a dict whose `gains` (c32vector, N) replace those in force;
 * one without gains changes nothing, one that does not fit is ignored with a warning.
 *
 * Gains of a calibration with a `frequency` count where the first input's tag `rx_freq`
 * is within a thousandth of it, and while no tag tells; each frequency has its own. Those
 * without count everywhere.
 */
class BEARING_API apply_calibration : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<apply_calibration> sptr;

    /*!
     * \param num_elements N, 1 .. 64
     * \param calibration its gains, whose inverses in single precision are neither zero
     * nor infinite; without gains samples pass unchanged
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements, const core::calibration_state& calibration = {});

    //! Replaces the whole calibration: without gains, samples pass unchanged.
    //! \throws std::invalid_argument naming gains that do not fit or that samples cannot
    //! be divided by
    virtual void set_calibration(const core::calibration_state& calibration) = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_H */
