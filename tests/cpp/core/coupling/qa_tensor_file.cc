/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE tensor_file
#include "uncalibrated_arrays.h"
#include "weights_writer.h"
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

tensor_file parse(const std::string& bytes)
{
    return tensor_file::parse({ bytes.begin(), bytes.end() }, "tested");
}

weights_writer small()
{
    weights_writer writer;
    writer.tensors = { { "a", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } },
                       { "b", {}, { -0.5f } },
                       { "none", { 0, 4 }, {} } };
    writer.metadata = { { "kind", "coupling" }, { "array", R"({"geometry": "line"})" } };
    return writer;
}

std::string entry(const std::string& shape,
                  const std::string& offsets,
                  const std::string& dtype = R"("F32")")
{
    return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}";
}

} // namespace

BOOST_AUTO_TEST_CASE(what_was_written_is_read)
{
    const tensor_file file = parse(small().bytes());
    BOOST_TEST(file.name == "tested");
    BOOST_TEST(file.tensors.size() == 3u);
    BOOST_TEST(file.metadata.at("kind") == "coupling");
    BOOST_TEST(file.metadata.at("array") == R"({"geometry": "line"})");
    const std::vector<float> expected{ 1, 2, 3, 4, 5, 6 };
    BOOST_TEST(file.require("a", { 2, 3 }).values == expected);
    BOOST_TEST(file.require("b", {}).values == std::vector<float>{ -0.5f });
    BOOST_TEST(file.require("none", { 0, 4 }).values.empty());
}

BOOST_AUTO_TEST_CASE(a_file_is_read_from_the_disk)
{
    const folder place;
    const std::string path = place.file();
    small().save(path);
    BOOST_TEST(tensor_file::load(path).tensors.size() == 3u);
    BOOST_TEST(complains([&] { tensor_file::load(path + ".none"); },
                         { path + ".none", "cannot be read" }));
    BOOST_TEST(
        complains([&] { tensor_file::load(place.path.string()); }, { "cannot be read" }));
    write(path, "");
    BOOST_TEST(complains([&] { tensor_file::load(path); }, { path, "empty" }));
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_given_up)
{
    BOOST_TEST(complains([&] { tensor_file::load("/dev/zero"); }, { "larger than" }));
}

// The order in the header need not be that of the data, and padding is allowed.
BOOST_AUTO_TEST_CASE(the_headers_order_and_padding_do_not_matter)
{
    const tensor_file file = parse(weights_writer::assemble(
        R"({"z":)" + entry("[1]", "[4,8]") + R"(,"y":)" + entry("[1]", "[0,4]") + "}   ",
        std::string("\0\0\x80\x3f\0\0\0\x40", 8)));
    BOOST_TEST(file.require("y", { 1 }).values[0] == 1.0f);
    BOOST_TEST(file.require("z", { 1 }).values[0] == 2.0f);
}

BOOST_AUTO_TEST_CASE(a_missing_tensor_or_another_shape_is_named)
{
    tensor_file file = parse(small().bytes());
    BOOST_TEST(
        complains([&] { file.require("c", { 1 }); }, { "tested", "'c'", "missing" }));
    BOOST_TEST(complains(
        [&] {
            file.require("a", { 3, 2 });
        },
        { "tested", "'a'", "[2, 3]", "[3, 2]" }));
    file.tensors["a"].values.pop_back();
    BOOST_TEST(complains([&] { file.require("a", { 2, 3 }); }, { "'a'", "5 values" }));
}

BOOST_DATA_TEST_CASE(a_header_that_lies_about_its_length_is_refused,
                     data::make(std::vector<std::uint64_t>{
                         std::uint64_t(1) << 63,
                         std::numeric_limits<std::uint64_t>::max(),
                         std::numeric_limits<std::uint64_t>::max() - 7,
                         std::uint64_t(1) << 32,
                         (1 << 20) + 1,
                         10000,
                     }),
                     length)
{
    const weights_writer writer = small();
    const std::string bytes =
        weights_writer::length(length) + writer.header() + writer.data();
    BOOST_TEST(complains([&] { parse(bytes); }, { "tested", "header is" }));
}

BOOST_AUTO_TEST_CASE(a_header_above_the_limit_is_refused_though_it_is_there)
{
    const std::string header = "{}" + std::string((1 << 20) - 1, ' ');
    BOOST_TEST(complains([&] { parse(weights_writer::assemble(header, "")); },
                         { "at most 1048576" }));
    BOOST_CHECK_NO_THROW(parse(weights_writer::assemble(header.substr(0, 1 << 20), "")));
}

