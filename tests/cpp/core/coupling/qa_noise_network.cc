/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE noise_network
#include "refusals.h"
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

weights_writer random_network(int dimension, int width, int num_hidden, int seed = 1)
{
    std::mt19937_64 random(seed);
    weights_writer writer;
    writer.add_network(dimension, width, num_hidden, random);
    return writer;
}

// The network as its definition says, one value at a time in double precision.
std::vector<double>
plain_loop(const weights_writer& writer, const std::vector<double>& x, double alpha_bar)
{
    std::vector<double> value = x;
    const double a = 0.5 * std::log(alpha_bar / (1.0 - alpha_bar));
    for (int part = 0; part < 2; ++part) {
        for (int i = 0; i < 8; ++i) {
            const double f = std::exp(std::log(0.05) + i * std::log(2.0 / 0.05) / 7.0);
            value.push_back(part == 0 ? std::sin(f * a) : std::cos(f * a));
        }
    }
    for (std::size_t k = 0; k < writer.tensors.size(); k += 2) {
        const weights_writer::tensor& weight = writer.tensors[k];
        const std::size_t outputs = weight.shape[0];
        const std::size_t inputs = weight.shape[1];
        std::vector<double> next(outputs);
        for (std::size_t row = 0; row < outputs; ++row) {
            double sum = writer.tensors[k + 1].values[row];
            for (std::size_t column = 0; column < inputs; ++column) {
                sum += double(weight.values[row * inputs + column]) * value[column];
            }
            next[row] =
                k + 2 < writer.tensors.size() ? sum / (1.0 + std::exp(-sum)) : sum;
        }
        value = next;
    }
    return value;
}

} // namespace

BOOST_DATA_TEST_CASE(a_call_is_what_the_definition_says,
                     data::make({ 1, 6, 64 }) ^ data::make({ 3, 64, 256 }) ^
                         data::make({ 0, 3, 3 }),
                     dimension,
                     width,
                     num_hidden)
{
    const weights_writer writer = random_network(dimension, width, num_hidden);
    const noise_network network(writer.parsed(), dimension);
    BOOST_TEST(network.dimension() == dimension);
    std::mt19937_64 random(2);
    std::normal_distribution<double> normal;
    for (const double alpha_bar : { 1e-5, 0.1, 0.5, 0.9, 0.9995 }) {
        Eigen::MatrixXd x(dimension, 3);
        for (double& value : x.reshaped()) {
            value = normal(random);
        }
        const Eigen::MatrixXd found = network(x, alpha_bar);
        for (int column = 0; column < 3; ++column) {
            const std::vector<double> expected =
                plain_loop(writer,
                           { x.col(column).data(), x.col(column).data() + dimension },
                           alpha_bar);
            const Eigen::Map<const Eigen::VectorXd> wanted(expected.data(), dimension);
            // Single precision: sums of up to 272 terms of size 1 in each of 4 layers.
            BOOST_TEST((found.col(column) - wanted).norm() <
                       1e-5 * std::max(1.0, wanted.norm()));
            // One column takes another path through the products than several do.
            BOOST_TEST((network(x.col(column), alpha_bar) - wanted).norm() <
                       1e-5 * std::max(1.0, wanted.norm()));
        }
    }
}

// SiLU of very negative and very positive values is 0 and the value itself.
BOOST_AUTO_TEST_CASE(values_out_of_range_do_not_become_nan)
{
    weights_writer writer = random_network(2, 4, 1);
    const noise_network network(writer.parsed(), 2);
    for (const double size : { 1e3, 1e6, 1e20 }) {
        for (const double sign : { -1.0, 1.0 }) {
            const Eigen::MatrixXd found =
                network(Eigen::VectorXd::Constant(2, sign * size), 0.5);
            BOOST_TEST(found.allFinite());
            const std::vector<double> expected =
                plain_loop(writer, { sign * size, sign * size }, 0.5);
            BOOST_TEST(std::abs(found(0) - expected[0]) <= 1e-5 * size);
        }
    }
}

