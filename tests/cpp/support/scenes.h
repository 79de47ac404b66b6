/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_SCENES_H
#define INCLUDED_BEARING_TESTS_SCENES_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <complex>
#include <ostream>
#include <vector>

namespace gr {
namespace bearing {
namespace core {
inline std::ostream& operator<<(std::ostream& out, subspace_variant variant)
{
    constexpr const char* names[] = { "complex", "unitary", "real" };
    return out << names[static_cast<int>(variant)];
}
} // namespace core
} // namespace bearing
} // namespace gr

constexpr double degree = M_PI / 180.0;

inline Eigen::VectorXd degrees(const std::vector<double>& values)
{
    return Eigen::Map<const Eigen::VectorXd>(values.data(), values.size()) * degree;
}

//! A P A^H + I for uncorrelated sources of these SNRs, from the array's own manifold.
inline Eigen::MatrixXcd
population_covariance(const gr::bearing::core::antenna_array& array,
                      const Eigen::VectorXd& azimuth,
                      double snr_db)
{
    const Eigen::MatrixXcd a =
        array.steering(azimuth, Eigen::VectorXd::Zero(azimuth.size()));
    return std::pow(10.0, snr_db / 10.0) * a * a.adjoint() +
           Eigen::MatrixXcd::Identity(a.rows(), a.rows());
}

inline Eigen::VectorXd sorted(Eigen::VectorXd values)
{
    std::sort(values.begin(), values.end());
    return values;
}

//! Random gains within +-3 dB and any phase, offsets of a few hundredths, mild coupling.
inline gr::bearing::core::calibration_state random_calibration(int n, unsigned seed)
{
    std::srand(seed);
    gr::bearing::core::calibration_state calibration;
    const Eigen::VectorXd level = Eigen::VectorXd::Random(n);
    const Eigen::VectorXd phase = M_PI * Eigen::VectorXd::Random(n);
    calibration.gains.resize(n);
    for (int l = 0; l < n; ++l) {
        calibration.gains(l) =
            std::polar(std::pow(10.0, 3.0 * level(l) / 20.0), phase(l));
    }
    calibration.positions = 0.03 * Eigen::MatrixXd::Random(n, 3);
    calibration.coupling =
        Eigen::MatrixXcd::Identity(n, n) + 0.1 * Eigen::MatrixXcd::Random(n, n);
    calibration.coupling(0, 0) = 1.0;
    return calibration;
}

#endif /* INCLUDED_BEARING_TESTS_SCENES_H */
