/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE nearest_roots
#include "palindromic.h"
#include <gnuradio/bearing/core/subspace/nearest_roots.h>
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <Eigen/Eigenvalues>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
// The lift of c_0 that the solvers share.
constexpr double lift = 1e-12;

// BEARING_TEST_FULL=1 takes a hundred thousand scenes, a minute.
int num_scenes()
{
    const char* const full = std::getenv("BEARING_TEST_FULL");
    return full != nullptr && std::string(full) == "1" ? 100000 : 2000;
}

using wide = std::complex<long double>;

// f and its derivative at z, with eleven more bits than the solvers have.
struct wide_values {
    wide value, slope;
};
wide_values wide_polynomial(const Eigen::VectorXcd& c, const wide& z)
{
    const wide lifted =
        static_cast<wide>(c(0).real()) * (1.0L + static_cast<long double>(lift));
    wide_values f{ lifted, 0.0L };
    wide power = 1.0L;
    for (Eigen::Index k = 1; k < c.size(); ++k) {
        const wide here(c(k).real(), c(k).imag());
        const wide slope = static_cast<long double>(k) * here * power;
        power *= z;
        f.value += here * power + std::conj(here) / power;
        f.slope += slope - static_cast<long double>(k) * std::conj(here) / (power * z);
    }
    return f;
}

// The root that Newton's method reaches from z.
wide exact_root(const Eigen::VectorXcd& c, const std::complex<double>& z)
{
    wide root(z.real(), z.imag());
    for (int step = 0; step < 8; ++step) {
        const wide_values f = wide_polynomial(c, root);
        root -= f.value / f.slope;
    }
    return root;
}

// How far a root moves where each coefficient is in error by a share of 1 of itself.
double condition(const Eigen::VectorXcd& c, const wide& root)
{
    const long double modulus = std::abs(root);
    long double total = std::abs(c(0));
    for (Eigen::Index k = 1; k < c.size(); ++k) {
        total += static_cast<long double>(std::abs(c(k))) *
                 (std::pow(modulus, static_cast<long double>(k)) +
                  std::pow(modulus, -static_cast<long double>(k)));
    }
    return static_cast<double>(total / std::abs(wide_polynomial(c, root).slope));
}

std::complex<double> narrow(const wide& z)
{
    return { static_cast<double>(z.real()), static_cast<double>(z.imag()) };
}

class scenes
{
public:
    explicit scenes(unsigned seed) : d_random(seed) {}

    double uniform(double low, double high)
    {
        return std::uniform_real_distribution<double>(low, high)(d_random);
    }
    int integer(int low, int high)
    {
        return std::uniform_int_distribution<int>(low, high)(d_random);
    }
    std::complex<double> normal()
    {
        std::normal_distribution<double> part;
        return { part(d_random), part(d_random) };
    }

    // Spatial frequencies: anywhere; a close group; or at the fold, w = +-pi.
    Eigen::VectorXd frequencies(int num_sources, int n)
    {
        Eigen::VectorXd w(num_sources);
        const int kind = integer(0, 3);
        const double middle = uniform(-M_PI, M_PI);
        for (double& frequency : w) {
            switch (kind) {
            case 0:
                frequency = middle + uniform(-2.0, 2.0) / n;
                break;
            case 1:
                frequency = M_PI + uniform(-0.5, 0.5) / n;
                break;
            default:
                frequency = uniform(-M_PI, M_PI);
            }
        }
        return w;
    }

    // MUSIC's null function on a line of N elements, some of them with gains within +-3 dB
    // and any phase: from snapshots, from the exact covariance, or without noise.
    Eigen::VectorXcd coefficients(int n, const Eigen::VectorXd& w, double snr_db)
    {
        const Eigen::Index num_sources = w.size();
        Eigen::MatrixXcd steering(n, num_sources);
        for (int l = 0; l < n; ++l) {
            for (Eigen::Index k = 0; k < num_sources; ++k) {
                steering(l, k) = std::polar(1.0, l * w(k));
            }
        }
        Eigen::VectorXcd gains = Eigen::VectorXcd::Ones(n);
        if (integer(0, 2) == 0) {
            for (std::complex<double>& gain : gains) {
                gain =
                    std::polar(std::pow(10.0, uniform(-0.15, 0.15)), uniform(-3.0, 3.0));
            }
        }
        const Eigen::MatrixXcd a = gains.asDiagonal() * steering;
        const double noise = std::pow(10.0, -snr_db / 20.0);
        const int kind = integer(0, 9);
        Eigen::MatrixXcd covariance;
        if (kind < 2) {
            covariance = a * a.adjoint();
            if (kind == 1) {
                covariance += noise * noise * Eigen::MatrixXcd::Identity(n, n);
            }
        } else {
            const int snapshots = static_cast<int>(std::pow(10.0, uniform(1.0, 3.0)));
            const auto draw = [this] { return normal(); };
            const Eigen::MatrixXcd x =
                a * Eigen::MatrixXcd::NullaryExpr(num_sources, snapshots, draw) +
                noise * Eigen::MatrixXcd::NullaryExpr(n, snapshots, draw);
            covariance = x * x.adjoint() / snapshots;
        }
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(covariance);
        const Eigen::MatrixXcd noise_subspace =
            solver.eigenvectors().leftCols(n - num_sources).adjoint() *
            gains.asDiagonal();
        const Eigen::MatrixXcd form = noise_subspace.adjoint() * noise_subspace;
        Eigen::VectorXcd c(n);
        for (int k = 0; k < n; ++k) {
            c(k) = form.diagonal(k).sum();
        }
        c(0) = c(0).real();
        return c;
    }

private:
    std::mt19937 d_random;
};

