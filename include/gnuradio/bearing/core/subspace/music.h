/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/azimuth_search.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

//! What a music_estimator looks for.
struct music_config {
    //! K, 1 .. N-1; 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
};

/*!
 * \brief MUSIC on any array, calibrated or not: pseudo-spectrum over a grid, and
 * directions that do not depend on it.
 *
 * The null function is searched on a grid that is fine enough for the array's aperture,
 * within the limits of the given grid, and each minimum is then refined continuously. The
 * K deepest minima are the directions.
 *
 * Reference: R. O. Schmidt 1986; see null_function and predict_plug_in().
 */
class BEARING_API music_estimator
{
public:
    //! \throws std::invalid_argument for num_sources outside 0 .. N-1, or N < 2
    music_estimator(antenna_array array, angle_grid grid, music_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown (deviations are then NaN, and
     * num_sources = 0 cannot be counted: not_identifiable)
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    /*!
     * \brief The spectrum of estimate() alone, G values in dB: no directions are looked
     * for.
     *
     * It is 0 dB everywhere when there is no signal subspace (bad data, no source).
     * \throws std::invalid_argument when R is not N x N
     */
    Eigen::VectorXd spectrum_db(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                                std::size_t snapshots) const;

    const antenna_array& array() const { return d_frame.array(); }
    const angle_grid& grid() const { return d_search.shown(); }

private:
    void fill_spectrum(const Eigen::Ref<const Eigen::MatrixXcd>& signal_subspace,
                       Eigen::VectorXd& spectrum_db) const;

    variant_frame d_frame;
    music_config d_config;
    azimuth_search d_search;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MUSIC_H */
