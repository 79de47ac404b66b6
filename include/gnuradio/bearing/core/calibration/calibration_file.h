/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATION_FILE_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATION_FILE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Writes a calibration as JSON, atomically.
 *
 * The text goes to a temporary file in the same folder, is forced to the disk and then
 * renamed over \p path: whoever reads \p path, at any instant, finds the old calibration
 * or the new one, never a part of one. Its permissions are those of any new file, as the
 * umask allows.
 *
 * Keys: version (1), num_elements, reference (0 when it has none), frequency_hz, gains
 * [[re, im], ...], positions_m (N rows of x, y, z in the array's own unit), coupling (N
 * rows of N [re, im] pairs), sigma_phase_rad, sigma_log_gain, time (seconds since
 * 1970-01-01 UTC; set to now when the calibration has none). Absent parts are null.
 *
 * \throws std::invalid_argument for a calibration that is empty or inconsistent
 * \throws std::runtime_error naming the path when the file cannot be written
 */
BEARING_API void save_calibration(const calibration_state& calibration,
                                  const std::string& path);

/*!
 * \brief Reads what save_calibration() wrote.
 * \throws std::runtime_error naming the path, and the key that is missing or wrong with
 * what it must be
 */
BEARING_API calibration_state load_calibration(const std::string& path);

//! The text of a calibration file, for a document that holds more than a calibration;
//! time is null when the calibration has none.
//! \throws std::invalid_argument for a calibration that is empty or inconsistent
BEARING_API std::string calibration_to_json(const calibration_state& calibration);

/*!
 * \brief Reads the text of a calibration file.
 * \param text JSON
 * \param name what messages call it, such as a path
 * \throws std::runtime_error naming \p name, and the key that is missing or wrong with
 * what it must be
 */
BEARING_API calibration_state calibration_from_json(const std::string& text,
                                                    const std::string& name);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_CALIBRATION_FILE_H */
