/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_BEARING_MAP_H
#define INCLUDED_BEARING_CORE_CALIBRATION_BEARING_MAP_H

#include <gnuradio/bearing/core/calibration/array_parameters.h>

namespace gr {
namespace bearing {
namespace core {

//! A map of bearings that no covariance contradicts: sin(theta) -> slope sin(theta) +
//! offset on a line, theta -> theta + offset on any other array.
struct bearing_map {
    bool is_line;
    double slope = 1.0;
    double offset = 0.0;

    double operator()(double azimuth) const;
    //! Makes every source be seen where the map takes it.
    void apply(array_parameters& parameters) const;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_BEARING_MAP_H */
