/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_WIRE_NUMBERS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_WIRE_NUMBERS_H

#include <cstdint>
#include <cstring>

namespace gr {
namespace bearing {

// Numbers on the wire, byte by byte: right on any machine, whatever the alignment.

inline std::uint32_t little_u32(const std::uint8_t* bytes)
{
    return std::uint32_t(bytes[0]) | std::uint32_t(bytes[1]) << 8 |
           std::uint32_t(bytes[2]) << 16 | std::uint32_t(bytes[3]) << 24;
}

inline std::uint64_t little_u64(const std::uint8_t* bytes)
{
    return std::uint64_t(little_u32(bytes)) | std::uint64_t(little_u32(bytes + 4)) << 32;
}

inline std::uint32_t big_u32(const std::uint8_t* bytes)
{
    return std::uint32_t(bytes[3]) | std::uint32_t(bytes[2]) << 8 |
           std::uint32_t(bytes[1]) << 16 | std::uint32_t(bytes[0]) << 24;
}

inline float little_float(const std::uint8_t* bytes)
{
    const std::uint32_t bits = little_u32(bytes);
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_WIRE_NUMBERS_H */
