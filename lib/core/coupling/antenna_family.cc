/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "circle_radius.h"
#include "strict_json.h"
#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double tolerance = 1e-6; // wavelengths
constexpr int most_elements = 1024;

} // namespace

antenna_family antenna_family::from_json(const std::string& text)
{
    const nlohmann::json document = parse_strict_object(text);
    antenna_family family;
    family.geometry = require_string(document, "geometry");
    if (family.geometry != "line" && family.geometry != "circle") {
        throw std::runtime_error("key 'geometry' is '" + quoted(family.geometry) +
                                 "'; allowed are line, circle");
    }
    family.num_elements = require_integer(
        document, "num_elements", family.geometry == "line" ? 2 : 3, most_elements);
    family.smallest = require_number(document, "smallest");
    family.largest = require_number(document, "largest");
    if (!(family.smallest > 0.0)) {
        throw std::runtime_error("key 'smallest' must be > 0");
    }
    if (!(family.largest >= family.smallest)) {
        throw std::runtime_error("key 'largest' must be at least 'smallest'");
    }
    return family;
}

bool antenna_family::has(const antenna_array& array) const
{
    if (array.num_elements() != num_elements) {
        return false;
    }
    const std::optional<double> size =
        geometry == "line" ? array.uniform_spacing() : circle_radius(array);
    return size && *size >= smallest - tolerance && *size <= largest + tolerance;
}

std::string antenna_family::description() const
{
    std::ostringstream text;
    text << geometry << " of " << num_elements << " elements, ";
    if (geometry == "line") {
        text << smallest << " to " << largest << " wavelengths apart";
    } else {
        text << "radius " << smallest << " to " << largest << " wavelengths";
    }
    return text.str();
}

} // namespace core
} // namespace bearing
} // namespace gr
