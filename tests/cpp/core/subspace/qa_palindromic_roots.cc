/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE palindromic_roots
#include "palindromic.h"
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <Eigen/Eigenvalues>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <random>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// The largest distance of a root in one set from its partner in the other, nearest first.
double distance(const Eigen::VectorXcd& found, const Eigen::VectorXcd& expected)
{
    if (found.size() != expected.size()) {
        return std::numeric_limits<double>::infinity();
    }
    std::vector<std::complex<double>> left(found.begin(), found.end());
    double largest = 0.0;
    for (const std::complex<double>& root : expected) {
        const auto nearest =
            std::min_element(left.begin(), left.end(), [&](const auto& i, const auto& k) {
                return std::abs(i - root) < std::abs(k - root);
            });
        largest = std::max(largest, std::abs(*nearest - root));
        left.erase(nearest);
    }
    return largest;
}

bool is_nearest_to_circle_first(const Eigen::VectorXcd& roots)
{
    const Eigen::VectorXd moduli = roots.cwiseAbs();
    return (moduli.array() <= 1.0 + 1e-12).all() &&
           std::is_sorted(moduli.begin(), moduli.end(), std::greater<double>());
}

bool is_symmetric_to_the_bit(const Eigen::VectorXcd& roots)
{
    for (Eigen::Index k = 0; k < roots.size(); ++k) {
        if (roots(k).imag() == 0.0) {
            continue;
        }
        if (k + 1 == roots.size() || roots(k).imag() < 0.0 ||
            roots(k + 1) != std::conj(roots(k))) {
            return false;
        }
        ++k;
    }
    return true;
}

// Null functions of MUSIC on a line of half a wavelength, from R and from its real part.
struct null_coefficients {
    Eigen::VectorXcd of_covariance;
    Eigen::VectorXd of_real_part;
};

template <typename matrix>
auto diagonal_sums(const matrix& covariance, Eigen::Index num_noise)
{
    const Eigen::SelfAdjointEigenSolver<matrix> solver(covariance);
    const matrix noise = solver.eigenvectors().leftCols(num_noise);
    const matrix projector = noise * noise.adjoint();
    Eigen::Matrix<typename matrix::Scalar, Eigen::Dynamic, 1> sums(covariance.rows());
    for (Eigen::Index k = 0; k < sums.size(); ++k) {
        sums(k) = projector.diagonal(k).sum();
    }
    return sums;
}

null_coefficients
random_scene(int n, const Eigen::VectorXd& azimuth, double snr_db, std::mt19937& random)
{
    constexpr int snapshots = 200;
    std::normal_distribution<double> normal;
    const auto noise = [&] {
        return std::complex<double>(normal(random), normal(random));
    };
    const Eigen::Index k = azimuth.size();
    Eigen::MatrixXcd steering(n, k);
    for (int l = 0; l < n; ++l) {
        for (Eigen::Index i = 0; i < k; ++i) {
            steering(l, i) = std::polar(1.0, -M_PI * l * std::sin(azimuth(i)));
        }
    }
    const Eigen::MatrixXcd x =
        steering * Eigen::MatrixXcd::NullaryExpr(k, snapshots, noise) +
        std::pow(10.0, -snr_db / 20.0) *
            Eigen::MatrixXcd::NullaryExpr(n, snapshots, noise);
    const Eigen::MatrixXcd covariance = x * x.adjoint() / snapshots;
    return { diagonal_sums(covariance, n - k),
             diagonal_sums(Eigen::MatrixXd(covariance.real()), n - 2 * k) };
}

} // namespace

