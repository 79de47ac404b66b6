/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H
#define INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H

#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

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
 * \param leverage lev of that z, F x N: how much of its own noise each sensor puts into the
 * estimate for it; of one source lev_i = |P_i|^2 / (gamma_i sum_j |P_j|^2 / gamma_j)
 * \returns gamma, N, of geometric mean 1
 */
Eigen::VectorXd sensor_levels(const Eigen::MatrixXd& residual_power,
                              const Eigen::VectorXd& q,
                              const Eigen::MatrixXd& leverage);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_SENSOR_LEVELS_H */
