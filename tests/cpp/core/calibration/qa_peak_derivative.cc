/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE peak_derivative
#include "scenes.h"
#include <gnuradio/bearing/core/calibration/peak_derivative.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// An array that is not as calibrated: the null is blunt and off its source.
struct peak_scene {
    antenna_array drawn;
    calibration_state calibration;
    Eigen::MatrixXcd subspace;
    double azimuth;

    // Where the null near the source is, with other parameters: by the estimators' own
    // refinement, which knows nothing of derivatives by parameters.
    double peak(const calibration_state& state) const
    {
        const antenna_array array = drawn.with_calibration(state);
        const null_function f(array, subspace);
        const double reach = 8.0 * degree;
        double start = azimuth - reach;
        for (double x = start; x < azimuth + reach; x += 0.05 * degree) {
            start = f.value(x) < f.value(start) ? x : start;
        }
        return f.minimum(start - 0.1 * degree, start, start + 0.1 * degree);
    }
};

peak_scene scene_of(bool is_line)
{
    const int n = is_line ? 8 : 6;
    peak_scene scene{ is_line ? antenna_array::uniform_line(n, 0.5)
                              : antenna_array::uniform_circle(n, 0.5),
                      {},
                      {},
                      0.4 };
    calibration_state truth = random_calibration(n, 3);
    truth.coupling.resize(0, 0);
    scene.calibration = truth;
    const antenna_array array = scene.drawn.with_calibration(truth);
    const Eigen::VectorXd azimuth = Eigen::Vector2d(scene.azimuth, -0.7);
    scene.subspace =
        decompose(population_covariance(array, azimuth, 10.0)).vectors.leftCols(2);
    std::srand(8);
    scene.calibration.gains += 0.1 * Eigen::VectorXcd::Random(n);
    scene.calibration.positions += 0.02 * Eigen::MatrixXd::Random(n, 3);
    return scene;
}

// Largest error, relative to the largest derivative, of derivatives by central
// differences: the third derivative is of order 10, so a step of 3e-5 errs by 1e-9 there,
// and by rounding of the peak, 1e-13 / step.
constexpr double difference_step = 3e-5;
constexpr double tolerance = 1e-6;

template <typename Change>
double difference(const peak_scene& scene, Change change)
{
    calibration_state plus = scene.calibration;
    calibration_state minus = scene.calibration;
    change(plus, difference_step);
    change(minus, -difference_step);
    return (scene.peak(plus) - scene.peak(minus)) / (2.0 * difference_step);
}

} // namespace

BOOST_DATA_TEST_CASE(it_agrees_with_central_differences_of_the_peak,
                     data::make({ true, false }),
                     is_line)
{
    const peak_scene scene = scene_of(is_line);
    const antenna_array array = scene.drawn.with_calibration(scene.calibration);
    const peak_derivative derivative = differentiate_peak(
        array_parameters::of(array), scene.subspace, scene.peak(scene.calibration));
    BOOST_TEST(derivative.curvature > 0.0);

    const int n = scene.drawn.num_elements();
    Eigen::VectorXcd gains(n);
    Eigen::MatrixXd positions = Eigen::MatrixXd::Zero(n, 3);
    const std::complex<double> j(0.0, 1.0);
    for (int l = 0; l < n; ++l) {
        gains(l) = { difference(scene,
                                [l](calibration_state& s, double h) { s.gains(l) += h; }),
                     difference(scene, [l, j](calibration_state& s, double h) {
                         s.gains(l) += j * h;
                     }) };
        for (int axis = 0; axis < 3; ++axis) {
            positions(l, axis) =
                difference(scene, [l, axis](calibration_state& s, double h) {
                    s.positions(l, axis) += h;
                });
        }
    }
    const double largest = gains.cwiseAbs().maxCoeff();
    BOOST_TEST((gains - derivative.gains).cwiseAbs().maxCoeff() < tolerance * largest);
    BOOST_TEST((positions - derivative.positions).cwiseAbs().maxCoeff() <
               tolerance * positions.cwiseAbs().maxCoeff());
    BOOST_TEST(derivative.positions.col(2).isZero(0.0));
}

BOOST_AUTO_TEST_CASE(sizes_that_disagree_are_refused)
{
    const array_parameters parameters =
        array_parameters::of(antenna_array::uniform_line(4, 0.5));
    BOOST_CHECK_THROW(
        differentiate_peak(parameters, Eigen::MatrixXcd::Identity(5, 1), 0.0),
        std::invalid_argument);
}
