/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "strict_json.h"
#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

using json = nlohmann::json;

// An object of objects that hold lists of numbers: three levels.
constexpr int deepest = 3;
constexpr std::size_t longest_quotation = 120;

const json& require(const json& object, const std::string& key)
{
    const auto found = object.find(key);
    if (found == object.end()) {
        throw std::runtime_error("key '" + key + "' is missing");
    }
    return *found;
}

} // namespace

json parse_strict_object(const std::string& text)
{
    // The parser takes a zero for the end of the text and would let the rest pass.
    if (text.find('\0') != std::string::npos) {
        throw std::runtime_error("it holds a zero byte");
    }
    std::vector<std::set<std::string>> names;
    const auto check = [&names](int depth, json::parse_event_t event, json& parsed) {
        switch (event) {
        case json::parse_event_t::object_start:
        case json::parse_event_t::array_start:
            if (depth >= deepest) {
                throw std::runtime_error("it is nested too deep");
            }
            names.emplace_back();
            break;
        case json::parse_event_t::object_end:
        case json::parse_event_t::array_end:
            names.pop_back();
            break;
        case json::parse_event_t::key:
            if (!names.back().insert(parsed.get<std::string>()).second) {
                throw std::runtime_error("key '" + quoted(parsed.get<std::string>()) +
                                         "' is given twice");
            }
            break;
        case json::parse_event_t::value:
            break;
        }
        return true;
    };
    json document;
    try {
        document = json::parse(text, check);
    } catch (const json::exception& error) {
        throw std::runtime_error("it is not valid JSON: " + quoted(error.what()));
    }
    if (!document.is_object()) {
        throw std::runtime_error("it must be a JSON object");
    }
    return document;
}

std::string quoted(std::string text)
{
    if (text.size() > longest_quotation) {
        text = text.substr(0, longest_quotation) + "..";
    }
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

double require_number(const json& object, const std::string& key)
{
    const json& value = require(object, key);
    if (!value.is_number()) {
        throw std::runtime_error("key '" + key + "' must be a number");
    }
    return value.get<double>();
}

int require_integer(const json& object, const std::string& key, int lowest, int highest)
{
    const json& value = require(object, key);
    // A double tells on which side of the limits even a 64-bit integer lies.
    if (!value.is_number_integer() || !(value.get<double>() >= lowest) ||
        !(value.get<double>() <= highest)) {
        throw std::runtime_error("key '" + key + "' must be an integer, " +
                                 std::to_string(lowest) + " .. " +
                                 std::to_string(highest));
    }
    return value.get<int>();
}

std::string require_string(const json& object, const std::string& key)
{
    const json& value = require(object, key);
    if (!value.is_string()) {
        throw std::runtime_error("key '" + key + "' must be a string");
    }
    return value.get<std::string>();
}

} // namespace core
} // namespace bearing
} // namespace gr
