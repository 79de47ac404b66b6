/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_SERVER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_SERVER_H

#include <chrono>
#include <cstdint>
#include <string>

namespace gr {
namespace bearing {

enum class kraken_protocol { v1, v2 };

inline const char* name_of(kraken_protocol protocol)
{
    return protocol == kraken_protocol::v1 ? "v1" : "v2";
}

//! Where a server is, and what is asked of it.
struct kraken_server {
    std::uint32_t num_channels = 5;
    std::string host;
    std::string protocol = "auto"; // or "v1", "v2"
    std::uint16_t data_port = 0;   // 0: the protocol's own
    std::uint16_t control_port = 0;
    std::chrono::duration<double> timeout{ 10.0 };
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_SERVER_H */
