/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BENCHMARKS_TEXTBOOK_MUSIC_H
#define INCLUDED_BEARING_BENCHMARKS_TEXTBOOK_MUSIC_H

#include "scene.h"
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <Eigen/Eigenvalues>
#include <cmath>

//! MUSIC as textbooks write it, in plain Eigen: decomposition, then |En^H a|^2 angle by
//! angle.
class textbook_music
{
public:
    textbook_music(const gr::bearing::core::antenna_array& array, int points)
    {
        const Eigen::VectorXd azimuth =
            gr::bearing::core::angle_grid::whole_range(array, points).azimuth();
        d_manifold = array.steering(azimuth, Eigen::VectorXd::Zero(points));
    }

    Eigen::VectorXd spectrum_db(const Eigen::MatrixXcd& r) const
    {
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(r);
        const Eigen::MatrixXcd noise_subspace =
            solver.eigenvectors().leftCols(r.rows() - num_sources);
        Eigen::VectorXd spectrum(d_manifold.cols());
        for (Eigen::Index g = 0; g < d_manifold.cols(); ++g) {
            spectrum(g) =
                -10.0 *
                std::log10((noise_subspace.adjoint() * d_manifold.col(g)).squaredNorm());
        }
        return spectrum;
    }

private:
    Eigen::MatrixXcd d_manifold;
};

#endif /* INCLUDED_BEARING_BENCHMARKS_TEXTBOOK_MUSIC_H */
