/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_RECORD_SPECTRUM_H
#define INCLUDED_BEARING_CORE_PROPAGATION_RECORD_SPECTRUM_H

#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <Eigen/Dense>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

//! One-sided bins for real samples, all for complex ones.
template <class Scalar>
constexpr spectrum_sides sides_of = spectrum_sides::two;
template <>
constexpr spectrum_sides sides_of<double> = spectrum_sides::one;

//! Of the bins of T samples, Hz: T/2 + 1 or T, the latter from -sample_rate/2 on in the
//! order of the DFT.
Eigen::VectorXd
bin_frequencies(Eigen::Index num_samples, double sample_rate, spectrum_sides sides);

/*!
 * \brief Discrete Fourier transform of each column, T x N to F x N, any T.
 *
 * sum_t x_t exp(-j 2 pi k t / T), not scaled: of white noise, E|bin|^2 is T times its
 * variance. Plans with FFTW: not from two threads at once.
 */
Eigen::MatrixXcd record_spectrum(const Eigen::MatrixXd& record);
Eigen::MatrixXcd record_spectrum(const Eigen::MatrixXcd& record);

/*!
 * \brief What has that spectrum, F x N to T x N; 1/T is applied.
 *
 * Of one-sided bins the imaginary parts at 0 and at Nyquist's frequency do not count.
 */
void record_of_spectrum(const Eigen::MatrixXcd& spectrum, Eigen::MatrixXd& record);
void record_of_spectrum(const Eigen::MatrixXcd& spectrum, Eigen::MatrixXcd& record);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_RECORD_SPECTRUM_H */
