/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_v1.h"
#include "wire_numbers.h"
#include <algorithm>
#include <cmath>
#include <iterator>

namespace gr {
namespace bearing {

namespace {

// Where the header's fields are that matter here, in bytes.
namespace at {
constexpr int sync_word = 0;
constexpr int frame_type = 4;
constexpr int active_ant_chs = 28;
constexpr int rf_center_freq = 40;
constexpr int sampling_freq = 56;
constexpr int cpi_length = 64;
constexpr int time_stamp = 72;
constexpr int cpi_index = 84;
constexpr int sample_bit_depth = 100;
constexpr int adc_overdrive_flags = 104;
constexpr int if_gains = 108;
constexpr int delay_sync_flag = 236;
constexpr int iq_sync_flag = 240;
constexpr int sync_state = 244;
constexpr int noise_source_state = 248;
} // namespace at

constexpr std::uint32_t data_type = 0;
// In the order of their numbers.
constexpr frame_use use_of_type[] = { frame_use::usable,
                                      frame_use::dummy,
                                      frame_use::ramp,
                                      frame_use::cal,
                                      frame_use::trigger };

constexpr std::uint32_t bits_of_float = 32;
constexpr std::size_t bytes_of_sample = 2 * sizeof(float);
constexpr std::uint64_t milliseconds_per_second = 1000;

// Tenths of dB (hw_controller.py).
constexpr int gains[] = { 0,   9,   14,  27,  37,  77,  87,  125, 144, 157,
                          166, 197, 207, 229, 254, 280, 297, 328, 338, 364,
                          372, 386, 402, 421, 434, 439, 445, 480, 496 };

frame_use use_of(const std::uint8_t* bytes, std::uint32_t type)
{
    if (type != data_type) {
        return use_of_type[type];
    }
    if (little_u32(bytes + at::noise_source_state) != 0) {
        return frame_use::noise_source;
    }
    if (little_u32(bytes + at::delay_sync_flag) != 1) {
        return frame_use::not_sample_synchronous;
    }
    if (little_u32(bytes + at::iq_sync_flag) != 1) {
        return frame_use::not_phase_synchronous;
    }
    return frame_use::usable;
}

} // namespace

heimdall_header heimdall_v1::decode(const std::uint8_t* bytes)
{
    const auto refuse = [](header_fault fault) { return heimdall_header{ fault, {} }; };

    if (little_u32(bytes + at::sync_word) != sync_word) {
        return refuse(header_fault::sync_word);
    }
    const std::uint32_t type = little_u32(bytes + at::frame_type);
    if (type >= std::size(use_of_type)) {
        return refuse(header_fault::frame_type);
    }
    heimdall_frame frame;
    frame.is_float = true;
    frame.num_channels = little_u32(bytes + at::active_ant_chs);
    if (frame.num_channels < 1 || frame.num_channels > most_channels) {
        return refuse(header_fault::num_channels);
    }
    frame.num_samples = little_u32(bytes + at::cpi_length);
    // A frame of data without data would be asked for again and again.
    if (frame.num_samples > most_samples ||
        (type == data_type && frame.num_samples == 0)) {
        return refuse(header_fault::num_samples);
    }
    if (frame.num_samples > 0 &&
        little_u32(bytes + at::sample_bit_depth) != bits_of_float) {
        return refuse(header_fault::sample_format);
    }
    frame.payload_size =
        std::size_t(frame.num_samples) * frame.num_channels * bytes_of_sample;
    if (frame.payload_size > largest_payload) {
        return refuse(header_fault::payload_too_big);
    }
    frame.sample_rate = static_cast<double>(little_u64(bytes + at::sampling_freq));
    if (frame.sample_rate > largest_sample_rate ||
        (type == data_type && frame.sample_rate == 0.0)) {
        return refuse(header_fault::sample_rate);
    }
    frame.frequency = static_cast<double>(little_u64(bytes + at::rf_center_freq));
    if (frame.frequency > largest_frequency) {
        return refuse(header_fault::frequency);
    }

    for (std::uint32_t m = 0; m < most_channels; ++m) {
        frame.gain_db[m] =
            static_cast<float>(little_u32(bytes + at::if_gains + 4 * m)) / 10.0f;
    }
    const std::uint64_t time = little_u64(bytes + at::time_stamp);
    frame.time = stream_time(time / milliseconds_per_second,
                             static_cast<double>(time % milliseconds_per_second) /
                                 static_cast<double>(milliseconds_per_second));
    frame.index = little_u32(bytes + at::cpi_index);
    frame.overdrive = little_u32(bytes + at::adc_overdrive_flags);
    frame.sync_state = little_u32(bytes + at::sync_state);
    frame.noise_source = little_u32(bytes + at::noise_source_state) != 0;
    frame.use = use_of(bytes, type);
    // Others are cut to the length that the server correlates, or have no samples at all.
    frame.is_timed = type == data_type;
    return { header_fault::none, frame };
}

heimdall_v1::message heimdall_v1::command(std::string_view name)
{
    message text{};
    std::copy_n(name.begin(), std::min<std::size_t>(name.size(), 4), text.begin());
    return text;
}

heimdall_v1::message heimdall_v1::frequency_command(double frequency)
{
    message text = command("FREQ");
    const auto hertz = static_cast<std::uint64_t>(std::llround(frequency));
    for (int i = 0; i < 8; ++i) {
        text[4 + i] = static_cast<char>(hertz >> (8 * i));
    }
    return text;
}

heimdall_v1::message heimdall_v1::gain_command(const std::vector<double>& gains)
{
    message text = command("GAIN");
    const std::size_t count = std::min(gains.size(), (message_size - 4) / 4);
    for (std::size_t m = 0; m < count; ++m) {
        const auto tenths =
            static_cast<std::uint32_t>(std::lround(10.0 * nearest_gain_db(gains[m])));
        for (int i = 0; i < 4; ++i) {
            text[4 + 4 * m + i] = static_cast<char>(tenths >> (8 * i));
        }
    }
    return text;
}

double nearest_gain_db(double gain_db)
{
    const int* nearest =
        std::min_element(std::begin(gains), std::end(gains), [gain_db](int a, int b) {
            return std::abs(a / 10.0 - gain_db) < std::abs(b / 10.0 - gain_db);
        });
    return *nearest / 10.0;
}

} // namespace bearing
} // namespace gr
