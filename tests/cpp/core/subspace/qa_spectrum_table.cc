/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE spectrum_table
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <gnuradio/bearing/core/subspace/spectrum_table.h>
#include <Eigen/Dense>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing::core;
using ldouble = long double;

namespace {

// The variants that this processor can run; "generic" is among them everywhere.
std::vector<std::string> kernels()
{
    std::vector<std::string> names;
    for (const char* name : { "generic", "avx2", "avx512" }) {
        if (runs_kernel(name)) {
            names.push_back(name);
        } else {
            BOOST_TEST_MESSAGE("this processor cannot run the variant " << name);
        }
    }
    return names;
}
const std::vector<std::string> all_kernels = kernels();

Eigen::MatrixXcd noise(int rows, int columns, unsigned seed)
{
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    return Eigen::MatrixXcd::NullaryExpr(rows, columns, [&] {
        const double re = normal(generator);
        return std::complex<double>(re, normal(generator));
    });
}

calibration_state gains(int n)
{
    calibration_state calibration;
    calibration.gains = Eigen::VectorXcd::Ones(n) + 0.3 * noise(n, 1, 1);
    return calibration;
}

calibration_state gains_and_coupling(int n)
{
    calibration_state calibration = gains(n);
    calibration.coupling = Eigen::MatrixXcd::Identity(n, n) + 0.1 * noise(n, n, 2);
    calibration.coupling(0, 0) = 1.0;
    return calibration;
}

calibration_state offsets(int n)
{
    calibration_state calibration;
    calibration.positions = Eigen::MatrixXd::Zero(n, 3);
    calibration.positions(1, 0) = 1e-3;
    return calibration;
}

struct scene {
    std::string name;
    antenna_array array;
    bool is_line;
};

std::ostream& operator<<(std::ostream& out, const scene& s) { return out << s.name; }

std::vector<scene> scenes()
{
    const antenna_array line = antenna_array::uniform_line(5, 0.5);
    const antenna_array long_line = antenna_array::uniform_line(16, 0.45, 1.3);
    const antenna_array circle = antenna_array::uniform_circle(7, 0.5);
    Eigen::MatrixXd shifted(3, 3); // in space, and first element not at the origin
    shifted << 1.0, 0.3, -0.2, 1.4, 0.3, -0.2, 1.8, 0.3, -0.2;
    Eigen::MatrixXd anywhere(4, 3);
    anywhere << 0, 0, 0, 0.4, 0.1, 0.2, -0.3, 0.5, 0, 0.1, -0.6, 0.3;
    return {
        { "two", antenna_array::uniform_line(2, 0.5), true },
        { "line", line, true },
        { "line with gains", line.calibrated(gains(5)), true },
        { "line with coupling", line.calibrated(gains_and_coupling(5)), true },
        { "line with offsets", line.calibrated(offsets(5)), false },
        { "long line", long_line, true },
        { "long line with coupling", long_line.calibrated(gains_and_coupling(16)), true },
        { "shifted line", antenna_array::custom(shifted), true },
        { "circle", circle, false },
        { "circle with coupling", circle.calibrated(gains_and_coupling(7)), false },
        { "anywhere", antenna_array::custom(anywhere), false },
    };
}
const std::vector<scene> all_scenes = scenes();

// By the definition, in long double.
ldouble form(const Eigen::MatrixXcd& vectors,
             const Eigen::VectorXd& weights,
             const Eigen::VectorXcd& a)
{
    ldouble sum = 0.0L;
    for (Eigen::Index k = 0; k < vectors.cols(); ++k) {
        std::complex<ldouble> product = 0.0L;
        for (Eigen::Index l = 0; l < a.size(); ++l) {
            product += std::conj(std::complex<ldouble>(vectors(l, k))) *
                       std::complex<ldouble>(a(l));
        }
        sum += weights(k) * std::norm(product);
    }
    return sum;
}

// Rounding: each of the 16 elements' phases, up to 50 radians, by half a unit; then as
// many multiply-adds as there are elements and vectors. Far above that and far below what
// a wrong index makes.
constexpr double rounding = 1e-13;

} // namespace

BOOST_DATA_TEST_CASE(uniform_lines_are_known_unless_their_elements_are_moved,
                     data::make(all_scenes),
                     s)
{
    const spectrum_table table(s.array, angle_grid::whole_range(s.array, 16));
    BOOST_TEST(table.is_line() == s.is_line);
    BOOST_TEST(table.size() == 16);
}

