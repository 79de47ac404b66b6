/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "strict_json.h"
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <tuple>

namespace gr {
namespace bearing {
namespace core {

namespace {

using json = nlohmann::json;

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t longest_header = 1 << 20;
constexpr std::size_t largest_file = 64 << 20;
constexpr std::size_t value_bytes = 4;

static_assert(sizeof(float) == value_bytes && std::numeric_limits<float>::is_iec559,
              "values are copied bit by bit");

[[noreturn]] void fail(const std::string& file, const std::string& what)
{
    throw std::runtime_error("weights file " + file + ": " + what);
}

[[noreturn]] void
fail_tensor(const std::string& file, const std::string& tensor, const std::string& what)
{
    fail(file, "tensor '" + quoted(tensor) + "' " + what);
}

std::string shape_text(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const std::int64_t size : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    }
    return text + "]";
}

// Least significant byte first, whatever this machine does.
std::uint64_t little_endian(const char* bytes, std::size_t count)
{
    std::uint64_t value = 0;
    for (std::size_t k = count; k-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[k]);
    }
    return value;
}

float value_at(const char* bytes)
{
    const auto pattern = static_cast<std::uint32_t>(little_endian(bytes, value_bytes));
    float value;
    std::memcpy(&value, &pattern, value_bytes);
    return value;
}

// Where a tensor's bytes lie, counted from the end of the header.
struct extent {
    std::uint64_t begin;
    std::uint64_t end;
    std::string name;

    bool operator<(const extent& other) const
    {
        return std::tie(begin, end) < std::tie(other.begin, other.end);
    }
};

// A list of integers none of which is above \p highest.
std::vector<std::uint64_t> integers(const std::string& file,
                                    const std::string& tensor,
                                    const json& entry,
                                    const char* key,
                                    std::uint64_t highest)
{
    const auto list = entry.find(key);
    if (list == entry.end() || !list->is_array()) {
        fail_tensor(file, tensor, std::string("must have a list '") + key + "'");
    }
    std::vector<std::uint64_t> values;
    for (const json& value : *list) {
        if (!value.is_number_unsigned()) {
            fail_tensor(file,
                        tensor,
                        std::string("has a value in '") + key +
                            "' that is not a whole number");
        }
        if (value.get<std::uint64_t>() > highest) {
            fail_tensor(file,
                        tensor,
                        std::string("has a value in '") + key + "' beyond the file");
        }
        values.push_back(value.get<std::uint64_t>());
    }
    return values;
}

extent read_entry(const std::string& file,
                  const std::string& name,
                  const json& entry,
                  std::uint64_t data_bytes,
                  std::vector<std::int64_t>& shape)
{
    if (!entry.is_object()) {
        fail_tensor(file, name, "must be an object");
    }
    if (!entry.contains("dtype") || entry["dtype"] != "F32") {
        fail_tensor(file, name, "must have dtype F32");
    }
    const std::vector<std::uint64_t> sizes =
        integers(file, name, entry, "shape", data_bytes);
    const std::vector<std::uint64_t> offsets =
        integers(file, name, entry, "data_offsets", data_bytes);
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
        fail_tensor(file, name, "must have data_offsets [begin, end]");
    }
    // What the file can hold bounds every product: none overflows.
    const std::uint64_t most = data_bytes / value_bytes;
    std::uint64_t count = 1;
    for (const std::uint64_t size : sizes) {
        if (size != 0 && count > most / size) {
            fail_tensor(file, name, "has a shape beyond the file");
        }
        count *= size;
        shape.push_back(static_cast<std::int64_t>(size));
    }
    if (offsets[1] - offsets[0] != count * value_bytes) {
        fail_tensor(file,
                    name,
                    "has shape " + shape_text(shape) + " but " +
                        std::to_string(offsets[1] - offsets[0]) + " bytes");
    }
    return { offsets[0], offsets[1], name };
}

} // namespace

