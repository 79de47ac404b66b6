/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
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

class alternating_projection;

//! What a subspace_fit_estimator minimises over all K directions at once, with P_A the
//! projector on the columns of A(theta).
enum class fit_criterion {
    wsf, //!< tr[(I - P_A) Es W Es^H], W = (Lambda - s2 I)^2 Lambda^-1: weighted subspace
         //!< fitting
    dml  //!< tr[(I - P_A) R]: deterministic maximum likelihood
};

//! \throws std::invalid_argument naming criterion and the allowed "wsf", "dml"
BEARING_API fit_criterion fit_criterion_from_string(const std::string& name);

//! What a subspace_fit_estimator looks for.
struct subspace_fit_config {
    //! K, 1 .. N-1; 0: count the sources (coherent ones count as one)
    int num_sources = 0;
    fit_criterion criterion = fit_criterion::wsf;
    count_method counting = count_method::ratio;
};

/*!
 * \brief Directions of all K sources at once, on any array, calibrated or not: for sources
 * too close for MUSIC, and for coherent ones (echoes of each other).
 *
 * The criterion is searched by alternating projection on a grid fine enough for the
 * array's aperture, over the array's whole range, and refined jointly to rounding.
 * Weighted subspace fitting reaches the Cramer-Rao bound also for close and for coherent
 * sources; deterministic maximum likelihood does at high SNR.
 *
 * The time grows as N K times the points of the grid, which grow with the aperture. See
 * docs/subspace_fit.md for figures.
 *
 * References: I. Ziskind, M. Wax, "Maximum likelihood localization of multiple sources by
 * alternating projection", IEEE Trans. ASSP 36(10), 1988; M. Viberg, B. Ottersten, "Sensor
 * array processing based on subspace fitting", IEEE Trans. SP 39(5), 1991.
 */
class BEARING_API subspace_fit_estimator
{
public:
    //! \throws std::invalid_argument for num_sources outside 0 .. N-1, or N < 2
    subspace_fit_estimator(antenna_array array, subspace_fit_config config = {});

    /*!
     * \brief K directions, their powers and deviations.
     *
     * Sources that fell together are reported as one and a NaN, status unresolved. With
     * that status, deviations that are finite still hold. Where other directions explain
     * the data as well, all deviations are NaN, status not_identifiable.
     *
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown (deviations are then NaN, and
     * num_sources = 0 cannot be counted: not_identifiable)
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_frame.array(); }

private:
    variant_frame d_frame;
    subspace_fit_config d_config;
    std::shared_ptr<const alternating_projection> d_search;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_H */
