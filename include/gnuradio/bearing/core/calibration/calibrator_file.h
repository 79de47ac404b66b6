/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATOR_FILE_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATOR_FILE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What a running calibrator has learnt at one tuning: enough to go on from.
struct calibrator_record {
    calibration_state calibration; //!< with its frequency, where that is known
    core::orientation orientation = core::orientation::unknown;
};

/*!
 * \brief Writes what calibrators have learnt as JSON, atomically, as save_calibration()
 * writes.
 *
 * Keys: version (1) and calibrations, an array of objects with orientation ("unknown",
 * "partly_known" or "known") and calibration, an object with the keys of a calibration
 * file.
 *
 * \throws std::invalid_argument for a calibration that is empty or inconsistent
 * \throws std::runtime_error naming the path when the file cannot be written
 */
BEARING_API void save_calibrators(const std::vector<calibrator_record>& records,
                                  const std::string& path);

/*!
 * \brief Reads what save_calibrators() wrote.
 * \throws std::runtime_error naming the path, and the key that is missing or wrong with
 * what it must be
 */
BEARING_API std::vector<calibrator_record> load_calibrators(const std::string& path);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATOR_FILE_H */
