/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_MIRROR_REJECTION_H
#define INCLUDED_BEARING_CORE_SUBSPACE_MIRROR_REJECTION_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <Eigen/Dense>

// Real-valued root-MUSIC finds every direction along with its mirror image.

namespace gr {
namespace bearing {
namespace core {

//! Directions in radians, and the power per element of each where the method fits powers,
//! else empty.
struct unmirrored {
    Eigen::VectorXd azimuth;
    Eigen::VectorXd power;
};

//! K directions of K pairs +azimuth, -azimuth: those that the covariance says are there.
unmirrored reject_mirrors(const antenna_array& array,
                          const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          const Eigen::VectorXd& azimuth,
                          mirror_rejection method);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_MIRROR_REJECTION_H */
