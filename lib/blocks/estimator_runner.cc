/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "bearing_message.h"
#include "calibration_message.h"
#include "estimator_runner.h"
#include "wavelength.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gr {
namespace bearing {

namespace {

constexpr double degrees_per_radian = 180.0 / M_PI;

// Between two calls of work() the scheduler delivers messages and work() picks new
// settings up, so this bounds how many items a change may have to wait for. From 16 on an
// item costs the same; one at a time costs twice as much, with a spectrum connected two
// and a half times.
constexpr int max_items_per_work = 32;

const pmt::pmt_t bearings_port = pmt::mp("bearings");
const pmt::pmt_t calibration_port = pmt::mp("calibration");

void write_spectrum(const Eigen::VectorXd& spectrum_db, int num_points, float* out)
{
    if (spectrum_db.size() == num_points) {
        Eigen::Map<Eigen::VectorXf>(out, num_points) = spectrum_db.cast<float>();
    } else { // an estimate that failed has none
        std::fill_n(out, num_points, std::numeric_limits<float>::quiet_NaN());
    }
}

std::shared_ptr<const estimator_settings> with_calibrations(estimator_settings settings)
{
    settings.calibrations = tuned_calibrations(settings.array.calibration());
    return std::make_shared<const estimator_settings>(std::move(settings));
}

// Those of an estimator with this calibration in force.
estimator_settings calibrated_settings(const estimator_settings& settings,
                                       const core::calibration_state& calibration)
{
    estimator_settings tuned = settings;
    tuned.array = tuned.array.with_calibration(calibration);
    return tuned;
}

} // namespace

gr::io_signature::sptr covariance_signature(const core::antenna_array& array)
{
    const int n = array.num_elements();
    return gr::io_signature::make(1, 1, n * n * sizeof(gr_complex));
}

gr::io_signature::sptr spectrum_signature(int num_points)
{
    if (num_points < 2) {
        throw std::invalid_argument("num_points is " + std::to_string(num_points) +
                                    "; it must be at least 2");
    }
    return gr::io_signature::make(0, 1, num_points * sizeof(float));
}

core::count_method counting_from_string(const std::string& counting)
{
    try {
        return core::count_method_from_string(counting);
    } catch (const std::invalid_argument& error) {
        // Core knows it as a method; beamscan has another parameter of that name.
        throw std::invalid_argument(std::string("counting: ") + error.what());
    }
}

core::angle_grid spectrum_grid(const core::antenna_array& array,
                               int num_points,
                               const std::vector<double>& limits_deg)
{
    if (limits_deg.empty()) {
        return core::angle_grid::whole_range(array, num_points);
    }
    if (limits_deg.size() != 2) {
        throw std::invalid_argument("limits_deg has " +
                                    std::to_string(limits_deg.size()) +
                                    " values; it must be empty or hold first and last");
    }
    try {
        return core::angle_grid::sector(array,
                                        limits_deg[0] / degrees_per_radian,
                                        limits_deg[1] / degrees_per_radian,
                                        num_points);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument("limits_deg is [" + std::to_string(limits_deg[0]) +
                                    ", " + std::to_string(limits_deg[1]) + "]; " +
                                    error.what());
    }
}

double checked_heading(double heading_deg)
{
    if (!std::isfinite(heading_deg)) {
        throw std::invalid_argument("heading_deg is " + std::to_string(heading_deg) +
                                    "; it must be finite");
    }
    return heading_deg;
}

std::size_t checked_snapshots(int snapshots)
{
    if (snapshots < 0) {
        throw std::invalid_argument("snapshots is " + std::to_string(snapshots) +
                                    "; it must be >= 0 (0: unknown)");
    }
    return static_cast<std::size_t>(snapshots);
}

core::bearing_estimate failed_estimate(int num_sources)
{
    core::bearing_estimate failed;
    failed.status = core::status::bad_data;
    failed.num_sources = num_sources;
    failed.azimuth = failed.deviation = failed.power_db = failed.snr_db =
        Eigen::VectorXd::Constant(num_sources, std::numeric_limits<double>::quiet_NaN());
    return failed;
}

estimator_runner::estimator_runner(gr::sync_block& owner,
                                   gr::logger_ptr logger,
                                   estimator_settings settings,
                                   estimator_builder build,
                                   int snapshots,
                                   double heading_deg,
                                   settings_check check)
    : d_owner(owner),
      d_logger(std::move(logger)),
      d_build(std::move(build)),
      d_check(std::move(check)),
      d_heading_deg(checked_heading(heading_deg)),
      d_latest(with_calibrations(std::move(settings))),
      d_tags(checked_snapshots(snapshots)),
      d_builder([this](const build_request& request) { build_if_wanted(request); })
{
    add(std::make_shared<const tuned_estimator>(
        tuned_estimator{ d_latest, std::nullopt, d_build(*d_latest), {} }));
    d_owner.set_max_noutput_items(max_items_per_work);
    d_owner.message_port_register_out(bearings_port);
    d_owner.message_port_register_in(calibration_port);
    d_owner.set_msg_handler(
        calibration_port, [this](const pmt::pmt_t& message) { on_calibration(message); });
}

template <class Change>
void estimator_runner::change_settings(Change change)
{
    const std::lock_guard<std::mutex> change_lock(d_change_mutex);
    auto settings = std::make_shared<estimator_settings>(*latest_settings());
    change(*settings);
    check(*settings);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_latest = std::move(settings);
}

// With each calibration that can come to be in force.
void estimator_runner::check(const estimator_settings& settings) const
{
    for (const core::calibration_state& calibration : settings.calibrations.all()) {
        const estimator_settings tuned = calibrated_settings(settings, calibration);
        if (d_check) {
            d_check(tuned);
        }
    }
}

estimator_runner::shared_settings estimator_runner::latest_settings() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_latest;
}

