/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_DICT_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_DICT_H

#include <pmt/pmt.h>

namespace gr {
namespace bearing {

//! The value of a key; PMT_NIL when it is missing.
inline pmt::pmt_t value_of(const pmt::pmt_t& message, const char* key)
{
    return pmt::dict_ref(message, pmt::intern(key), pmt::PMT_NIL);
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_DICT_H */
