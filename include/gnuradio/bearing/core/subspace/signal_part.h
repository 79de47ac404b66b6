/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SIGNAL_PART_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SIGNAL_PART_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

//! The largest eigenvalue of the sample covariance of noise of power 1 (V. A. Marchenko, L.
//! A. Pastur 1967). Eigenvectors of smaller ones tell nothing of the sources. 1 when the
//! number of snapshots is unknown (0).
BEARING_API double noise_edge(Eigen::Index num_elements, std::size_t snapshots);

//! E|n|^2 at an element: the mean of all but the \p dimension leading eigenvalues of a sample
//! covariance of so many looks, which are too small. \p looks > \p dimension
BEARING_API double
sampled_noise_power(const Eigen::VectorXd& values, Eigen::Index dimension, double looks);

//! What rounding can make of an eigenvalue that is zero; a negative one tells how large that
//! is in a covariance that was rounded to single precision.
BEARING_API double rounding_of(const Eigen::VectorXd& values);

//! Whether a bearing is far enough from a front-only array's endfire, where sin(theta)
//! flattens and the error is no longer Gaussian, for its deviation to hold. Radians.
BEARING_API bool
is_off_endfire(const antenna_array& array, double azimuth, double deviation);

//! What rises from the noise. Coherent sources make fewer eigenvalues than sources.
struct BEARING_API signal_part {
    int dimension;      //!< K' <= K
    double noise_power; //!< E|n|^2 at an element, from the other eigenvalues
};

/*!
 * \param values eigenvalues, descending, N
 * \param num_sources K
 * \param noise_power by the N-K smallest eigenvalues
 * \param snapshots M; 0: unknown
 * \param margin times noise_edge() and the noise power is where signal begins
 */
BEARING_API signal_part above_noise(const Eigen::VectorXd& values,
                                    int num_sources,
                                    double noise_power,
                                    std::size_t snapshots,
                                    double margin);

/*!
 * \brief The \p dimension leading eigenvalues, less what noise adds to those of a sample
 * covariance.
 *
 * Each solves t = lambda / (1 + (N - D) / n * s2 / (t - s2)), in three rounds from lambda,
 * and stays 2 % above the noise.
 *
 * \param values all N eigenvalues, descending
 * \param dimension D
 * \param noise_power s2
 * \param looks n
 */
BEARING_API Eigen::VectorXd debiased(const Eigen::VectorXd& values,
                                     Eigen::Index dimension,
                                     double noise_power,
                                     double looks);

//! (lambda - s2)^2 / lambda; 0 below s2.
BEARING_API Eigen::VectorXd fitting_weights(const Eigen::VectorXd& values,
                                            double noise_power);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SIGNAL_PART_H */
