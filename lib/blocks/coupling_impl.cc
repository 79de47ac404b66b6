/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_message.h"
#include "coupling_impl.h"
#include "coupling_message.h"
#include "estimator_runner.h"
#include <chrono>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <vector>

namespace gr {
namespace bearing {

namespace {

// Of more items than this that wait, a block that is behind skips the oldest.
constexpr int max_waiting = 8;

// How long work() waits for the worker: between two calls the scheduler delivers messages
// and stops the block when it is asked to.
constexpr std::chrono::milliseconds longest_wait(50);

// Weight of the latest item in the mean of what they take.
constexpr double time_weight = 0.1;

const pmt::pmt_t bearings_port = pmt::mp("bearings");
const pmt::pmt_t calibration_port = pmt::mp("calibration");

core::coupling_knowledge knowledge_from_string(const std::string& prior)
{
    const core::coupling_knowledge known = core::coupling_knowledge_from_string(prior);
    if (known == core::coupling_knowledge::snapshot) {
        throw std::invalid_argument(
            "prior is 'snapshot', which needs the samples, and the block has covariances "
            "only; it must be 'none', 'gaussian', 'coupling' or 'covariance'");
    }
    return known;
}

void check_calibrations(const coupling_settings& settings)
{
    for (const core::calibration_state& calibration : settings.calibrations.all()) {
        settings.estimator.array().with_calibration(calibration);
    }
}

} // namespace

coupling::sptr coupling::make(const core::antenna_array& array,
                              int num_sources,
                              int coefficients,
                              const std::string& prior,
                              int snapshots,
                              double heading_deg,
                              const std::string& counting,
                              const std::string& criterion,
                              const std::string& weights,
                              double memory,
                              double interval)
{
    core::coupling_config config;
    config.num_sources = num_sources;
    config.counting = counting_from_string(counting);
    config.prior = knowledge_from_string(prior);
    config.criterion = core::coupling_criterion_from_string(criterion);
    config.coefficients = coefficients;
    config.weights = weights;
    core::coupling_tracking tracking;
    tracking.memory = memory;
    coupling_settings settings{
        core::coupling_estimator(array, config),
        tracking,
        tuned_calibrations(array.calibration().without_coupling()),
    };
    core::coupling_tracker(settings.estimator, tracking); // throws for what does not fit
    return gnuradio::make_block_sptr<coupling_impl>(
        std::move(settings), snapshots, heading_deg, interval);
}

coupling_impl::coupling_impl(coupling_settings settings,
                             int snapshots,
                             double heading_deg,
                             double interval)
    : gr::sync_block("coupling",
                     covariance_signature(settings.estimator.array()),
                     gr::io_signature::make(0, 0, 0)),
      d_heading_deg(checked_heading(heading_deg)),
      d_interval(checked_interval(interval)),
      d_latest(std::make_shared<const coupling_settings>(std::move(settings))),
      d_tags(checked_snapshots(snapshots)),
      d_reports(interval),
      d_worker([this](const job& one) { estimate(one); })
{
    message_port_register_out(bearings_port);
    message_port_register_out(calibration_port);
    message_port_register_in(calibration_port);
    set_msg_handler(calibration_port,
                    [this](const pmt::pmt_t& message) { on_calibration(message); });
}

bool coupling_impl::start()
{
    d_is_in_flight = false;
    d_worker.start();
    return sync_block::start();
}

bool coupling_impl::stop()
{
    d_worker.stop();
    return sync_block::stop();
}

template <class Change>
void coupling_impl::change_settings(Change change)
{
    const std::lock_guard<std::mutex> change_lock(d_change_mutex);
    auto settings = std::make_shared<coupling_settings>(*latest_settings());
    change(*settings);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_latest = std::move(settings);
}

coupling_impl::shared_settings coupling_impl::latest_settings() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_latest;
}

void coupling_impl::set_num_sources(int num_sources)
{
    change_settings([num_sources](coupling_settings& settings) {
        settings.estimator =
            settings.estimator.adapted(settings.estimator.array(), num_sources);
    });
}

void coupling_impl::set_heading_deg(double heading_deg)
{
    d_heading_deg = checked_heading(heading_deg);
}

void coupling_impl::set_interval(double interval)
{
    d_interval = checked_interval(interval);
}

void coupling_impl::set_calibration(const core::calibration_state& calibration)
{
    change_settings([&calibration](coupling_settings& settings) {
        settings.calibrations = tuned_calibrations(calibration.without_coupling());
        check_calibrations(settings);
    });
}

void coupling_impl::on_calibration(const pmt::pmt_t& message)
{
    try {
        const core::calibration_state newer = from_pmt(message).without_coupling();
        change_settings([&newer](coupling_settings& settings) {
            settings.calibrations.update(newer);
            check_calibrations(settings);
        });
    } catch (const std::exception& error) {
        d_logger->warn("calibration message ignored: {}", error.what());
    }
}

template <class Read>
auto coupling_impl::read_summary(Read read) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return read(d_summary);
}

