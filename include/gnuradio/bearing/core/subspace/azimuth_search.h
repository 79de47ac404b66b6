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
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The grid that a spectrum is shown on, and the one on which its extremes are
 * looked for, each with its steering vectors.
 *
 * They are the same unless the one to be shown is too coarse for the array: what is found
 * does not depend on what is shown, but for the limits.
 */
class BEARING_API azimuth_search
{
public:
    azimuth_search(const antenna_array& array, angle_grid shown);

    const angle_grid& shown() const { return d_shown; }
    const manifold_table& shown_table() const { return d_shown_table; }
    const angle_grid& searched() const { return d_finer ? *d_finer : d_shown; }
    const manifold_table& searched_table() const
    {
        return d_finer_table ? *d_finer_table : d_shown_table;
    }
    //! True when searched() is shown().
    bool is_one_grid() const { return !d_finer; }

private:
    angle_grid d_shown;
    manifold_table d_shown_table;
    std::optional<angle_grid> d_finer;
    std::optional<manifold_table> d_finer_table;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_AZIMUTH_SEARCH_H */