BOOST_DATA_TEST_CASE(forms_are_those_of_the_definition,
                     data::make(all_scenes) * data::make(all_kernels),
                     s,
                     kernel)
{
    const int n = s.array.num_elements();
    // Below, at and beyond whole vectors, and whole groups of them.
    for (const int points : { 2, 3, 7, 8, 9, 31, 32, 33, 181 }) {
        const angle_grid grid = angle_grid::whole_range(s.array, points);
        const spectrum_table table(s.array, grid, kernel);
        for (const int num_vectors : { 1, 2, 3, n }) {
            const Eigen::MatrixXcd vectors = noise(n, num_vectors, 17);
            const Eigen::VectorXd weights =
                Eigen::VectorXd::LinSpaced(num_vectors, 0.5, 2.0);
            Eigen::VectorXd q, power;
            table.quadratic_form(vectors, weights, q);
            table.beam_power(vectors, weights, power);
            BOOST_REQUIRE(q.size() == points);
            BOOST_REQUIRE(power.size() == points);
            for (int g = 0; g < points; ++g) {
                const Eigen::VectorXcd a = s.array.steering(grid.azimuth()(g));
                const double norm = a.squaredNorm();
                const double largest = 2.0 * vectors.squaredNorm() * norm;
                const ldouble expected = form(vectors, weights, a);
                BOOST_TEST(std::abs(q(g) - expected) < rounding * largest);
                BOOST_TEST(std::abs(power(g) - expected / norm / norm) <
                           rounding * largest / norm / norm);
            }
        }
    }
}

BOOST_DATA_TEST_CASE(vectors_that_are_a_part_of_a_matrix_count_alone,
                     data::make(all_scenes),
                     s)
{
    const int n = s.array.num_elements();
    const Eigen::MatrixXcd many = noise(n + 2, n, 3);
    const Eigen::MatrixXcd some = many.block(1, 0, n, 1);
    const Eigen::VectorXd weight = Eigen::VectorXd::Ones(1);
    const spectrum_table table(s.array, angle_grid::whole_range(s.array, 40));
    Eigen::VectorXd expected, result;
    table.quadratic_form(some, weight, expected);
    table.quadratic_form(many.block(1, 0, n, 1), weight, result);
    BOOST_TEST((result - expected).isZero(0.0));
}

BOOST_DATA_TEST_CASE(nulls_are_as_deep_as_those_of_the_noise_subspace,
                     data::make(all_scenes) * data::make(all_kernels),
                     s,
                     kernel)
{
    const int n = s.array.num_elements();
    const int num_sources = std::min(2, n - 1);
    Eigen::VectorXd sources = Eigen::Vector2d(0.3, -0.7).head(num_sources);
    const Eigen::MatrixXcd a =
        s.array.steering(sources, Eigen::VectorXd::Zero(num_sources));
    const eigendecomposition eigen =
        decompose(100.0 * a * a.adjoint() + Eigen::MatrixXcd::Identity(n, n));
    const Eigen::MatrixXcd noise_subspace = eigen.vectors.rightCols(n - num_sources);

    // Ever nearer to the first source, and on it.
    std::vector<double> around;
    for (int decade = 1; decade <= 8; ++decade) {
        around.push_back(sources(0) - std::pow(10.0, -decade));
    }
    around.push_back(sources(0));
    const Eigen::VectorXd azimuth =
        Eigen::Map<const Eigen::VectorXd>(around.data(), around.size());
    const angle_grid grid = angle_grid::points(s.array, azimuth);
    Eigen::VectorXd f;
    spectrum_table(s.array, grid, kernel)
        .null_function(eigen.vectors.leftCols(num_sources), f);
    for (Eigen::Index g = 0; g < f.size(); ++g) {
        const Eigen::VectorXcd here = s.array.steering(azimuth(g));
        const ldouble expected =
            form(noise_subspace, Eigen::VectorXd::Ones(n - num_sources), here) /
            here.squaredNorm();
        // The eigenvectors are orthonormal to a few units of rounding times N, and the
        // sums of the signal part round as often: 1.1e-16 * 5 * 16. Nulls of -140 dB are
        // right to 0.4 dB.
        BOOST_TEST(std::abs(f(g) - expected) < 9e-15);
    }
}

BOOST_AUTO_TEST_CASE(a_kernel_that_does_not_exist_is_refused)
{
    const antenna_array line = antenna_array::uniform_line(4, 0.5);
    const antenna_array circle = antenna_array::uniform_circle(4, 0.5);
    for (const antenna_array& array : { line, circle }) {
        const angle_grid grid = angle_grid::whole_range(array, 8);
        BOOST_CHECK_THROW(spectrum_table(array, grid, "sse9"), std::invalid_argument);
        BOOST_CHECK_THROW(manifold_table(array, grid, ""), std::invalid_argument);
    }
}
