/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_RANDOM_SCENES_H
#define INCLUDED_BEARING_TESTS_RANDOM_SCENES_H

#include "coupled_trials.h"
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <Eigen/Dense>
#include <cmath>
#include <complex>
#include <random>

//! Two sources on a line of eight with Toeplitz coupling, drawn as the weights of kinds
//! covariance and snapshot expect: |c_1| 0.1 to 0.4, |c_2| 0.2 to 0.5 of it, any phases,
//! within 55 degrees of broadside and 12 degrees apart, powers within 3 dB.
struct random_scene {
    gr::bearing::core::antenna_array array =
        gr::bearing::core::antenna_array::uniform_line(8, 0.5);
    gr::bearing::core::coupling_model model =
        gr::bearing::core::coupling_model::toeplitz(8, 3);
    Eigen::MatrixXcd coupling;
    Eigen::VectorXd azimuth = Eigen::VectorXd::Zero(2);
    Eigen::VectorXd power = Eigen::VectorXd::Zero(2);

    random_scene(double snr_db, std::mt19937_64& random)
    {
        const auto uniform = [&random](double low, double high) {
            return std::uniform_real_distribution<double>(low, high)(random);
        };
        const double size = uniform(0.1, 0.4);
        const std::complex<double> first = std::polar(size, uniform(0.0, 2.0 * M_PI));
        const double decay = uniform(0.2, 0.5);
        const std::complex<double> second =
            std::polar(size * decay, uniform(0.0, 2.0 * M_PI));
        coupling = model.coupling(
            Eigen::Vector4d(first.real(), first.imag(), second.real(), second.imag()));
        do {
            for (double& direction : azimuth) {
                direction = uniform(-55.0, 55.0) * degree;
            }
        } while (std::abs(azimuth(0) - azimuth(1)) < 12.0 * degree);
        for (double& level : power) {
            level = std::pow(10.0, (snr_db + uniform(-3.0, 3.0)) / 10.0);
        }
    }

    Eigen::MatrixXcd snapshots(int count, std::mt19937_64& random) const
    {
        return coupled_snapshots(coupled(array, coupling), azimuth, power, count, random);
    }
};

#endif /* INCLUDED_BEARING_TESTS_RANDOM_SCENES_H */
