/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_DIFFMUSIC_IMPL_H
#define INCLUDED_GNURADIO_BEARING_DIFFMUSIC_IMPL_H

#include "calibration_reports.h"
#include "calibration_worker.h"
#include "diffmusic_counters.h"
#include "item_tags.h"
#include "truth_schedule.h"
#include "tuned_calibrators.h"
#include <gnuradio/bearing/diffmusic.h>
#include <gnuradio/tags.h>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

//! Which thread updates calibrators.
enum class diffmusic_threading { automatic, in_line, worker };

class diffmusic_impl : public diffmusic
{
public:
    diffmusic_impl(const core::antenna_array& array,
                   const core::online_config& config,
                   int snapshots,
                   const std::string& path,
                   double interval,
                   double save_interval,
                   double frequency_tolerance,
                   diffmusic_threading threading);

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_interval(double interval) override;
    void set_save_interval(double save_interval) override;
    core::calibration_state calibration() const override;
    std::string status() const override;
    std::string orientation() const override;
    double loss() const override;
    std::uint64_t restarts() const override;
    std::uint64_t rollbacks() const override;
    std::map<std::string, std::uint64_t> counts() const override;

private:
    template <class Read>
    auto read_latest(Read read) const;

    void on_truth(const pmt::pmt_t& message);
    void warn_once(diffmusic_event event, const std::string& reason);
    void label(const item_info& info);
    bool runs_inline(const item_info& info) const;

    void update(const arrival& one);
    core::update_outcome update(tuned_calibrator& tuning, const arrival& one);
    void load();
    void save();

    const core::antenna_array d_array;
    const core::online_config d_config;
    const std::string d_path;
    const double d_tolerance;
    const diffmusic_threading d_threading;
    diffmusic_counters d_counters;
    std::atomic<double> d_update_seconds{ 0.0 }; // running mean

    mutable std::mutex d_mutex; // guards what learns:
    tuned_calibrators d_calibrators;
    calibration_reports d_reports;
    bool d_is_unsaved = false;
    bool d_has_warned_of_data = false;

    // These belong to the scheduler's thread.
    item_tags d_tags;
    std::vector<gr::tag_t> d_window;
    truth_schedule d_truths;
    std::optional<stream_time> d_now; // end of the latest item
    arrival d_arrival;

    bool d_has_warned_of_saving = false; // of the worker's thread
    calibration_worker d_worker;         // the last member: it uses the others
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_DIFFMUSIC_IMPL_H */
