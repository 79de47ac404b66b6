/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE coupling_model
#include "coupled_arrays.h"
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>

using namespace gr::bearing::core;

namespace {

using complexd = std::complex<double>;

// Sums of a few products of numbers near 1.
constexpr double rounding = 1e-14;

Eigen::MatrixXcd unit(int n, int row, int column)
{
    Eigen::MatrixXcd matrix = Eigen::MatrixXcd::Zero(n, n);
    matrix(row, column) = 1.0;
    return matrix;
}

} // namespace

BOOST_AUTO_TEST_CASE(toeplitz_couples_elements_by_their_distance)
{
    const complexd a(0.3, 0.2);
    const complexd b(-0.1, 0.05);
    const coupling_model model = coupling_model::toeplitz(4, 3);
    Eigen::MatrixXcd expected(4, 4);
    expected << 1.0, a, b, 0.0, a, 1.0, a, b, b, a, 1.0, a, 0.0, b, a, 1.0;
    BOOST_TEST(model.num_weights() == 4);
    BOOST_TEST((model.coupling(weights_of({ a, b })) - expected).norm() < rounding);
}

BOOST_AUTO_TEST_CASE(circulant_couples_neighbours_on_both_sides)
{
    const complexd a(0.3, 0.2);
    const complexd b(-0.1, 0.05);
    Eigen::MatrixXcd odd(5, 5);
    odd << 1.0, a, b, b, a, a, 1.0, a, b, b, b, a, 1.0, a, b, b, b, a, 1.0, a, a, b, b, a,
        1.0;
    BOOST_TEST(
        (coupling_model::circulant(5, 3).coupling(weights_of({ a, b })) - odd).norm() <
        rounding);
    // Opposite elements of an even circle are one pair, not two.
    Eigen::MatrixXcd even(4, 4);
    even << 1.0, a, b, a, a, 1.0, a, b, b, a, 1.0, a, a, b, a, 1.0;
    BOOST_TEST(
        (coupling_model::circulant(4, 3).coupling(weights_of({ a, b })) - even).norm() <
        rounding);
}

BOOST_AUTO_TEST_CASE(turning_a_circle_by_an_element_leaves_its_coupling)
{
    const coupling_model model = coupling_model::circulant(7, 4);
    const Eigen::MatrixXcd c = model.coupling(Eigen::VectorXd::LinSpaced(6, -0.3, 0.4));
    Eigen::MatrixXcd turn = Eigen::MatrixXcd::Zero(7, 7);
    for (int l = 0; l < 7; ++l) {
        turn(l, (l + 1) % 7) = 1.0;
    }
    BOOST_TEST((turn * c - c * turn).norm() < rounding);
    BOOST_TEST((c - c.transpose()).norm() < rounding);
}

BOOST_AUTO_TEST_CASE(the_array_decides_its_structure)
{
    const auto is_same = [](const coupling_model& one, const coupling_model& other) {
        bool same = one.num_weights() == other.num_weights();
        for (int j = 0; same && j < one.num_weights(); ++j) {
            same = one.basis()[j] == other.basis()[j];
        }
        return same && one.mean() == other.mean();
    };
    BOOST_TEST(
        is_same(coupling_model::of_array(line_of(6), 3), coupling_model::toeplitz(6, 3)));
    BOOST_TEST(is_same(coupling_model::of_array(circle_of_five(), 2),
                       coupling_model::circulant(5, 2)));
    // Drawn in metres, off the origin, beginning elsewhere and the other way round.
    Eigen::MatrixXd positions(6, 2);
    for (int l = 0; l < 6; ++l) {
        positions.row(l) << 3.0 + 0.4 * std::cos(1.0 + l * M_PI / 3.0),
            1.0 + 0.4 * std::sin(1.0 + l * M_PI / 3.0);
    }
    BOOST_TEST(is_same(coupling_model::of_array(antenna_array::custom(positions, 0.7), 3),
                       coupling_model::circulant(6, 3)));
    positions(3, 0) += 0.01;
    BOOST_TEST(refuses(
        [&] { coupling_model::of_array(antenna_array::custom(positions, 0.7), 3); },
        "no structure"));
}

BOOST_AUTO_TEST_CASE(weights_and_coupling_are_inverse)
{
    const coupling_model model = coupling_model::toeplitz(8, 4);
    const Eigen::VectorXd w = Eigen::VectorXd::LinSpaced(6, 0.4, -0.2);
    BOOST_TEST((model.weights(model.coupling(w)) - w).norm() < rounding);
}

