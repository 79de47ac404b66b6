/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE covariance_smoothing
#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <Eigen/Eigenvalues>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>

namespace data = boost::unit_test::data;
using gr::bearing::core::forward_backward;
using gr::bearing::core::spatial_smoothing;
using cdouble = std::complex<double>;

namespace {

constexpr double pi = 3.14159265358979323846;

// A few hundred roundings of unit size, with room to spare.
constexpr double tolerance = 1e-13;

// Steering vector of a line at half a wavelength, written out by hand.
Eigen::VectorXcd line_steering(int n, double azimuth)
{
    Eigen::VectorXcd a(n);
    for (int l = 0; l < n; ++l)
        a(l) = std::polar(1.0, pi * l * std::sin(azimuth));
    return a;
}

// Two fully coherent sources without noise: rank one.
Eigen::MatrixXcd coherent_pair(int n, double azimuth_1, double azimuth_2)
{
    const Eigen::VectorXcd x =
        line_steering(n, azimuth_1) + std::polar(0.8, 0.7) * line_steering(n, azimuth_2);
    return x * x.adjoint();
}

// Any Hermitian matrix, the same to the bit on both sides of the diagonal.
Eigen::MatrixXcd hermitian(int n)
{
    Eigen::MatrixXcd r(n, n);
    for (int j = 0; j < n; ++j) {
        for (int i = 0; i < j; ++i) {
            r(i, j) = cdouble(std::sin(1.3 * i + 2.1 * j), std::cos(3.7 * i * j + 0.5));
            r(j, i) = std::conj(r(i, j));
        }
        r(j, j) = 3.0 + std::sin(j);
    }
    return r;
}

bool is_hermitian_to_the_bit(const Eigen::MatrixXcd& r) { return r == r.adjoint(); }

// Singular values over the largest one; the matrix is Hermitian and positive.
Eigen::VectorXd relative_eigenvalues(const Eigen::MatrixXcd& r)
{
    const Eigen::VectorXd values =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd>(r).eigenvalues().reverse();
    return values / values(0);
}

template <typename Function>
void check_refused(Function function, const std::string& name, const std::string& value)
{
    BOOST_CHECK_EXCEPTION(
        function(), std::invalid_argument, [&](const std::invalid_argument& error) {
            const std::string what = error.what();
            return what.find(name) != std::string::npos &&
                   what.find(value) != std::string::npos;
        });
}

} // namespace

BOOST_DATA_TEST_CASE(persymmetric_matrix_is_unchanged, data::xrange(1, 17), n)
{
    // Uncorrelated sources on a line give a Toeplitz matrix, which is persymmetric.
    Eigen::MatrixXcd r = 0.1 * Eigen::MatrixXcd::Identity(n, n);
    for (const double azimuth : { -0.6, 0.1, 0.9 })
        r += line_steering(n, azimuth) * line_steering(n, azimuth).adjoint();
    BOOST_TEST((forward_backward(r) - r).norm() <= tolerance * r.norm());
}

BOOST_DATA_TEST_CASE(averages_as_the_definition_says, data::xrange(1, 17), n)
{
    const Eigen::MatrixXcd r = hermitian(n);
    const Eigen::MatrixXcd averaged = forward_backward(r);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const cdouble expected = (r(i, j) + std::conj(r(n - 1 - i, n - 1 - j))) / 2.0;
            BOOST_TEST(std::abs(averaged(i, j) - expected) <= tolerance);
        }
    // J conj(R) J = R, by its own formula.
    const Eigen::MatrixXcd exchange =
        Eigen::MatrixXcd(Eigen::MatrixXcd::Identity(n, n).rowwise().reverse());
    BOOST_TEST((exchange * averaged.conjugate() * exchange - averaged).norm() <=
               tolerance * averaged.norm());
    BOOST_TEST(is_hermitian_to_the_bit(averaged));
    // Averaging twice changes nothing.
    BOOST_TEST((forward_backward(averaged) - averaged).norm() <=
               tolerance * averaged.norm());
}

