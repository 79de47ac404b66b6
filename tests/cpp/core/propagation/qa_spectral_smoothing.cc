/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE spectral_smoothing
#include "refusals.h"
#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// Sums of a few thousand numbers of order 1.
constexpr double exact = 1e-11;

Eigen::VectorXd random_power(Eigen::Index size, unsigned seed)
{
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> power;
    Eigen::VectorXd result(size);
    for (double& value : result) {
        value = power(random) - 0.3;
    }
    return result;
}

// All T bins in the order of the DFT, of a real signal.
Eigen::VectorXd both_sides(const Eigen::VectorXd& one_sided, Eigen::Index num_samples)
{
    Eigen::VectorXd result(num_samples);
    for (Eigen::Index k = 0; k < num_samples; ++k) {
        result(k) = one_sided(std::min(k, num_samples - k));
    }
    return result;
}

} // namespace

// By hand, bin after bin, reflecting at 0 and at half of T.
BOOST_DATA_TEST_CASE(it_is_a_box_average_of_the_even_continuation,
                     data::make({ 64, 65, 1000, 1001 }) * data::make({ 11, 21 }) *
                         data::make({ 0.0, 0.05, 0.1 }),
                     num_samples,
                     narrowest,
                     share)
{
    const Eigen::Index size = num_samples / 2 + 1;
    const Eigen::VectorXd power = random_power(size, 1);
    const Eigen::VectorXd smooth =
        smooth_spectrum(power, { share, narrowest }, spectrum_sides::one, num_samples);
    BOOST_TEST_REQUIRE(smooth.size() == size);
    double largest = 0.0;
    for (Eigen::Index k = 0; k < size; ++k) {
        const int half = std::max(narrowest / 2, static_cast<int>(share * k));
        double sum = 0.0;
        for (Eigen::Index j = k - half; j <= k + half; ++j) {
            Eigen::Index mirrored = std::abs(j);
            if (2 * mirrored > num_samples) {
                mirrored = num_samples - mirrored;
            }
            sum += power(mirrored);
        }
        largest = std::max(largest, std::abs(smooth(k) - sum / (2 * half + 1)));
    }
    BOOST_TEST(largest < exact);
}

BOOST_DATA_TEST_CASE(two_sides_of_a_real_signal_are_smoothed_as_one,
                     data::make({ 64, 65, 1000, 1001 }),
                     num_samples)
{
    const Eigen::VectorXd power = random_power(num_samples / 2 + 1, 2);
    const Eigen::VectorXd one =
        smooth_spectrum(power, source_smoothing, spectrum_sides::one, num_samples);
    const Eigen::VectorXd two = smooth_spectrum(both_sides(power, num_samples),
                                                source_smoothing,
                                                spectrum_sides::two,
                                                num_samples);
    BOOST_TEST((two - both_sides(one, num_samples)).cwiseAbs().maxCoeff() < exact);
}

BOOST_AUTO_TEST_CASE(two_sides_are_a_circle)
{
    // Bins -1 and 1 are neighbours of 0, and so are those around Nyquist's frequency.
    Eigen::VectorXd power = Eigen::VectorXd::Zero(100);
    power(99) = 33.0;
    const Eigen::VectorXd smooth =
        smooth_spectrum(power, { 0.0, 11 }, spectrum_sides::two, 100);
    for (Eigen::Index k = 0; k < 100; ++k) {
        const bool is_near = k >= 94 || k <= 4;
        BOOST_TEST(smooth(k) == (is_near ? 3.0 : 0.0),
                   boost::test_tools::tolerance(exact));
    }
}

BOOST_AUTO_TEST_CASE(a_flat_spectrum_stays_and_a_slope_too_away_from_the_ends)
{
    const Eigen::VectorXd flat = Eigen::VectorXd::Constant(501, 3.0);
    BOOST_TEST((smooth_spectrum(flat, noise_smoothing, spectrum_sides::one, 1000) - flat)
                   .cwiseAbs()
                   .maxCoeff() < exact);
    const Eigen::VectorXd slope = Eigen::VectorXd::LinSpaced(501, 0.0, 1.0);
    const Eigen::VectorXd smooth =
        smooth_spectrum(slope, noise_smoothing, spectrum_sides::one, 1000);
    BOOST_TEST((smooth - slope).segment(10, 400).cwiseAbs().maxCoeff() < exact);
}

BOOST_AUTO_TEST_CASE(a_box_wider_than_all_is_the_mean)
{
    for (const int num_samples : { 2, 3, 7, 15 }) {
        const Eigen::VectorXd power = random_power(num_samples, 3);
        const Eigen::VectorXd smooth =
            smooth_spectrum(power, { 0.0, 99 }, spectrum_sides::two, num_samples);
        // Boxes are odd: of an even number the bin opposite is missing.
        for (int k = 0; k < num_samples; ++k) {
            double expected = power.mean();
            if (num_samples % 2 == 0) {
                expected = (power.sum() - power((k + num_samples / 2) % num_samples)) /
                           (num_samples - 1);
            }
            BOOST_TEST(std::abs(smooth(k) - expected) < exact);
        }
    }
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_named)
{
    const Eigen::VectorXd power = Eigen::VectorXd::Ones(6);
    const auto call = [&](smoothing_width width, int num_samples) {
        return [=] { smooth_spectrum(power, width, spectrum_sides::one, num_samples); };
    };
    BOOST_TEST(!refuses(call({ 0.1, 3 }, 10), ""));
    BOOST_TEST(!refuses(call({ 0.1, 3 }, 11), ""));
    BOOST_TEST(refuses(call({ 0.1, 3 }, 12), "power has 6"));
    BOOST_TEST(refuses(call({ -0.1, 3 }, 10), "share"));
    BOOST_TEST(refuses(call({ 1.0, 3 }, 10), "share"));
    BOOST_TEST(refuses(call({ 0.1, -1 }, 10), "narrowest"));
}
