/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_COUPLING_IMPL_H
#define INCLUDED_GNURADIO_BEARING_COUPLING_IMPL_H

#include "background_worker.h"
#include "item_tags.h"
#include "report_schedule.h"
#include "tuned_couplings.h"
#include <gnuradio/bearing/coupling.h>
#include <gnuradio/tags.h>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {

class coupling_impl : public coupling
{
public:
    coupling_impl(coupling_settings settings,
                  int snapshots,
                  double heading_deg,
                  double interval);

    bool start() override;
    bool stop() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_num_sources(int num_sources) override;
    void set_heading_deg(double heading_deg) override;
    void set_interval(double interval) override;
    void set_calibration(const core::calibration_state& calibration) override;
    core::calibration_state calibration() const override;
    std::string status() const override;
    std::uint64_t scenes() const override;
    std::uint64_t restarts() const override;
    std::map<std::string, std::uint64_t> counts() const override;

private:
    using shared_settings = std::shared_ptr<const coupling_settings>;

    // An item in the worker's hands.
    struct job {
        Eigen::MatrixXcd covariance;
        item_info info;
    };

    // What the block says about itself, of the latest tuning.
    struct summary {
        core::calibration_state calibration;
        core::status status = core::status::learning;
        std::uint64_t scenes = 0;
        std::uint64_t restarts = 0;
        std::map<std::string, std::uint64_t> counts;
    };

    template <class Change>
    void change_settings(Change change);
    shared_settings latest_settings() const;
    template <class Read>
    auto read_summary(Read read) const;

    void on_calibration(const pmt::pmt_t& message);
    bool is_behind(const item_info& info) const;
    void skip();

    void estimate(const job& one);
    void warn_once(const core::coupling_estimate& result);
    void summarise(const tuned_coupling& tuning, const core::coupling_estimate& result);
    void report(tuned_coupling& tuning, const item_info& info);

    std::atomic<double> d_heading_deg;
    std::atomic<double> d_interval;
    std::atomic<double> d_seconds{ 0.0 }; // an item takes, running mean

    std::mutex d_change_mutex;  // of those who change the settings, one at a time
    mutable std::mutex d_mutex; // guards the next two
    shared_settings d_latest;
    summary d_summary;

    // These belong to the scheduler's thread.
    item_tags d_tags;
    std::vector<gr::tag_t> d_window;
    job d_job;
    bool d_is_in_flight = false; // the first item not consumed is with the worker
    bool d_has_warned_of_skipping = false;

    // These belong to the worker's.
    tuned_couplings d_tunings;
    // status, restarts
    report_schedule<std::pair<core::status, std::uint64_t>> d_reports;
    bool d_has_warned = false;

    background_worker<job> d_worker; // the last member: it uses the others
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COUPLING_IMPL_H */
