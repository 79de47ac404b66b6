/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BENCHMARKS_SCENE_H
#define INCLUDED_BEARING_BENCHMARKS_SCENE_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <Eigen/Dense>
#include <cmath>

//! Two sources at 10 dB, 256 snapshots: what an estimator gets in the field.
constexpr int num_sources = 2;
constexpr std::size_t num_snapshots = 256;

// Adjacent elements stand 0.45 wavelengths apart.
inline gr::bearing::core::antenna_array circle(int n)
{
    return gr::bearing::core::antenna_array::uniform_circle(
        n, 0.45 / (2.0 * std::sin(M_PI / n)));
}

inline Eigen::MatrixXcd scene_covariance(const gr::bearing::core::antenna_array& array)
{
    const Eigen::VectorXd azimuth = Eigen::Vector2d(-0.3, 0.5);
    return gr::bearing::core::sample_covariance(gr::bearing::core::simulate(
        array, azimuth, Eigen::VectorXd::Constant(1, 10.0), num_snapshots, 1));
}

#endif /* INCLUDED_BEARING_BENCHMARKS_SCENE_H */
