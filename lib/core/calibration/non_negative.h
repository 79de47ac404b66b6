/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_NON_NEGATIVE_H
#define INCLUDED_BEARING_CORE_CALIBRATION_NON_NEGATIVE_H

#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief x >= 0 that minimises x^T G x - 2 h^T x: non-negative least squares in its normal
 * equations.
 *
 * Of equal columns one gets all. Reference: C. L. Lawson, R. J. Hanson, "Solving least squares
 * problems", 1974, chapter 23.
 *
 * \param gram G, S x S, positive semidefinite
 * \param target h, S
 */
Eigen::VectorXd non_negative_minimum(const Eigen::MatrixXd& gram,
                                     const Eigen::VectorXd& target);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_NON_NEGATIVE_H */
