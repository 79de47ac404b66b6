/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE null_function
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

antenna_array calibrated_circle()
{
    return antenna_array::uniform_circle(6, 0.5).calibrated(random_calibration(6, 5));
}

Eigen::MatrixXcd random_subspace(int n, int k)
{
    std::srand(42);
    const Eigen::MatrixXcd x = Eigen::MatrixXcd::Random(n, n);
    return decompose(x * x.adjoint()).vectors.leftCols(k);
}

} // namespace

BOOST_DATA_TEST_CASE(derivatives_agree_with_central_differences,
                     data::make({ 0.1, 1.3, 2.6, 4.0, 5.9 }),
                     azimuth)
{
    const antenna_array array = calibrated_circle();
    const Eigen::MatrixXcd subspace = random_subspace(6, 2);
    const null_function f(array, subspace);
    // f is of order 1 with derivatives up to ~10 per radian: step^2 * f''' is 1e-7 and
    // rounding / step 1e-11; second differences lose rounding / step^2 = 1e-8.
    const double step = 1e-4;
    const null_function::expansion at = f.at(azimuth);
    BOOST_TEST(std::abs(at.value - f.value(azimuth)) < 1e-14);
    const double slope =
        (f.value(azimuth + step) - f.value(azimuth - step)) / (2.0 * step);
    BOOST_TEST(std::abs(at.slope - slope) < 1e-6);
    const double curvature =
        (f.at(azimuth + step).slope - f.at(azimuth - step).slope) / (2.0 * step);
    BOOST_TEST(std::abs(at.curvature - curvature) < 1e-5);
}

BOOST_AUTO_TEST_CASE(it_vanishes_at_the_sources_and_lies_between_0_and_1)
{
    const antenna_array array = calibrated_circle();
    const Eigen::VectorXd azimuth = degrees({ 40.0, 170.0 });
    const eigendecomposition eigen =
        decompose(population_covariance(array, azimuth, 10.0));
    const Eigen::MatrixXcd subspace = eigen.vectors.leftCols(2);
    const null_function f(array, subspace);
    BOOST_TEST(f.value(azimuth(0)) < 1e-25);
    BOOST_TEST(f.value(azimuth(1)) < 1e-25);
    for (double x = 0.0; x < 6.28; x += 0.01) {
        BOOST_TEST(f.value(x) >= 0.0);
        BOOST_TEST(f.value(x) <= 1.0 + 1e-12);
    }
    // From a start a degree off, inside two degrees.
    const double found = f.minimum(39.0 * degree, 41.0 * degree, 41.5 * degree);
    BOOST_TEST(std::abs(found - azimuth(0)) < 1e-10);
}

BOOST_AUTO_TEST_CASE(the_table_evaluates_the_same_quadratic_forms)
{
    const antenna_array array = calibrated_circle();
    // More points than one tile of the table, and not a multiple of it.
    const angle_grid grid = angle_grid::whole_range(array, 150);
    const manifold_table table(array, grid);
    const Eigen::MatrixXcd vectors = Eigen::MatrixXcd::Random(6, 3);
    const Eigen::VectorXd weights = Eigen::Vector3d(0.5, 2.0, -1.0);
    Eigen::VectorXd result;
    table.quadratic_form(vectors, weights, result);
    for (int g = 0; g < grid.size(); ++g) {
        const Eigen::VectorXcd a = array.steering(grid.azimuth()(g));
        const Eigen::MatrixXcd form = vectors * weights.asDiagonal() * vectors.adjoint();
        // A dozen products of numbers up to 10: a few hundred units of rounding.
        BOOST_TEST(std::abs(result(g) - a.dot(form * a).real()) < 1e-12);
        BOOST_TEST(std::abs(table.squared_norm()(g) - a.squaredNorm()) < 1e-12);
    }
}
