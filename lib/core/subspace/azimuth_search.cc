/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/azimuth_search.h>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

azimuth_search::azimuth_search(const antenna_array& array, angle_grid shown)
    : d_shown(std::move(shown)),
      d_shown_table(array, d_shown),
      d_searched(d_shown.searched_by(array)),
      d_searched_table(array, d_searched)
{
}

} // namespace core
} // namespace bearing
} // namespace gr
