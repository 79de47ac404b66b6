/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_ARRAY_NEAR_FIELD_H
#define INCLUDED_GNURADIO_BEARING_CORE_ARRAY_NEAR_FIELD_H

#include <gnuradio/bearing/api.h>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How much shorter the path from a point source is to an element than to the
 * origin, and how that changes.
 *
 * With r the source's distance from the origin, q = 1 / r, p the element, u the unit
 * vector towards the source and c = p . u,
 *
 *     m = r - |r u - p| = (1 - s) / q = (2 c - q |p|^2) / (1 + s),
 *     s = |r u - p| / r = sqrt(1 - 2 q c + q^2 |p|^2)
 *
 * of which the last form holds at q = 0 too, where m = c: the plane wave. It goes on
 * smoothly to q < 0, a wave that contracts; no source makes one, but an estimate of 1 / r
 * may fall there. Any unit of length.
 */
struct path_lead {
    double value;                  //!< m
    double by_projection;          //!< dm/dc
    double by_inverse_range;       //!< dm/dq
    double by_projection_twice;    //!< d2m/dc2
    double by_both;                //!< d2m/dc dq
    double by_inverse_range_twice; //!< d2m/dq2
};

/*!
 * \param projection c
 * \param squared_distance |p|^2 of the element
 * \param inverse_range q, |q| |p| < 1
 */
BEARING_API path_lead lead_of_path(double projection,
                                   double squared_distance,
                                   double inverse_range);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_ARRAY_NEAR_FIELD_H */
