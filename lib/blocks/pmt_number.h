/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_NUMBER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_NUMBER_H

#include <pmt/pmt.h>
#include <cmath>
#include <cstdint>
#include <optional>

namespace gr {
namespace bearing {

//! A real number, whichever numeric type its sender chose; absent for anything else.
inline std::optional<double> real_from_pmt(const pmt::pmt_t& value)
{
    if (pmt::is_real(value) || pmt::is_integer(value)) {
        return pmt::to_double(value);
    }
    if (pmt::is_uint64(value)) {
        return static_cast<double>(pmt::to_uint64(value));
    }
    return std::nullopt;
}

//! A finite real number > 0; absent for anything else.
inline std::optional<double> positive_from_pmt(const pmt::pmt_t& value)
{
    const std::optional<double> number = real_from_pmt(value);
    return number && std::isfinite(*number) && *number > 0.0 ? number : std::nullopt;
}

//! A whole number >= 0 of either integer type; absent for anything else.
inline std::optional<std::uint64_t> count_from_pmt(const pmt::pmt_t& value)
{
    if (pmt::is_uint64(value)) {
        return pmt::to_uint64(value);
    }
    if (pmt::is_integer(value) && pmt::to_long(value) >= 0) {
        return static_cast<std::uint64_t>(pmt::to_long(value));
    }
    return std::nullopt;
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_NUMBER_H */
