/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_WEIGHTS_FOLDER_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_WEIGHTS_FOLDER_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The weights file of that kind for \p array: of the files *.safetensors in the
 * folder that the environment variable GR_BEARING_WEIGHTS names, else in
 * share/gnuradio-bearing/weights beside the library, the first in alphabetical order whose
 * family has the array.
 * \param kind "coupling", "covariance" or "snapshot"
 * \throws std::runtime_error saying which folder was searched and which arrays its weights of
 * that kind are for
 */
BEARING_API std::string find_weights(const antenna_array& array, const std::string& kind);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_WEIGHTS_FOLDER_H */