BOOST_AUTO_TEST_CASE(no_columns_give_none)
{
    const noise_network network(random_network(3, 4, 2).parsed(), 3);
    BOOST_TEST(network(Eigen::MatrixXd(3, 0), 0.5).cols() == 0);
}

BOOST_AUTO_TEST_CASE(other_sizes_and_times_are_refused)
{
    const noise_network network(random_network(3, 4, 2).parsed(), 3);
    const Eigen::MatrixXd x = Eigen::MatrixXd::Zero(3, 1);
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(refuses([&] { network(Eigen::MatrixXd::Zero(4, 1), 0.5); }, "x: 4 rows"));
    for (const double alpha_bar : { 0.0, 1.0, -1.0, nan }) {
        BOOST_TEST(refuses([&] { network(x, alpha_bar); }, "alpha_bar"));
    }
    BOOST_TEST(refuses([&] { noise_network(random_network(3, 4, 2).parsed(), 0); },
                       "dimension: 0"));
}

BOOST_AUTO_TEST_CASE(layers_that_do_not_chain_are_named)
{
    const auto complaint = [](const std::function<void(weights_writer&)>& spoil,
                              const std::vector<std::string>& parts) {
        weights_writer writer = random_network(3, 4, 2);
        spoil(writer);
        return complains([&] { noise_network(writer.parsed(), 3); }, parts);
    };
    const auto reshape = [](weights_writer& writer,
                            const std::string& name,
                            const std::vector<std::int64_t>& shape) {
        std::size_t count = 1;
        for (const std::int64_t size : shape) {
            count *= size;
        }
        writer[name].shape = shape;
        writer[name].values.assign(count, 0.0f);
    };
    const auto rename = [](const std::string& from, const std::string& to) {
        return [=](weights_writer& writer) { writer[from].name = to; };
    };
    BOOST_TEST(!complaint([](weights_writer&) {}, {}));
    BOOST_TEST(complaint([](weights_writer& w) { w.tensors.clear(); },
                         { "tested", "'layer0.weight'", "missing" }));
    BOOST_TEST(complaint(rename("layer1.weight", "layer3.weight"),
                         { "tested", "'layer1.weight'", "missing" }));
    BOOST_TEST(complaint(rename("layer1.bias", "bias"),
                         { "tested", "'layer1.bias'", "missing" }));
    BOOST_TEST(complaint(rename("layer2.bias", "layer9.bias"),
                         { "tested", "'layer2.bias'", "missing" }));
    BOOST_TEST(complaint(
        [&](auto& w) {
            reshape(w, "layer0.weight", { 4, 18 });
        },
        { "'layer0.weight'", "[4, 18]", "[4, 19]" }));
    BOOST_TEST(complaint(
        [&](auto& w) {
            reshape(w, "layer1.weight", { 4, 5 });
        },
        { "'layer1.weight'", "[4, 5]", "[4, 4]" }));
    BOOST_TEST(complaint([&](auto& w) { reshape(w, "layer1.bias", { 3 }); },
                         { "'layer1.bias'", "[3]", "[4]" }));
    BOOST_TEST(complaint(
        [&](auto& w) {
            reshape(w, "layer2.weight", { 2, 4 });
        },
        { "'layer2.weight'", "[2, 4]", "[3, 4]" }));
    BOOST_TEST(complaint([&](auto& w) { reshape(w, "layer1.weight", { 16 }); },
                         { "'layer1.weight'", "[16]" }));
    BOOST_TEST(complaint([&](auto& w) { reshape(w, "layer1.weight", {}); },
                         { "'layer1.weight'", "[]" }));
    BOOST_TEST(complaint(
        [&](auto& w) {
            reshape(w, "layer1.weight", { 0, 4 });
            reshape(w, "layer1.bias", { 0 });
        },
        { "'layer1.weight'", "empty" }));
    weights_writer other = random_network(3, 4, 2);
    BOOST_TEST(complains([&] { noise_network(other.parsed(), 5); },
                         { "'layer0.weight'", "[4, 19]", "[4, 21]" }));
}
