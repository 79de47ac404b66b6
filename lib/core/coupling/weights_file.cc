/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "strict_json.h"
#include "weights_file.h"
#include <limits>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

// What the estimators take of a descent: a schedule must have as many.
constexpr int fewest_steps = 25;
// Of abar and 1 - abar: less beside 1 is lost on the network, which has single precision.
// Products of many factors underflow to a least number that is not 0.
constexpr double least_share = double(std::numeric_limits<float>::epsilon()) *
                               double(std::numeric_limits<float>::epsilon());
// Far above what anybody trains with, and soon allocated.
constexpr int most_steps = 100000;

std::string metadata(const tensor_file& file, const std::string& key)
{
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) {
        fail_weights(file.name, "text '" + key + "' of __metadata__ is missing");
    }
    return found->second;
}

noise_schedule read_schedule(const std::string& text)
{
    const nlohmann::json document = parse_strict_object(text);
    const std::string type = require_string(document, "type");
    if (type != "variance_preserving") {
        throw std::runtime_error("key 'type' is '" + quoted(type) +
                                 "'; allowed is variance_preserving");
    }
    noise_schedule schedule(require_integer(document, "steps", fewest_steps, most_steps),
                            require_number(document, "beta_first"),
                            require_number(document, "beta_last"));
    if (!(1.0 - schedule.alpha_bar(0) >= least_share)) {
        throw std::runtime_error("key 'beta_first' is so small that the first step has "
                                 "no noise");
    }
    if (!(schedule.alpha_bar(schedule.steps() - 1) >= least_share)) {
        throw std::runtime_error("key 'beta_last' is so large that nothing of the signal "
                                 "is left in the last step");
    }
    return schedule;
}

// What \p read makes of a text; its complaints get the file's and the text's name.
template <typename reader>
auto read_text(const tensor_file& file, const std::string& key, reader read)
{
    const std::string text = metadata(file, key);
    try {
        return read(text);
    } catch (const std::exception& error) {
        fail_weights(file.name, "text '" + key + "': " + error.what());
    }
}

} // namespace

void fail_weights(const std::string& file, const std::string& what)
{
    throw std::runtime_error("weights file " + file + ": " + what);
}

weights_file weights_file::load(const std::string& path)
{
    tensor_file file = tensor_file::load(path);
    const std::string kind = metadata(file, "kind");
    if (kind != "coupling" && kind != "covariance" && kind != "snapshot") {
        fail_weights(path,
                     "text 'kind' is '" + quoted(kind) +
                         "'; allowed are coupling, covariance, snapshot");
    }
    antenna_family family = read_text(file, "array", antenna_family::from_json);
    noise_schedule schedule = read_text(file, "schedule", read_schedule);
    return { kind, std::move(family), std::move(schedule), std::move(file) };
}

weights_file weights_file::load(const std::string& path, const std::string& kind)
{
    weights_file file = load(path);
    if (file.kind != kind) {
        fail_weights(path, "it is of kind " + file.kind + "; needed is " + kind);
    }
    return file;
}

double weights_file::scale() const
{
    const double value = tensors.require("scale", { 1 }).values[0];
    if (!(value > 0.0)) {
        fail_weights(tensors.name, "tensor 'scale' must be > 0");
    }
    return value;
}

} // namespace core
} // namespace bearing
} // namespace gr
