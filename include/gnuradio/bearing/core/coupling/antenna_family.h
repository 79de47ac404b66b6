/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_ANTENNA_FAMILY_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_ANTENNA_FAMILY_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! The arrays that trained weights are for.
struct BEARING_API antenna_family {
    //! "line" or "circle"
    std::string geometry;
    int num_elements = 0;
    //! spacing of a line's neighbours, or radius of a circle, in wavelengths: from, to
    double smallest = 0.0;
    double largest = 0.0;

    //! From the text `array` of a weights file. \throws std::runtime_error saying what is wrong
    static antenna_family from_json(const std::string& text);
    //! Whether \p array as drawn is one of them, to 1e-6 wavelengths.
    bool has(const antenna_array& array) const;
    //! "line of 8 elements, 0.44 to 0.52 wavelengths apart"
    std::string description() const;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_ANTENNA_FAMILY_H */
