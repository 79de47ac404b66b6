/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_2D_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_2D_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <memory>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! The two coordinates of a source that are looked for.
enum class search_plane {
    azimuth_elevation, //!< of sources far away
    azimuth_range      //!< of sources near by, at elevation 0
};

//! \throws std::invalid_argument naming search and the allowed "azimuth_elevation",
//! "azimuth_range"
BEARING_API search_plane search_plane_from_string(const std::string& name);

//! What a music_2d_estimator looks for.
struct music_2d_config {
    //! K, 1 .. N-1; 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
    search_plane search = search_plane::azimuth_elevation;
    //! azimuth_range: no source is nearer to the origin than this, in the array's unit, more
    //! than antenna_array::reach(); 0: one and a half times that
    double nearest_range = 0.0;
    //! whether estimates hold map_db, or only its best over the second coordinate
    bool keeps_map = false;
};

/*!
 * \brief MUSIC over two coordinates: azimuth and elevation, or azimuth and inverse range.
 *
 * The null function is searched on a grid that is fine enough for the array's aperture,
 * and each minimum is refined by Newton's method in two variables. The K deepest minima
 * are the sources; each coordinate has its predicted deviation.
 *
 * Elevation. A flat array cannot tell the two sides of its plane apart: sources are looked
 * for on the side that faces up (of an upright array, ahead), so that a circle on the
 * ground finds elevations of 0 .. 90 degrees. Elements at different heights find -90 .. 90.
 *
 * Range. The estimate is 1 / r, whose errors are nearly Gaussian. The range is infinite
 * where the 95 % interval of 1 / r includes 0, and its deviation is published where that
 * of 1 / r is below an eighth of it.
 *
 * With D = [da/dx, da/dy] at the elements' centroid, and all else as of
 * predict_plug_in(), the covariance of an estimate is
 *
 *     s2 / (2 M) * b^H W b * Re(D^H Pn D)^-1
 *
 * plus the calibration's floor, with the gates of predict_plug_in(); and
 *
 * - N - K = 1: not_identifiable, for two coordinates can always be found that are
 *   orthogonal to a single noise eigenvector;
 * - both deviations are NaN, and the status is unresolved, where the deviation is above an
 *   eighth of the tangent of the distance to the zenith, where azimuth ends;
 * - near the plane of a flat array, where the deviation of the angle to it is above an
 *   eighth of its tangent, the deviations that depend on that angle are NaN (a horizontal
 *   array: that of elevation, and the status stays ok).
 *
 * Reference: R. O. Schmidt 1986; Y.-D. Huang, M. Barkat, "Near-field multiple source
 * localization by passive sensor array", IEEE Trans. Antennas Propag. 39(7), 1991;
 * P. Stoica, A. Nehorai 1989 for the deviations.
 */
class BEARING_API music_2d_estimator
{
public:
    /*!
     * \param array for azimuth_elevation not a line
     * \param grid azimuths of the spectrum; its ends limit the search
     * \param config see there
     * \throws std::invalid_argument naming the parameter; also for an array so large that
     * the search grid would take more than 256 MB
     */
    music_2d_estimator(antenna_array array, angle_grid grid, music_2d_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown (deviations are then NaN, and
     * num_sources = 0 cannot be counted: not_identifiable)
     * \returns with elevation or range; spectrum_db is the highest over the second
     * coordinate
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_frame.array(); }
    const angle_grid& grid() const;

private:
    struct tables;

    variant_frame d_frame;
    music_2d_config d_config;
    std::shared_ptr<const tables> d_tables; // shared by copies
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_2D_H */
