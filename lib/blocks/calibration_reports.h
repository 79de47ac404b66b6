/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_REPORTS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_REPORTS_H

#include "diffmusic_counters.h"
#include "stream_time.h"
#include "tuned_calibrators.h"
#include <pmt/pmt.h>
#include <chrono>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief When a running calibrator tells the world, and what.
 *
 * At once when its status, its orientation or its restarts are not what was told last, or
 * when it has learnt something for the first time; else when the interval has passed in
 * stream time, or by the clock where the stream tells no time. Each tuning is told about
 * by itself.
 */
class calibration_reports
{
public:
    //! \param interval in seconds
    explicit calibration_reports(double interval) : d_interval(interval) {}
    void set_interval(double interval) { d_interval = interval; }

    //! Whether \p tuning is to be told about now, an item of time \p now having come; if
    //! so, takes it as told.
    bool is_due(const tuned_calibrator& tuning, std::optional<stream_time> now);

private:
    using clock = std::chrono::steady_clock;

    struct told {
        std::optional<double> frequency;
        bool has_learnt;
        core::status status;
        core::orientation orientation;
        std::uint64_t restarts;
        std::optional<stream_time> at;
        clock::time_point at_clock;

        bool is_changed(const told& newer) const;
        double seconds_to(const told& newer) const;
    };

    double d_interval;
    std::vector<told> d_told; // told last comes last
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
