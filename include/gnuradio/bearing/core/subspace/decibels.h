/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Replaces powers p by 10 log10(p), to 1e-4 dB, by VOLK's logarithm.
 *
 * For spectra to look at: a null's depth is in the numbers that are searched.
 *
 * \param power of any size, overwritten
 * \param lowest, highest p is brought into this range, and into that of floats (1.2e-38 to
 * 3.4e38); NaN counts as lowest
 * \param sign 1, or -1: the decibels of 1 / p
 */
BEARING_API void
to_decibels(Eigen::VectorXd& power, double lowest, double highest, double sign = 1.0);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_DECIBELS_H */
