/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H
#define INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H

#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How much of its own noise each sensor puts into the estimate for it, of one source:
 * lev_i = |P_i|^2 / (gamma_i sum_j |P_j|^2 / gamma_j), F x N; its sum over good sensors is 1.
 *
 * \param response_power |P|^2, F x N
 * \param gamma noise of the sensors relative to each other, N
 * \param is_good N; sensors that are not good have leverage 0
 */
Eigen::MatrixXd leverage(const Eigen::MatrixXd& response_power,
                         const Eigen::VectorXd& gamma,
                         const std::vector<bool>& is_good);

/*!
 * \brief One round of estimating gamma, the noise of the sensors relative to each other:
 * gamma_i = sum_f |r_i|^2 / q / sum_f (1 - lev_i).
 *
 * Restricted maximum likelihood (H. D. Patterson, R. Thompson, "Recovery of inter-block
 * information when block sizes are unequal", 1971) for noise of one shape over frequency:
 * residuals are divided by the part of the noise that the estimate leaves in them.
 *
 * \param residual_power |d - P z|^2, F x N, z by the gamma that leverage belongs to
 * \param q shape of the noise, F; bins where it is not positive do not count
 * \param leverage of that z, F x N
 * \param is_good N
 * \returns gamma, N: geometric mean 1 over good sensors, and 1 of those that are not good,
 * whose data must not be used
 */
Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& leverage,
                              const std::vector<bool>& is_good);

//! The same for one source of response |P|^2, F x N, at the \p gamma that z was made with.
Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& response_power,
                              const Eigen::VectorXd& gamma,
                              const std::vector<bool>& is_good);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H */
