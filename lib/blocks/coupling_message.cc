/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bearing_message.h"
#include "calibration_message.h"
#include "coupling_message.h"
#include <optional>
#include <regex>
#include <string>

namespace gr {
namespace bearing {

namespace {

pmt::pmt_t number(std::optional<double> value)
{
    return value ? pmt::from_double(*value) : pmt::PMT_NIL;
}

// Symbols are kept for ever, so measured values may not make each of them another one.
std::string without_figures(const std::string& sentence)
{
    static const std::regex figure("-?[0-9]*\\.[0-9]+(e[-+]?[0-9]+)?|[0-9]{3,}");
    return std::regex_replace(sentence, figure, "..");
}

} // namespace

pmt::pmt_t coupling_bearing_message(const core::coupling_estimate& estimate,
                                    double heading_deg,
                                    const item_info& item)
{
    const pmt::pmt_t message =
        bearing_message(estimate.bearings, "coupling", heading_deg, item);
    pmt::pmt_t dict = pmt::car(message);
    const auto add = [&dict](const char* key, const pmt::pmt_t& value) {
        dict = pmt::dict_add(dict, pmt::intern(key), value);
    };
    add("glrt", pmt::from_double(estimate.glrt));
    add("glrt_limit", pmt::from_double(estimate.glrt_limit));
    add("is_gated", pmt::from_bool(estimate.is_gated));
    add("reason",
        estimate.reason.empty() ? pmt::PMT_NIL
                                : pmt::intern(without_figures(estimate.reason)));
    return pmt::cons(dict, pmt::cdr(message));
}

core::calibration_state calibration_of(const tuned_coupling& tuning)
{
    core::calibration_state state;
    state.coupling = tuning.coupling;
    state.frequency = tuning.frequency;
    state.time = tuning.time;
    return state;
}

pmt::pmt_t coupling_message(const tuned_coupling& tuning)
{
    pmt::pmt_t message = to_pmt(calibration_of(tuning));
    const auto add = [&message](const char* key, const pmt::pmt_t& value) {
        message = pmt::dict_add(message, pmt::intern(key), value);
    };
    add("frequency", number(tuning.frequency));
    add("time", number(tuning.time));
    add("status", pmt::intern(core::to_string(tuning.status())));
    add("glrt", pmt::from_double(tuning.glrt));
    add("scenes", pmt::from_uint64(tuning.scenes()));
    add("restarts", pmt::from_uint64(tuning.restarts()));
    return message;
}

} // namespace bearing
} // namespace gr