BOOST_AUTO_TEST_CASE(weights_of_any_coupling_are_the_nearest)
{
    std::srand(1);
    const coupling_model model = coupling_model::circulant(5, 3);
    const Eigen::MatrixXcd any = Eigen::MatrixXcd::Random(5, 5);
    const Eigen::MatrixXcd rest = any - model.coupling(model.weights(any));
    // What is left over has nothing of any matrix of the basis, over the reals.
    for (const Eigen::MatrixXcd& d : model.basis()) {
        BOOST_TEST(std::abs((d.adjoint() * rest).trace().real()) < 10.0 * rounding);
    }
}

// A mean that the basis could make a part of, and columns that are not orthogonal.
BOOST_AUTO_TEST_CASE(weights_of_any_model_are_those_of_its_coupling)
{
    std::srand(2);
    Eigen::MatrixXcd mean = Eigen::MatrixXcd::Random(4, 4);
    mean(0, 0) = 1.0;
    std::vector<Eigen::MatrixXcd> basis;
    for (int j = 0; j < 5; ++j) {
        basis.push_back(Eigen::MatrixXcd::Random(4, 4));
        basis.back()(0, 0) = 0.0;
    }
    const coupling_model model = coupling_model::general(mean, basis);
    const Eigen::VectorXd w = Eigen::VectorXd::LinSpaced(5, 0.4, -0.2);
    // The condition of the basis is about 3.
    BOOST_TEST((model.weights(model.coupling(w)) - w).norm() < 10.0 * rounding);
}

BOOST_AUTO_TEST_CASE(one_coefficient_is_no_coupling)
{
    const coupling_model model = coupling_model::toeplitz(4, 1);
    BOOST_TEST(model.num_weights() == 0);
    BOOST_TEST(model.coupling(Eigen::VectorXd(0)).isIdentity(0.0));
    BOOST_TEST(model.weights(Eigen::MatrixXcd::Ones(4, 4)).size() == 0);
}

BOOST_AUTO_TEST_CASE(wrong_numbers_are_named)
{
    BOOST_TEST(refuses([] { coupling_model::toeplitz(1, 1); }, "num_elements is 1"));
    BOOST_TEST(refuses([] { coupling_model::toeplitz(8, 0); }, "coefficients is 0"));
    BOOST_TEST(refuses([] { coupling_model::toeplitz(8, 9); }, "allowed are 1 to 8"));
    BOOST_TEST(refuses([] { coupling_model::circulant(5, 4); }, "allowed are 1 to 3"));
    BOOST_TEST(refuses([] { coupling_model::circulant(6, 5); }, "allowed are 1 to 4"));
    const coupling_model model = coupling_model::toeplitz(4, 2);
    BOOST_TEST(refuses([&] { model.coupling(Eigen::VectorXd::Zero(3)); }, "needs 2"));
    BOOST_TEST(
        refuses([&] { model.weights(Eigen::MatrixXcd::Identity(3, 3)); }, "4 here"));
}

BOOST_AUTO_TEST_CASE(general_models_are_checked)
{
    const Eigen::MatrixXcd mean = Eigen::MatrixXcd::Identity(3, 3);
    const complexd j(0.0, 1.0);
    const Eigen::MatrixXcd one = unit(3, 0, 1);
    BOOST_TEST(coupling_model::general(mean, { one, j * one }).num_weights() == 2);
    BOOST_TEST(refuses([&] { coupling_model::general(2.0 * mean, { one }); }, "mean"));
    BOOST_TEST(refuses(
        [&] {
            coupling_model::general(mean, { one, unit(3, 0, 0) });
        },
        "basis 1"));
    BOOST_TEST(
        refuses([&] { coupling_model::general(mean, { unit(4, 0, 1) }); }, "basis 0"));
    BOOST_TEST(refuses(
        [&] {
            coupling_model::general(mean, { one, -2.0 * one });
        },
        "only 1 are independent"));
    Eigen::MatrixXcd bad = one;
    bad(2, 2) = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(refuses([&] { coupling_model::general(mean, { bad }); }, "basis 0"));
    BOOST_TEST(refuses([&] { coupling_model::general(bad, { one }); }, "mean"));
}
