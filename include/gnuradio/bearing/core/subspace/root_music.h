/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

//! What a root_music_estimator looks for.
struct root_music_config {
    //! K, 1 .. N-1; 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
};

/*!
 * \brief Root-MUSIC for uniform lines: MUSIC without a grid.
 *
 * On a uniform line the null function is a polynomial in z = exp(j 2 pi (d / lambda)
 * sin theta); the K roots inside the unit circle and nearest to it give the directions.
 * Gains and coupling of a calibrated line enter the polynomial exactly; position offsets
 * are accounted for by refining each direction on the true null function. A root outside
 * the visible region (|sin theta| > 1) is reported as +-90 degrees with status
 * unresolved.
 *
 * Reference: A. J. Barabell, "Improving the resolution performance of
 * eigenstructure-based direction-finding algorithms", ICASSP 1983.
 */
class BEARING_API root_music_estimator
{
public:
    //! \throws std::invalid_argument for num_sources outside 0 .. N-1, or an array that
    //! is not a uniform line of at least 2 elements
    explicit root_music_estimator(antenna_array array, root_music_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown (deviations are then NaN, and
     * num_sources = 0 cannot be counted: not_identifiable)
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_array; }

private:
    antenna_array d_array;
    root_music_config d_config;
};

/*!
 * \brief Roots of the palindromic polynomial sum_(k=-n..n) c_k z^k with c_-k = conj(c_k).
 *
 * \param coefficients c_0 .. c_n; c_0 is real and the function they describe on the unit
 * circle is not negative
 * \returns the n roots inside the unit circle, nearest to it first; fewer where leading
 * coefficients vanish
 */
BEARING_API Eigen::VectorXcd roots_inside(const Eigen::VectorXcd& coefficients);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H */
