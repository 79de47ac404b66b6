/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEAMSCAN_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEAMSCAN_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/azimuth_search.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! Spectra that scan a beam over the grid.
enum class beamscan_method {
    bartlett, //!< a^H R a / (a^H a)^2, the conventional beamformer
    capon     //!< 1 / (a^H R^-1 a), minimum variance
};

//! \throws std::invalid_argument naming method and the allowed "bartlett", "capon"
BEARING_API beamscan_method beamscan_method_from_string(const std::string& name);

//! What a beamscan_estimator looks for.
struct beamscan_config {
    beamscan_method method = beamscan_method::bartlett;
    //! peaks to report, 1 .. N-1; 0: count the sources
    int num_sources = 1;
    count_method counting = count_method::ratio;
};

/*!
 * \brief Bartlett and Capon spectra and their highest peaks, refined between grid points.
 *
 * Both estimate the power per element that arrives from each direction, in dB relative
 * to 1. Their peaks are biased when several sources lie near to each other, so no
 * standard deviation is predicted: deviation is NaN.
 *
 * References: M. S. Bartlett 1948; J. Capon, "High-resolution frequency-wavenumber
 * spectrum analysis", Proc. IEEE 57(8), 1969.
 */
class BEARING_API beamscan_estimator
{
public:
    //! \throws std::invalid_argument for num_sources outside 0 .. N-1
    beamscan_estimator(antenna_array array, angle_grid grid, beamscan_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown, then num_sources = 0 cannot be
     * counted and the status is not_identifiable
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_frame.array(); }
    const angle_grid& grid() const { return d_search.shown(); }

private:
    variant_frame d_frame;
    beamscan_config d_config;
    azimuth_search d_search;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_BEAMSCAN_H */