BOOST_AUTO_TEST_CASE(roots_are_those_the_polynomial_was_built_from)
{
    Eigen::VectorXcd chosen(5);
    chosen << std::polar(0.98, 1.0), std::polar(0.95, -2.0), std::polar(0.6, 0.2),
        std::polar(0.3, 2.5), std::polar(0.1, -0.7);
    for (const Eigen::VectorXcd& found :
         { roots_inside(coefficients_from(chosen)),
           roots_inside_by_qr(coefficients_from(chosen)) }) {
        BOOST_REQUIRE(found.size() == 5);
        for (int k = 0; k < 5; ++k) {
            // Simple, well separated roots of a tenth-degree polynomial: condition below
            // 1e4, of which the lift of 1e-12 sees the part along the radius: 1e-10.
            BOOST_TEST(std::abs(found(k) - chosen(k)) < 1e-9);
            BOOST_TEST(std::abs(std::arg(found(k) / chosen(k))) < 1e-9);
        }
    }
}

BOOST_AUTO_TEST_CASE(double_roots_on_the_circle_are_found_once_each)
{
    Eigen::VectorXcd chosen(4);
    chosen << std::polar(1.0, 1.0), std::polar(1.0, -2.0), std::polar(1.0, 0.2),
        std::polar(0.3, 2.5);
    const Eigen::VectorXcd found = roots_inside(coefficients_from(chosen));
    BOOST_REQUIRE(found.size() == 4);
    for (int k = 0; k < 3; ++k) {
        double nearest = 10.0;
        for (int i = 0; i < 3; ++i) {
            nearest = std::min(nearest, std::abs(std::arg(found(i) / chosen(k))));
        }
        // A double root is known to the square root of rounding.
        BOOST_TEST(nearest < 1e-6);
        // And moved along the radius by the square root of the lift of c_0, 1e-6, times
        // sqrt(2 c_0 / f''), here up to 2.
        BOOST_TEST(std::abs(std::abs(found(k)) - 1.0) < 3e-6);
    }
}

BOOST_DATA_TEST_CASE(a_dip_below_zero_leaves_the_directions,
                     data::make({ 1e-14, 1e-11, 1e-9, 1e-7 }),
                     dip)
{
    Eigen::VectorXcd chosen(5);
    chosen << std::polar(1.0, 1.0), std::polar(0.9, -2.0), std::polar(0.7, 1.5),
        std::polar(0.6, 0.2), std::polar(0.3, 2.5);
    Eigen::VectorXcd coefficients = coefficients_from(chosen);
    coefficients(0) *= 1.0 - dip;
    const Eigen::VectorXcd found = roots_inside(coefficients);
    BOOST_REQUIRE(found.size() == 5);
    // The lift is at most a hundred times the dip, from 1e-12 on; the minimum moves in
    // proportion, here by less than three times as much. On the circle the double root
    // would part by the square root of the dip.
    BOOST_TEST(std::abs(std::arg(found(0) / chosen(0))) <
               3.0 * std::max(100.0 * dip, 1e-9));
}

BOOST_AUTO_TEST_CASE(vanishing_leading_coefficients_lower_the_degree)
{
    Eigen::VectorXcd chosen(2);
    chosen << std::polar(0.9, 1.0), std::polar(0.5, -2.0);
    // What rounding leaves where a coefficient vanishes.
    Eigen::VectorXcd padded = Eigen::VectorXcd::Constant(5, 1e-17);
    padded.head(3) = coefficients_from(chosen);
    const Eigen::VectorXcd found = roots_inside(padded);
    BOOST_REQUIRE(found.size() == 2);
    BOOST_TEST(std::abs(found(0) - chosen(0)) < 1e-9);
    BOOST_TEST(roots_inside(Eigen::VectorXcd(Eigen::VectorXcd::Ones(1))).size() == 0);
}

