/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_v2.h"
#include "wire_numbers.h"
#include <nlohmann/json.hpp>
#include <cmath>

namespace gr {
namespace bearing {

namespace {

// Where the header's fields are, in bytes.
namespace at {
constexpr int magic = 0;
constexpr int num_channels = 4;
constexpr int samples_per_channel = 8;
constexpr int phase_state = 12;
constexpr int noise_source = 16;
constexpr int freq_change_counter = 20;
constexpr int retuning_in_progress = 28;
} // namespace at

// Further bits tell of a calibration by hand.
constexpr std::uint32_t phase_state_mask = 0xff;
constexpr std::size_t bytes_of_sample = 2;

frame_use use_of_phase_state(std::uint32_t state)
{
    switch (state & phase_state_mask) {
    case 0:
        return frame_use::phase_state_0;
    case 1:
        return frame_use::phase_state_1;
    case 2:
        return frame_use::phase_state_2;
    case 3:
        return frame_use::phase_state_3;
    case 4:
        return frame_use::usable;
    case 5:
        return frame_use::phase_state_5;
    case 6:
        return frame_use::phase_state_6;
    }
    return frame_use::phase_state_other;
}

} // namespace

heimdall_header heimdall_v2::decode(const std::uint8_t* bytes)
{
    const auto refuse = [](header_fault fault) { return heimdall_header{ fault, {} }; };

    if (big_u32(bytes + at::magic) != magic) {
        return refuse(header_fault::sync_word);
    }
    heimdall_frame frame;
    frame.num_channels = big_u32(bytes + at::num_channels);
    if (frame.num_channels < 1 || frame.num_channels > most_channels) {
        return refuse(header_fault::num_channels);
    }
    frame.num_samples = big_u32(bytes + at::samples_per_channel);
    if (frame.num_samples < 1 || frame.num_samples > most_samples) {
        return refuse(header_fault::num_samples);
    }
    // At most 64 MiB, by the two limits before.
    frame.payload_size =
        std::size_t(frame.num_samples) * frame.num_channels * bytes_of_sample;
    frame.sync_state = big_u32(bytes + at::phase_state);
    frame.noise_source = big_u32(bytes + at::noise_source) != 0;
    frame.tuning = big_u32(bytes + at::freq_change_counter);
    if (big_u32(bytes + at::retuning_in_progress) != 0) {
        frame.use = frame_use::retuning;
    } else if (frame.noise_source) {
        frame.use = frame_use::noise_source;
    } else {
        frame.use = use_of_phase_state(frame.sync_state);
    }
    return { header_fault::none, frame };
}

header_fault heimdall_v2::decode_tuning(const std::uint8_t* bytes, heimdall_frame& frame)
{
    bool is_same = true;
    for (std::uint32_t m = 0; m < frame.num_channels; ++m) {
        const double frequency = little_float(bytes + bytes_of_tuning * m);
        if (!(frequency >= 0.0 && frequency <= largest_frequency)) {
            return header_fault::frequency;
        }
        if (m == 0) {
            frame.frequency = frequency;
        }
        is_same = is_same && frequency == frame.frequency;
        frame.gain_db[m] = little_float(bytes + bytes_of_tuning * m + 4);
    }
    if (frame.use == frame_use::usable && !is_same) {
        frame.use = frame_use::frequencies_differ;
    }
    return header_fault::none;
}

std::string heimdall_v2::frequency_command(double frequency)
{
    const nlohmann::json text = { { "command", "set_frequency" },
                                  { "frequency", std::llround(frequency) } };
    return text.dump() + "\n";
}

std::string heimdall_v2::gain_command(double gain_db)
{
    const nlohmann::json text = { { "command", "set_gain" }, { "gain", gain_db } };
    return text.dump() + "\n";
}

} // namespace bearing
} // namespace gr