BOOST_DATA_TEST_CASE(
    a_header_that_is_no_plain_object_is_refused,
    data::make(std::vector<std::string>{
        "",
        "[]",
        "5",
        "null",
        "\"x\"",
        "{",
        "{} {}",
        "{}x",
        std::string("{}\0x", 4),
        std::string("\0{}", 3),
        "{\"\xff\":1}",
        R"({"a":)" + entry("[1]", "[0,4]") + R"(,"a":)" + entry("[1]", "[0,4]") + "}",
        R"({"a":)" + entry("[1]", "[0,4]") + R"(,"\u0061":)" + entry("[1]", "[0,4]") +
            "}",
        R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})",
        R"({"__metadata__":{"k":"1","k":"2"}})",
        std::string(500000, '['),
        R"({"a":)" + std::string(500000, '['),
        R"({"a":[[[]]]})",
        R"({"a":{"b":{"c":{}}}})" }),
    header)
{
    BOOST_TEST(
        complains([&] { parse(weights_writer::assemble(header, std::string(4, '\0'))); },
                  { "tested", "header: " }));
}

// One tensor; eight bytes of data.
BOOST_DATA_TEST_CASE(an_entry_that_does_not_fit_the_file_is_refused,
                     data::make(std::vector<std::string>{
                         "1",
                         "[]",
                         "{}",
                         entry("[2]", "[0,8]", R"("F64")"),
                         entry("[2]", "[0,8]", R"("f32")"),
                         entry("[2]", "[0,8]", "32"),
                         entry("2", "[0,8]"),
                         entry("[-2]", "[0,8]"),
                         entry("[-1,-2]", "[0,8]"),
                         entry("[2.0]", "[0,8]"),
                         entry("[\"2\"]", "[0,8]"),
                         entry("[[2]]", "[0,8]"),
                         entry("[1e999]", "[0,8]"),
                         entry("[3]", "[0,8]"),
                         entry("[1]", "[0,8]"),
                         entry("[0]", "[0,8]"),
                         entry("[4611686018427387904,4]", "[0,8]"),
                         entry("[9223372036854775808,0]", "[0,0]"),
                         entry("[0,9223372036854775808]", "[0,0]"),
                         entry("[4294967296,4294967296,2]", "[0,8]"),
                         entry("[18446744073709551615,18446744073709551614]", "[0,8]"),
                         entry("[99999999999999999999999]", "[0,8]"),
                         entry("[2]", "[0]"),
                         entry("[2]", "[0,8,8]"),
                         entry("[2]", "[8,0]"),
                         entry("[2]", "[-8,0]"),
                         entry("[2]", "[0,8.0]"),
                         entry("[2]", "[8,16]"),
                         entry("[2]", "[18446744073709551608,0]"),
                         entry("[2]", "[1,9]"),
                         entry("[1]", "[0,4]"),
                         entry("[1]", "[4,8]"),
                         entry("[]", "[0,8]"),
                     }),
                     one)
{
    BOOST_TEST(complains(
        [&] {
            parse(weights_writer::assemble(R"({"a":)" + one + "}", std::string(8, '\0')));
        },
        { "tested" }));
}

// 8^22 values are 2^66, which 64 bits take for none.
BOOST_AUTO_TEST_CASE(a_shape_that_overflows_is_refused)
{
    std::string shape = "[8";
    for (int k = 1; k < 22; ++k) {
        shape += ",8";
    }
    const std::string header = R"({"a":)" + entry(shape + "]", "[0,0]") + R"(,"b":)" +
                               entry("[2]", "[0,8]") + "}";
    BOOST_TEST(
        complains([&] { parse(weights_writer::assemble(header, std::string(8, '\0'))); },
                  { "tested", "'a'", "shape beyond the file" }));
}

BOOST_DATA_TEST_CASE(tensors_must_cover_the_data_once,
                     data::make(std::vector<std::string>{ "[0,4] [0,4]",
                                                          "[0,4] [4,8]",
                                                          "[0,4] [8,12]",
                                                          "[4,8] [8,12]",
                                                          "[0,8] [4,12]",
                                                          "[0,8] [0,12]",
                                                          "[0,12] [4,8]" }),
                     places)
{
    const auto shape = [](const std::string& place) {
        const int begin = std::stoi(place.substr(1));
        const int end = std::stoi(place.substr(place.find(',') + 1));
        return "[" + std::to_string((end - begin) / 4) + "]";
    };
    const std::string one = places.substr(0, places.find(' '));
    const std::string other = places.substr(places.find(' ') + 1);
    const std::string header = R"({"a":)" + entry(shape(one), one) + R"(,"b":)" +
                               entry(shape(other), other) + "}";
    BOOST_TEST(
        complains([&] { parse(weights_writer::assemble(header, std::string(12, '\0'))); },
                  { "tested" }));
}

