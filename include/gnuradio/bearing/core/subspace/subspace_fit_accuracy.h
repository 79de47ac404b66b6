/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_ACCURACY_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_ACCURACY_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/subspace_fit.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Standard deviations, in radians, of subspace fits from an exact covariance.
 *
 * With R = A P A^H + s2 I, B = A^+, G = (A^H A)^-1, M snapshots of Gaussian sources and
 * o the entrywise product, the covariance of all K estimates is
 *
 *     wsf: s2 / (2 M) H^-1,           H = Re[(B Es W Es^H B^H) o (D^H (I - P_A) D)^T]
 *     dml: s2 / (2 M) H^-1 Q H^-1,    H = Re[P o (D^H (I - P_A) D)^T],
 *                                     Q = Re[(P + s2 G) o (D^H (I - P_A) D)^T]
 *
 * The first one is the stochastic Cramer-Rao bound, whatever the sources' correlation:
 * B Es W Es^H B^H = P A^H R^-1 A P. A calibration with known deviations adds
 * sum_l [s_phase,l^2 Im(q_l) Im(q_l)^T + s_gain,l^2 Re(q_l) Re(q_l)^T], each H^-1 from both
 * sides, with q_kl = (S E^H)_kl (C^H (I - P_A) D)_lk: S the first factor of H, E the
 * responses of the elements before coupling. Nothing is corrected for sampling.
 *
 * References: P. Stoica, A. Nehorai, "Performance study of conditional and unconditional
 * direction-of-arrival estimation", IEEE Trans. ASSP 38(10), 1990; M. Viberg, B. Ottersten
 * 1991.
 *
 * \param covariance R, N x N
 * \param array manifold a(theta)
 * \param azimuth the K true directions in radians
 * \param snapshots M >= 1
 * \returns K standard deviations; NaN when R is not a covariance, or cannot resolve them
 * \throws std::invalid_argument for sizes that disagree, K outside 1..N-1, M = 0
 */
BEARING_API Eigen::VectorXd
predict_fit_deviation(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                      const antenna_array& array,
                      const Eigen::VectorXd& azimuth,
                      std::size_t snapshots,
                      fit_criterion criterion = fit_criterion::wsf);

/*!
 * \brief Standard deviations of subspace fits from the sample covariance they were made
 * from.
 *
 * The formulas of predict_fit_deviation() over the K' <= K eigenvalues that rise to twice
 * the edge of the noise, s2 (1 + sqrt(N / M))^2: coherent sources have fewer of them than
 * their number. s2 is mean(the others) * M / (M - K'), and each of the K' solves
 * t = lambda / (1 + (N - K') / M * s2 / (t - s2)). Deviations are published only when all
 * of these hold:
 *
 * - K' >= 1, else low_snr, and no eigenvalue of the K largest lies between the edge and
 *   twice the edge, where it may be either, else unresolved;
 * - 2 K' (N - K) > K: fewer sources than the data can tell; and unless the array looks
 *   forward only K < N - 1, since with one dimension left two directions can move together,
 *   and 2 K' (N - K) >= 2 K, since with less left over other directions fit by chance; else
 *   not_identifiable;
 * - 2 M / s2 tr[(I - P_A) Es W Es^H], the misfit, is below the 0.9999 quantile of
 *   chi-squared with 2 K' (N - K) - K degrees of freedom, its law after weighted fits (a
 *   stated calibration uncertainty widens it), else model_mismatch;
 * - where K' < K, no source can be left out without making the misfit too large, else
 *   unresolved: what is left over has nothing to fit but noise;
 * - the deviation is below 0.25 of the distance to the nearest other estimate (0.06, for
 *   every source at once, where K' < K), else unresolved;
 * - on an array that looks forward only, deviation * tan(theta) is below 0.25 (endfire),
 *   else unresolved.
 *
 * Distances are measured as in predict_plug_in(). Within these gates the interval of
 * +-1.96 standard deviations holds the true direction in 95 % of cases.
 *
 * \param decomposition of the sample covariance
 * \param azimuth K estimates in radians; when one is NaN, all deviations are, unresolved
 * \param snapshots M; 0 (unknown) or <= K: all NaN, not_identifiable. So is a covariance
 * without any noise.
 */
BEARING_API plug_in_accuracy predict_fit_plug_in(const eigendecomposition& decomposition,
                                                 const antenna_array& array,
                                                 const Eigen::VectorXd& azimuth,
                                                 std::size_t snapshots,
                                                 fit_criterion criterion);

/*!
 * \brief Whether a set of directions explains the data as well as the true ones: the third
 * gate of predict_fit_plug_in(), for a set that is not the estimate.
 *
 * \param decomposition of the sample covariance
 * \param azimuth K directions in radians
 * \param snapshots M > K
 */
BEARING_API bool supports_directions(const eigendecomposition& decomposition,
                                     const antenna_array& array,
                                     const Eigen::VectorXd& azimuth,
                                     std::size_t snapshots);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SUBSPACE_FIT_ACCURACY_H */
