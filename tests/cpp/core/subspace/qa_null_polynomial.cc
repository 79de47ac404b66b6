/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE null_polynomial
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/null_polynomial.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

Eigen::MatrixXcd random_subspace(int n, int dimension, unsigned seed)
{
    std::srand(seed);
    const Eigen::MatrixXcd random = Eigen::MatrixXcd::Random(n, dimension);
    return random.householderQr().householderQ() *
           Eigen::MatrixXcd::Identity(n, dimension);
}

// sum_(k=-n..n) c_k exp(j k phase)
double value(const Eigen::VectorXcd& coefficients, double phase)
{
    double sum = coefficients(0).real();
    for (Eigen::Index k = 1; k < coefficients.size(); ++k) {
        sum += 2.0 * (coefficients(k) * std::polar(1.0, k * phase)).real();
    }
    return sum;
}

double null(const Eigen::VectorXcd& a, const Eigen::MatrixXcd& subspace)
{
    return (a - subspace * (subspace.adjoint() * a)).squaredNorm();
}

antenna_array calibrated(const antenna_array& array, bool with_offsets)
{
    calibration_state calibration = random_calibration(array.num_elements(), 8);
    if (!with_offsets) {
        calibration.positions.resize(0, 0);
    }
    return array.calibrated(calibration);
}

antenna_array scattered()
{
    std::srand(4);
    return antenna_array::custom(Eigen::MatrixXd(Eigen::MatrixXd::Random(7, 3)));
}

} // namespace

BOOST_DATA_TEST_CASE(on_a_line_it_is_the_null_function_exactly,
                     data::make({ subspace_variant::complex,
                                  subspace_variant::unitary,
                                  subspace_variant::real }) *
                         data::make({ false, true }),
                     variant,
                     is_calibrated)
{
    const double spacing = 0.4;
    antenna_array line = antenna_array::uniform_line(7, spacing);
    if (is_calibrated) {
        line = calibrated(line, false);
    }
    const variant_frame frame(line, variant);
    const Eigen::MatrixXcd subspace = random_subspace(7, 2, 1);
    const Eigen::VectorXcd coefficients =
        line_null_polynomial(frame).coefficients(subspace);
    BOOST_REQUIRE(coefficients.size() == 7);
    for (double theta = -1.5; theta < 1.5; theta += 0.17) {
        BOOST_TEST(std::abs(value(coefficients, 2.0 * M_PI * spacing * std::sin(theta)) -
                            null(frame.manifold(theta).a, subspace)) < 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(on_any_array_it_is_the_null_function_to_its_truncation)
{
    for (const antenna_array& array :
         { antenna_array::uniform_circle(5, 0.3828),
           calibrated(antenna_array::uniform_circle(16, 1.153), true),
           calibrated(scattered(), true),
           calibrated(antenna_array::uniform_line(6, 0.5), true) }) {
        const int n = array.num_elements();
        const Eigen::MatrixXcd subspace = random_subspace(n, 3, 2);
        const Eigen::VectorXcd coefficients =
            fourier_null_polynomial(array).coefficients(subspace);
        double worst = 0.0;
        for (double theta = -3.1; theta < 3.1; theta += 0.037) {
            worst = std::max(worst,
                             std::abs(value(coefficients, theta) -
                                      null(array.steering(theta), subspace)));
        }
        // Harmonics below 1e-8 of a^H a are left out; the sum of those that follow is of
        // the order of the first.
        BOOST_TEST(worst < 1e-7 * n);
        BOOST_TEST(worst > 0.0);
    }
}

BOOST_AUTO_TEST_CASE(its_degree_follows_the_radius_in_wavelengths)
{
    // x = 4 pi 0.3828 = 4.81, and 6.5 x^(1/3) = 10.97
    BOOST_TEST(
        fourier_null_polynomial(antenna_array::uniform_circle(5, 0.3828)).degree() == 16);
    BOOST_TEST(
        fourier_null_polynomial(antenna_array::uniform_circle(5, 3.828 * 0.3828, 3.828))
            .degree() == 16);
    // The origin does not matter: a line counts from its centre.
    BOOST_TEST(fourier_null_polynomial(antenna_array::uniform_line(5, 0.5)).degree() ==
               29);
    BOOST_CHECK_THROW(fourier_null_polynomial(antenna_array::uniform_circle(16, 20.0)),
                      std::invalid_argument);
}
