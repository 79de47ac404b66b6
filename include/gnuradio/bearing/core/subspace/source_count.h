/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SOURCE_COUNT_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SOURCE_COUNT_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Core>
#include <cstddef>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * How sources are counted.
 *
 * - `ratio`: sequential test of the largest remaining eigenvalue against the mean of the
 *   remaining ones. Robust: channel noise levels that differ by 1 dB rms do no harm.
 * - `mdl`, `aic`: minimum description length and Akaike's criterion, Wax and Kailath,
 *   "Detection of signals by information theoretic criteria", IEEE Trans. ASSP 33 (1985).
 *   They find weaker sources, but trust the noise to be exactly white: with unequal
 *   channels and many snapshots they count far too many. AIC overestimates now and then
 *   even in white noise, MDL where snapshots are hardly more than eigenvalues.
 */
enum class count_method { ratio, mdl, aic };

/*!
 * The method that `name` ("ratio", "mdl" or "aic") stands for.
 *
 * \throws std::invalid_argument for any other name
 */
BEARING_API count_method count_method_from_string(const std::string& name);

/*!
 * Counts the sources from the eigenvalues of a sample covariance.
 *
 * With N eigenvalues and M snapshots, `ratio` accepts source k = 1, 2, .. while both
 *
 *     lambda_k / mean(lambda_k..lambda_N) > ratio_threshold(N - k + 1, M - k + 1)
 *     lambda_k > 2.5 mean(lambda_(k+1)..lambda_N)
 *
 * hold, and stops at the first that fails. The first bounds false alarms in white noise
 * by 0.5 %; the second keeps noise that is not quite white from being counted when many
 * snapshots make the first very sharp. The price: lambda_1 is compared with the other
 * sources too, so when they are strong, alike and nearly as many as the elements none is
 * counted (three equal sources on four elements, well apart: found in one draw of eight;
 * `mdl` finds them). Two on four, three on five and five on eight elements are found.
 *
 * Fewer than N non-zero eigenvalues. An eigenvalue is zero when it is within rounding of
 * it: at most N epsilon lambda_1, or four times the size of the most negative one.
 * - Exact zeros (below epsilon^2 lambda_1) are dead channels, whose rows of zeros survive
 *   the decomposition. They are left out: N counts the live channels. Where only one
 *   eigenvalue is left, a single live channel looks like a single noise-free source, and
 *   the answer is one: check the covariance's diagonal for dead channels beforehand.
 * - With M < N the other zeros are expected. `ratio` leaves them in its means, for which
 *   the thresholds are made. `mdl` and `aic` use that X X^H and X^H X share their
 *   non-zero eigenvalues: M eigenvalues, N snapshots.
 * - With M >= N they mean noise below the arithmetic. `ratio` leaves them in its means,
 *   `mdl` and `aic` count what is not zero, so noise-free sources are counted right.
 *
 * A covariance that was ever in single precision has rounding noise near 1e-7 lambda_1,
 * and it is not white. Sources below it cannot be counted; where the channels' own noise
 * is below it, as with a source 80 dB above the noise, a few percent of counts are
 * wrong.
 *
 * \param eigenvalues N eigenvalues, power per element, any scale, descending (another
 *        order gives the same result)
 * \param snapshots number M of snapshots behind the covariance, at least 1
 * \param method see count_method
 * \return 0 .. min(N, M) - 1; 0 when an eigenvalue is NaN or infinite, when none is above
 *         zero, and when N < 2. Data never throw.
 * \throws std::invalid_argument if snapshots is 0
 */
BEARING_API int count_sources(const Eigen::VectorXd& eigenvalues,
                              std::size_t snapshots,
                              count_method method = count_method::ratio);

/*!
 * The 99.5 % quantile of lambda_1 / mean(lambda_1..lambda_n) of white complex Wishart
 * noise with n eigenvalues (the mean includes those that are zero because the degrees of
 * freedom are fewer than n).
 *
 * Interpolated from a simulated table (n = 2..64, degrees of freedom 2..16384) to 1 % of
 * (threshold - 1); what is interpolated is the quantile centred and scaled as the
 * Wishart's largest eigenvalue is in the limit (Johnstone, "On the distribution of the
 * largest eigenvalue in principal components analysis", Ann. Statist. 29, 2001), which
 * hardly changes over the table. It is held constant beyond the table, where
 * (threshold - 1) falls nearly as 1/sqrt(degrees of freedom).
 *
 * \param num_eigenvalues n, at least 2
 * \param degrees_of_freedom snapshots less the sources already found; need not be whole.
 *        Below 2 it counts as 2: with one the ratio is n whatever the data.
 * \throws std::invalid_argument for n < 2 or degrees of freedom that are not a number
 */
BEARING_API double ratio_threshold(int num_eigenvalues, double degrees_of_freedom);

} /* namespace core */
} /* namespace bearing */
} /* namespace gr */

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SOURCE_COUNT_H */
