/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_NULL_STATISTICS_H
#define INCLUDED_BEARING_CORE_SUBSPACE_NULL_STATISTICS_H

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <complex>
#include <cstddef>

// What sampling and the calibration's own errors make of the null function at a source.

namespace gr {
namespace bearing {
namespace core {

//! Whether the signal's eigenvalues say enough for deviations to be predicted from them:
//! ok, not_identifiable, unresolved or low_snr, as of predict_plug_in().
//! \param values descending, N
//! \param dimension D
//! \param looks n
status check_signal(const Eigen::VectorXd& values, Eigen::Index dimension, double looks);

//! What the formulas need of a covariance.
struct signal_model {
    subspace_variant variant;
    double noise_over_snapshots; //!< s2 / M
    Eigen::MatrixXcd subspace;   //!< Us, N x D
    Eigen::VectorXd weights;     //!< diagonal of W, D
};

//! diagonal of W = lambda / (lambda - s2)^2
Eigen::VectorXd music_weights(const Eigen::VectorXd& signal_values, double noise_power);

//! With debiased eigenvalues.
signal_model sampled_model(const eigendecomposition& decomposition,
                           const variant_frame& frame,
                           int num_sources,
                           std::size_t snapshots);

//! What sampling makes of Pn a, which is zero at a true direction: the sums of the
//! variances and of the (pseudo-variance) squares that it gives to each component.
struct null_moments {
    //! s2 / M b^H W b, with b = Us^H a
    double variance;
    //! s2 / M b^T W b where the eigenvectors are real, else 0
    std::complex<double> pseudo_variance;
};
null_moments moments(const Eigen::VectorXcd& a, const signal_model& model);

/*!
 * \brief Whether the null is as deep at \p a as it is at a true direction.
 *
 * There, sampling makes a^H Pn a a sum of squares of real Gaussian variables, two for each
 * dimension of the noise subspace (one where averaging ties them together), less one for
 * each coordinate that was fitted.
 */
bool is_supported(const calibration_state& calibration,
                  const Eigen::VectorXcd& a,
                  const signal_model& model,
                  const null_moments& null,
                  int fitted_coordinates = 1);

//! Whether the calibration says how uncertain it is.
bool has_deviations(const calibration_state& calibration);

/*!
 * \brief Covariance of Re(D^H Pn a) that the calibration's stated errors cause, P x P.
 *
 * sum_l [s_phase,l^2 Im(q_l) Im(q_l)^T + s_gain,l^2 Re(q_l) Re(q_l)^T] with
 * q_l = conj((C^H Pn D)_l) (g o v)_l.
 *
 * \param mixing C; empty: none
 * \param a steering vector, N
 * \param projected Pn D, N x P
 */
Eigen::MatrixXd calibration_information(const calibration_state& calibration,
                                        const Eigen::MatrixXcd& mixing,
                                        const Eigen::VectorXcd& a,
                                        const Eigen::MatrixXcd& projected);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_NULL_STATISTICS_H */
