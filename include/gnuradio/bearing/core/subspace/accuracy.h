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
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! How much of the theory is used for subspace_variant::real.
enum class accuracy_theory {
    full, //!< all first-order terms
    paper //!< the high-SNR limit of arXiv 2509.01999, equation (36)
};

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
 * q_l = conj((C^H Pn d)_l) (g o v)_l. The unitary variant takes the eigenpairs of the
 * averaged covariance; the real one (arXiv 2509.01999) 2 K eigenpairs of the real part,
 * and with g = En^T d, gamma = g^H g = d^H Pn d, b = Us^T a
 *
 *     var(theta) = s2 / (4 M) * { b^H W b / gamma + Re[(g^T g)* b^T W b] / gamma^2 }
 *
 * of which the paper's formula keeps the first term with W = diag(1 / (lambda - s2)). All
 * in the variant's frame (variant_frame). Nothing is corrected for sampling: R is the
 * population's.
 *
 * \param covariance R, N x N
 * \param array manifold a(theta)
 * \param azimuth the K true directions in radians
 * \param snapshots M >= 1
 * \returns K standard deviations; NaN when R is not a covariance, and where the signal's
 * eigenvalues are the noise's
 * \throws std::invalid_argument for sizes that disagree, K outside 1..N-1, M = 0, and for
 * arrays that do not suit the variant (real: also unless 2 K < N)
 */
BEARING_API Eigen::VectorXd
predict_deviation(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                  const antenna_array& array,
                  const Eigen::VectorXd& azimuth,
                  std::size_t snapshots,
                  subspace_variant variant = subspace_variant::complex,
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
 * The formula of predict_deviation() with debiased eigenvalues. With D the dimension of
 * the signal subspace and n the looks (variant_frame: K and M, or 2 K and 2 M), the noise
 * power is mean(noise eigenvalues) * n / (n - D), and each signal eigenvalue t solves
 * t = lambda / (1 + (N - D) / n * s2 / (t - s2)). Deviations are published only when all
 * of these hold:
 *
 * - lambda_D / s2 >= 2 (1 + sqrt(N / n))^2, else low_snr;
 * - the null function is as deep at every estimate as at a true direction, where
 *   a^H Pn a is s2 / (2 M) b^H W b times chi-squared with 2 (N - K) - 1 degrees of
 *   freedom (unitary: N - K - 1; real: a sum of two, one for each quadrature): its 0.9999
 *   quantile, widened by a stated calibration uncertainty; else unresolved when some
 *   estimates fail (two sources fell together and a side lobe took the free place),
 *   model_mismatch when all do (the array is not what it is said to be, or there are
 *   more sources than K); below about eight snapshots noise alone does it in up to 2 %;
 * - the deviation is below 0.06 of the distance to the nearest other estimate (real: also
 *   to every mirror image, its own too), else unresolved;
 * - on an array that looks forward only, deviation * tan(theta) is below 0.25 (endfire),
 *   else unresolved.
 *
 * Within these gates the interval of +-1.96 standard deviations holds the true direction
 * in 95 % of cases.
 *
 * \param decomposition of the sample covariance, by \p frame
 * \param frame of the variant; an antenna_array stands for the complex one
 * \param azimuth K estimates in radians; NaN ones get NaN
 * \param snapshots M; 0 (unknown), or n <= D: all NaN, not_identifiable. So are N - 1
 * sources on an array that looks all round, and a covariance
 * without any noise, and one whose rank is below D is unresolved.
 */
BEARING_API plug_in_accuracy predict_plug_in(const eigendecomposition& decomposition,
                                             const variant_frame& frame,
                                             const Eigen::VectorXd& azimuth,
                                             std::size_t snapshots);

/*!
 * \brief Whether the null function is as deep at a direction as at a true one: the second
 * gate of predict_plug_in(), for a direction that is not among the estimates.
 *
 * \param decomposition of the sample covariance, by \p frame
 * \param frame of the variant; an antenna_array stands for the complex one
 * \param num_sources K
 * \param azimuth in radians
 * \param snapshots M, with n > D
 */
BEARING_API bool supports_direction(const eigendecomposition& decomposition,
                                    const variant_frame& frame,
                                    int num_sources,
                                    double azimuth,
                                    std::size_t snapshots);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ACCURACY_H */
