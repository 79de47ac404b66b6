/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "diffmusic_impl.h"
#include "estimator_runner.h"
#include <unistd.h>
#include <chrono>
#include <cmath>
#include <complex>
#include <filesystem>
#include <stdexcept>

namespace gr {
namespace bearing {

namespace {

// Between two calls of work() the scheduler delivers truth messages, so this bounds how
// many items come before one that is already there.
constexpr int max_items_per_work = 8;

// An update that takes a larger part of an item's duration is left to the worker.
constexpr double largest_inline_part = 0.25;
// Weight of the latest update in the mean: one that was interrupted does not count much.
constexpr double update_weight = 0.1;

const pmt::pmt_t truth_port = pmt::mp("truth");
const pmt::pmt_t calibration_port = pmt::mp("calibration");

double checked_save_interval(double save_interval)
{
    if (!(std::isfinite(save_interval) && save_interval > 0.0)) {
        throw std::invalid_argument("save_interval is " + std::to_string(save_interval) +
                                    "; it must be finite and > 0 seconds");
    }
    return save_interval;
}

double checked_tolerance(double tolerance)
{
    if (!(tolerance >= 0.0 && tolerance < 1.0)) {
        throw std::invalid_argument("frequency_tolerance is " +
                                    std::to_string(tolerance) +
                                    "; it must be >= 0 and < 1");
    }
    return tolerance;
}

std::string checked_path(const std::string& path)
{
    namespace fs = std::filesystem;
    if (path.empty()) {
        return path;
    }
    const fs::path folder = fs::absolute(path).parent_path();
    std::error_code error;
    if (fs::is_directory(path, error) || !fs::is_directory(folder, error) ||
        access(folder.c_str(), W_OK | X_OK) != 0) {
        throw std::invalid_argument(
            "path is \"" + path +
            "\"; it must name a file in a folder that exists and can be written");
    }
    return path;
}

diffmusic_threading threading_from_string(const std::string& threading)
{
    if (threading == "auto") {
        return diffmusic_threading::automatic;
    }
    if (threading == "inline") {
        return diffmusic_threading::in_line;
    }
    if (threading == "worker") {
        return diffmusic_threading::worker;
    }
    throw std::invalid_argument("threading is \"" + threading +
                                "\"; it must be \"auto\", \"inline\" or \"worker\"");
}

diffmusic_event event_of(truth_fault fault)
{
    switch (fault) {
    case truth_fault::outside_view:
        return diffmusic_event::truth_outside_view;
    case truth_fault::too_many:
        return diffmusic_event::truth_too_many;
    case truth_fault::malformed:
        break;
    }
    return diffmusic_event::truth_malformed;
}

} // namespace

diffmusic::sptr diffmusic::make(const core::antenna_array& array,
                                int num_sources,
                                int snapshots,
                                const std::string& path,
                                double interval,
                                double save_interval,
                                int labelled_buffer,
                                int unlabelled_buffer,
                                int label_lifetime,
                                bool fit_positions,
                                double frequency_tolerance,
                                const std::string& threading)
{
    core::online_config config;
    config.num_sources = num_sources;
    config.labelled_buffer = labelled_buffer;
    config.unlabelled_buffer = unlabelled_buffer;
    config.label_lifetime = label_lifetime;
    config.fit_positions = fit_positions;
    return gnuradio::make_block_sptr<diffmusic_impl>(array,
                                                     config,
                                                     snapshots,
                                                     path,
                                                     interval,
                                                     save_interval,
                                                     frequency_tolerance,
                                                     threading_from_string(threading));
}

diffmusic_impl::diffmusic_impl(const core::antenna_array& array,
                               const core::online_config& config,
                               int snapshots,
                               const std::string& path,
                               double interval,
                               double save_interval,
                               double frequency_tolerance,
                               diffmusic_threading threading)
    : gr::sync_block(
          "diffmusic", covariance_signature(array), gr::io_signature::make(0, 0, 0)),
      d_array(array),
      d_config(config),
      d_path(checked_path(path)),
      d_tolerance(checked_tolerance(frequency_tolerance)),
      d_threading(threading),
      d_calibrators(d_array, d_config, d_tolerance),
      d_reports(checked_interval(interval)),
      d_tags(checked_snapshots(snapshots)),
      d_worker([this](const arrival& one) { update(one); }, [this] { save(); })
{
    set_save_interval(save_interval);
    set_max_noutput_items(max_items_per_work);
    message_port_register_out(calibration_port);
    message_port_register_in(truth_port);
    set_msg_handler(truth_port, [this](const pmt::pmt_t& message) { on_truth(message); });
    load();
}

bool diffmusic_impl::start()
{
    d_now.reset();
    d_worker.start();
    return sync_block::start();
}

bool diffmusic_impl::stop()
{
    d_worker.stop();
    return sync_block::stop();
}

void diffmusic_impl::set_interval(double interval)
{
    checked_interval(interval);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_reports.set_interval(interval);
}

void diffmusic_impl::set_save_interval(double save_interval)
{
    d_worker.set_save_interval(checked_save_interval(save_interval));
}

template <class Read>
auto diffmusic_impl::read_latest(Read read) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return read(d_calibrators.latest());
}

core::calibration_state diffmusic_impl::calibration() const
{
    return read_latest(
        [](const tuned_calibrator& latest) { return latest.calibration(); });
}

std::string diffmusic_impl::status() const
{
    return read_latest([](const tuned_calibrator& latest) -> std::string {
        return core::to_string(latest.calibrator.status());
    });
}

std::string diffmusic_impl::orientation() const
{
    return read_latest([](const tuned_calibrator& latest) -> std::string {
        return core::to_string(latest.calibrator.orientation());
    });
}

double diffmusic_impl::loss() const
{
    return read_latest(
        [](const tuned_calibrator& latest) { return latest.calibrator.loss(); });
}

std::uint64_t diffmusic_impl::restarts() const
{
    return read_latest(
        [](const tuned_calibrator& latest) { return latest.calibrator.restarts(); });
}

std::uint64_t diffmusic_impl::rollbacks() const
{
    return read_latest(
        [](const tuned_calibrator& latest) { return latest.calibrator.rollbacks(); });
}

std::map<std::string, std::uint64_t> diffmusic_impl::counts() const
{
    return d_counters.all();
}

// The first of each kind is told, all are counted.
void diffmusic_impl::warn_once(diffmusic_event event, const std::string& reason)
{
    if (d_counters.add(event) == 0) {
        d_logger->warn("{}: {}; further ones are only counted", to_string(event), reason);
    }
}

void diffmusic_impl::on_truth(const pmt::pmt_t& message)
{
    try {
        d_truths.add(truth_from_pmt(message, d_array, d_config.num_sources), d_now);
    } catch (const bad_truth& error) {
        warn_once(event_of(error.fault()), error.what());
    }
}

// Gives d_arrival what is known about the item: its time, and its directions.
void diffmusic_impl::label(const item_info& info)
{
    const std::optional<stream_time> end = info.end();
    d_now = end ? end : d_arrival.start;
    const truth_schedule::verdict known = d_truths.at(d_arrival.start, d_now);
    d_counters.set(diffmusic_event::truth_expired, d_truths.expired());
    d_counters.set(diffmusic_event::truth_dropped, d_truths.dropped());
    if (known.is_contradictory) {
        warn_once(diffmusic_event::truth_contradictory,
                  "truth messages disagree about an item, which is taken as unknown");
    }
    if (known.label) {
        d_counters.add(diffmusic_event::labelled);
        d_arrival.azimuth = known.label->azimuth;
        d_arrival.range = known.label->range;
    } else {
        d_arrival.azimuth.resize(0);
        d_arrival.range.resize(0);
    }
}

bool diffmusic_impl::runs_inline(const item_info& info) const
{
    if (d_threading != diffmusic_threading::automatic) {
        return d_threading == diffmusic_threading::in_line;
    }
    const bool is_fast =
        !info.interval() || d_update_seconds <= largest_inline_part * *info.interval();
    // Items keep their order.
    return is_fast && d_worker.is_idle();
}

int diffmusic_impl::work(int noutput_items,
                         gr_vector_const_void_star& input_items,
                         gr_vector_void_star&)
{
    get_tags_in_window(d_window, 0, 0, noutput_items);
    d_tags.load(std::move(d_window));
    const gr_complex* item = static_cast<const gr_complex*>(input_items[0]);
    const int n = d_array.num_elements();
    for (int k = 0; k < noutput_items; ++k, item += n * n) {
        const item_info& info = d_tags.next(nitems_read(0) + k);
        d_arrival.start = stream_time::from_pmt(info.rx_time);
        label(info);
        if (info.snapshots == 0) {
            warn_once(diffmusic_event::unknown_snapshots,
                      "items are not used while neither tag nor parameter tells the "
                      "number of snapshots");
            continue;
        }
        d_arrival.covariance =
            Eigen::Map<const Eigen::MatrixXcf>(item, n, n).cast<std::complex<double>>();
        d_arrival.snapshots = info.snapshots;
        d_arrival.rx_freq = info.rx_freq;
        if (runs_inline(info)) {
            update(d_arrival);
        } else if (!d_worker.push(d_arrival)) {
            d_counters.add(diffmusic_event::busy);
        }
    }
    return noutput_items;
}

// In the scheduler's thread or the worker's, never in both at once.
void diffmusic_impl::update(const arrival& one)
{
    using clock = std::chrono::steady_clock;
    pmt::pmt_t report = pmt::PMT_NIL;
    const clock::time_point begin = clock::now();
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        try {
            tuned_calibrator& tuning = d_calibrators.at(one.rx_freq);
            d_counters.add(update(tuning, one));
            if (d_reports.is_due(tuning, one.start)) {
                report = calibration_report(tuning, d_array.is_front_only(), d_counters);
            }
        } catch (const std::exception& error) {
            // A frequency that the array cannot work at.
            d_counters.add(core::update_outcome::bad_data);
            if (!d_has_warned_of_data) {
                d_has_warned_of_data = true;
                d_logger->warn("item counted as bad_data: {}", error.what());
            }
        }
    }
    const std::chrono::duration<double> taken = clock::now() - begin;
    d_update_seconds =
        d_update_seconds + update_weight * (taken.count() - d_update_seconds);
    if (!pmt::is_null(report)) {
        message_port_pub(calibration_port, report);
    }
}

