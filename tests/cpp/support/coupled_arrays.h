/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_COUPLED_ARRAYS_H
#define INCLUDED_BEARING_TESTS_COUPLED_ARRAYS_H

#include "coupled_trials.h"
#include "uncalibrated_arrays.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <Eigen/Dense>
#include <cmath>
#include <complex>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

//! An array, its coupling model and the truth.
struct coupled_setting {
    std::string name;
    gr::bearing::core::antenna_array array;
    gr::bearing::core::coupling_model model;
    gr::bearing::core::coupled_scene truth;

    gr::bearing::core::coupled_covariance covariance_model() const
    {
        return { array, model };
    }
    Eigen::MatrixXcd coupling() const { return model.coupling(truth.weights); }
    //! the same with sources of that SNR for one of power 1
    coupled_setting at(double snr_db) const
    {
        coupled_setting result = *this;
        result.truth.power *= std::pow(10.0, snr_db / 10.0);
        return result;
    }
    Eigen::MatrixXcd draw(int snapshots, std::mt19937_64& random) const
    {
        return covariance_of(coupled_snapshots(
            coupled(array, coupling()), truth.azimuth, truth.power, snapshots, random));
    }
    //! Deviation of the Cramer-Rao bound, root mean square over sources, degrees.
    double bound_deg(int snapshots) const
    {
        return std::sqrt(gr::bearing::core::coupled_cramer_rao_deviation(
                             array,
                             model,
                             truth.weights,
                             truth.azimuth,
                             10.0 * truth.power.array().log10(),
                             snapshots)
                             .squaredNorm() /
                         static_cast<double>(truth.azimuth.size())) /
               degree;
    }
};

inline std::ostream& operator<<(std::ostream& out, const coupled_setting& setting)
{
    return out << setting.name;
}

//! w of c_1, c_2, ..
inline Eigen::VectorXd weights_of(const std::vector<std::complex<double>>& coefficients)
{
    Eigen::VectorXd weights(2 * coefficients.size());
    for (std::size_t k = 0; k < coefficients.size(); ++k) {
        weights(2 * k) = coefficients[k].real();
        weights(2 * k + 1) = coefficients[k].imag();
    }
    return weights;
}

inline coupled_setting setting_of(const std::string& name,
                                  const gr::bearing::core::antenna_array& array,
                                  const std::vector<std::complex<double>>& coefficients,
                                  const std::vector<double>& azimuth_deg,
                                  const std::vector<double>& power)
{
    const auto model = gr::bearing::core::coupling_model::of_array(
        array, static_cast<int>(coefficients.size()) + 1);
    return { name,
             array,
             model,
             { weights_of(coefficients),
               degrees(azimuth_deg),
               Eigen::Map<const Eigen::VectorXd>(power.data(), power.size()),
               1.0 } };
}

inline gr::bearing::core::antenna_array line_of(int num_elements)
{
    return gr::bearing::core::antenna_array::uniform_line(num_elements, 0.5);
}
//! A KrakenSDR's circle: five elements, radius 0.25 m at 0.69 m.
inline gr::bearing::core::antenna_array circle_of_five()
{
    return gr::bearing::core::antenna_array::uniform_circle(5, 0.25 / 0.69);
}

