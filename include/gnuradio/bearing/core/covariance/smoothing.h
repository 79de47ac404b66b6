/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SMOOTHING_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SMOOTHING_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Core>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Forward-backward averaging: (R + J conj(R) J) / 2, J the exchange matrix.
 *
 * For arrays whose element l and element N-1-l lie point-symmetrically (a uniform line
 * does), with equal gains: reversing the elements and conjugating leaves every steering
 * vector the same up to a phase. It halves the correlation of two coherent sources at
 * best, doubles the number of looks in effect, and makes R persymmetric; a persymmetric R
 * comes back unchanged.
 *
 * \param R covariance, N x N (N >= 1); std::invalid_argument when it is not square or
 * empty. \return N x N; Hermitian to the bit when R is. NaN stays in its own entry and
 * the one it is averaged with.
 *
 * Source: S. U. Pillai and B. H. Kwon, "Forward/backward spatial smoothing techniques for
 * coherent signal identification", IEEE Trans. ASSP 37(1), 1989.
 */
BEARING_API Eigen::MatrixXcd forward_backward(const Eigen::MatrixXcd& R);

/*!
 * \brief Spatial smoothing for a uniform line: the mean of the covariances of its
 * N - subarray_size + 1 subarrays of neighbouring elements.
 *
 * It restores the rank that coherent sources (multipath) take away: K coherent sources
 * need a subarray of at least K + 1 elements and K subarrays, half as many with
 * forward-backward averaging (except in rare phase relations of two sources). The result
 * is the covariance of a line of subarray_size elements with the same spacing.
 *
 * \param R covariance of a uniform line, N x N; std::invalid_argument when it is not
 * square or empty.
 * \param subarray_size elements per subarray, 2..N; else std::invalid_argument.
 * \param forward_backward whether to average forward and backward too.
 * \return subarray_size x subarray_size; Hermitian to the bit when R is.
 *
 * Source: T.-J. Shan, M. Wax, T. Kailath, "On spatial smoothing for direction-of-arrival
 * estimation of coherent signals", IEEE Trans. ASSP 33(4), 1985.
 */
BEARING_API Eigen::MatrixXcd spatial_smoothing(const Eigen::MatrixXcd& R,
                                               int subarray_size,
                                               bool forward_backward = true);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SMOOTHING_H */