BOOST_AUTO_TEST_CASE(smoothing_is_the_mean_of_the_subarrays)
{
    const int n = 6, m = 4;
    const Eigen::MatrixXcd r = hermitian(n);
    const Eigen::MatrixXcd smoothed = spatial_smoothing(r, m, false);
    BOOST_REQUIRE(smoothed.rows() == m);
    BOOST_REQUIRE(smoothed.cols() == m);
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < m; ++j) {
            const cdouble expected = (r(i, j) + r(i + 1, j + 1) + r(i + 2, j + 2)) / 3.0;
            BOOST_TEST(std::abs(smoothed(i, j) - expected) <= tolerance);
        }
    BOOST_TEST(is_hermitian_to_the_bit(smoothed));
    const Eigen::MatrixXcd both = spatial_smoothing(r, m);
    BOOST_TEST(is_hermitian_to_the_bit(both));
    BOOST_TEST((both - forward_backward(smoothed)).norm() == 0.0);
}

BOOST_AUTO_TEST_CASE(whole_array_as_subarray_changes_nothing)
{
    const Eigen::MatrixXcd r = hermitian(5);
    BOOST_TEST((spatial_smoothing(r, 5, false) - r).norm() == 0.0);
    BOOST_TEST((spatial_smoothing(r, 5, true) - forward_backward(r)).norm() == 0.0);
}

BOOST_DATA_TEST_CASE(smoothing_restores_the_rank_of_a_coherent_pair,
                     data::make({ false, true }),
                     backward)
{
    const int n = 8, m = 6;
    const double azimuth_1 = -0.3, azimuth_2 = 0.4;
    const Eigen::MatrixXcd r = coherent_pair(n, azimuth_1, azimuth_2);
    BOOST_TEST(relative_eigenvalues(r)(1) < tolerance);

    const Eigen::MatrixXcd smoothed = spatial_smoothing(r, m, backward);
    const Eigen::VectorXd values = relative_eigenvalues(smoothed);
    // The second source is 2 dB weaker: with the coherence gone its eigenvalue is of the
    // order of the first, far from numerical zero.
    BOOST_TEST(values(1) > 0.1);
    BOOST_TEST(values(2) < tolerance);

    // Both steering vectors of the subarray lie in its signal subspace.
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> evd(smoothed);
    const Eigen::MatrixXcd noise_subspace = evd.eigenvectors().leftCols(m - 2);
    for (const double azimuth : { azimuth_1, azimuth_2 }) {
        const Eigen::VectorXcd projected =
            noise_subspace.adjoint() * line_steering(m, azimuth);
        // Eigenvectors err by roundoff over the relative gap of 0.1 or more.
        BOOST_TEST(projected.norm() < 100 * tolerance);
    }
}

BOOST_AUTO_TEST_CASE(forward_backward_alone_restores_a_coherent_pair)
{
    const Eigen::VectorXd values =
        relative_eigenvalues(forward_backward(coherent_pair(4, -0.3, 0.4)));
    BOOST_TEST(values(1) > 0.01);
    BOOST_TEST(values(2) < tolerance);
}

BOOST_AUTO_TEST_CASE(nan_does_not_throw_and_stays_visible)
{
    Eigen::MatrixXcd r = hermitian(5);
    r(0, 1) = cdouble(std::numeric_limits<double>::quiet_NaN(), 0.0);
    const Eigen::MatrixXcd averaged = forward_backward(r);
    for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 5; ++j) {
            const bool touched = (i == 0 && j == 1) || (i == 4 && j == 3);
            BOOST_TEST(std::isnan(averaged(i, j).real()) == touched);
        }
    BOOST_TEST(std::isnan(spatial_smoothing(r, 3, false)(0, 1).real()));
}

BOOST_AUTO_TEST_CASE(refuses_a_matrix_that_is_not_square)
{
    const Eigen::MatrixXcd wide = Eigen::MatrixXcd::Zero(3, 4);
    const Eigen::MatrixXcd empty(0, 0);
    check_refused([&] { forward_backward(wide); }, "R is", "3 x 4");
    check_refused([&] { forward_backward(empty); }, "R is", "0 x 0");
    check_refused([&] { spatial_smoothing(wide, 2); }, "R is", "3 x 4");
    check_refused([&] { spatial_smoothing(empty, 2); }, "R is", "0 x 0");
}

BOOST_DATA_TEST_CASE(refuses_a_bad_subarray_size, data::make({ -1, 0, 1, 6, 1000 }), size)
{
    const Eigen::MatrixXcd r = hermitian(5);
    check_refused(
        [&] { spatial_smoothing(r, size); }, "subarray_size", std::to_string(size));
}
