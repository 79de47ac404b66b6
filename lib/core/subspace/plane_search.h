/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_PLANE_SEARCH_H
#define INCLUDED_BEARING_CORE_SUBSPACE_PLANE_SEARCH_H

#include "source_plane.h"
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! A grid of azimuths and second coordinates with its steering vectors.
class plane_grid
{
public:
    plane_grid(const source_plane& plane, angle_grid azimuth, Eigen::VectorXd second);

    const angle_grid& azimuth() const { return d_azimuth; }
    const Eigen::VectorXd& second() const { return d_second; }
    //! The null function f = 1 - |Es^H a|^2 / a^H a, not below its rounding errors; a row an
    //! azimuth, a column a second coordinate.
    Eigen::MatrixXd null_function(const Eigen::MatrixXcd& signal_subspace) const;

private:
    angle_grid d_azimuth;
    Eigen::VectorXd d_second;
    manifold_table d_table;
};

//! A minimum of the null function.
struct plane_minimum {
    source_place place;
    double value;
};

/*!
 * \brief The K deepest minima of the null function over a plane, and all others that may
 * be as deep, deepest first; fewer than K when there are fewer.
 *
 * \param plane the places
 * \param grid that no beam falls through
 * \param signal_subspace Es, N x K
 */
std::vector<plane_minimum> deepest_minima(const source_plane& plane,
                                          const plane_grid& grid,
                                          const Eigen::MatrixXcd& signal_subspace);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_PLANE_SEARCH_H */
