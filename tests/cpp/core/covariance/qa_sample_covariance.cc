/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE sample_covariance
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

namespace data = boost::unit_test::data;
using gr::bearing::core::sample_covariance;
using cfloat = std::complex<float>;
using cdouble = std::complex<double>;

namespace {

using row_major = Eigen::Matrix<cfloat, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using dynamic_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

Eigen::MatrixXcf noise(int n, int num_snapshots)
{
    std::mt19937 generator(100 * n + num_snapshots);
    std::normal_distribution<float> normal;
    Eigen::MatrixXcf x(n, num_snapshots);
    for (int t = 0; t < num_snapshots; ++t) {
        const cfloat common(normal(generator), normal(generator));
        for (int i = 0; i < n; ++i)
            x(i, t) = std::polar(1.0f, 0.3f * i) * common +
                      cfloat(normal(generator), normal(generator));
    }
    return x;
}

// X X^H / T in double.
Eigen::MatrixXcd oracle(const Eigen::MatrixXcf& x)
{
    const Eigen::MatrixXcd xd = x.cast<cdouble>();
    return xd * xd.adjoint() / static_cast<double>(x.cols());
}

// The accumulator's bounds have a test of their own; float sums over at most 10000
// noise-like samples err by a few units of 6e-8.
constexpr double tolerance = 3e-7;

bool close(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& b)
{
    return (a - b).norm() <= tolerance * b.norm();
}

} // namespace

BOOST_DATA_TEST_CASE(matches_the_matrix_product,
                     data::make({ 1, 2, 5, 16, 64 }) *
                         data::make({ 1, 3, 100, 4095, 4096, 4097, 10000 }),
                     n,
                     num_snapshots)
{
    const Eigen::MatrixXcf x = noise(n, num_snapshots);
    const Eigen::MatrixXcd r = sample_covariance(x);
    BOOST_REQUIRE(r.rows() == n);
    BOOST_REQUIRE(r.cols() == n);
    BOOST_TEST(close(r, oracle(x)));
    BOOST_TEST((r == r.adjoint()));
}

BOOST_DATA_TEST_CASE(any_memory_layout_gives_the_same,
                     data::make({ 10, 4096, 5000 }),
                     num_snapshots)
{
    const int n = 5;
    const Eigen::MatrixXcf x = noise(n, num_snapshots);
    const Eigen::MatrixXcd expected = oracle(x);

    // Rows contiguous, as a NumPy array in C order seen through swapped strides.
    const row_major rows = x;
    const Eigen::Map<const Eigen::MatrixXcf, 0, dynamic_stride> swapped(
        rows.data(), n, num_snapshots, dynamic_stride(1, num_snapshots));
    BOOST_TEST(close(sample_covariance(swapped), expected));

    // Every third element of every second column of something larger.
    Eigen::MatrixXcf large = Eigen::MatrixXcf::Constant(
        3 * n, 2 * num_snapshots, cfloat(std::numeric_limits<float>::quiet_NaN(), 0.0f));
    Eigen::Map<Eigen::MatrixXcf, 0, dynamic_stride> sparse(
        large.data(), n, num_snapshots, dynamic_stride(2 * large.rows(), 3));
    sparse = x;
    BOOST_TEST(close(sample_covariance(sparse), expected));

    // A block of columns, and an expression.
    Eigen::MatrixXcf padded = Eigen::MatrixXcf::Zero(n + 2, num_snapshots + 3);
    padded.block(1, 2, n, num_snapshots) = x;
    BOOST_TEST(close(sample_covariance(padded.block(1, 2, n, num_snapshots)), expected));
    BOOST_TEST(close(sample_covariance(2.0f * x), 4.0 * expected));

    // A row-major object.
    BOOST_TEST(close(sample_covariance(rows), expected));
}

BOOST_AUTO_TEST_CASE(single_source_gives_its_steering_vector)
{
    // x = a s with |s| = 1: R = a a^H, R_10 = a_1 conj(a_0).
    const int num_snapshots = 1000;
    Eigen::VectorXcf a(3);
    a << cfloat(1.0f, 0.0f), cfloat(0.0f, 1.0f), cfloat(-1.0f, 0.0f);
    Eigen::MatrixXcf x(3, num_snapshots);
    for (int t = 0; t < num_snapshots; ++t)
        x.col(t) = a * std::polar(1.0f, 0.37f * t);
    const Eigen::MatrixXcd r = sample_covariance(x);
    // std::polar in float is a unit vector to 6e-8 or so.
    BOOST_TEST(std::abs(r(1, 0) - cdouble(0.0, 1.0)) < 1e-6);
    BOOST_TEST(std::abs(r(2, 0) - cdouble(-1.0, 0.0)) < 1e-6);
    BOOST_TEST(std::abs(r(2, 1) - cdouble(0.0, 1.0)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(no_snapshots_give_zero)
{
    const Eigen::MatrixXcd r = sample_covariance(Eigen::MatrixXcf(4, 0));
    BOOST_REQUIRE(r.rows() == 4);
    BOOST_TEST(r.isZero(0.0));
}

BOOST_AUTO_TEST_CASE(nan_stays_in_its_channel)
{
    Eigen::MatrixXcf x = noise(4, 5000);
    x(2, 4500) = cfloat(std::numeric_limits<float>::quiet_NaN(), 0.0f);
    const Eigen::MatrixXcd r = sample_covariance(x);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
            BOOST_TEST(std::isnan(r(i, j).real()) == (i == 2 || j == 2));
}

BOOST_DATA_TEST_CASE(refuses_a_bad_number_of_rows, data::make({ 0, 65 }), n)
{
    BOOST_CHECK_EXCEPTION(sample_covariance(Eigen::MatrixXcf(n, 10)),
                          std::invalid_argument,
                          [&](const std::invalid_argument& error) {
                              const std::string what = error.what();
                              return what.find("X has " + std::to_string(n)) !=
                                     std::string::npos;
                          });
}
