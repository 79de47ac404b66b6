/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_MESSAGE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_MESSAGE_H

#include "stream_time.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <pmt/pmt.h>
#include <optional>
#include <stdexcept>

namespace gr {
namespace bearing {

//! Where sources are known to be, and when.
struct truth_label {
    //! azimuths in radians; empty: nothing is known in this time
    Eigen::VectorXd azimuth;
    //! distances in the array's unit, as many; empty: all far away
    Eigen::VectorXd range;
    //! absent: from the beginning
    std::optional<stream_time> start;
    //! absent: until another one replaces it
    std::optional<stream_time> stop;

    //! Whether both say the same, to a tenth of a degree and a hundredth of the range.
    bool agrees_with(const truth_label& other) const;
};

//! What is wrong with a message.
enum class truth_fault { malformed, outside_view, too_many };

//! A message that tells no truth.
class bad_truth : public std::invalid_argument
{
public:
    bad_truth(truth_fault fault, const std::string& reason)
        : std::invalid_argument("truth: " + reason), d_fault(fault)
    {
    }
    truth_fault fault() const { return d_fault; }

private:
    truth_fault d_fault;
};

/*!
 * \brief The label that a message of port `truth` carries.
 *
 * A dict with `angles_deg` (f32vector or f64vector, degrees clockwise from +y, at most
 * one a source; empty: nothing is known), and where wanted `start` and `stop` (tuples
 * (uint64 seconds, double fraction) in stream time) and `range_m` (f32vector or
 * f64vector, as many as angles, in the array's unit, infinite: far away). PMT_NIL stands
 * for a missing key; other keys are left alone.
 *
 * \param message of the port
 * \param array that looks at the sources
 * \param num_sources how many labels there can be
 * \throws bad_truth naming the key and what it must be
 */
truth_label truth_from_pmt(const pmt::pmt_t& message,
                           const core::antenna_array& array,
                           int num_sources);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TRUTH_MESSAGE_H */
