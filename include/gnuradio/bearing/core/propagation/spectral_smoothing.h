/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_SPECTRAL_SMOOTHING_H
#define INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_SPECTRAL_SMOOTHING_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! Half-width of the box around bin k: max(narrowest / 2, int(share * k)) bins.
struct smoothing_width {
    double share;
    int narrowest;
};
//! what q, the noise, is smoothed by
constexpr smoothing_width noise_smoothing{ 0.1, 21 };
//! what S, the source's spectrum, is smoothed by; much wider costs tonal sources decibels
constexpr smoothing_width source_smoothing{ 0.05, 11 };

//! Which bins a spectrum has.
enum class spectrum_sides {
    one, //!< of T real samples: 0 .. T/2, F = T/2 + 1; continued evenly at both ends
    two  //!< of complex ones, in the order of the DFT: 0, 1, .., -1, F = T; a circle, k
         //!< counts from 0 to both sides
};

/*!
 * \brief Box average over neighbouring bins, in F operations for any width.
 * \param power any real values, F
 * \param num_samples T, which tells whether the last of one-sided bins is Nyquist's: odd T
 * have none, and continue evenly about half a bin beyond
 * \returns the averages, F
 */
BEARING_API Eigen::VectorXd smooth_spectrum(const Eigen::VectorXd& power,
                                            smoothing_width width,
                                            spectrum_sides sides,
                                            Eigen::Index num_samples);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_SPECTRAL_SMOOTHING_H */
