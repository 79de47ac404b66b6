/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/array/status.h>

namespace gr {
namespace bearing {
namespace core {

const char* to_string(status s)
{
    switch (s) {
    case status::ok:
        return "ok";
    case status::no_source:
        return "no_source";
    case status::unresolved:
        return "unresolved";
    case status::collapsed:
        return "collapsed";
    case status::bad_data:
        return "bad_data";
    case status::low_snr:
        return "low_snr";
    case status::model_mismatch:
        return "model_mismatch";
    case status::not_identifiable:
        return "not_identifiable";
    case status::learning:
        return "learning";
    case status::tracking:
        return "tracking";
    case status::frozen:
        return "frozen";
    }
    return "bad_data";
}

} // namespace core
} // namespace bearing
} // namespace gr