BOOST_DATA_TEST_CASE(random_roots_are_found, data::make({ 1, 2, 3, 4, 8, 15, 25, 40 }), n)
{
    std::mt19937 random(n);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    for (int trial = 0; trial < 50; ++trial) {
        // Real coefficients need the conjugates too; a real one makes the number odd.
        Eigen::VectorXcd chosen(n), paired(n);
        for (int k = 0; k < n; ++k) {
            // Spread in angle, as roots of null functions are: the condition stays low.
            chosen(k) = std::polar(0.85 + 0.14 * uniform(random),
                                   2.0 * M_PI * (k + 0.5 * uniform(random)) / n);
        }
        for (int k = 0; k < n / 2; ++k) {
            paired(2 * k) =
                std::polar(0.85 + 0.14 * uniform(random),
                           2.0 * M_PI * (k + 0.3 + 0.3 * uniform(random)) / n);
            paired(2 * k + 1) = std::conj(paired(2 * k));
        }
        if (n % 2 == 1) {
            paired(n - 1) = -0.9;
        }
        // Rounding of the coefficients and the lift of c_0 times the condition, 1e4.
        BOOST_TEST(distance(roots_inside(coefficients_from(chosen)), chosen) < 1e-7);
        const Eigen::VectorXd real = coefficients_from(paired).real();
        BOOST_TEST(distance(roots_inside(real), paired) < 1e-6);
        BOOST_TEST(is_symmetric_to_the_bit(roots_inside(real)));
        BOOST_TEST(is_nearest_to_circle_first(roots_inside(real)));
        BOOST_TEST(is_nearest_to_circle_first(roots_inside(coefficients_from(chosen))));
    }
}

