/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int num_frequencies = 8;
constexpr int num_features = 2 * num_frequencies;
constexpr double lowest_frequency = 0.05;
constexpr double highest_frequency = 2.0;

// sin and cos of what the ratio of signal and noise is in several finenesses.
Eigen::VectorXf time_features(double alpha_bar)
{
    Eigen::VectorXf features(num_features);
    const double half_log_ratio = 0.5 * std::log(alpha_bar / (1.0 - alpha_bar));
    for (int i = 0; i < num_frequencies; ++i) {
        const double place = static_cast<double>(i) / (num_frequencies - 1);
        const double a = lowest_frequency *
                         std::pow(highest_frequency / lowest_frequency, place) *
                         half_log_ratio;
        features(i) = static_cast<float>(std::sin(a));
        features(num_frequencies + i) = static_cast<float>(std::cos(a));
    }
    return features;
}

} // namespace

noise_network::noise_network(const tensor_file& file, int dimension)
    : d_dimension(dimension)
{
    if (dimension < 1) {
        throw std::invalid_argument("dimension: " + std::to_string(dimension) +
                                    "; allowed are 1 and above");
    }
    std::size_t num_tensors = 0;
    for (const auto& entry : file.tensors) {
        num_tensors += entry.first.compare(0, 5, "layer") == 0;
    }
    std::int64_t inputs = dimension + num_features;
    for (std::size_t k = 0; 2 * k < num_tensors || k == 0; ++k) {
        const std::string name = "layer" + std::to_string(k);
        const bool is_last = 2 * (k + 1) >= num_tensors;
        const auto found = file.tensors.find(name + ".weight");
        // The inner widths are the file's own choice, the outer ones are not.
        const std::int64_t outputs =
            !is_last && found != file.tensors.end() && !found->second.shape.empty()
                ? found->second.shape[0]
                : dimension;
        const tensor_file::tensor& weight =
            file.require(name + ".weight", { outputs, inputs });
        const tensor_file::tensor& bias = file.require(name + ".bias", { outputs });
        if (outputs < 1) {
            throw std::runtime_error("weights file " + file.name + ": tensor '" + name +
                                     ".weight' is empty");
        }
        using row_major =
            Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        d_layers.push_back(
            { Eigen::Map<const row_major>(weight.values.data(), outputs, inputs),
              Eigen::Map<const Eigen::VectorXf>(bias.values.data(), outputs) });
        inputs = outputs;
    }
}

Eigen::MatrixXd noise_network::operator()(const Eigen::Ref<const Eigen::MatrixXd>& x,
                                          double alpha_bar) const
{
    if (x.rows() != d_dimension) {
        throw std::invalid_argument("x: " + std::to_string(x.rows()) +
                                    " rows; the network is for " +
                                    std::to_string(d_dimension));
    }
    if (!(alpha_bar > 0.0 && alpha_bar < 1.0)) {
        throw std::invalid_argument("alpha_bar: " + std::to_string(alpha_bar) +
                                    "; allowed is the open interval from 0 to 1");
    }
    // The time is that of all columns: its part of the first layer is one more bias.
    const layer& first = d_layers.front();
    const Eigen::VectorXf offset =
        first.bias + first.weight.rightCols(num_features) * time_features(alpha_bar);
    const Eigen::MatrixXf input = x.cast<float>();
    Eigen::MatrixXf value = first.weight.leftCols(d_dimension) * input;
    value.colwise() += offset;
    Eigen::MatrixXf next;
    for (std::size_t k = 1; k < d_layers.size(); ++k) {
        // exp() of very negative arguments saturates: no infinity over infinity.
        value.array() /= 1.0f + (-value.array()).exp();
        next.noalias() = d_layers[k].weight * value;
        next.colwise() += d_layers[k].bias;
        value.swap(next);
    }
    return value.cast<double>();
}

} // namespace core
} // namespace bearing
} // namespace gr
