/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE weights_folder
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <string>

using namespace gr::bearing::core;

namespace {

// A folder that GR_BEARING_WEIGHTS names.
struct named_folder : folder {
    named_folder() { setenv("GR_BEARING_WEIGHTS", path.c_str(), 1); }
    ~named_folder() { unsetenv("GR_BEARING_WEIGHTS"); }

    std::string put(const std::string& name, const std::string& kind, int num_elements)
    {
        weights_writer writer;
        writer.describe(kind, "line", num_elements);
        const std::string whole = (path / name).string();
        writer.save(whole);
        return whole;
    }
};

const antenna_array line = antenna_array::uniform_line(8, 0.5);

} // namespace

BOOST_AUTO_TEST_CASE(the_first_file_that_has_the_array_is_found)
{
    named_folder place;
    place.put("a.safetensors", "covariance", 8);
    place.put("b.safetensors", "coupling", 5);
    const std::string expected = place.put("c.safetensors", "coupling", 8);
    place.put("d.safetensors", "coupling", 8);
    place.put("a.bin", "coupling", 8);
    BOOST_TEST(find_weights(line, "coupling") == expected);
}

BOOST_AUTO_TEST_CASE(when_none_fits_those_that_are_there_are_named)
{
    named_folder place;
    place.put("a.safetensors", "covariance", 8);
    place.put("b.safetensors", "coupling", 5);
    BOOST_TEST(complains([] { find_weights(line, "coupling"); },
                         { place.path.string(),
                           "b.safetensors",
                           "line of 5 elements, 0.44 to 0.52 wavelengths apart" }));
    BOOST_TEST(complains([] { find_weights(line, "snapshot"); },
                         { place.path.string(), "snapshot", "none of that kind" }));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_passed_over_or_named)
{
    named_folder place;
    write((place.path / "a.safetensors").string(), "{}");
    BOOST_TEST(complains([] { find_weights(line, "coupling"); },
                         { place.path.string(), "a.safetensors", "too short" }));
    const std::string expected = place.put("b.safetensors", "coupling", 8);
    BOOST_TEST(find_weights(line, "coupling") == expected);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_named)
{
    setenv("GR_BEARING_WEIGHTS", "/no/such/folder", 1);
    BOOST_TEST(complains([] { find_weights(line, "coupling"); }, { "/no/such/folder" }));
    unsetenv("GR_BEARING_WEIGHTS");
}

// The build tree holds the weights beside the library, as an installed tree does.
BOOST_AUTO_TEST_CASE(weights_come_with_the_library)
{
    unsetenv("GR_BEARING_WEIGHTS");
    const antenna_array circle = antenna_array::uniform_circle(5, 0.25, 0.69);
    for (const char* kind : { "coupling", "covariance", "snapshot" }) {
        const std::string path = find_weights(line, kind);
        BOOST_TEST(path.find("gnuradio-bearing/weights") != std::string::npos);
    }
    BOOST_TEST(find_weights(circle, "coupling") != find_weights(line, "coupling"));
}
