/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE variant_frame
#include "scenes.h"
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// Rounding of an eigendecomposition of values up to 200.
constexpr double rounding = 1e-11;

Eigen::MatrixXcd sampled(const antenna_array& array, int seed)
{
    return sample_covariance(simulate(
        array, degrees({ -20.0, 35.0 }), Eigen::VectorXd::Constant(1, 10.0), 40, seed));
}

// Gains within +-3 dB and any phase, and coupling; elements stay where they are.
antenna_array calibrated_line(int n, unsigned seed)
{
    calibration_state calibration = random_calibration(n, seed);
    calibration.positions.resize(0, 0);
    return antenna_array::uniform_line(n, 0.45).calibrated(calibration);
}

void require_eigenpairs(const eigendecomposition& eigen, const Eigen::MatrixXcd& of)
{
    const Eigen::Index n = of.rows();
    BOOST_TEST((of * eigen.vectors - eigen.vectors * eigen.values.asDiagonal()).norm() <
               rounding);
    BOOST_TEST(
        (eigen.vectors.adjoint() * eigen.vectors - Eigen::MatrixXcd::Identity(n, n))
            .norm() < rounding);
    for (Eigen::Index k = 1; k < n; ++k) {
        BOOST_TEST(eigen.values(k) <= eigen.values(k - 1));
    }
}

} // namespace

BOOST_DATA_TEST_CASE(unitary_decomposes_the_forward_backward_average,
                     data::make({ 2, 5, 6, 9 }),
                     n)
{
    const antenna_array line = antenna_array::uniform_line(n, 0.5);
    const Eigen::MatrixXcd r = sampled(line, n);
    const eigendecomposition eigen =
        variant_frame(line, subspace_variant::unitary).decompose(r);
    require_eigenpairs(eigen, forward_backward(r));
    // A real decomposition underlies: the vectors equal their reversed conjugates.
    BOOST_TEST((eigen.vectors - eigen.vectors.colwise().reverse().conjugate()).norm() ==
               0.0);
}

BOOST_AUTO_TEST_CASE(real_decomposes_the_real_part)
{
    const antenna_array line = antenna_array::uniform_line(7, 0.5);
    const Eigen::MatrixXcd r = sampled(line, 3);
    const eigendecomposition eigen =
        variant_frame(line, subspace_variant::real).decompose(r);
    require_eigenpairs(eigen, r.real().cast<std::complex<double>>());
    BOOST_TEST(eigen.vectors.imag().norm() == 0.0);
    BOOST_TEST(variant_frame(line, subspace_variant::real).signal_dimension(2) == 4);
    BOOST_TEST(variant_frame(line, subspace_variant::real).looks(10) == 20.0);
    BOOST_TEST(variant_frame(line, subspace_variant::unitary).signal_dimension(2) == 2);
    BOOST_TEST(variant_frame(line, subspace_variant::unitary).looks(10) == 10.0);
}

BOOST_DATA_TEST_CASE(complex_decomposes_the_covariance_itself, data::make({ 3, 8 }), n)
{
    const antenna_array circle = antenna_array::uniform_circle(n, 0.5);
    const Eigen::MatrixXcd r = sampled(circle, n);
    require_eigenpairs(variant_frame(circle).decompose(r), r);
}

BOOST_DATA_TEST_CASE(
    calibrated_lines_have_white_noise_and_their_manifold_in_the_signal_subspace,
    data::make({ subspace_variant::unitary, subspace_variant::real }) *
        data::make({ 7, 8 }),
    variant,
    n)
{
    const antenna_array line = calibrated_line(n, 11);
    const Eigen::VectorXd azimuth = degrees({ -20.0, 35.0 });
    const variant_frame frame(line, variant);
    const eigendecomposition eigen =
        frame.decompose(population_covariance(line, azimuth, 10.0));
    const int dimension = frame.signal_dimension(2);
    // The noise power of the population is 1, whatever the gains.
    BOOST_TEST((eigen.values.tail(n - dimension).array() - 1.0).abs().maxCoeff() <
               rounding);
    const Eigen::MatrixXcd us = eigen.vectors.leftCols(dimension);
    for (const double theta : azimuth) {
        const Eigen::VectorXcd a = frame.manifold(theta).a;
        BOOST_TEST((a - us * (us.adjoint() * a)).norm() < rounding);
    }
    const Eigen::VectorXcd elsewhere = frame.manifold(0.1).a;
    BOOST_TEST((elsewhere - us * (us.adjoint() * elsewhere)).norm() > 0.1);
}

BOOST_DATA_TEST_CASE(the_derivative_is_that_of_the_manifold,
                     data::make({ subspace_variant::complex,
                                  subspace_variant::unitary,
                                  subspace_variant::real }),
                     variant)
{
    const variant_frame frame(calibrated_line(6, 5), variant);
    const double theta = 0.4;
    const double step = 1e-5;
    const manifold_point here = frame.manifold(theta);
    Eigen::VectorXcd ahead = frame.manifold(theta + step).a;
    Eigen::VectorXcd behind = frame.manifold(theta - step).a;
    // The complex manifold is referenced to the centroid by its derivative only: take the
    // common phase out of both sides.
    const auto without_phase = [&](Eigen::VectorXcd d) -> Eigen::VectorXcd {
        return d - here.a * (here.a.dot(d) / here.a.squaredNorm());
    };
    const Eigen::VectorXcd difference = (ahead - behind) / (2.0 * step);
    // Central differences: the third derivative is of the order of (2 pi aperture)^3 ~
    // 3e3.
    BOOST_TEST((without_phase(here.d) - without_phase(difference)).norm() < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_derivative_of_an_ideal_line_is_referred_to_its_centre)
{
    const antenna_array line = antenna_array::uniform_line(6, 0.5);
    const manifold_point centred =
        variant_frame(line, subspace_variant::unitary).manifold(0.3);
    BOOST_TEST(std::abs(centred.a.dot(centred.d)) < rounding);
    const manifold_point first =
        variant_frame(line, subspace_variant::real).manifold(0.3);
    BOOST_TEST(std::abs(first.d(0)) == 0.0);
}

BOOST_AUTO_TEST_CASE(arrays_that_do_not_suit_a_variant_are_refused)
{
    const antenna_array line = antenna_array::uniform_line(5, 0.5);
    calibration_state moved;
    moved.positions = Eigen::MatrixXd::Constant(5, 3, 0.01);
    calibration_state dead;
    dead.gains = Eigen::VectorXcd::Ones(5);
    dead.gains(3) = 0.0;
    Eigen::MatrixXd uneven(3, 2);
    uneven << 0.0, 0.0, 0.5, 0.0, 1.2, 0.0;
    for (const subspace_variant variant :
         { subspace_variant::unitary, subspace_variant::real }) {
        for (const antenna_array& array : { antenna_array::uniform_circle(5, 0.4),
                                            antenna_array::custom(uneven),
                                            line.calibrated(moved),
                                            line.calibrated(dead) }) {
            BOOST_CHECK_THROW(variant_frame(array, variant), std::invalid_argument);
            BOOST_TEST(!variant_frame::suits_unitary(array));
        }
    }
    // A fit of gains alone fills positions with zeros.
    moved.positions.setZero();
    BOOST_CHECK_NO_THROW(
        variant_frame(line.calibrated(moved), subspace_variant::unitary));
    BOOST_TEST(variant_frame::suits_unitary(line.calibrated(moved)));
    BOOST_TEST(!variant_frame::suits_unitary(calibrated_line(5, 1)));
    BOOST_CHECK_THROW(subspace_variant_from_string("auto"), std::invalid_argument);
}
