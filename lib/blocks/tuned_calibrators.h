/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATORS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATORS_H

#include "tuned_calibrations.h"
#include "tuning_list.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/calibrator_file.h>
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

//! A calibrator and the tuning that it belongs to.
struct tuned_calibrator {
    std::optional<double> frequency; //!< Hz; absent: unknown
    core::diffmusic_online calibrator;
    std::optional<double> time = std::nullopt; //!< of the last accepted item, seconds
    bool has_learnt = false; //!< its calibration comes from data, now or earlier

    //! The calibrator's, with frequency and time.
    core::calibration_state calibration() const;
};

/*!
 * \brief One calibrator for each tuning.
 *
 * A frequency belongs to the first tuning that is within the tolerance of it. An array
 * that was built with a wavelength gets that of the tuning.
 */
class tuned_calibrators
{
public:
    //! \throws std::invalid_argument naming the parameter
    tuned_calibrators(const core::antenna_array& array,
                      const core::online_config& config,
                      double tolerance);

    //! That of \p frequency, which becomes the latest.
    //! \throws std::invalid_argument for a frequency that the array cannot work at
    tuned_calibrator& at(std::optional<double> frequency);
    //! The one that was in use last.
    const tuned_calibrator& latest() const { return d_tunings.latest(); }

    //! What to go on from after resume().
    std::vector<core::calibrator_record> records() const;
    //! \throws std::invalid_argument for records of another array
    void resume(const std::vector<core::calibrator_record>& records);

private:
    tuned_calibrator make(std::optional<double> frequency) const;

    core::antenna_array d_array;
    core::online_config d_config;
    double d_tolerance;
    tuned_calibrations d_calibrations; // to start from
    tuning_list<tuned_calibrator> d_tunings;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_CALIBRATORS_H */
