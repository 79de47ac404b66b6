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
                     data::xrange(1, 18) + data::make({ 32, 33, 64 }),
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

namespace {

// Matrices at which reflections and rotations have nothing to do, or too much.
Eigen::MatrixXcd special_matrix(int which, int n)
{
    std::srand(100 * which + n);
    const Eigen::VectorXcd x = Eigen::VectorXcd::Random(n);
    const Eigen::MatrixXcd y = Eigen::MatrixXcd::Random(n, n);
    switch (which) {
    case 0: // all eigenvalues are alike
        return Eigen::MatrixXcd::Identity(n, n);
    case 1: // all but one are zero
        return x * x.adjoint();
    case 2: // real
        return (y.real() * y.real().transpose()).cast<std::complex<double>>();
    case 3: // imaginary off its diagonal, with negative eigenvalues
        return std::complex<double>(0.0, 1.0) *
               (y.real() - y.real().transpose()).cast<std::complex<double>>();
    case 4: // a source 200 dB above the noise
        return 1e20 * x * x.adjoint() + Eigen::MatrixXcd::Identity(n, n);
    case 5: { // a dead channel
        Eigen::MatrixXcd r = y * y.adjoint();
        r.row(n / 2).setZero();
        r.col(n / 2).setZero();
        return r;
    }
    case 6: { // two blocks that do not know one another
        Eigen::MatrixXcd r = y * y.adjoint();
        r.topRightCorner(n / 2, n - n / 2).setZero();
        r.bottomLeftCorner(n - n / 2, n / 2).setZero();
        return r;
    }
    default:
        return Eigen::MatrixXcd::Zero(n, n);
    }
}

} // namespace

BOOST_DATA_TEST_CASE(special_matrices_are_rebuilt_at_every_scale,
                     data::xrange(0, 8) * data::xrange(2, 14) *
                         data::make({ 1e-99, 1e-30, 1.0, 1e30, 1e80 }),
                     which,
                     n,
                     scale)
{
    const Eigen::MatrixXcd r = scale * special_matrix(which, n);
    const eigendecomposition eigen = decompose(r);
    const double largest = r.cwiseAbs().maxCoeff();
    const double unit = largest > 0.0 ? largest : 1.0;
    // Backward stability as above, of numbers brought near 1: their squares fit.
    const Eigen::MatrixXcd rebuilt =
        eigen.vectors * (eigen.values / unit).asDiagonal() * eigen.vectors.adjoint();
    const double tolerance = 1e-15 * 20.0 * n;
    BOOST_TEST((rebuilt - r / unit).norm() <= tolerance * (r / unit).norm());
    BOOST_TEST(
        (eigen.vectors.adjoint() * eigen.vectors - Eigen::MatrixXcd::Identity(n, n))
            .norm() < tolerance);
    for (int k = 1; k < n; ++k) {
        BOOST_TEST(eigen.values(k - 1) >= eigen.values(k));
    }
    BOOST_TEST((eigen.values - eigenvalues(r)).cwiseAbs().maxCoeff() <=
               tolerance * n * largest);
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
