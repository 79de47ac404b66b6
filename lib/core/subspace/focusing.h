/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_FOCUSING_H
#define INCLUDED_BEARING_CORE_SUBSPACE_FOCUSING_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Azimuths to focus at: those given, and \p share of a beam to both sides of each, so
 * that the manifolds' slopes are turned into each other too.
 */
Eigen::VectorXd focusing_azimuths(const antenna_array& array,
                                  const std::vector<double>& azimuths,
                                  double share);

/*!
 * \brief The unitary T that minimises |A - T B|_F, with A and B the steering vectors of
 * \p array and of \p other towards the azimuths.
 *
 * T = U V^H of the singular value decomposition A B^H = U S V^H (H. Hung, M. Kaveh 1988).
 * On what is orthogonal to the steering vectors it is as near to the identity as it can
 * be. White noise stays white.
 */
Eigen::MatrixXcd focusing_matrix(const antenna_array& array,
                                 const antenna_array& other,
                                 const Eigen::VectorXd& azimuths);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_FOCUSING_H */