core::update_outcome diffmusic_impl::update(tuned_calibrator& tuning, const arrival& one)
{
    const core::update_outcome outcome =
        tuning.calibrator.update(one.covariance, one.snapshots, one.azimuth, one.range);
    if (outcome == core::update_outcome::accepted) {
        tuning.has_learnt = true;
        tuning.time = std::nullopt;
        if (one.start) {
            tuning.time =
                static_cast<double>(one.start->seconds()) + one.start->fraction();
        }
        d_is_unsaved = true;
    }
    return outcome;
}

void diffmusic_impl::load()
{
    std::error_code error;
    if (d_path.empty() || !std::filesystem::exists(d_path, error)) {
        return;
    }
    try {
        d_calibrators.resume(core::load_calibrators(d_path));
    } catch (const std::exception& problem) {
        // A receiver that nobody attends must work all the same.
        const std::string aside = d_path + ".bad";
        std::filesystem::rename(d_path, aside, error);
        d_logger->warn("{}; {}, all is learnt anew",
                       problem.what(),
                       error ? "it cannot be put aside" : "it is kept as " + aside);
        d_calibrators = tuned_calibrators(d_array, d_config, d_tolerance);
    }
}

void diffmusic_impl::save()
{
    std::vector<core::calibrator_record> records;
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        if (d_path.empty() || !d_is_unsaved) {
            return;
        }
        records = d_calibrators.records();
        d_is_unsaved = false;
    }
    try {
        core::save_calibrators(records, d_path);
        d_has_warned_of_saving = false;
    } catch (const std::exception& error) {
        // The disk may have room later.
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_is_unsaved = true;
        if (!d_has_warned_of_saving) {
            d_has_warned_of_saving = true;
            d_logger->warn("{}", error.what());
        }
    }
}

} // namespace bearing
} // namespace gr
