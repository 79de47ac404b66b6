/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V2_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V2_H

#include "heimdall_frame.h"
#include <cstddef>
#include <cstdint>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief The native interface of the KrakenSDR's second server, heimdall_v2: what is on the
 * wire (tcp_data_server.cpp and tcp_control_server.cpp there).
 *
 * Packets come unasked: eight big-endian numbers, frequency and gain of each channel as
 * little-endian floats, and I and Q as bytes, channel after channel. Control is by JSON.
 */
namespace heimdall_v2 {

constexpr std::uint16_t data_port = 8091;
constexpr std::uint16_t control_port = 8092;

constexpr std::size_t header_size = 32;
constexpr std::size_t bytes_of_tuning = 8;  // of one channel, behind the header
constexpr std::uint32_t magic = 0x4d434851; // "MCHQ"
//! Samples of a channel in a packet: 64 times what the server sends.
constexpr std::uint32_t most_samples = std::uint32_t(1) << 20;
//! Hz, until the control connection tells; data do not.
constexpr double usual_sample_rate = 2.4e6;

//! \p bytes: header_size of them. The frame lacks what decode_tuning() adds.
heimdall_header decode(const std::uint8_t* bytes);
//! Frequency and gains of a frame whose header is there; \p bytes: bytes_of_tuning for
//! each of its channels.
header_fault decode_tuning(const std::uint8_t* bytes, heimdall_frame& frame);

//! Control messages. \p frequency in Hz, rounded; \p gain_db of all channels.
std::string frequency_command(double frequency);
std::string gain_command(double gain_db);

} // namespace heimdall_v2
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V2_H */