//! Two sources on a line of eight with strong coupling.
inline coupled_setting strong_line()
{
    return setting_of("line of eight",
                      line_of(8),
                      { std::polar(0.4, M_PI / 3.0), std::polar(0.15, M_PI / 10.0) },
                      { 12.3, 27.8 },
                      { 1.0, 0.6 });
}
//! The same coupling on a circle, with sources apart by more than the beam is wide.
inline coupled_setting strong_circle()
{
    return setting_of("circle of five",
                      circle_of_five(),
                      { std::polar(0.4, M_PI / 3.0), std::polar(0.15, M_PI / 10.0) },
                      { 62.3, 177.8 },
                      { 1.0, 0.6 });
}
//! Weaker coupling, two equal sources: the scene by which methods are compared.
inline coupled_setting compared_line()
{
    return setting_of("compared line",
                      line_of(8),
                      { std::polar(0.3, M_PI / 3.0), std::polar(0.1, M_PI / 10.0) },
                      { -10.37, 15.61 },
                      { 1.0, 1.0 });
}
inline coupled_setting compared_circle()
{
    return setting_of("compared circle",
                      circle_of_five(),
                      { std::polar(0.3, M_PI / 3.0), std::polar(0.1, M_PI / 10.0) },
                      { 110.37, 215.61 },
                      { 1.0, 1.0 });
}
//! Five elements, one neighbour.
inline coupled_setting short_line()
{
    return setting_of("line of five",
                      line_of(5),
                      { std::polar(0.3, M_PI / 3.0) },
                      { -14.3, 22.6 },
                      { 1.0, 0.7 });
}
inline coupled_setting short_circle()
{
    return setting_of("circle of five, one neighbour",
                      circle_of_five(),
                      { std::polar(0.3, M_PI / 3.0) },
                      { 345.7 - 180.0, 262.6 },
                      { 1.0, 0.7 });
}

//! Random coupling (|c_1| 0.1 to 0.4, each further one 0.2 to 0.5 of the last, any phases)
//! and sources apart by \p gap_deg, powers within 3 dB of 1.
inline coupled_setting random_setting(const gr::bearing::core::antenna_array& array,
                                      int coefficients,
                                      int num_sources,
                                      double gap_deg,
                                      std::mt19937_64& random)
{
    const auto uniform = [&random](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random);
    };
    std::vector<std::complex<double>> coupling;
    double size = 0.0;
    for (int k = 1; k < coefficients; ++k) {
        size = k == 1 ? uniform(0.1, 0.4) : size * uniform(0.2, 0.5);
        coupling.push_back(std::polar(size, uniform(-M_PI, M_PI)));
    }
    std::vector<double> azimuth(num_sources);
    double nearest;
    do {
        nearest = 360.0;
        for (int k = 0; k < num_sources; ++k) {
            azimuth[k] =
                array.is_front_only() ? uniform(-55.0, 55.0) : uniform(0.0, 360.0);
            for (int i = 0; i < k; ++i) {
                nearest = std::min(
                    nearest, std::abs(std::remainder(azimuth[k] - azimuth[i], 360.0)));
            }
        }
    } while (nearest < gap_deg);
    std::vector<double> power(num_sources);
    for (double& p : power) {
        p = std::pow(10.0, uniform(-0.3, 0.3));
    }
    return setting_of("random", array, coupling, azimuth, power);
}

//! The distance of each direction to the nearest of the others, radians.
inline Eigen::VectorXd distance_to_nearest(const Eigen::VectorXd& found,
                                           const Eigen::VectorXd& truth)
{
    Eigen::VectorXd distance = Eigen::VectorXd::Constant(found.size(), M_PI);
    for (Eigen::Index k = 0; k < found.size(); ++k) {
        for (const double azimuth : truth) {
            distance(k) = std::min(
                distance(k), std::abs(std::remainder(found(k) - azimuth, 2.0 * M_PI)));
        }
    }
    return distance;
}

//! Central differences of a function of steps away from a scene, for each parameter.
template <class Function>
Eigen::VectorXd numerical_gradient(const Function& function,
                                   const gr::bearing::core::coupled_scene& scene)
{
    constexpr double step = 1e-5;
    const Eigen::Index size = scene.weights.size() + 2 * scene.azimuth.size() + 1;
    Eigen::VectorXd gradient(size);
    for (Eigen::Index i = 0; i < size; ++i) {
        Eigen::VectorXd move = Eigen::VectorXd::Zero(size);
        move(i) = step;
        gradient(i) =
            (function(gr::bearing::core::coupled_covariance::moved(scene, move)) -
             function(gr::bearing::core::coupled_covariance::moved(scene, -move))) /
            (2.0 * step);
    }
    return gradient;
}

#endif /* INCLUDED_BEARING_TESTS_COUPLED_ARRAYS_H */
