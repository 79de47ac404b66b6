/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_STARTING_SCENES_H
#define INCLUDED_BEARING_CORE_COUPLING_STARTING_SCENES_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <Eigen/Dense>
#include <cstddef>
#include <vector>

// Where fits start. What is not convex has to be begun well.

namespace gr {
namespace bearing {
namespace core {

//! The model's array with the coupling at the model's centre.
antenna_array centre_array(const coupled_covariance& model);

//! The scene that an estimate without any correction describes; w as given.
//! \param noise_power E|n|^2 at an element
coupled_scene scene_of(const coupled_covariance& model,
                       const Eigen::VectorXd& weights,
                       const Eigen::VectorXd& azimuth,
                       const Eigen::MatrixXcd& covariance,
                       double noise_power);

//! MUSIC of which nobody looks at the spectrum.
music_estimator
plain_music(const antenna_array& array, int num_sources, count_method counting);

/*!
 * \brief Other directions to start from when MUSIC's were of no use: those of weighted
 * subspace fitting, pairs about each of MUSIC's (coupling can draw two sources into one),
 * then directions spread over the array's range; the likeliest to help first.
 * \param found MUSIC's; may hold NaN
 */
std::vector<Eigen::VectorXd> other_directions(const antenna_array& centre,
                                              const Eigen::MatrixXcd& covariance,
                                              std::size_t snapshots,
                                              const Eigen::VectorXd& found,
                                              int num_spread);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_STARTING_SCENES_H */
