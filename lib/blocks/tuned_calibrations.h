/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATIONS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATIONS_H

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <cstddef>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief A calibration holds at radio frequencies that differ by at most this part from
 * its own.
 *
 * Over a thousandth of the frequency the phase between two receivers whose paths differ
 * by ten wavelengths, cables and element spacing together, turns by 3.6 degrees: as much
 * as receivers drift in minutes, and little against what calibration takes away.
 */
constexpr double tuning_tolerance = 1e-3;

//! Whether \p frequency is within \p tolerance, a part of it, of \p center; both in Hz.
bool is_tuned_to(double frequency, double center, double tolerance = tuning_tolerance);

/*!
 * \brief The calibrations that a block was given, each for its frequency.
 *
 * One that names a frequency counts there only, within tuning_tolerance; one that names
 * none counts everywhere. Where the tuning is unknown, all that came counts in the order
 * in which it came. Of more than max_tunings frequencies the one that was renewed longest
 * ago is forgotten.
 */
class tuned_calibrations
{
public:
    static constexpr std::size_t max_tunings = 64;

    //! \p calibration replaces all that is there.
    explicit tuned_calibrations(const core::calibration_state& calibration = {});

    //! The parts that \p newer has replace those in force where it counts.
    void update(const core::calibration_state& newer);

    //! What is in force at \p frequency in Hz; absent: at an unknown one.
    const core::calibration_state& at(std::optional<double> frequency) const;

    //! Whether calibrations name frequencies, but none that is \p frequency.
    bool is_for_others(double frequency) const;

    //! All that can come to be in force.
    std::vector<core::calibration_state> all() const;

private:
    core::calibration_state d_latest;             // all that came
    core::calibration_state d_general;            // what names no frequency
    std::vector<core::calibration_state> d_bound; // renewed last comes last
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATIONS_H */