core::calibration_state coupling_impl::calibration() const
{
    return read_summary([](const summary& now) { return now.calibration; });
}

std::string coupling_impl::status() const
{
    return read_summary(
        [](const summary& now) -> std::string { return core::to_string(now.status); });
}

std::uint64_t coupling_impl::scenes() const
{
    return read_summary([](const summary& now) { return now.scenes; });
}

std::uint64_t coupling_impl::restarts() const
{
    return read_summary([](const summary& now) { return now.restarts; });
}

std::map<std::string, std::uint64_t> coupling_impl::counts() const
{
    return read_summary([](const summary& now) { return now.counts; });
}

bool coupling_impl::is_behind(const item_info& info) const
{
    return info.interval() && d_seconds > *info.interval();
}

void coupling_impl::skip()
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        ++d_summary.counts["busy"];
    }
    if (!d_has_warned_of_skipping) {
        d_has_warned_of_skipping = true;
        d_logger->warn("items last shorter than the {} s that one takes: the oldest that "
                       "wait are skipped, and further ones only counted",
                       d_seconds.load());
    }
}

// An item is consumed when the worker has done with it. So what waits, waits in the
// stream's buffer, and the scheduler does not end the block, and with it those who listen
// to its messages, before the last one is told.
int coupling_impl::work(int noutput_items,
                        gr_vector_const_void_star& input_items,
                        gr_vector_void_star&)
{
    const auto deadline = std::chrono::steady_clock::now() + longest_wait;
    int done = 0;
    if (d_is_in_flight) {
        if (!d_worker.is_idle_by(deadline)) {
            return 0;
        }
        d_is_in_flight = false;
        done = 1;
    }
    get_tags_in_window(d_window, 0, done, noutput_items);
    d_tags.load(std::move(d_window));
    const gr_complex* items = static_cast<const gr_complex*>(input_items[0]);
    const int n = input_signature()->sizeof_stream_item(0) / sizeof(gr_complex);
    const int side = static_cast<int>(std::lround(std::sqrt(n)));
    for (; done < noutput_items; ++done) {
        d_job.info = d_tags.next(nitems_read(0) + done);
        if (noutput_items - done > max_waiting && is_behind(d_job.info)) {
            skip();
            continue;
        }
        d_job.covariance =
            Eigen::Map<const Eigen::MatrixXcf>(items + done * n, side, side)
                .cast<std::complex<double>>();
        d_worker.push(d_job);
        if (!d_worker.is_idle_by(deadline)) {
            d_is_in_flight = true;
            break;
        }
    }
    return done;
}

// In the worker's thread.
void coupling_impl::estimate(const job& one)
{
    using clock = std::chrono::steady_clock;
    const clock::time_point begin = clock::now();
    tuned_coupling& tuning = d_tunings.at(one.info.rx_freq, latest_settings());
    const core::coupling_estimate result =
        tuned_couplings::update(tuning, one.covariance, one.info.snapshots);
    if (tuning.has_learnt) {
        const std::optional<stream_time> start = stream_time::from_pmt(one.info.rx_time);
        tuning.time = std::nullopt;
        if (start) {
            tuning.time = static_cast<double>(start->seconds()) + start->fraction();
        }
    }
    warn_once(result);
    summarise(tuning, result);
    message_port_pub(bearings_port,
                     coupling_bearing_message(result, d_heading_deg, one.info));
    report(tuning, one.info);
    const std::chrono::duration<double> taken = clock::now() - begin;
    d_seconds = d_seconds + time_weight * (taken.count() - d_seconds);
}

void coupling_impl::warn_once(const core::coupling_estimate& result)
{
    // Others are the scene's, and come and go.
    const core::status status = result.bearings.status;
    const bool is_wrong =
        status == core::status::bad_data || status == core::status::not_identifiable;
    if (!d_has_warned && is_wrong) {
        d_has_warned = true;
        d_logger->warn("status {}: {}; further ones are only counted",
                       core::to_string(status),
                       result.reason);
    }
}

void coupling_impl::summarise(const tuned_coupling& tuning,
                              const core::coupling_estimate& result)
{
    core::calibration_state calibration = calibration_of(tuning);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_summary.calibration = std::move(calibration);
    d_summary.status = tuning.status();
    d_summary.scenes = tuning.scenes();
    d_summary.restarts = tuning.restarts();
    ++d_summary.counts[core::to_string(result.bearings.status)];
    if (result.is_gated) {
        ++d_summary.counts["gated"];
    }
}

void coupling_impl::report(tuned_coupling& tuning, const item_info& info)
{
    d_reports.set_interval(d_interval);
    const std::pair<core::status, std::uint64_t> state(tuning.status(),
                                                       tuning.restarts());
    if (tuning.has_news &&
        d_reports.is_due(tuning.frequency, state, stream_time::from_pmt(info.rx_time))) {
        tuning.has_news = false;
        message_port_pub(calibration_port, coupling_message(tuning));
    }
}

} // namespace bearing
} // namespace gr
