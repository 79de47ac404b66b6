/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ACCURACY_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ACCURACY_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! Which estimator's deviation is meant.
enum class accuracy_variant {
    complex, //!< MUSIC on any array, and root-MUSIC, from the complex covariance
    unitary, //!< from the forward-backward averaged covariance of a uniform line
    real //!< real-valued root-MUSIC, from the real part of a uniform line's covariance
};
//! How much of the theory is used for accuracy_variant::real.
enum class accuracy_theory {
    full, //!< all first-order terms
    paper //!< the high-SNR limit of arXiv 2509.01999, equation (36)
};

//! \throws std::invalid_argument naming variant and the allowed "complex", "unitary",
//! "real"
BEARING_API accuracy_variant accuracy_variant_from_string(const std::string& name);
//! \throws std::invalid_argument naming theory and the allowed "full", "paper"
BEARING_API accuracy_theory accuracy_theory_from_string(const std::string& name);

/*!
 * \brief Standard deviations, in radians, of MUSIC-type estimates from an exact
 * covariance.
 *
 * With the K leading eigenpairs (lambda, Us) of R, s2 the noise power, M snapshots,
 * b = Us^H a, d = da/dtheta, W = diag(lambda / (lambda - s2)^2) and Pn = I - Us Us^H:
 *
 *     var(theta) = s2 / (2 M) * b^H W b / (d^H Pn d)
 *
 * (Stoica and Nehorai 1989), plus, for a calibration with known deviations, the floor
 * sum_l [s_phase,l^2 Im(q_l)^2 + s_gain,l^2 Re(q_l)^2] / (d^H Pn d)^2 with
 * q_l = conj((C^H Pn d)_l) (g o v)_l. Nothing is corrected for sampling: R is the
 * population's. The real variant (arXiv 2509.01999) refers a and d to the first element,
 * the others to the centroid.
 *
 * \param covariance R, N x N
 * \param array manifold a(theta)
 * \param azimuth the K true directions in radians
 * \param snapshots M >= 1
 * \returns K standard deviations; NaN when R is not a covariance
 * \throws std::invalid_argument for sizes that disagree, K outside 1..N-1, M = 0, and for
 * unitary and real on anything but a uniform line (real: also unless 2 K < N)
 */
BEARING_API Eigen::VectorXd
predict_deviation(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                  const antenna_array& array,
                  const Eigen::VectorXd& azimuth,
                  std::size_t snapshots,
                  accuracy_variant variant = accuracy_variant::complex,
                  accuracy_theory theory = accuracy_theory::full);

//! Deviations for estimates from a sample covariance, gated.
struct plug_in_accuracy {
    Eigen::VectorXd deviation; //!< radians; NaN where it would not hold
    core::status status; //!< ok, low_snr, unresolved, model_mismatch, or not_identifiable
};

/*!
 * \brief Standard deviations of MUSIC and root-MUSIC estimates from the sample covariance
 * they were made from.
 *
 * The formula of predict_deviation() with debiased eigenvalues: the noise power is
 * mean(noise eigenvalues) * M / (M - K), and each signal eigenvalue t solves
 * t = lambda / (1 + (N - K) / M * s2 / (t - s2)). Deviations are published only when all
 * of these hold:
 *
 * - lambda_K / s2 >= 2 (1 + sqrt(N / M))^2, else low_snr;
 * - the null function is as deep at every estimate as at a true direction, where
 *   a^H Pn a is s2 / (2 M) b^H W b times chi-squared with 2 (N - K) - 1 degrees of
 * freedom (its 0.9999 quantile; a stated calibration uncertainty widens it); else
 * unresolved when some estimates fail (two sources fell together and a side lobe took the
 * free place), model_mismatch when all do (the array is not what it is said to be, or there are
 *   more sources than K); below about eight snapshots noise alone does it in up to 2 %;
 * - the deviation is below 0.06 of the distance to the nearest other estimate, else
 *   unresolved;
 * - on an array that looks forward only, deviation * tan(theta) is below 0.25 (endfire),
 *   else unresolved.
 *
 * Within these gates the interval of +-1.96 standard deviations holds the true direction
 * in 95 % of cases.
 *
 * \param decomposition of the sample covariance
 * \param azimuth K estimates in radians; NaN ones get NaN
 * \param snapshots M; 0 (unknown) or <= K: all NaN, not_identifiable. So is a covariance
 * without any noise, and one whose rank is below K is unresolved.
 */
BEARING_API plug_in_accuracy predict_plug_in(const eigendecomposition& decomposition,
                                             const antenna_array& array,
                                             const Eigen::VectorXd& azimuth,
                                             std::size_t snapshots);

/*!
 * \brief Whether the null function is as deep at a direction as at a true one: the second
 * gate of predict_plug_in(), for a direction that is not among the estimates.
 *
 * \param decomposition of the sample covariance
 * \param num_sources K
 * \param azimuth in radians
 * \param snapshots M > K
 */
BEARING_API bool supports_direction(const eigendecomposition& decomposition,
                                    const antenna_array& array,
                                    int num_sources,
                                    double azimuth,
                                    std::size_t snapshots);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ACCURACY_H */
