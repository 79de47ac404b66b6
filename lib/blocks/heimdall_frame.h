/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_FRAME_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_FRAME_H

#include "stream_time.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gr {
namespace bearing {

/*!
 * \brief What a frame is good for: only samples of the antennas from channels that are
 * aligned give bearings.
 */
enum class frame_use {
    usable,
    // v1: other kinds of frame
    dummy,   // header only, while the server has nothing
    ramp,    // test pattern
    cal,     // noise source in place of the antennas, not decimated
    trigger, // trigger word
    // both
    noise_source,
    // v1: what the header says of the channels
    not_sample_synchronous,
    not_phase_synchronous,
    // v2
    retuning,
    frequencies_differ, // channels of one packet are tuned apart
    phase_state_0,      // waiting for the lag
    phase_state_1,      // measuring
    phase_state_2,      // applying
    phase_state_3,      // verifying
    phase_state_5,      // cooling down after a change, calibrated by nothing
    phase_state_6,      // by bins
    phase_state_other,
};
constexpr std::size_t num_frame_uses =
    static_cast<std::size_t>(frame_use::phase_state_other) + 1;
//! As counters call it.
const char* name_of(frame_use use);
//! For whoever wonders why no data come.
const char* words_for(frame_use use);

//! Why a header is refused.
enum class header_fault {
    none,
    sync_word,      // it does not start as headers do
    frame_type,     // none that is known
    num_channels,   // none, or more than 32
    num_samples,    // none, or absurdly many
    sample_format,  // not the one of this interface
    sample_rate,    // 0 or absurd
    frequency,      // not finite or absurd
    payload_too_big // beyond largest_payload
};
//! In words.
const char* name_of(header_fault fault);

//! Channels in a frame: as many as the v1 header has gains.
constexpr std::uint32_t most_channels = 32;
//! Bytes of a frame behind its header. Nothing is allocated for more: twice the 16
//! channels of 2^20 samples that a large installation sends at most.
constexpr std::size_t largest_payload = std::size_t(1) << 28;
//! Hz, of a tuner and of its samples: far beyond any of these radios.
constexpr double largest_frequency = 1e12;
constexpr double largest_sample_rate = 1e9;

//! What the header of a frame or packet tells, of either protocol.
struct heimdall_frame {
    frame_use use = frame_use::usable;
    std::uint32_t num_channels = 0;
    std::uint32_t num_samples = 0; // of each channel
    std::size_t payload_size = 0;  // bytes
    // 32-bit floats or bytes, I then Q, channel by channel
    bool is_float = false;
    double frequency = 0.0;   // Hz; 0: unknown
    double sample_rate = 0.0; // Hz; 0: not told
    std::array<float, most_channels> gain_db{};
    std::uint32_t sync_state = 0;
    bool noise_source = false;
    // v1: bit m says that channel m was overdriven
    std::uint32_t overdrive = 0;
    // v1: number of the frame, modulo 2^32
    std::optional<std::uint32_t> index;
    // v1: of the first sample
    std::optional<stream_time> time;
    // v2: counts changes of frequency
    std::uint32_t tuning = 0;
    // Whether it took the time that its number of samples says.
    bool is_timed = true;
};

//! A header, or why there is none.
struct heimdall_header {
    header_fault fault = header_fault::none;
    heimdall_frame frame;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_FRAME_H */