// Chosen roots, nearest to the circle first.
Eigen::VectorXcd sorted_by_modulus(Eigen::VectorXcd roots)
{
    std::sort(roots.begin(), roots.end(), [](const auto& i, const auto& k) {
        return std::norm(i) > std::norm(k);
    });
    return roots;
}

double largest_distance(const Eigen::VectorXcd& found, const Eigen::VectorXcd& expected)
{
    double largest = found.size() == expected.size() ? 0.0 : infinity;
    for (const std::complex<double>& root : expected) {
        double nearest = infinity;
        for (const std::complex<double>& z : found) {
            nearest = std::min(nearest, std::abs(z - root));
        }
        largest = std::max(largest, nearest);
    }
    return largest;
}

} // namespace

// The reference is the companion matrix by QR. Its eigenvalues are those of coefficients in
// error by rounding of the largest entry, c_0 / c_n: a root moves by that times its condition.
BOOST_AUTO_TEST_CASE(newton_and_eigenvalues_agree_on_random_scenes)
{
    scenes world(1);
    int num_found = 0, num_roots = 0, num_unexplained = 0;
    int num_ill_conditioned = 0;
    double worst_error = 0.0; // of Newton's roots, in units of their bound
    for (int scene = 0; scene < num_scenes(); ++scene) {
        const int n = world.integer(3, 16);
        const int count = world.integer(1, n - 1);
        const Eigen::VectorXcd c = world.coefficients(
            n, world.frequencies(count, n), world.uniform(-10.0, 40.0));
        const std::optional<Eigen::VectorXcd> found =
            nearest_roots(n - 1).find_by_newton(c, count);
        if (!found) {
            continue;
        }
        ++num_found;
        BOOST_REQUIRE(found->size() == count);
        const Eigen::VectorXcd reference = roots_inside_by_qr(c);
        std::vector<std::complex<double>> left(reference.begin(), reference.end());
        // Coefficients that vanish are taken for zero by all solvers: up to 1e-14 of c_0.
        const double rounding = (2.0 * n * epsilon + 1e-14);
        const Eigen::Index last = reference.size();
        const double growth = std::abs(c(0) / c(last));
        double loosest = 0.0;
        for (const std::complex<double>& z : *found) {
            ++num_roots;
            const wide exact = exact_root(c.head(last + 1), z);
            const double sensitivity = condition(c.head(last + 1), exact);
            // Newton's last step leaves its own rounding: of f, in proportion to the sum
            // of its terms.
            const double own_bound = 2.0 * n * epsilon * sensitivity;
            worst_error = std::max(worst_error, std::abs(z - narrow(exact)) / own_bound);
            const auto nearest =
                std::min_element(left.begin(), left.end(), [&](auto& i, auto& k) {
                    return std::abs(i - z) < std::abs(k - z);
                });
            const double distance = std::abs(*nearest - z);
            const double bound = rounding * growth * sensitivity;
            loosest = std::max({ loosest, bound, 1e-9 });
            if (distance > 1e-9) {
                ++num_ill_conditioned;
                // Known to 1e-9, it would have to agree.
                num_unexplained += distance > bound || own_bound < 1e-9;
            }
            left.erase(nearest);
        }
        // None of the others is nearer to the circle.
        for (const std::complex<double>& z : left) {
            const double excess = std::abs(z) - std::abs((*found)(count - 1));
            num_unexplained += excess > loosest + rounding * growth *
                                                      condition(c.head(last + 1),
                                                                wide(z.real(), z.imag()));
        }
    }
    std::ostringstream counts;
    counts << num_scenes() << " scenes, " << num_found << " by Newton's method with "
           << num_roots << " roots; " << num_ill_conditioned
           << " ill-conditioned ones differ by more than 1e-9, " << num_unexplained
           << " others; largest error " << worst_error << " of its bound";
    BOOST_TEST_MESSAGE(counts.str());
    BOOST_TEST(num_unexplained == 0);
    BOOST_TEST(worst_error < 1.0);
    // Most roots must have been compared, and to 1e-9.
    BOOST_TEST(num_found > num_scenes() / 4);
    BOOST_TEST(num_ill_conditioned < num_roots / 10);
}

