/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * Headers of the Heimdall server, both protocols, written here byte by byte at the offsets of
 * the server's own structures; and what a server that lies can make of them.
 */

#define BOOST_TEST_MODULE heimdall
#include "frame_sequence.h"
#include "heimdall_v1.h"
#include "heimdall_v2.h"
#include "log_limit.h"
#include "stream_clock.h"
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing;

namespace {

using bytes = std::vector<std::uint8_t>;

void put_little(bytes& to, std::size_t offset, std::uint64_t value, int size)
{
    for (int i = 0; i < size; ++i) {
        to[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

void put_big(bytes& to, std::size_t offset, std::uint32_t value)
{
    for (int i = 0; i < 4; ++i) {
        to[offset + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
}

void put_float(bytes& to, std::size_t offset, float value)
{
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    put_little(to, offset, bits, 4);
}

// A frame of data of five channels, every field another number.
bytes v1_header()
{
    bytes header(1024, 0);
    put_little(header, 0, 0x2bf7b95a, 4);
    std::memcpy(&header[8], "kraken5", 7);
    put_little(header, 28, 5, 4);
    put_little(header, 40, 433920000, 8);
    put_little(header, 48, 2400000, 8);
    put_little(header, 56, 1200000, 8);
    put_little(header, 64, 1048576, 4);
    put_little(header, 72, 1700000000123, 8);
    put_little(header, 80, 17, 4);
    put_little(header, 84, 4000000000u, 4);
    put_little(header, 88, 19, 8);
    put_little(header, 96, 3, 4);
    put_little(header, 100, 32, 4);
    put_little(header, 104, 0x15, 4);
    for (int m = 0; m < 32; ++m) {
        put_little(header, 108 + 4 * m, 10 * m, 4);
    }
    put_little(header, 236, 1, 4);
    put_little(header, 240, 1, 4);
    put_little(header, 244, 6, 4);
    put_little(header, 248, 0, 4);
    put_little(header, 1020, 7, 4);
    return header;
}

bytes v2_header()
{
    bytes header(32);
    const std::uint32_t words[] = { 0x4d434851, 5, 16384, 4, 0, 77, 0, 0 };
    for (std::size_t i = 0; i < 8; ++i) {
        put_big(header, 4 * i, words[i]);
    }
    return header;
}

bytes v2_tuning(int num_channels)
{
    bytes tuning(8 * num_channels);
    for (int m = 0; m < num_channels; ++m) {
        put_float(tuning, 8 * m, 433920000.0f);
        put_float(tuning, 8 * m + 4, 28.0f + m);
    }
    return tuning;
}

header_fault v1_fault(const bytes& header)
{
    return heimdall_v1::decode(header.data()).fault;
}

header_fault v2_fault(const bytes& header)
{
    return heimdall_v2::decode(header.data()).fault;
}

frame_use v1_use(const bytes& header)
{
    const heimdall_header decoded = heimdall_v1::decode(header.data());
    BOOST_TEST((decoded.fault == header_fault::none));
    return decoded.frame.use;
}

bytes v1_with(std::size_t offset, std::uint64_t value, int size = 4)
{
    bytes header = v1_header();
    put_little(header, offset, value, size);
    return header;
}

bytes v2_with(std::size_t offset, std::uint32_t value)
{
    bytes header = v2_header();
    put_big(header, offset, value);
    return header;
}

// What everything behind the decoder relies on, whatever came over the wire.
void check_bounds(const heimdall_frame& frame, bool is_v1)
{
    BOOST_TEST(frame.num_channels >= 1u);
    BOOST_TEST(frame.num_channels <= 32u);
    BOOST_TEST(frame.num_samples <= (1u << 22));
    const std::size_t of_sample = is_v1 ? 8 : 2;
    BOOST_TEST(frame.payload_size ==
               std::size_t(frame.num_channels) * frame.num_samples * of_sample);
    BOOST_TEST(frame.payload_size <= (std::size_t(1) << 28));
    BOOST_TEST(frame.frequency >= 0.0);
    BOOST_TEST(frame.frequency <= 1e12);
    BOOST_TEST(frame.sample_rate >= 0.0);
    BOOST_TEST(frame.sample_rate <= 1e9);
    if (frame.use == frame_use::usable) {
        BOOST_TEST(frame.num_samples >= 1u);
        BOOST_TEST(!frame.noise_source);
        BOOST_TEST((!is_v1 || frame.sample_rate > 0.0));
    }
}

heimdall_frame numbered(std::uint32_t index, std::uint32_t num_samples = 1000)
{
    heimdall_frame frame;
    frame.index = index;
    frame.num_samples = num_samples;
    return frame;
}

} // namespace

BOOST_AUTO_TEST_CASE(every_field_of_a_v1_header_is_where_it_is)
{
    const bytes header = v1_header();
    const heimdall_header decoded = heimdall_v1::decode(header.data());
    BOOST_TEST((decoded.fault == header_fault::none));
    const heimdall_frame& frame = decoded.frame;
    BOOST_TEST((frame.use == frame_use::usable));
    BOOST_TEST(frame.is_float);
    BOOST_TEST(frame.is_timed);
    BOOST_TEST(frame.num_channels == 5u);
    BOOST_TEST(frame.num_samples == 1048576u);
    BOOST_TEST(frame.payload_size == 41943040u);
    BOOST_TEST(frame.frequency == 433920000.0);
    BOOST_TEST(frame.sample_rate == 1200000.0);
    BOOST_TEST(frame.time->seconds() == 1700000000u);
    BOOST_TEST(frame.time->fraction() == 0.123);
    BOOST_TEST(*frame.index == 4000000000u);
    BOOST_TEST(frame.overdrive == 0x15u);
    for (int m = 0; m < 32; ++m) {
        BOOST_TEST(frame.gain_db[m] == static_cast<float>(m));
    }
    BOOST_TEST(frame.sync_state == 6u);
    BOOST_TEST(!frame.noise_source);
}

BOOST_AUTO_TEST_CASE(every_field_of_a_v2_header_is_where_it_is)
{
    heimdall_header decoded = heimdall_v2::decode(v2_header().data());
    BOOST_TEST((decoded.fault == header_fault::none));
    heimdall_frame& frame = decoded.frame;
    BOOST_TEST(
        (heimdall_v2::decode_tuning(v2_tuning(5).data(), frame) == header_fault::none));
    BOOST_TEST((frame.use == frame_use::usable));
    BOOST_TEST(!frame.is_float);
    BOOST_TEST(frame.num_channels == 5u);
    BOOST_TEST(frame.num_samples == 16384u);
    BOOST_TEST(frame.payload_size == 163840u);
    BOOST_TEST(frame.frequency == 433920000.0);
    for (int m = 0; m < 5; ++m) {
        BOOST_TEST(frame.gain_db[m] == 28.0f + m);
    }
    BOOST_TEST(frame.sync_state == 4u);
    BOOST_TEST(frame.tuning == 77u);
    BOOST_TEST(!frame.time.has_value());
    BOOST_TEST(!frame.index.has_value());
}

BOOST_AUTO_TEST_CASE(only_aligned_antenna_data_of_v1_are_usable)
{
    const frame_use of_type[] = { frame_use::usable,
                                  frame_use::dummy,
                                  frame_use::ramp,
                                  frame_use::cal,
                                  frame_use::trigger };
    for (std::uint32_t type = 0; type < 5; ++type) {
        BOOST_TEST((v1_use(v1_with(4, type)) == of_type[type]));
        const bytes header = v1_with(4, type);
        BOOST_TEST(heimdall_v1::decode(header.data()).frame.is_timed == (type == 0));
    }
    for (const std::uint32_t flag : { 0u, 2u, 0xffffffffu }) {
        BOOST_TEST((v1_use(v1_with(236, flag)) == frame_use::not_sample_synchronous));
        BOOST_TEST((v1_use(v1_with(240, flag)) == frame_use::not_phase_synchronous));
    }
    BOOST_TEST((v1_use(v1_with(248, 1)) == frame_use::noise_source));
    // An empty one has no format either.
    bytes empty = v1_with(4, 1);
    put_little(empty, 64, 0, 4);
    put_little(empty, 100, 0, 4);
    put_little(empty, 56, 0, 8);
    BOOST_TEST((v1_use(empty) == frame_use::dummy));
}

BOOST_AUTO_TEST_CASE(only_converged_antenna_data_of_v2_are_usable)
{
    const auto use = [](const bytes& header) {
        return heimdall_v2::decode(header.data()).frame.use;
    };
    const frame_use of_state[] = {
        frame_use::phase_state_0, frame_use::phase_state_1,    frame_use::phase_state_2,
        frame_use::phase_state_3, frame_use::usable,           frame_use::phase_state_5,
        frame_use::phase_state_6, frame_use::phase_state_other
    };
    for (std::uint32_t state = 0; state < 8; ++state) {
        // Bits above the low byte tell of a calibration by hand.
        for (const std::uint32_t flags : { 0u, 0x100u, 0x200u, 0x300u }) {
            BOOST_TEST((use(v2_with(12, state | flags)) == of_state[state]));
        }
    }
    BOOST_TEST((use(v2_with(12, 255)) == frame_use::phase_state_other));
    BOOST_TEST((use(v2_with(16, 1)) == frame_use::noise_source));
    BOOST_TEST((use(v2_with(28, 1)) == frame_use::retuning));

    heimdall_frame frame = heimdall_v2::decode(v2_header().data()).frame;
    bytes tuning = v2_tuning(5);
    put_float(tuning, 8 * 3, 433920032.0f);
    BOOST_TEST((heimdall_v2::decode_tuning(tuning.data(), frame) == header_fault::none));
    BOOST_TEST((frame.use == frame_use::frequencies_differ));
}

BOOST_AUTO_TEST_CASE(what_no_server_sends_is_refused_by_name_v1)
{
    using fault = header_fault;
    const auto largest = std::numeric_limits<std::uint32_t>::max();
    BOOST_TEST((v1_fault(v1_with(0, 0x5ab9f72b)) == fault::sync_word));
    BOOST_TEST((v1_fault(v1_with(4, 5)) == fault::frame_type));
    BOOST_TEST((v1_fault(v1_with(4, largest)) == fault::frame_type));
    BOOST_TEST((v1_fault(v1_with(28, 0)) == fault::num_channels));
    BOOST_TEST((v1_fault(v1_with(28, 32)) == fault::none));
    BOOST_TEST((v1_fault(v1_with(28, 33)) == fault::num_channels));
    BOOST_TEST((v1_fault(v1_with(28, largest)) == fault::num_channels));
    BOOST_TEST((v1_fault(v1_with(64, 0)) == fault::num_samples));
    BOOST_TEST((v1_fault(v1_with(64, 1u << 22)) == fault::none));
    BOOST_TEST((v1_fault(v1_with(64, (1u << 22) + 1)) == fault::num_samples));
    BOOST_TEST((v1_fault(v1_with(64, largest)) == fault::num_samples));
    BOOST_TEST((v1_fault(v1_with(100, 8)) == fault::sample_format));
    BOOST_TEST((v1_fault(v1_with(56, 0, 8)) == fault::sample_rate));
    BOOST_TEST((v1_fault(v1_with(56, 1000000001, 8)) == fault::sample_rate));
    BOOST_TEST((v1_fault(v1_with(40, 1000000000001, 8)) == fault::frequency));
    // Each within its own bounds, and yet a gigabyte.
    bytes big = v1_with(64, 1u << 22);
    put_little(big, 28, 32, 4);
    BOOST_TEST((v1_fault(big) == fault::payload_too_big));
}

BOOST_AUTO_TEST_CASE(what_no_server_sends_is_refused_by_name_v2)
{
    using fault = header_fault;
    const auto largest = std::numeric_limits<std::uint32_t>::max();
    BOOST_TEST((v2_fault(v2_with(0, 0x5148434d)) == fault::sync_word));
    BOOST_TEST((v2_fault(v2_with(4, 0)) == fault::num_channels));
    BOOST_TEST((v2_fault(v2_with(4, 33)) == fault::num_channels));
    BOOST_TEST((v2_fault(v2_with(4, largest)) == fault::num_channels));
    BOOST_TEST((v2_fault(v2_with(8, 0)) == fault::num_samples));
    BOOST_TEST((v2_fault(v2_with(8, 1u << 20)) == fault::none));
    BOOST_TEST((v2_fault(v2_with(8, (1u << 20) + 1)) == fault::num_samples));
    BOOST_TEST((v2_fault(v2_with(8, largest)) == fault::num_samples));

    const float nonsense[] = { -1.0f,
                               2e12f,
                               std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN() };
    for (const float frequency : nonsense) {
        heimdall_frame frame = heimdall_v2::decode(v2_header().data()).frame;
        bytes tuning = v2_tuning(5);
        put_float(tuning, 8 * 4, frequency);
        BOOST_TEST(
            (heimdall_v2::decode_tuning(tuning.data(), frame) == fault::frequency));
    }
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused)
{
    // That 32 random bits are the sync word has a chance of 1e-5 in so many trials.
    std::mt19937 generator(1);
    bytes random(1024);
    for (int trial = 0; trial < 20000; ++trial) {
        for (std::uint8_t& byte : random) {
            byte = static_cast<std::uint8_t>(generator());
        }
        BOOST_TEST((v1_fault(random) == header_fault::sync_word));
        BOOST_TEST((v2_fault(random) == header_fault::sync_word));
    }
}

BOOST_AUTO_TEST_CASE(a_header_is_refused_or_within_bounds)
{
    std::mt19937 generator(2);
    const auto number = [&generator](std::uint32_t limit) { return generator() % limit; };
    int accepted = 0;
    for (int trial = 0; trial < 100000; ++trial) {
        // A few bytes anywhere, but the sync word.
        bytes v1 = v1_header();
        bytes v2 = v2_header();
        bytes tuning = v2_tuning(32);
        for (std::uint32_t k = number(6); k > 0; --k) {
            v1[4 + number(252)] = static_cast<std::uint8_t>(generator());
            v2[4 + number(28)] = static_cast<std::uint8_t>(generator());
            tuning[number(256)] = static_cast<std::uint8_t>(generator());
        }
        const heimdall_header first = heimdall_v1::decode(v1.data());
        if (first.fault == header_fault::none) {
            check_bounds(first.frame, true);
            ++accepted;
        }
        heimdall_header second = heimdall_v2::decode(v2.data());
        if (second.fault == header_fault::none &&
            heimdall_v2::decode_tuning(tuning.data(), second.frame) ==
                header_fault::none) {
            check_bounds(second.frame, false);
            ++accepted;
        }
    }
    // Or nothing was tested.
    BOOST_TEST(accepted > 10000);
}

BOOST_AUTO_TEST_CASE(control_messages_are_what_the_server_reads)
{
    const heimdall_v1::message tune = heimdall_v1::frequency_command(868.3e6 + 0.4);
    bytes expected(128, 0);
    std::memcpy(expected.data(), "FREQ", 4);
    put_little(expected, 4, 868300000, 8);
    BOOST_TEST(std::memcmp(tune.data(), expected.data(), 128) == 0);

    const heimdall_v1::message gains =
        heimdall_v1::gain_command({ 0.0, 28.0, 28.9, 49.6, 3.0 });
    expected.assign(128, 0);
    std::memcpy(expected.data(), "GAIN", 4);
    const std::uint32_t tenths[] = { 0, 280, 297, 496, 27 };
    for (std::size_t m = 0; m < 5; ++m) {
        put_little(expected, 4 + 4 * m, tenths[m], 4);
    }
    BOOST_TEST(std::memcmp(gains.data(), expected.data(), 128) == 0);

    BOOST_TEST(heimdall_v2::frequency_command(433920001.0) ==
               "{\"command\":\"set_frequency\",\"frequency\":433920001}\n");
    BOOST_TEST(heimdall_v2::gain_command(28.5) ==
               "{\"command\":\"set_gain\",\"gain\":28.5}\n");
}

BOOST_AUTO_TEST_CASE(gains_are_those_of_the_tuner)
{
    for (const double gain : { 0.0, 0.9, 28.0, 49.6 }) {
        BOOST_TEST(nearest_gain_db(gain) == gain);
    }
    BOOST_TEST(nearest_gain_db(28.8) == 28.0);
    BOOST_TEST(nearest_gain_db(28.9) == 29.7);
    BOOST_TEST(nearest_gain_db(60.0) == 49.6);
}

BOOST_AUTO_TEST_CASE(missing_numbers_are_missing_samples)
{
    frame_sequence sequence;
    // The first frame follows nothing.
    BOOST_TEST(!sequence.deliver(numbered(0xfffffffe)).has_value());
    BOOST_TEST(!sequence.deliver(numbered(0xffffffff)).has_value());
    // Numbers go on from 0.
    BOOST_TEST(!sequence.deliver(numbered(0)).has_value());
    BOOST_TEST(*sequence.deliver(numbered(3)) == 2000u);
    sequence.skip(numbered(4, 700));
    BOOST_TEST(*sequence.deliver(numbered(6)) == 700u + 700u);
    BOOST_TEST(!sequence.deliver(numbered(7)).has_value());
    // A server that has started anew.
    BOOST_TEST(*sequence.deliver(numbered(0)) == 0u);
}

BOOST_AUTO_TEST_CASE(an_unknown_number_is_zero)
{
    frame_sequence sequence;
    sequence.deliver(numbered(1));
    heimdall_frame cal = numbered(2, 65536);
    cal.is_timed = false;
    sequence.skip(cal);
    BOOST_TEST(*sequence.deliver(numbered(3)) == 0u);
    BOOST_TEST(!sequence.deliver(numbered(4)).has_value());
    sequence.reconnect();
    BOOST_TEST(*sequence.deliver(numbered(5)) == 0u);
    heimdall_frame tuned = numbered(6);
    tuned.tuning = 1;
    BOOST_TEST(*sequence.deliver(tuned) == 0u);
    tuned.index = 7;
    BOOST_TEST(!sequence.deliver(tuned).has_value());
}

BOOST_AUTO_TEST_CASE(numbers_that_may_be_those_of_a_calibration_tell_no_length)
{
    const auto untimed = [](std::uint32_t index) {
        heimdall_frame cal = numbered(index, 65536);
        cal.is_timed = false;
        return cal;
    };
    frame_sequence sequence;
    sequence.deliver(numbered(1));
    BOOST_TEST(*sequence.deliver(numbered(5)) == 3000u); // none was ever seen
    // The number before the first that came may be of the calibration too.
    for (std::uint32_t index = 7; index < 10; ++index) {
        sequence.skip(untimed(index));
    }
    BOOST_TEST(*sequence.deliver(numbered(10)) == 0u);
    // Shorter than a calibration takes, and as long.
    BOOST_TEST(*sequence.deliver(numbered(13)) == 2000u);
    BOOST_TEST(*sequence.deliver(numbered(17)) == 0u);
    BOOST_TEST(!sequence.deliver(numbered(18)).has_value());

    // What is missing before it, with nothing else that is unknown.
    frame_sequence other;
    other.deliver(numbered(1));
    heimdall_frame empty = untimed(3);
    other.skip(empty);
    BOOST_TEST(*other.deliver(numbered(4)) == 0u);
}

BOOST_AUTO_TEST_CASE(the_log_has_ten_lines_a_minute)
{
    using std::chrono::seconds;
    log_limit limit;
    const log_limit::time_point start{ seconds(1000) };
    int lines = 0;
    for (int k = 0; k < 50; ++k) {
        lines += limit.admits(start + seconds(k)) ? 1 : 0;
    }
    BOOST_TEST(lines == 10);
    // Whoever asks learns it once, when there may be lines again.
    BOOST_TEST(limit.take_left_out(start + seconds(59)) == 0);
    BOOST_TEST(limit.take_left_out(start + seconds(61)) == 40);
    BOOST_TEST(limit.take_left_out(start + seconds(61)) == 0);
    BOOST_TEST(limit.admits(start + seconds(61)));
}

BOOST_AUTO_TEST_CASE(nothing_is_missing_before_the_first_frame)
{
    frame_sequence sequence;
    sequence.reconnect();
    sequence.skip(numbered(1));
    BOOST_TEST(!sequence.deliver(numbered(5)).has_value());
    BOOST_TEST(!sequence.deliver(numbered(6)).has_value());
}

BOOST_AUTO_TEST_CASE(time_is_counted_in_samples_while_stamps_jitter)
{
    // Frames of 0.1 s whose stamps are up to 0.2 s late: network and scheduling.
    constexpr double rate = 1e5;
    stream_clock clock;
    std::mt19937 generator(3);
    std::uniform_real_distribution<double> late(0.0, 0.2);
    int starts = 0;
    for (int frame = 0; frame < 1000; ++frame) {
        const stream_time stamp = *stream_time(1000, 0.05).advanced(frame * 10000, rate);
        const double delay = frame == 0 ? 0.05 : late(generator);
        const stream_time told = *stamp.advanced(std::llround(delay * rate), rate);
        starts += clock.follow(told, 10000, rate).has_value() ? 1 : 0;
    }
    BOOST_TEST(starts == 1);
    BOOST_TEST(!clock.was_corrected());
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_starts_the_count_anew)
{
    constexpr double rate = 1e5;
    for (const double jump : { -3600.0, -0.2, 0.2, 3600.0 }) {
        stream_clock clock;
        std::vector<int> starts;
        for (int frame = 0; frame < 1000; ++frame) {
            // 600 frames on, which is a minute.
            const double off = frame < 600 ? 0.0 : jump;
            const stream_time told =
                *stream_time(100000, 0.0)
                     .advanced(frame * 10000 + std::llround(off * rate), rate);
            if (clock.follow(told, 10000, rate)) {
                starts.push_back(frame);
            }
        }
        // Ten seconds are watched before, not in step with the jump.
        BOOST_REQUIRE(starts.size() == 2u);
        BOOST_TEST(starts[1] > 600);
        BOOST_TEST(starts[1] <= 600 + 203);
        BOOST_TEST(clock.was_corrected());
        BOOST_TEST(!clock.was_corrected());
    }
}
