/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_ROOT_POLISH_H
#define INCLUDED_BEARING_CORE_SUBSPACE_ROOT_POLISH_H

#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Roots of the true null function from those of an approximation: a uniform line's
 * when elements are off it a little, a truncated series'.
 *
 * The null function a(theta)^H Pn a(theta) is analytic: at complex theta its left factor
 * is taken at theta*. Its zeros are conjugate pairs near the real axis. Newton's method, in which every root
 * repels the others and their conjugates (O. Aberth 1973), takes K starting points to K
 * different zeros.
 *
 * \param frame of the complex variant, of the true array
 * \param signal_subspace Us, N x K
 * \param start K complex azimuths in radians, Im >= 0
 * \returns K complex azimuths; absent when the iteration does not settle near its start
 */
std::optional<Eigen::VectorXcd> polished_roots(const variant_frame& frame,
                                               const Eigen::MatrixXcd& signal_subspace,
                                               const Eigen::VectorXcd& start);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_ROOT_POLISH_H */
