/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_EIGENDECOMPOSITION_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_EIGENDECOMPOSITION_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/status.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! Eigenvalues and eigenvectors of a covariance.
struct eigendecomposition {
    Eigen::VectorXd values;   //!< descending, N
    Eigen::MatrixXcd vectors; //!< orthonormal columns in the order of \p values, N x N
};

/*!
 * \brief Whether \p covariance can be one: ok, or bad_data.
 *
 * bad_data: a value that is not finite, no power at all (or beyond 1e+-100), a dead
 * channel (its power more than 60 dB below the strongest), or a matrix that is not
 * Hermitian to 1e-3 of its largest value.
 */
BEARING_API status check_covariance(const Eigen::Ref<const Eigen::MatrixXcd>& covariance);

/*!
 * \brief Eigendecomposition of a Hermitian matrix in double precision.
 * \param covariance N x N; only what is Hermitian in it counts
 */
BEARING_API eigendecomposition
decompose(const Eigen::Ref<const Eigen::MatrixXcd>& covariance);

//! The eigenvalues alone, descending, N: half the work.
BEARING_API Eigen::VectorXd
eigenvalues(const Eigen::Ref<const Eigen::MatrixXcd>& covariance);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_EIGENDECOMPOSITION_H */