void estimator_runner::set_num_sources(int num_sources)
{
    change_settings([num_sources](estimator_settings& settings) {
        if (num_sources < 0 || num_sources >= settings.array.num_elements()) {
            throw std::invalid_argument(
                "num_sources is " + std::to_string(num_sources) +
                "; it must lie in 0 .. N-1 = " +
                std::to_string(settings.array.num_elements() - 1) + " (0: count them)");
        }
        settings.num_sources = num_sources;
    });
}

void estimator_runner::set_method(const std::string& method)
{
    change_settings(
        [&method](estimator_settings& settings) { settings.method = method; });
}

void estimator_runner::set_variant(const std::string& variant)
{
    change_settings(
        [&variant](estimator_settings& settings) { settings.variant = variant; });
}

void estimator_runner::set_heading_deg(double heading_deg)
{
    d_heading_deg = checked_heading(heading_deg);
}

void estimator_runner::set_limits_deg(const std::vector<double>& limits_deg)
{
    change_settings([&limits_deg](estimator_settings& settings) {
        settings.grid =
            spectrum_grid(settings.array, settings.grid.value().size(), limits_deg);
    });
}

void estimator_runner::set_calibration(const core::calibration_state& calibration)
{
    change_settings([&calibration](estimator_settings& settings) {
        settings.calibrations = tuned_calibrations(calibration);
    });
}

std::vector<double> estimator_runner::grid_deg() const
{
    const shared_settings settings = latest_settings();
    const Eigen::VectorXd& azimuth = settings->grid.value().azimuth();
    std::vector<double> degrees(azimuth.size());
    std::transform(azimuth.begin(), azimuth.end(), degrees.begin(), [](double angle) {
        return angle * degrees_per_radian;
    });
    return degrees;
}

void estimator_runner::on_calibration(const pmt::pmt_t& message)
{
    try {
        const core::calibration_state newer = from_pmt(message);
        change_settings([&newer](estimator_settings& settings) {
            settings.calibrations.update(newer);
        });
    } catch (const std::exception& error) {
        d_logger->warn("calibration message ignored: {}", error.what());
    }
}

void estimator_runner::start()
{
    d_has_begun = false;
    d_wanted = {};
    d_builder.start();
}

void estimator_runner::stop() { d_builder.stop(); }

int estimator_runner::work(const gr_complex* items,
                           int num_items,
                           std::vector<gr::tag_t>& tags,
                           float* spectra)
{
    const shared_settings latest = latest_settings();
    const double heading_deg = d_heading_deg;
    const std::uint64_t first = d_owner.nitems_read(0);
    d_tags.load(std::move(tags));
    for (int k = 0; k < num_items; ++k) {
        const item_info& info = d_tags.next(first + k);
        d_frequency = info.rx_freq ? info.rx_freq : d_frequency;
        // What is done goes on downstream before the next item has to wait. One that is
        // waited for is waited for here: to return without any item done would make the
        // scheduler call again at once, and end the stream with items left in the buffer
        // once a block that sends messages to this one has ended. The wait is as long as
        // building takes, whatever the flowgraph does.
        const shared_estimator estimator = serving(latest, k == 0);
        if (!estimator) {
            // Its tags come again with it, and say the same again: a change of tuning cuts
            // an item off from the times before it.
            return k;
        }
        const core::bearing_estimate result = estimate(*estimator, items, info);
        d_has_begun = true;
        d_owner.message_port_pub(
            bearings_port,
            bearing_message(result, estimator->settings->method, heading_deg, info));
        items += d_covariance.size();
        if (spectra) {
            const int num_points = estimator->settings->grid.value().size();
            write_spectrum(result.spectrum_db, num_points, spectra);
            spectra += num_points;
        }
    }
    return num_items;
}

