/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/vector_kernels.h>
#include <Eigen/Dense>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Replaces powers p by 10 log10(p), to 2e-10 dB.
 *
 * Several at a time, in double precision. VOLK's logarithm takes half the time and is of
 * floats, right to 3e-5 dB; the C library's takes seven times as long.
 *
 * \param power of any size, overwritten
 * \param lowest, highest p is brought into this range of normal positive numbers; NaN
 * counts as lowest
 * \param sign 1, or -1: the decibels of 1 / p
 * \param kernel variant of the loop, see vector_kernels.h
 * \throws std::invalid_argument for a kernel that is unknown or does not run here
 */
BEARING_API void to_decibels(Eigen::VectorXd& power,
                             double lowest,
                             double highest,
                             double sign = 1.0,
                             const std::string& kernel = default_kernel_name());

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H */
