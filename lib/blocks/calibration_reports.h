/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_REPORTS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_REPORTS_H

#include "diffmusic_counters.h"
#include "report_schedule.h"
#include "stream_time.h"
#include "tuned_calibrators.h"
#include <pmt/pmt.h>
#include <cstdint>
#include <optional>
#include <tuple>

namespace gr {
namespace bearing {

/*!
 * \brief When a running calibrator tells the world: at once when its status, its
 * orientation or its restarts are not what was told last, or when it has learnt something
 * for the first time; else as report_schedule says.
 */
class calibration_reports
{
public:
    //! \param interval in seconds
    explicit calibration_reports(double interval) : d_schedule(interval) {}
    void set_interval(double interval) { d_schedule.set_interval(interval); }

    //! Whether \p tuning is to be told about now, an item of time \p now having come; if
    //! so, takes it as told.
    bool is_due(const tuned_calibrator& tuning, std::optional<stream_time> now);

private:
    // has learnt, status, orientation, restarts
    using state = std::tuple<bool, core::status, core::orientation, std::uint64_t>;

    report_schedule<state> d_schedule;
};

/*!
 * \brief The message for the port `calibration` of a running calibrator, as
 * bearing::diffmusic describes it.
 * \param tuning the calibrator
 * \param is_line whether the array looks forward only
 * \param counters of the block
 */
pmt::pmt_t calibration_report(const tuned_calibrator& tuning,
                              bool is_line,
                              const diffmusic_counters& counters);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_REPORTS_H */
