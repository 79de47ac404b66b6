/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_COUPLED_TRIALS_H
#define INCLUDED_BEARING_TESTS_COUPLED_TRIALS_H

#include "scenes.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <random>

//! The array with that coupling.
inline gr::bearing::core::antenna_array
coupled(const gr::bearing::core::antenna_array& array, const Eigen::MatrixXcd& coupling)
{
    gr::bearing::core::calibration_state state;
    state.coupling = coupling;
    return array.calibrated(state);
}

//! Snapshots of Gaussian sources in noise of power 1, N x T, in double precision.
inline Eigen::MatrixXcd coupled_snapshots(const gr::bearing::core::antenna_array& array,
                                          const Eigen::VectorXd& azimuth,
                                          const Eigen::VectorXd& power,
                                          int snapshots,
                                          std::mt19937_64& random)
{
    std::normal_distribution<double> part(0.0, M_SQRT1_2);
    const auto white = [&](Eigen::Index rows) {
        Eigen::MatrixXcd values(rows, snapshots);
        for (std::complex<double>& value : values.reshaped()) {
            const double real = part(random);
            value = { real, part(random) };
        }
        return values;
    };
    const Eigen::MatrixXcd a =
        array.steering(azimuth, Eigen::VectorXd::Zero(azimuth.size()));
    const Eigen::MatrixXcd signal =
        a * power.cwiseSqrt().asDiagonal() * white(azimuth.size());
    return signal + white(a.rows());
}

inline Eigen::MatrixXcd covariance_of(const Eigen::MatrixXcd& snapshots)
{
    return snapshots * snapshots.adjoint() / static_cast<double>(snapshots.cols());
}

//! Where a fit starts: directions of MUSIC under that coupling, powers by least squares.
inline gr::bearing::core::coupled_scene
start_from_music(const gr::bearing::core::coupled_covariance& model,
                 const Eigen::MatrixXcd& covariance,
                 int num_sources,
                 std::size_t snapshots)
{
    using namespace gr::bearing::core;
    const antenna_array array = coupled(model.array(), model.model().mean());
    coupled_scene scene;
    scene.weights = Eigen::VectorXd::Zero(model.model().num_weights());
    scene.azimuth = music_estimator(array,
                                    angle_grid::whole_range(array),
                                    music_config{ num_sources })
                        .estimate(covariance, snapshots)
                        .azimuth;
    // Where MUSIC finds fewer, the rest starts beside them.
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        if (!std::isfinite(scene.azimuth(k))) {
            scene.azimuth(k) = (k > 0 ? scene.azimuth(0) : 0.0) - 10.0 * degree;
        }
    }
    const Eigen::VectorXd values = eigenvalues(covariance);
    scene.noise_power =
        std::max(values.tail(values.size() - num_sources).mean(), 1e-6 * values(0));
    const Eigen::MatrixXcd a =
        array.steering(scene.azimuth, Eigen::VectorXd::Zero(num_sources));
    const Eigen::MatrixXcd inverse = a.completeOrthogonalDecomposition().pseudoInverse();
    const Eigen::MatrixXcd signal =
        covariance - scene.noise_power *
                         Eigen::MatrixXcd::Identity(covariance.rows(), covariance.cols());
    scene.power = (inverse * signal * inverse.adjoint())
                      .diagonal()
                      .real()
                      .cwiseMax(0.1 * scene.noise_power);
    return scene;
}

//! Errors collected over trials.
struct coupled_score {
    double squares = 0.0; //!< of directions, radians
    int num_directions = 0;
    double ratios = 0.0; //!< ||C^ - C||^2 / ||C||^2
    int num_couplings = 0;

    void add_directions(const Eigen::VectorXd& found, const Eigen::VectorXd& truth)
    {
        squares += (sorted(found) - sorted(truth)).squaredNorm();
        num_directions += static_cast<int>(truth.size());
    }
    void add_coupling(const Eigen::MatrixXcd& found, const Eigen::MatrixXcd& truth)
    {
        ratios += (found - truth).squaredNorm() / truth.squaredNorm();
        ++num_couplings;
    }
    void add(const coupled_score& other)
    {
        squares += other.squares;
        num_directions += other.num_directions;
        ratios += other.ratios;
        num_couplings += other.num_couplings;
    }
    double rmse_deg() const { return std::sqrt(squares / num_directions) / degree; }
    double nmse_db() const { return 10.0 * std::log10(ratios / num_couplings); }
};

#endif /* INCLUDED_BEARING_TESTS_COUPLED_TRIALS_H */
