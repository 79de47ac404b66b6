/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "tuned_calibrators.h"
#include "wavelength.h"

namespace gr {
namespace bearing {

core::calibration_state tuned_calibrator::calibration() const
{
    core::calibration_state state = calibrator.calibration();
    state.frequency = frequency;
    state.time = time;
    return state;
}

tuned_calibrators::tuned_calibrators(const core::antenna_array& array,
                                     const core::online_config& config,
                                     double tolerance)
    : d_array(array),
      d_config(config),
      d_tolerance(tolerance),
      d_calibrations(array.calibration())
{
    at(array.calibration().frequency);
}

tuned_calibrator tuned_calibrators::make(std::optional<double> frequency) const
{
    core::antenna_array array = d_array.with_calibration(d_calibrations.at(frequency));
    if (frequency && array.wavelength()) {
        array = array.with_wavelength(wavelength_at(*frequency));
    }
    return { frequency, core::diffmusic_online(array, d_config) };
}

tuned_calibrator& tuned_calibrators::at(std::optional<double> frequency)
{
    tuned_calibrator* found = d_tunings.find(frequency, d_tolerance);
    return found ? *found : d_tunings.add(make(frequency));
}

std::vector<core::calibrator_record> tuned_calibrators::records() const
{
    std::vector<core::calibrator_record> records;
    for (const tuned_calibrator& one : d_tunings) {
        if (one.has_learnt) {
            records.push_back({ one.calibration(), one.calibrator.orientation() });
        }
    }
    return records;
}

void tuned_calibrators::resume(const std::vector<core::calibrator_record>& records)
{
    for (const core::calibrator_record& record : records) {
        tuned_calibrator& one = at(record.calibration.frequency);
        one.calibrator.resume(record.calibration, record.orientation);
        one.time = record.calibration.time;
        one.has_learnt = true;
    }
}

} // namespace bearing
} // namespace gr
