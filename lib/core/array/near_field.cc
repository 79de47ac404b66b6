/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/array/near_field.h>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

path_lead lead_of_path(double projection, double squared_distance, double inverse_range)
{
    const double q = inverse_range;
    const double s = std::sqrt(1.0 - 2.0 * q * projection + q * q * squared_distance);
    // From (1 - q m)^2 = s^2, differentiated: no division by q.
    path_lead lead;
    lead.value = (2.0 * projection - q * squared_distance) / (1.0 + s);
    lead.by_projection = 1.0 / s;
    lead.by_inverse_range = (lead.value * lead.value - squared_distance) / (2.0 * s);
    const double s_by_q = -lead.value - q * lead.by_inverse_range;
    lead.by_projection_twice = q / (s * s * s);
    lead.by_both = -s_by_q / (s * s);
    lead.by_inverse_range_twice = lead.by_inverse_range * (lead.value - s_by_q) / s;
    return lead;
}

} // namespace core
} // namespace bearing
} // namespace gr
