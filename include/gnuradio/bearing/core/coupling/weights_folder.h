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
#include <memory>
#include <stdexcept>
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

/*!
 * \brief The weights of \p path (empty: of find_weights()) for \p array.
 * \tparam Prior coupling_prior, covariance_prior or snapshot_prior, as \p kind says
 * \param held given back without reading anything where they are for \p array; may be null
 * \throws std::runtime_error as find_weights() and Prior::load()
 * \throws std::invalid_argument when those of \p path are for other arrays
 */
template <class Prior>
std::shared_ptr<const Prior> weights_for(const antenna_array& array,
                                         const std::string& path,
                                         const std::string& kind,
                                         std::shared_ptr<const Prior> held = nullptr)
{
    if (held && held->family().has(array)) {
        return held;
    }
    const std::string used = path.empty() ? find_weights(array, kind) : path;
    std::shared_ptr<const Prior> prior = Prior::load(used);
    if (!prior->family().has(array)) {
        throw std::invalid_argument("weights " + used + " are for a " +
                                    prior->family().description() +
                                    "; the array is not one");
    }
    return prior;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_WEIGHTS_FOLDER_H */