core::bearing_estimate estimator_runner::estimate(const tuned_estimator& estimator,
                                                  const gr_complex* item,
                                                  const item_info& info)
{
    const int n = estimator.settings->array.num_elements();
    const int columns = n * estimator.settings->num_covariances;
    d_covariance =
        Eigen::Map<const Eigen::MatrixXcf>(item, n, columns).cast<std::complex<double>>();
    std::string error = estimator.error;
    if (estimator.estimate) {
        try {
            return estimator.estimate(d_covariance, info.snapshots);
        } catch (const std::exception& thrown) {
            error = thrown.what();
        }
    }
    if (!d_has_warned) {
        d_has_warned = true;
        d_logger->warn("estimation failed, status bad_data: {}", error);
    }
    return failed_estimate(estimator.settings->num_sources);
}

bool estimator_runner::is_same_tuning(const estimator_settings& settings,
                                      std::optional<double> one,
                                      std::optional<double> other)
{
    if (settings.array.wavelength()) {
        return one == other;
    }
    return &settings.calibrations.at(one) == &settings.calibrations.at(other);
}

estimator_runner::shared_estimator
estimator_runner::find(const estimator_settings* settings,
                       std::optional<double> frequency)
{
    // From the latest on: of older settings' estimators the newest serves.
    const auto found =
        std::find_if(d_built.rbegin(), d_built.rend(), [&](const shared_estimator& one) {
            return (!settings || one->settings.get() == settings) &&
                   is_same_tuning(*one->settings, one->frequency, frequency);
        });
    if (found == d_built.rend()) {
        return nullptr;
    }
    std::rotate(found.base() - 1, found.base(), d_built.end());
    return d_built.back();
}

void estimator_runner::add(shared_estimator built)
{
    // Nobody asks for older settings again.
    d_built.erase(std::remove_if(d_built.begin(),
                                 d_built.end(),
                                 [&](const shared_estimator& one) {
                                     return is_same_tuning(*one->settings,
                                                           one->frequency,
                                                           built->frequency);
                                 }),
                  d_built.end());
    if (d_built.size() == max_estimators) {
        d_built.erase(d_built.begin());
    }
    d_built.push_back(std::move(built));
}

// On the builder's thread.
void estimator_runner::build_if_wanted(const build_request& request)
{
    {
        const std::lock_guard<std::mutex> lock(d_built_mutex);
        if (!(request == d_wanted)) {
            return; // the stream has gone on to another tuning
        }
    }
    tuned_estimator built{ request.settings, request.frequency, {}, {} };
    try {
        estimator_settings settings = calibrated_settings(
            *request.settings, request.settings->calibrations.at(request.frequency));
        if (settings.array.wavelength() && request.frequency) {
            settings.array =
                settings.array.with_wavelength(wavelength_at(*request.frequency));
        }
        built.estimate = d_build(settings);
    } catch (const std::exception& error) {
        built.error = error.what();
    }
    {
        const std::lock_guard<std::mutex> lock(d_built_mutex);
        add(std::make_shared<const tuned_estimator>(std::move(built)));
        // Unless something else is wanted by now: asked for again, it is built again.
        if (request == d_wanted) {
            d_wanted = {};
        }
    }
    d_has_built.notify_one();
}

estimator_runner::shared_estimator
estimator_runner::serving(const shared_settings& latest, bool may_wait)
{
    if (d_serving && d_serving->settings == latest &&
        d_serving_frequency == d_frequency) {
        return d_serving;
    }
    std::unique_lock<std::mutex> lock(d_built_mutex);
    shared_estimator found = find(latest.get(), d_frequency);
    if (!found) {
        const build_request request{ latest, d_frequency };
        if (!(d_wanted == request)) {
            d_wanted = request;
            // When the queue is full it throws away its oldest, never this one.
            d_builder.push(request);
        }
        if (d_has_begun) {
            found = find(nullptr, d_frequency);
        }
        if (!found && !may_wait) {
            return nullptr;
        }
        d_has_built.wait(lock, [&] {
            found = found ? found : find(latest.get(), d_frequency);
            return found != nullptr;
        });
    }
    lock.unlock();
    if (found->settings == latest) {
        warn_if_uncalibrated(*latest);
    }
    d_serving = found;
    d_serving_frequency = d_frequency;
    return found;
}

// Once: whoever hops between tunings knows.
void estimator_runner::warn_if_uncalibrated(const estimator_settings& settings)
{
    if (d_frequency && !d_has_warned_of_tuning &&
        settings.calibrations.is_for_others(*d_frequency)) {
        d_has_warned_of_tuning = true;
        d_logger->warn("no calibration for {} Hz, only for other frequencies",
                       *d_frequency);
    }
}

} // namespace bearing
} // namespace gr