BOOST_DATA_TEST_CASE(
    metadata_must_be_texts,
    data::make(std::vector<std::string>{
        "1", "[]", "null", R"({"k":1})", R"({"k":null})", R"({"k":{}})" }),
    metadata)
{
    BOOST_TEST(complains(
        [&] {
            parse(weights_writer::assemble(R"({"__metadata__":)" + metadata + "}", ""));
        },
        { "tested", "__metadata__" }));
}

BOOST_DATA_TEST_CASE(values_that_are_not_finite_are_refused,
                     data::make(std::vector<float>{
                         std::numeric_limits<float>::quiet_NaN(),
                         -std::numeric_limits<float>::quiet_NaN(),
                         std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity() }),
                     value)
{
    weights_writer writer = small();
    writer["a"].values[4] = value;
    BOOST_TEST(
        complains([&] { parse(writer.bytes()); }, { "tested", "'a'", "not finite" }));
}

BOOST_AUTO_TEST_CASE(what_a_complaint_quotes_can_be_printed)
{
    const std::string name = "\x01\x1b[31m" + std::string(3000, 'x');
    std::string escaped;
    for (const char c : name) {
        escaped += c == '\x01' ? "\\u0001" : c == '\x1b' ? "\\u001b" : std::string(1, c);
    }
    std::string said;
    try {
        parse(weights_writer::assemble("{\"" + escaped + "\":1}", ""));
    } catch (const std::runtime_error& error) {
        said = error.what();
    }
    BOOST_TEST(!said.empty());
    BOOST_TEST(said.size() < 300u);
    BOOST_TEST(std::all_of(
        said.begin(), said.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

BOOST_AUTO_TEST_CASE(a_file_cut_at_any_byte_is_refused)
{
    const std::string whole = small().bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        BOOST_TEST_REQUIRE(
            complains([&] { parse(whole.substr(0, size)); }, { "tested" }));
    }
    BOOST_TEST(complains([&] { parse(whole + '\0'); }, { "belong to no tensor" }));
}

// Whatever becomes of a file, it is read or refused with a sentence, nothing else.
BOOST_AUTO_TEST_CASE(mutations_are_read_or_refused)
{
    std::mt19937_64 random(7);
    const std::string whole = small().bytes();
    const std::string structure = "{}[]\",:0123456789-.eE\\u \0\xff";
    const int trials = num_arrays(20000, 1000000);
    int refused = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::string bytes = whole;
        const int changes = 1 + static_cast<int>(random() % 4);
        for (int k = 0; k < changes; ++k) {
            const std::size_t at = random() % bytes.size();
            switch (random() % 6) {
            case 0:
                bytes[at] = static_cast<char>(random());
                break;
            case 1:
                bytes[at] ^= static_cast<char>(1 << random() % 8);
                break;
            case 2:
                bytes[at] = structure[random() % structure.size()];
                break;
            case 3:
                bytes.erase(at, 1 + random() % 8);
                break;
            case 4:
                bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 24));
                break;
            default:
                bytes.insert(at, 1, structure[random() % structure.size()]);
                break;
            }
            if (bytes.empty()) {
                bytes = "x";
            }
        }
        // Half of them with a length that fits, or most would fail at that already.
        if (random() % 2 && bytes.size() >= 8) {
            const std::size_t header = bytes.rfind('}');
            if (header != std::string::npos && header >= 8) {
                bytes = weights_writer::length(header - 7) + bytes.substr(8);
            }
        }
        try {
            const tensor_file file = parse(bytes);
            std::size_t values = 0;
            for (const auto& one : file.tensors) {
                values += one.second.values.size();
                BOOST_TEST_REQUIRE(std::all_of(
                    one.second.values.begin(), one.second.values.end(), [](float value) {
                        return std::isfinite(value);
                    }));
            }
            BOOST_TEST_REQUIRE(4 * values < bytes.size());
        } catch (const std::runtime_error&) {
            ++refused;
        }
    }
    // Most changes hit the structure, some only a value or a name.
    BOOST_TEST(refused > trials / 2);
    BOOST_TEST(refused < trials);
}
