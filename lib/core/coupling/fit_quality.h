/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_FIT_QUALITY_H
#define INCLUDED_BEARING_CORE_COUPLING_FIT_QUALITY_H

#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief The 99 % quantile of likelihood_fit::likelihood_ratio() when the model is right.
 *
 * At the true R the ratio is 2 L (tr W - logdet W - N) with L W Wishart, whose mean and
 * variance are sums of digamma and trigamma functions (twice the second: N^2 only when
 * L >> N). A fit of p parameters takes the mean of chi-squared with p degrees of freedom
 * from it, and its variance. What is left is taken as a scaled chi-squared variable (F. E.
 * Satterthwaite 1946), and its quantile by E. B. Wilson and M. M. Hilferty (1931).
 *
 * \param num_elements N
 * \param snapshots L
 * \param parameters p; of parameters that a prior holds only the part that the data tell
 * \returns NaN for L < N, and when no degree of freedom is left
 */
double likelihood_ratio_limit(int num_elements, std::size_t snapshots, double parameters);

//! How many parameters the data tell: tr H (H + prior)^-1, of Fisher's information H.
//! \param posterior (H + prior)^-1
double effective_parameters(const Eigen::MatrixXd& information,
                            const Eigen::MatrixXd& posterior);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_FIT_QUALITY_H */
