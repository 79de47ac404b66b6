/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ANGLE_GRID_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ANGLE_GRID_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Azimuths, in radians and ascending, at which a spectrum is evaluated.
 *
 * Arrays that cannot tell front from back look from -pi/2 to pi/2 with both ends on the
 * grid; all others look all round, with the start of the circle on the grid and not its
 * end.
 */
class BEARING_API angle_grid
{
public:
    //! The array's whole range in \p num_points >= 2 points.
    static angle_grid whole_range(const antenna_array& array, int num_points = 512);
    /*!
     * \brief The sector [first, last] in \p num_points >= 2 points, both ends included.
     *
     * A sector as wide as a full circle becomes the whole circle.
     * \throws std::invalid_argument unless first < last <= first + 2 pi; for an array
     * that looks forward only also unless both lie in [-pi/2, pi/2]
     */
    static angle_grid
    sector(const antenna_array& array, double first, double last, int num_points = 512);
    /*!
     * \brief These azimuths.
     *
     * Three or more count as the whole circle when they leave no gap on it that is wider
     * than one and a half times their widest step.
     * \throws std::invalid_argument unless there are at least 2, strictly ascending,
     * finite and less than a full turn; the range as for sector()
     */
    static angle_grid points(const antenna_array& array, const Eigen::VectorXd& azimuth);

    /*!
     * \brief An even grid with this one's limits on which no beam of the array falls
     * between two points.
     */
    angle_grid searched_by(const antenna_array& array) const;

    const Eigen::VectorXd& azimuth() const { return d_azimuth; }
    int size() const { return static_cast<int>(d_azimuth.size()); }
    double first() const { return d_azimuth(0); }
    double last() const { return d_azimuth(d_azimuth.size() - 1); }
    //! The azimuth of point \p g, which may lie beyond the ends: on a circle it goes on
    //! beyond them by turns, in a sector it stays at the edge.
    double at(int g) const;
    //! True when \p g is an edge beyond which the array sees more: the first or the last
    //! point of a sector, unless it is where a front-only array's range ends.
    bool is_open_edge(int g, const antenna_array& array) const;
    //! True when the last point is followed by the first one.
    bool is_circle() const { return d_is_circle; }

private:
    angle_grid(Eigen::VectorXd azimuth, bool is_circle);
    Eigen::VectorXd d_azimuth;
    bool d_is_circle;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ANGLE_GRID_H */
