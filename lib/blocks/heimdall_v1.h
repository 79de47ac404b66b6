/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V1_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V1_H

#include "heimdall_frame.h"
#include <string_view>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief The Ethernet interface of the KrakenSDR's first server, heimdall_daq_fw: what is on
 * the wire (iq_header.h, eth_server.h and hw_controller.py there).
 *
 * A frame is a header of 1024 bytes, a C structure, little-endian, and complex floats of 32
 * bits, channel after channel. Frames are asked for one by one.
 */
namespace heimdall_v1 {

constexpr std::uint16_t data_port = 5000;
constexpr std::uint16_t control_port = 5001;

constexpr std::size_t header_size = 1024;
constexpr std::uint32_t sync_word = 0x2bf7b95a;
//! Samples of a channel in a frame: four times the 2^20 of the server's default.
constexpr std::uint32_t most_samples = std::uint32_t(1) << 22;

//! What a client says: for the first frame, for each further one, and at the end. The
//! server compares all of what it receives at once, so none may follow another before the
//! frame has come.
constexpr std::string_view first_request = "streaming";
constexpr std::string_view next_request = "IQDownload";
constexpr std::string_view goodbye = "q";

//! \p bytes: header_size of them. Whatever they are, either all of the frame is within
//! bounds or there is a fault.
heimdall_header decode(const std::uint8_t* bytes);

//! A control message, and its answer.
constexpr std::size_t message_size = 128;
using message = std::array<char, message_size>;
//! How an answer starts.
constexpr std::string_view done = "FNSD";

//! A command of four letters without an argument: INIT, EXIT.
message command(std::string_view name);
//! \p frequency in Hz, rounded.
message frequency_command(double frequency);
//! \p gains in dB, of at most 31 channels; each as nearest_gain_db() has it.
message gain_command(const std::vector<double>& gains);

} // namespace heimdall_v1

//! Gain of the tuner (R820T2) in dB that is nearest to \p gain_db; the server takes no
//! others.
double nearest_gain_db(double gain_db);
//! The largest of them.
constexpr double largest_gain_db = 49.6;

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_HEIMDALL_V1_H */