BOOST_AUTO_TEST_CASE(what_newton_does_not_settle_all_roots_do)
{
    scenes world(2);
    for (int scene = 0; scene < 300; ++scene) {
        const int n = world.integer(3, 16);
        const int count = world.integer(1, n - 1);
        const Eigen::VectorXcd c = world.coefficients(
            n, world.frequencies(count, n), world.uniform(-10.0, 40.0));
        const nearest_roots finder(n - 1);
        const Eigen::VectorXcd found = finder.find(c, count);
        const std::optional<Eigen::VectorXcd> fast = finder.find_by_newton(c, count);
        // To the bit: it is the one or the other.
        BOOST_TEST((found == (fast ? *fast : roots_inside(c))));
    }
}

// Where the field works: sources a beamwidth apart, no more than half as many as elements.
BOOST_DATA_TEST_CASE(newton_settles_most_scenes,
                     data::make({ 5, 9, 16 }) * data::make({ 5.0, 10.0, 20.0, 40.0 }),
                     n,
                     snr)
{
    scenes world(n);
    constexpr int num_trials = 300;
    int num_found = 0;
    for (int trial = 0; trial < num_trials; ++trial) {
        const int count = world.integer(1, n / 2);
        Eigen::VectorXd w(count);
        const double first = world.uniform(-M_PI, M_PI);
        for (int k = 0; k < count; ++k) {
            w(k) = first + 2.0 * M_PI * (k + world.uniform(0.0, 0.5)) / count;
        }
        num_found += nearest_roots(n - 1)
                         .find_by_newton(world.coefficients(n, w, snr), count)
                         .has_value();
    }
    BOOST_TEST_MESSAGE("Newton's method settles " << 100.0 * num_found / num_trials
                                                  << " %");
    // 95 % of the worst kind: six standard deviations more than this.
    BOOST_TEST(num_found > 0.87 * num_trials);
}

// Nothing but the certificate keeps a wrong root out here: roots merge, hide behind one
// another, and the deepest minimum need not be the nearest root's.
BOOST_AUTO_TEST_CASE(no_nearer_root_is_ever_missed)
{
    scenes world(3);
    int num_found = 0;
    constexpr int num_trials = 20000;
    for (int trial = 0; trial < num_trials; ++trial) {
        const int n = world.integer(1, 10);
        Eigen::VectorXcd chosen(n);
        const double group = world.uniform(0.02, 2.0 * M_PI);
        for (std::complex<double>& root : chosen) {
            root = std::polar(std::exp(-world.uniform(0.01, 0.4)),
                              world.uniform(0.0, group));
        }
        chosen = sorted_by_modulus(chosen);
        const int count = world.integer(1, n);
        const nearest_roots finder(n);
        const Eigen::VectorXcd c = coefficients_from(chosen);
        const std::optional<Eigen::VectorXcd> found = finder.find_by_newton(c, count);
        if (!found) {
            continue;
        }
        ++num_found;
        // What rounding of the coefficients moves the roots by. Groups that are worse
        // conditioned tell nothing.
        double loosest = 0.0;
        for (const std::complex<double>& root : chosen) {
            loosest = std::max(loosest,
                               (lift + n * epsilon) *
                                   condition(c, wide(root.real(), root.imag())));
        }
        if (loosest > 1e-3) {
            continue;
        }
        // Of equal distances either is right.
        BOOST_TEST(std::abs(std::abs((*found)(count - 1)) - std::abs(chosen(count - 1))) <
                   10.0 * loosest + 1e-9);
        if (count < n && std::abs(chosen(count - 1)) - std::abs(chosen(count)) >
                             20.0 * loosest + 1e-8) {
            BOOST_TEST(largest_distance(*found, chosen.head(count)) <
                       10.0 * loosest + 1e-9);
        }
        if (count < n) {
            BOOST_TEST(std::abs(chosen(count)) <
                       std::abs((*found)(count - 1)) + 10.0 * loosest + 1e-9);
        }
    }
    BOOST_TEST_MESSAGE(num_found << " of " << num_trials << " settled");
    BOOST_TEST(num_found > num_trials / 20);
}

