/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_AZIMUTH_SEARCH_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_AZIMUTH_SEARCH_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/spectrum_table.h>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The grid that a spectrum is shown on, and the one on which its extremes are looked
 * for, each with its steering vectors.
 *
 * They share their limits and nothing else: what is found does not depend on what is
 * shown.
 */
class BEARING_API azimuth_search
{
public:
    azimuth_search(const antenna_array& array, angle_grid shown);

    const angle_grid& shown() const { return d_shown; }
    const spectrum_table& shown_table() const { return d_shown_table; }
    const angle_grid& searched() const { return d_searched; }
    const spectrum_table& searched_table() const { return d_searched_table; }

private:
    angle_grid d_shown;
    spectrum_table d_shown_table;
    angle_grid d_searched;
    spectrum_table d_searched_table;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_AZIMUTH_SEARCH_H */
