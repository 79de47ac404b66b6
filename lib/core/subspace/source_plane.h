/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_SOURCE_PLANE_H
#define INCLUDED_BEARING_CORE_SUBSPACE_SOURCE_PLANE_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/music_2d.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! Where a source is.
struct source_place {
    Eigen::Vector3d direction; //!< u
    double inverse_range;      //!< 1 / r, one over the array's unit
};

//! A steering vector around a place, in the plane's local coordinates.
struct plane_expansion {
    Eigen::VectorXcd a;      //!< N
    Eigen::MatrixXcd d;      //!< da/dx, da/dy, N x 2
    Eigen::MatrixXcd second; //!< d2a/dx2, d2a/dxdy, d2a/dy2, N x 3
};

/*!
 * \brief The places that a search over two coordinates goes through, and how steering
 * vectors change from one to the next.
 *
 * Local coordinates around a place: for azimuth_elevation the arcs towards growing azimuth
 * and elevation, in radians, which stay regular at the zenith; for azimuth_range azimuth in
 * radians and the inverse range.
 */
class source_plane
{
public:
    //! \throws std::invalid_argument as of music_2d_estimator
    source_plane(const antenna_array& array,
                 search_plane search,
                 double nearest_range = 0.0);

    bool has_elevation() const { return d_search == search_plane::azimuth_elevation; }
    //! The plane of a flat array (azimuth_range: of a front-only one), a unit vector towards
    //! the side that is looked at.
    const std::optional<Eigen::Vector3d>& normal() const { return d_normal; }
    //! Elevations or inverse ranges on which no beam falls between two, given the step of
    //! azimuths that does so.
    Eigen::VectorXd second_grid(double azimuth_step) const;
    //! The inverse of the nearest range that is looked for.
    double largest_inverse_range() const { return d_largest_inverse_range; }

    source_place at(double azimuth, double second) const;
    double azimuth(const source_place& place) const;
    //! elevation or inverse range
    double second(const source_place& place) const;
    //! Change of azimuth and of the second coordinate per unit of the local ones; the first
    //! is infinite at the zenith.
    Eigen::Vector2d rates(const source_place& place) const;
    //! Local coordinates of \p to, seen from \p from, near by.
    Eigen::Vector2d displacement(const source_place& from, const source_place& to) const;
    //! The place at these local coordinates, on the side that is looked at, and no nearer
    //! than the nearest range.
    source_place moved(const source_place& place, const Eigen::Vector2d& by) const;
    //! The place, or where it lies in the plane of a flat array, where the null function is
    //! level, the place \p by radians above it.
    source_place off_plane(const source_place& place, double by) const;
    //! Components of a vector of space along the two arcs at a place.
    Eigen::Vector2d along_arcs(const source_place& place, const Eigen::Vector3d& v) const;

    Eigen::VectorXcd steering(const source_place& place) const;
    plane_expansion expand(const source_place& place) const;

    // Accuracy formulas want derivatives whose phase is zero at the elements' centroid, and
    // distances in spatial frequency, radians an element: that of the uniform line of as
    // many elements whose phases differ as much.

    //! da/dx, da/dy referred to the centroid, N x 2
    Eigen::MatrixXcd centred_derivative(const source_place& place) const;
    //! What the squared distance of two near places is of their local coordinates, 2 x 2.
    Eigen::Matrix2d metric(const source_place& place) const;
    double distance(const source_place& place, const source_place& other) const;

private:
    Eigen::VectorXd phases(const source_place& place) const;
    Eigen::MatrixXd phase_rates(const source_place& place) const;
    Eigen::VectorXcd respond(const Eigen::VectorXcd& phasors) const;
    double inverse_wave_range(const source_place& place) const;

    search_plane d_search;
    Eigen::MatrixXd d_wave_positions; // 2 pi (p + delta) / lambda, N x 3
    Eigen::VectorXd d_squared_distance;
    Eigen::MatrixXcd d_response; // empty: none
    std::optional<Eigen::Vector3d> d_normal;
    double d_wave_number; // radians per unit of the array
    double d_largest_inverse_range = 0.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_SOURCE_PLANE_H */