BOOST_AUTO_TEST_CASE(as_many_roots_as_asked_for_are_found)
{
    Eigen::VectorXcd chosen(6);
    chosen << std::polar(0.98, 1.0), std::polar(0.95, -2.0), std::polar(0.7, -0.7),
        std::polar(0.5, 0.2), std::polar(0.3, 2.5), std::polar(0.2, -2.9);
    const Eigen::VectorXcd c = coefficients_from(chosen);
    const nearest_roots finder(6);
    for (const int count : { 1, 2 }) {
        const std::optional<Eigen::VectorXcd> found = finder.find_by_newton(c, count);
        BOOST_REQUIRE(found);
        // Simple, well separated roots: condition below 1e3, with the lift 1e-9.
        BOOST_TEST((*found - chosen.head(count)).norm() < 1e-9);
        BOOST_TEST((finder.find(c, count) == *found));
    }
    for (int count = 3; count <= 6; ++count) {
        BOOST_TEST((finder.find(c, count).head(count) - chosen.head(count)).norm() <
                   1e-9);
    }
    // One of two that are equally near.
    Eigen::VectorXcd equal(2);
    equal << std::polar(0.9, 1.0), std::polar(0.9, -2.0);
    BOOST_TEST(!finder.find_by_newton(coefficients_from(equal), 1));
    BOOST_TEST(finder.find(coefficients_from(equal), 1).size() == 2);
}

BOOST_DATA_TEST_CASE(long_series_are_taken_too, data::make({ 20, 40, 64, 128, 200 }), n)
{
    // Sources at depth 1/n among roots four times as deep, n to a turn.
    Eigen::VectorXcd coefficients = Eigen::VectorXcd::Zero(n + 1);
    const double r = std::exp(-4.0);
    coefficients(0) = r + 1.0 / r;
    coefficients(n) = -1.0; // its roots: z^n = r
    const auto with_null = [](const Eigen::VectorXcd& c, std::complex<double> root) {
        Eigen::VectorXcd product = Eigen::VectorXcd::Zero(c.size() + 1);
        product.head(c.size()) = (1.0 + std::norm(root)) * c;
        product.tail(c.size()) -= std::conj(root) * c;
        product.head(c.size() - 1) -= root * c.tail(c.size() - 1);
        product(0) -= std::conj(root) * std::conj(c(1));
        return product;
    };
    Eigen::VectorXcd chosen(3);
    chosen << std::polar(std::exp(-0.5 / n), 1.0),
        std::polar(std::exp(-0.7 / n), 1.0 + 2.0 * M_PI / 3.0),
        std::polar(std::exp(-1.0 / n), 1.0 - 2.0 * M_PI / 3.0);
    for (const std::complex<double>& root : chosen) {
        coefficients = with_null(coefficients, root);
    }
    const nearest_roots finder(n + 3);
    // Beyond degree 128 all roots are taken.
    BOOST_TEST(finder.find_by_newton(coefficients, 3).has_value() == (n + 3 <= 128));
    const Eigen::VectorXcd found = finder.find(coefficients, 3);
    BOOST_REQUIRE(found.size() >= 3);
    // The lift of 1e-12, times a condition below n^2.
    BOOST_TEST(largest_distance(found.head(3), chosen) < 1e-12 * n * n);
}

BOOST_AUTO_TEST_CASE(degenerate_coefficients_are_left_to_the_solver_of_all_roots)
{
    const nearest_roots finder(5);
    for (const int size : { 0, 1, 2, 6, 7 }) {
        for (const double bad : { 0.0, not_a_number, infinity }) {
            const Eigen::VectorXcd c = Eigen::VectorXcd::Constant(size, bad);
            BOOST_TEST(!finder.find_by_newton(c, 1));
            BOOST_TEST(finder.find(c, 1).size() == 0);
        }
    }
    const Eigen::VectorXcd c =
        coefficients_from(Eigen::VectorXcd::LinSpaced(5, 0.1, 0.9));
    for (const int count : { -1, 0, 6 }) {
        BOOST_TEST(!finder.find_by_newton(c, count));
    }
    // More coefficients than it was made for.
    BOOST_TEST(!nearest_roots(4).find_by_newton(c, 1));
    BOOST_TEST(nearest_roots(4).find(c, 1).size() == 5);
    // Negative somewhere on the circle, against the contract.
    Eigen::VectorXcd negative(6);
    negative << 0.5, 1.0, 0.3, 0.2, 0.7, 0.1;
    for (int count = 1; count <= 5; ++count) {
        BOOST_TEST(!finder.find_by_newton(negative, count));
    }
    BOOST_CHECK_EXCEPTION(
        nearest_roots(-1), std::invalid_argument, [](const std::exception& error) {
            return std::string(error.what()).find("degree is -1") != std::string::npos;
        });
}
