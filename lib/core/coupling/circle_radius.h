/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_CIRCLE_RADIUS_H
#define INCLUDED_BEARING_CORE_COUPLING_CIRCLE_RADIUS_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! The radius in wavelengths when neighbours in the array's order, either way round, are
//! neighbours in even steps on a level circle, wherever that lies and however it is turned,
//! as drawn and to 1e-6 wavelengths; none for other arrays, and for less than 3 elements.
std::optional<double> circle_radius(const antenna_array& array);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_CIRCLE_RADIUS_H */
