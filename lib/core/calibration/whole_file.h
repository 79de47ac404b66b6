/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_WHOLE_FILE_H
#define INCLUDED_BEARING_CORE_CALIBRATION_WHOLE_FILE_H

#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Puts \p text in the place of what the file \p path holds, atomically.
 *
 * The text goes to a temporary file in the same folder, is forced to the disk and then
 * renamed: whoever reads \p path, at any instant, finds the old text or the new one.
 *
 * \throws std::runtime_error naming the path when the file cannot be written
 */
void write_whole_file(const std::string& path, const std::string& text);

//! All that the file \p path holds.
//! \throws std::runtime_error naming the path when it cannot be read
std::string read_whole_file(const std::string& path);

//! The reason for which JSON was not understood, fit to be printed: it quotes what was
//! read, which need not be text.
std::string printable(std::string reason);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_WHOLE_FILE_H */