// sum_k q^(k^2) z^k is Jacobi's third theta function: its roots inside are -q^(2 m - 1),
// m = 1, 2 .. A null at r is multiplied in, with its conjugate for the real form.
BOOST_DATA_TEST_CASE(coefficients_may_fall_superexponentially,
                     data::make({ 0.3, 0.6, 0.9, 0.97 }),
                     q)
{
    const int n = static_cast<int>(std::sqrt(std::log(1e-15) / std::log(q)));
    const auto with_null = [](const Eigen::VectorXcd& c, std::complex<double> r) {
        Eigen::VectorXcd product = (1.0 + std::norm(r)) * c;
        product.tail(c.size() - 1) -= std::conj(r) * c.head(c.size() - 1);
        product.head(c.size() - 1) -= r * c.tail(c.size() - 1);
        product(0) -= std::conj(r) * std::conj(c(1));
        return product;
    };
    Eigen::VectorXcd theta(n + 1);
    for (int k = 0; k <= n; ++k) {
        theta(k) = std::pow(q, k * k);
    }
    const std::complex<double> null = std::polar(0.99, 1.0);
    const Eigen::VectorXcd once = with_null(theta, null);
    const Eigen::VectorXd twice = with_null(once, std::conj(null)).real();
    const Eigen::VectorXcd complex_form = roots_inside(once);
    const Eigen::VectorXcd real_form = roots_inside(twice);
    BOOST_REQUIRE(complex_form.size() >= n - 2);
    BOOST_REQUIRE(real_form.size() >= n - 2);
    BOOST_TEST(is_symmetric_to_the_bit(real_form));
    if (q < 0.95) {
        // The null is a simple root, 0.02 from its image; rounding and the lift of 1e-11
        // over that, and over the function beside it, down to 1e-3 of c_0.
        BOOST_TEST(std::abs(complex_form(0) - null) < 1e-6);
        BOOST_TEST(std::abs(real_form(0) - null) < 1e-6);
    }
    if (q < 0.7) {
        // And the function's own. Of larger q they crowd around -1, where its values are
        // rounding.
        BOOST_TEST(std::abs(complex_form(1) + q) < 1e-6);
        BOOST_TEST(std::abs(real_form(2) + q) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(clusters_and_roots_at_zero_are_found)
{
    Eigen::VectorXcd cluster(6);
    cluster << std::polar(0.9, 1.0), std::polar(0.9, 1.001), std::polar(0.901, 1.0),
        std::polar(0.5, -1.0), 1e-6, 1e-7;
    const Eigen::VectorXcd found = roots_inside(coefficients_from(cluster));
    // Two of the roots are below what the coefficients can tell and leave with them, or
    // stay near zero.
    BOOST_REQUIRE(found.size() >= 4);
    BOOST_TEST(found.tail(found.size() - 4).cwiseAbs().sum() < 1e-5);
    // Three roots within 1e-3: the cube root of rounding and the lift.
    BOOST_TEST(distance(found.head(4), cluster.head(4)) < 3e-3);

    Eigen::VectorXcd close(3);
    close << 1.0 - 1e-5, std::polar(1.0 - 1e-4, 2.0), std::polar(1.0 - 1e-6, -1.0);
    const Eigen::VectorXcd pairs = roots_inside(coefficients_from(close));
    BOOST_REQUIRE(pairs.size() == 3);
    // Rounding over the distance of a root from its image, 2e-6.
    BOOST_TEST(std::abs(std::arg(pairs(0) / close(2))) < 1e-9);
    BOOST_TEST(std::abs(std::arg(pairs(1) / close(0))) < 1e-9);
    BOOST_TEST(std::abs(std::arg(pairs(2) / close(1))) < 1e-9);
}

BOOST_AUTO_TEST_CASE(hundreds_of_roots_are_found)
{
    // 1 / |1 - r z^-1|^2 cut at n: all roots near the circle.
    constexpr int n = 200;
    Eigen::VectorXcd coefficients = Eigen::VectorXcd::Zero(n + 1);
    coefficients(0) = 3.0;
    coefficients(n) = std::polar(1.0, 0.3);
    const Eigen::VectorXcd found = roots_inside(coefficients);
    BOOST_REQUIRE(found.size() == n);
    // z^n = -r e^(-0.3 j), r the smaller solution of r + 1/r = 3.
    const double r = 0.5 * (3.0 - std::sqrt(5.0));
    for (const std::complex<double>& root : found) {
        // The lift of c_0, over n.
        BOOST_TEST(std::abs(std::abs(root) - std::pow(r, 1.0 / n)) < 1e-12);
        BOOST_TEST(std::cos(n * std::arg(root) + 0.3) < -1.0 + 1e-9);
    }
    const Eigen::VectorXd real = coefficients.cwiseAbs();
    for (const std::complex<double>& root :
         roots_inside(Eigen::VectorXd(real.head(61)))) {
        BOOST_TEST(std::isfinite(std::abs(root)));
    }
    Eigen::VectorXd sixty = Eigen::VectorXd::Zero(61);
    sixty(0) = 3.0;
    sixty(60) = 1.0;
    const Eigen::VectorXcd real_found = roots_inside(sixty);
    BOOST_REQUIRE(real_found.size() == 60);
    for (const std::complex<double>& root : real_found) {
        BOOST_TEST(std::abs(std::abs(root) - std::pow(r, 1.0 / 60.0)) < 1e-10);
        BOOST_TEST(std::cos(60 * std::arg(root)) < -1.0 + 1e-9);
    }
}

BOOST_DATA_TEST_CASE(fast_forms_and_eigenvalues_agree_on_null_functions,
                     data::make({ 5, 8, 9, 16 }) * data::make({ 0.0, 10.0, 30.0, 60.0 }),
                     n,
                     snr)
{
    std::mt19937 random(n);
    std::uniform_real_distribution<double> uniform(-0.9, 0.9);
    for (int trial = 0; trial < 100; ++trial) {
        Eigen::VectorXd azimuth(1 + trial % (n > 7 ? 3 : 2));
        for (double& theta : azimuth) {
            theta = std::asin(uniform(random));
        }
        const null_coefficients scene = random_scene(n, azimuth, snr, random);
        const Eigen::Index k = azimuth.size();
        // Rounding over the distance of a root from its image, at 60 dB 1e-4.
        const Eigen::VectorXcd fast = roots_inside(scene.of_covariance);
        const Eigen::VectorXcd slow = roots_inside_by_qr(scene.of_covariance);
        BOOST_TEST(distance(fast.head(k), slow.head(k)) < 1e-9);
        const Eigen::VectorXcd real = roots_inside(scene.of_real_part);
        BOOST_TEST(is_symmetric_to_the_bit(real));
        BOOST_TEST(is_nearest_to_circle_first(real));
        const Eigen::VectorXcd pencil = roots_inside_by_qz(scene.of_real_part);
        // The lift of 1e-12 made that of the real form, 1e-11.
        Eigen::VectorXcd lifted = scene.of_real_part.cast<std::complex<double>>();
        lifted(0) *= 1.0 + 9e-12;
        // Near z = 1 and -1 the half-degree form knows a root to the square root of
        // rounding.
        BOOST_TEST(distance(real, pencil) < 1e-6);
        BOOST_TEST(distance(real, roots_inside(lifted)) < 1e-6);
    }
}

// One source at 30 degrees on eight elements: c_7 of the real form vanishes.
BOOST_DATA_TEST_CASE(no_root_is_bad_where_the_leading_coefficient_vanishes,
                     data::make({ 10.0, 30.0, 60.0, 120.0, 200.0, 300.0 }),
                     snr)
{
    std::mt19937 random(8);
    const Eigen::VectorXd azimuth = degrees({ 30.0 });
    for (int trial = 0; trial < 300; ++trial) {
        const null_coefficients scene = random_scene(8, azimuth, snr, random);
        const double phase = M_PI * std::sin(azimuth(0));
        for (const Eigen::VectorXcd& roots : { roots_inside(scene.of_real_part),
                                               roots_inside_by_qz(scene.of_real_part) }) {
            BOOST_REQUIRE(roots.size() >= 6);
            // Half a degree, 20 standard deviations at 10 dB; rounding leaves less than
            // 1e-6 from 120 dB on.
            const double tolerance = snr < 100.0 ? 0.5 * degree * M_PI * 0.87 : 1e-6;
            BOOST_TEST(std::abs(std::arg(roots(0)) - phase) < tolerance);
        }
        const Eigen::VectorXcd fast = roots_inside(scene.of_covariance);
        BOOST_TEST(std::abs(std::abs(std::arg(fast(0))) - phase) < 0.5 * degree * M_PI);
    }
}

BOOST_AUTO_TEST_CASE(degenerate_coefficients_are_survived)
{
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    for (const int size : { 0, 1, 2, 5 }) {
        const Eigen::VectorXd zero = Eigen::VectorXd::Zero(size);
        BOOST_TEST(roots_inside(zero).size() == 0);
        BOOST_TEST(
            roots_inside(Eigen::VectorXcd(zero.cast<std::complex<double>>())).size() ==
            0);
        for (const double bad : { nan, infinity }) {
            if (size > 0) {
                Eigen::VectorXd broken = Eigen::VectorXd::Ones(size);
                broken(size - 1) = bad;
                BOOST_TEST(roots_inside(broken).size() == 0);
                BOOST_TEST(
                    roots_inside(Eigen::VectorXcd(broken.cast<std::complex<double>>()))
                        .size() == 0);
            }
        }
    }
    // Negative somewhere on the circle, against the contract: still that many roots, all
    // finite, and symmetric.
    for (const double c_0 : { 0.0, 0.5, -3.0 }) {
        Eigen::VectorXd negative(6);
        negative << c_0, 1.0, 0.3, 0.2, 0.7, 0.1;
        const Eigen::VectorXcd real = roots_inside(negative);
        const Eigen::VectorXcd whole =
            roots_inside(Eigen::VectorXcd(negative.cast<std::complex<double>>()));
        BOOST_TEST(real.size() == 5);
        BOOST_TEST(whole.size() == 5);
        BOOST_TEST(real.allFinite());
        BOOST_TEST(whole.allFinite());
        BOOST_TEST(is_symmetric_to_the_bit(real));
    }
}
