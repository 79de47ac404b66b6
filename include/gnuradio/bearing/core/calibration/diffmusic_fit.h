/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_FIT_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What a calibration through the MUSIC spectrum minimises, and how.
enum class diffmusic_method {
    gauss_newton, //!< the null function at the sources, by Gauss-Newton; labels or none
    sl_p,         //!< supervised: minus the logarithm of the spectrum at the labels
    sl_theta,     //!< supervised: the error of the soft peaks of the spectrum
    ul            //!< unsupervised: Jain's index of the spectrum around its peaks
};

//! \throws std::invalid_argument naming method and the allowed names
BEARING_API diffmusic_method diffmusic_method_from_string(const std::string& name);

//! How a batch of covariances is fitted.
struct diffmusic_config {
    diffmusic_method method = diffmusic_method::gauss_newton;
    //! most iterations; 0: the method's own (60 steps of Gauss-Newton, 400 of Adam)
    int iterations = 0;
    //! whether element positions are fitted, or gains alone
    bool fit_positions = true;
};

//! Directions of the sources that are known, for K covariances of M sources.
struct known_directions {
    //! radians, K x M, NaN where unknown; empty: all unknown
    Eigen::MatrixXd azimuth;
    //! distance of the known sources in the array's unit, K x M; infinite or NaN: far
    //! away. Empty: all far away
    Eigen::MatrixXd range;
};

//! A fitted calibration.
struct diffmusic_result {
    //! g = 1, delta = 0 at its reference; sigma_phase_rad and sigma_log_gain describe the
    //! whole response of an element, gain and position, so that a predicted deviation of a
    //! bearing includes what the fit leaves uncertain
    calibration_state calibration;
    //! standard deviation of the offsets in the array's unit, N x 3; 0 where not fitted
    Eigen::MatrixXd sigma_positions;
    //! the method's loss after each iteration
    std::vector<double> loss;
    //! directions the fit ended with, radians, K x M: the labels, else the peaks; NaN for
    //! covariances that were left out
    Eigen::MatrixXd azimuth;
    core::orientation orientation = orientation::unknown;
    //! ok; bad_data: no covariance is usable; not_identifiable: fewer data than unknowns;
    //! model_mismatch: the fit left more than noise explains
    core::status status = core::status::bad_data;
};

/*!
 * \brief Calibrates gains and element positions from covariances, through the MUSIC null
 * function f = a^H Pn a / a^H a.
 *
 * Starts from the calibration in force of \p array; a coupling in it is kept and taken
 * out of the signal subspaces. Covariances with NaN, a dead channel or too few signal
 * eigenvalues are left out.
 *
 * Reference: B. Chatelier et al., "Physically parameterized differentiable MUSIC for DoA
 * estimation with uncalibrated arrays", ICC 2025 (arXiv 2411.15144); Gauss-Newton with
 * variable projection in place of gradient descent; starting gains by A. J. Weiss, B.
 * Friedlander 1990.
 *
 * \param covariances K of N x N
 * \param num_sources M, 1 .. N-1, in each
 * \param snapshots T >= 1 behind each
 * \param known labels; covariances may have some, all or none of their directions known
 * \throws std::invalid_argument naming the parameter: sizes that disagree, angles beyond
 * what the array sees, supervised methods without labels, fewer than one covariance, an
 * array of less than three elements
 */
BEARING_API diffmusic_result diffmusic_fit(const std::vector<Eigen::MatrixXcd>& covariances,
                                           const antenna_array& array,
                                           int num_sources,
                                           std::size_t snapshots,
                                           const known_directions& known = {},
                                           const diffmusic_config& config = {});

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_FIT_H */
