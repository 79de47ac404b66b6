/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_PLANE_ACCURACY_H
#define INCLUDED_BEARING_CORE_SUBSPACE_PLANE_ACCURACY_H

#include "null_statistics.h"
#include "source_plane.h"
#include <gnuradio/bearing/core/array/status.h>
#include <Eigen/Dense>
#include <cstddef>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! Deviations for estimates of two coordinates from a sample covariance, gated as
//! music_2d_estimator says.
struct plane_accuracy {
    Eigen::VectorXd azimuth; //!< radians, K; NaN where it would not hold
    Eigen::VectorXd second;  //!< radians, or one over the array's unit, K; likewise
    core::status status;
};

/*!
 * \param decomposition of the sample covariance
 * \param frame complex
 * \param plane what was searched
 * \param places of the K' <= K sources that were found
 * \param num_sources K
 * \param snapshots M; 0: unknown
 */
plane_accuracy predict_in_plane(const eigendecomposition& decomposition,
                                const variant_frame& frame,
                                const source_plane& plane,
                                const std::vector<source_place>& places,
                                int num_sources,
                                std::size_t snapshots);

//! Whether the null function is as deep at a further place as at a true one.
bool supports_place(const eigendecomposition& decomposition,
                    const variant_frame& frame,
                    const source_plane& plane,
                    const source_place& place,
                    int num_sources,
                    std::size_t snapshots);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_PLANE_ACCURACY_H */
