/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_MEDIAN_H
#define INCLUDED_BEARING_CORE_CALIBRATION_MEDIAN_H

#include <algorithm>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

//! The median, of an even number the upper one; NaN of none. Leaves \p values in another
//! order, and allocates nothing.
template <class Values>
double median(Values& values)
{
    if (values.size() == 0) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const auto middle = values.begin() + values.size() / 2;
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_MEDIAN_H */