tensor_file tensor_file::parse(const std::vector<char>& bytes, const std::string& name)
{
    if (bytes.size() < length_bytes) {
        fail(name, "it is too short to be one");
    }
    const std::uint64_t header_bytes = little_endian(bytes.data(), length_bytes);
    if (header_bytes > longest_header || header_bytes > bytes.size() - length_bytes) {
        fail(name,
             "its header is " + std::to_string(header_bytes) + " bytes long; there are " +
                 std::to_string(bytes.size() - length_bytes) + " and at most " +
                 std::to_string(longest_header) + " are allowed");
    }
    const char* const data = bytes.data() + length_bytes + header_bytes;
    const std::uint64_t data_bytes = bytes.size() - length_bytes - header_bytes;
    json header;
    try {
        header = parse_strict_object(std::string(bytes.data() + length_bytes, data));
    } catch (const std::runtime_error& error) {
        fail(name, std::string("header: ") + error.what());
    }

    tensor_file file;
    file.name = name;
    std::vector<extent> extents;
    for (const auto& entry : header.items()) {
        if (entry.key() == "__metadata__") {
            if (!entry.value().is_object()) {
                fail(name, "__metadata__ must be an object");
            }
            for (const auto& text : entry.value().items()) {
                if (!text.value().is_string()) {
                    fail(name,
                         "text '" + quoted(text.key()) +
                             "' of __metadata__ must be a string");
                }
                file.metadata[text.key()] = text.value().get<std::string>();
            }
            continue;
        }
        extents.push_back(read_entry(name,
                                     entry.key(),
                                     entry.value(),
                                     data_bytes,
                                     file.tensors[entry.key()].shape));
    }
    std::sort(extents.begin(), extents.end());
    std::uint64_t covered = 0;
    for (const extent& place : extents) {
        if (place.begin != covered) {
            fail_tensor(name,
                        place.name,
                        place.begin < covered ? "overlaps with another"
                                              : "leaves a gap before it");
        }
        covered = place.end;
    }
    if (covered != data_bytes) {
        fail(name, std::to_string(data_bytes - covered) + " bytes belong to no tensor");
    }
    for (const extent& place : extents) {
        std::vector<float>& values = file.tensors[place.name].values;
        values.reserve((place.end - place.begin) / value_bytes);
        for (std::uint64_t at = place.begin; at < place.end; at += value_bytes) {
            values.push_back(value_at(data + at));
            if (!std::isfinite(values.back())) {
                fail_tensor(name, place.name, "has a value that is not finite");
            }
        }
    }
    return file;
}

tensor_file tensor_file::load(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    // A folder opens and only fails when it is read.
    if (!file || file.peek() == std::ifstream::traits_type::eof()) {
        fail(path, "it cannot be read or is empty");
    }
    std::vector<char> bytes;
    constexpr std::size_t chunk = 1 << 16;
    while (file && bytes.size() <= largest_file) {
        const std::size_t before = bytes.size();
        bytes.resize(before + chunk);
        file.read(bytes.data() + before, chunk);
        bytes.resize(before + static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad()) {
        fail(path, "it cannot be read");
    }
    if (bytes.size() > largest_file) {
        fail(path,
             "it is larger than the allowed " + std::to_string(largest_file) + " bytes");
    }
    return parse(bytes, path);
}

const tensor_file::tensor&
tensor_file::require(const std::string& tensor_name,
                     const std::vector<std::int64_t>& shape) const
{
    const auto found = tensors.find(tensor_name);
    if (found == tensors.end()) {
        fail_tensor(name, tensor_name, "is missing");
    }
    if (found->second.shape != shape) {
        fail_tensor(name,
                    tensor_name,
                    "has shape " + shape_text(found->second.shape) + "; it must be " +
                        shape_text(shape));
    }
    // What was put together by hand need not hold what its shape says.
    std::size_t count = 1;
    for (const std::int64_t size : shape) {
        count *= static_cast<std::size_t>(size);
    }
    if (found->second.values.size() != count) {
        fail_tensor(name,
                    tensor_name,
                    "holds " + std::to_string(found->second.values.size()) +
                        " values; its shape says " + std::to_string(count));
    }
    return found->second;
}

} // namespace core
} // namespace bearing
} // namespace gr
