/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_WEIGHTS_WRITER_H
#define INCLUDED_BEARING_TESTS_WEIGHTS_WRITER_H

#include "temporary_folder.h"
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

//! A safetensors file put together by the test, right or wrong.
struct weights_writer {
    struct tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        std::vector<float> values;
    };
    std::vector<tensor> tensors;
    std::map<std::string, std::string> metadata;

    //! Gaussian values about 0.
    void add_random(const std::string& name,
                    const std::vector<std::int64_t>& shape,
                    std::mt19937_64& random,
                    float deviation = 1.0f)
    {
        std::size_t count = 1;
        for (const std::int64_t size : shape) {
            count *= static_cast<std::size_t>(size);
        }
        std::normal_distribution<float> value(0.0f, deviation);
        std::vector<float> values(count);
        for (float& one : values) {
            one = value(random);
        }
        tensors.push_back({ name, shape, values });
    }

    //! Layers of a network for \p dimension, its hidden ones \p width wide.
    void add_network(int dimension, int width, int num_hidden, std::mt19937_64& random)
    {
        int inputs = dimension + 16;
        for (int k = 0; k <= num_hidden; ++k) {
            const int outputs = k == num_hidden ? dimension : width;
            const std::string name = "layer" + std::to_string(k);
            add_random(name + ".weight",
                       { outputs, inputs },
                       random,
                       1.0f / std::sqrt(static_cast<float>(inputs)));
            add_random(name + ".bias", { outputs }, random, 0.1f);
            inputs = outputs;
        }
    }

    //! All weights of the network times so much.
    void scale_network(float factor)
    {
        for (tensor& one : tensors) {
            if (one.name.compare(0, 5, "layer") == 0) {
                for (float& value : one.values) {
                    value *= factor;
                }
            }
        }
    }

    //! What a weights file says of itself.
    void describe(const std::string& kind, const std::string& geometry, int num_elements)
    {
        metadata["kind"] = kind;
        metadata["schedule"] = R"({"type": "variance_preserving", "steps": 200, )"
                               R"("beta_first": 5e-4, "beta_last": 0.1})";
        metadata["array"] = R"({"geometry": ")" + geometry + R"(", "num_elements": )" +
                            std::to_string(num_elements) +
                            R"(, "smallest": 0.44, "largest": 0.52})";
    }

    tensor& operator[](const std::string& name)
    {
        for (tensor& one : tensors) {
            if (one.name == name) {
                return one;
            }
        }
        tensors.push_back({ name, {}, {} });
        return tensors.back();
    }

    std::string header() const
    {
        std::string text = "{";
        if (!metadata.empty()) {
            text += "\"__metadata__\":{";
            for (const auto& entry : metadata) {
                text += (text.back() == '{' ? "" : ",") + quoted(entry.first) + ":" +
                        quoted(entry.second);
            }
            text += "}";
        }
        std::size_t offset = 0;
        for (const tensor& one : tensors) {
            text += (text.size() > 1 ? "," : "") + quoted(one.name) +
                    ":{\"dtype\":\"F32\",\"shape\":[";
            for (const std::int64_t size : one.shape) {
                text += (text.back() == '[' ? "" : ",") + std::to_string(size);
            }
            const std::size_t end = offset + 4 * one.values.size();
            text += "],\"data_offsets\":[" + std::to_string(offset) + "," +
                    std::to_string(end) + "]}";
            offset = end;
        }
        return text + "}";
    }

    std::string data() const
    {
        std::string bytes;
        for (const tensor& one : tensors) {
            for (const float value : one.values) {
                std::uint32_t pattern;
                std::memcpy(&pattern, &value, sizeof pattern);
                for (int k = 0; k < 4; ++k) {
                    bytes += static_cast<char>(pattern >> 8 * k & 0xff);
                }
            }
        }
        return bytes;
    }

    //! A file of this header and these data, whatever they are.
    static std::string assemble(const std::string& header, const std::string& data)
    {
        return length(header.size()) + header + data;
    }
    static std::string length(std::uint64_t value)
    {
        std::string bytes;
        for (int k = 0; k < 8; ++k) {
            bytes += static_cast<char>(value >> 8 * k & 0xff);
        }
        return bytes;
    }

    std::string bytes() const { return assemble(header(), data()); }
    void save(const std::string& path) const { write(path, bytes()); }
    gr::bearing::core::tensor_file parsed() const
    {
        const std::string all = bytes();
        return gr::bearing::core::tensor_file::parse({ all.begin(), all.end() },
                                                     "tested");
    }

private:
    static std::string quoted(const std::string& text)
    {
        std::string result = "\"";
        for (const char c : text) {
            result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        }
        return result + "\"";
    }
};

//! Whether a call throws std::runtime_error with a sentence that has each of \p parts.
template <class Call>
bool complains(Call call, const std::vector<std::string>& parts)
{
    try {
        call();
    } catch (const std::runtime_error& error) {
        for (const std::string& part : parts) {
            if (std::string(error.what()).find(part) == std::string::npos) {
                return false;
            }
        }
        return true;
    }
    return false;
}

#endif /* INCLUDED_BEARING_TESTS_WEIGHTS_WRITER_H */
