/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE alignment
#include "scenes.h"
#include <gnuradio/bearing/core/calibration/alignment.h>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <random>

using namespace gr::bearing::core;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
// Sums of a few angles and their sines.
constexpr double rounding = 1e-12;

const antenna_array line = antenna_array::uniform_line(8, 0.5);
const antenna_array circle = antenna_array::uniform_circle(5, 0.4);

// All orders, one by one.
double least_by_trial(const Eigen::VectorXd& estimated,
                      const Eigen::VectorXd& truth,
                      double turn)
{
    std::vector<int> order(truth.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
        order[k] = static_cast<int>(k);
    }
    double least = 1e9;
    do {
        double sum = 0.0;
        for (std::size_t k = 0; k < order.size(); ++k) {
            const double error = std::remainder(estimated(order[k]) - truth(k), turn);
            sum += error * error;
        }
        least = std::min(least, std::sqrt(sum / order.size()));
    } while (std::next_permutation(order.begin(), order.end()));
    return least;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_error_is_that_of_the_best_of_all_permutations)
{
    std::mt19937 random(4);
    std::uniform_real_distribution<double> anywhere(-M_PI, M_PI);
    for (int m = 1; m <= 6; ++m) {
        Eigen::VectorXd estimated(m), truth(m);
        for (int k = 0; k < m; ++k) {
            estimated(k) = anywhere(random);
            truth(k) = anywhere(random);
        }
        BOOST_TEST(std::abs(permuted_error(circle, estimated, truth) -
                            least_by_trial(estimated, truth, 2.0 * M_PI)) < rounding);
        BOOST_TEST(std::abs(permuted_error(line, estimated, truth) -
                            least_by_trial(estimated, truth, M_PI)) < rounding);
    }
}

BOOST_AUTO_TEST_CASE(errors_wrap_at_a_turn_or_at_half_a_turn_on_a_line)
{
    BOOST_TEST(std::abs(permuted_error(circle, degrees({ 359.0 }), degrees({ 1.0 })) -
                        2.0 * degree) < rounding);
    BOOST_TEST(std::abs(permuted_error(line, degrees({ 89.0 }), degrees({ -89.0 })) -
                        2.0 * degree) < rounding);
}

BOOST_AUTO_TEST_CASE(a_missing_bearing_makes_the_error_nan)
{
    BOOST_TEST(std::isnan(permuted_error(
        circle, Eigen::Vector2d(missing, 1.0), Eigen::Vector2d(0.0, 1.0))));
}

BOOST_AUTO_TEST_CASE(alignment_undoes_the_map_that_a_line_leaves_free)
{
    Eigen::MatrixXd truth(6, 2);
    truth << -0.8, 0.1, -0.5, 0.7, 0.0, 0.4, 0.2, -0.3, 0.6, 0.9, -0.1, 0.5;
    Eigen::MatrixXd seen = ((truth.array().sin() - 0.07) / 1.1).asin();
    seen.row(2).reverseInPlace();
    BOOST_TEST((aligned(line, seen, truth) - truth).cwiseAbs().maxCoeff() < 1e-9);
}

BOOST_AUTO_TEST_CASE(alignment_undoes_a_rotation_through_north)
{
    Eigen::MatrixXd truth(4, 1);
    truth << 0.01, 2.0, 4.0, 6.2;
    const Eigen::MatrixXd seen = (truth.array() - 0.3).unaryExpr([](double x) {
        return x < 0 ? x + 2 * M_PI : x;
    });
    const Eigen::MatrixXd result = aligned(circle, seen, truth);
    for (int k = 0; k < 4; ++k) {
        BOOST_TEST(std::abs(std::remainder(result(k) - truth(k), 2.0 * M_PI)) < rounding);
    }
}

BOOST_AUTO_TEST_CASE(the_robust_map_is_not_bent_by_wrong_bearings)
{
    std::mt19937 random(7);
    std::uniform_real_distribution<double> anywhere(-1.0, 1.0);
    Eigen::MatrixXd truth(200, 1), seen(200, 1);
    for (int k = 0; k < 200; ++k) {
        truth(k) = anywhere(random);
        // One in five is some other direction.
        seen(k) = k % 5 == 0
                      ? anywhere(random)
                      : std::asin(std::sin(truth(k)) - 0.1) + 1e-3 * anywhere(random);
    }
    const Eigen::MatrixXd robust = aligned(line, seen, truth, true);
    const Eigen::MatrixXd plain = aligned(line, seen, truth, false);
    double worst_robust = 0.0;
    double worst_plain = 0.0;
    for (int k = 0; k < 200; ++k) {
        if (k % 5 != 0) {
            worst_robust = std::max(worst_robust, std::abs(robust(k) - truth(k)));
            worst_plain = std::max(worst_plain, std::abs(plain(k) - truth(k)));
        }
    }
    // The good ones were moved by up to 1e-3.
    BOOST_TEST(worst_robust < 2e-3);
    BOOST_TEST(worst_plain > 2e-2);
}

BOOST_AUTO_TEST_CASE(rows_with_nan_pass_through_and_do_not_count)
{
    Eigen::MatrixXd truth(3, 1), seen(3, 1);
    truth << 1.0, 2.0, 3.0;
    seen << 1.5, missing, 3.5;
    const Eigen::MatrixXd result = aligned(circle, seen, truth);
    BOOST_TEST(std::abs(result(0) - 1.0) < rounding);
    BOOST_TEST(std::isnan(result(1)));
    BOOST_TEST(std::abs(result(2) - 3.0) < rounding);
}

BOOST_AUTO_TEST_CASE(sizes_that_disagree_are_refused)
{
    BOOST_CHECK_THROW(
        permuted_error(line, Eigen::Vector2d(0, 0), Eigen::Vector3d(0, 0, 0)),
        std::invalid_argument);
    BOOST_CHECK_THROW(permuted_error(line, {}, {}), std::invalid_argument);
    BOOST_CHECK_THROW(
        permuted_error(line, Eigen::VectorXd::Zero(13), Eigen::VectorXd::Zero(13)),
        std::invalid_argument);
    BOOST_CHECK_THROW(aligned(line, Eigen::MatrixXd(2, 1), Eigen::MatrixXd(1, 2)),
                      std::invalid_argument);
}
