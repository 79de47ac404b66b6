/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_message.h"
#include "calibration_reports.h"

namespace gr {
namespace bearing {

namespace {

const char* ambiguity(core::orientation orientation, bool is_line)
{
    switch (orientation) {
    case core::orientation::unknown:
        return is_line ? "tilt" : "north";
    case core::orientation::partly_known:
        return is_line ? "stretch" : "north";
    case core::orientation::known:
        break;
    }
    return "none";
}

pmt::pmt_t to_pmt(const diffmusic_counters& counters)
{
    pmt::pmt_t dict = pmt::make_dict();
    for (const auto& [name, count] : counters.all()) {
        dict = pmt::dict_add(dict, pmt::intern(name), pmt::from_uint64(count));
    }
    return dict;
}

} // namespace

bool calibration_reports::is_due(const tuned_calibrator& tuning,
                                 std::optional<stream_time> now)
{
    const core::diffmusic_online& calibrator = tuning.calibrator;
    return d_schedule.is_due(tuning.frequency,
                             state(tuning.has_learnt,
                                   calibrator.status(),
                                   calibrator.orientation(),
                                   calibrator.restarts()),
                             now);
}

pmt::pmt_t calibration_report(const tuned_calibrator& tuning,
                              bool is_line,
                              const diffmusic_counters& counters)
{
    const core::diffmusic_online& calibrator = tuning.calibrator;
    pmt::pmt_t message = pmt::make_dict();
    const auto add = [&message](const char* key, const pmt::pmt_t& value) {
        message = pmt::dict_add(message, pmt::intern(key), value);
    };
    const auto number = [](std::optional<double> value) {
        return value ? pmt::from_double(*value) : pmt::PMT_NIL;
    };
    if (tuning.has_learnt) {
        message = to_pmt(tuning.calibration());
    }
    add("frequency", number(tuning.frequency));
    add("time", number(tuning.time));
    add("loss", pmt::from_double(calibrator.loss()));
    add("status", pmt::intern(core::to_string(calibrator.status())));
    add("orientation", pmt::intern(core::to_string(calibrator.orientation())));
    add("ambiguity", pmt::intern(ambiguity(calibrator.orientation(), is_line)));
    add("restarts", pmt::from_uint64(calibrator.restarts()));
    add("rollbacks", pmt::from_uint64(calibrator.rollbacks()));
    add("counts", to_pmt(counters));
    return message;
}

} // namespace bearing
} // namespace gr
