/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE eigendecomposition
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

BOOST_DATA_TEST_CASE(it_rebuilds_the_matrix_in_descending_order,
                     data::make({ 1, 2, 5, 16, 64 }),
                     n)
{
    std::srand(n);
    const Eigen::MatrixXcd x = Eigen::MatrixXcd::Random(n, 2 * n);
    const Eigen::MatrixXcd r = x * x.adjoint();
    const eigendecomposition eigen = decompose(r);
    // A backward stable solver errs by a few N units of rounding of the norm.
    const double tolerance = 1e-15 * 20.0 * n * r.norm();
    const Eigen::MatrixXcd rebuilt =
        eigen.vectors * eigen.values.asDiagonal() * eigen.vectors.adjoint();
    BOOST_TEST((rebuilt - r).norm() < tolerance);
    BOOST_TEST(
        (eigen.vectors.adjoint() * eigen.vectors - Eigen::MatrixXcd::Identity(n, n))
            .norm() < 1e-15 * 20.0 * n);
    for (int k = 1; k < n; ++k) {
        BOOST_TEST(eigen.values(k - 1) >= eigen.values(k));
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_covariance_is_bad_data)
{
    const antenna_array line = antenna_array::uniform_line(4, 0.5);
    const Eigen::MatrixXcd good = population_covariance(line, degrees({ 10.0 }), 10.0);
    BOOST_CHECK(check_covariance(good) == status::ok);

    Eigen::MatrixXcd bad = good;
    bad(1, 2) = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK(check_covariance(bad) == status::bad_data);
    bad(1, 2) = std::numeric_limits<double>::infinity();
    BOOST_CHECK(check_covariance(bad) == status::bad_data);
    BOOST_CHECK(check_covariance(Eigen::MatrixXcd::Zero(4, 4)) == status::bad_data);
    BOOST_CHECK(check_covariance(-good) == status::bad_data);

    Eigen::MatrixXcd dead = good;
    dead.row(2).setZero();
    dead.col(2).setZero();
    BOOST_CHECK(check_covariance(dead) == status::bad_data);
    Eigen::MatrixXcd weak = good;
    weak.row(2) *= 0.1;
    weak.col(2) *= 0.1;
    BOOST_CHECK(check_covariance(weak) == status::ok);

    Eigen::MatrixXcd skewed = good;
    skewed(0, 3) = -skewed(0, 3);
    BOOST_CHECK(check_covariance(skewed) == status::bad_data);
}
