/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "array_simulator_impl.h"
#include "wavelength.h"
#include <gnuradio/io_signature.h>
#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace gr {
namespace bearing {

namespace {

constexpr double radians_per_degree = M_PI / 180.0;
constexpr int max_elements = 64;

// What a scene can make of a source, relative to a power of 1.
constexpr double largest_level_db = 300.0;

// Longest sleep within work(), so that a flowgraph stops promptly; and what a throttled
// stream delivers at once if it can, in seconds.
constexpr double longest_sleep = 0.05;
constexpr double pace_interval = 0.01;

[[noreturn]] void
reject(const std::string& name, const std::string& value, const std::string& allowed)
{
    throw std::invalid_argument("array_simulator: " + name + " is " + value +
                                "; it must be " + allowed);
}

void require_finite(const std::string& name, const std::vector<double>& values)
{
    for (const double value : values) {
        if (!std::isfinite(value)) {
            reject(name, std::to_string(value), "finite");
        }
    }
}

// One value for each source from a list of as many, or of one for all of them.
std::vector<double>
for_each_source(const std::string& name, const std::vector<double>& values, size_t count)
{
    if (count == 0 && values.size() <= 1) {
        return {};
    }
    if (values.size() != count && values.size() != 1) {
        reject(name,
               "a list of " + std::to_string(values.size()),
               "one value or one for each of " + std::to_string(count) + " sources");
    }
    return values.size() == count ? values : std::vector<double>(count, values[0]);
}

void require_levels(const std::vector<double>& snr_db, double level_of_snr_db)
{
    for (const double snr : snr_db) {
        if (!(std::abs(snr + level_of_snr_db) <= largest_level_db)) {
            reject("snr_db",
                   std::to_string(snr),
                   "such that the source's power is within 300 dB of 1");
        }
    }
}

core::waveform waveform_from_string(const std::string& modulation)
{
    if (modulation == "noise") {
        return core::waveform::noise;
    }
    if (modulation == "tone") {
        return core::waveform::tone;
    }
    reject("modulation", "\"" + modulation + "\"", "\"noise\" or \"tone\"");
}

const core::antenna_array& checked_array(const core::antenna_array& array)
{
    if (array.num_elements() > max_elements) {
        reject("the array's n", std::to_string(array.num_elements()), "from 1 to 64");
    }
    return array;
}

} // namespace

array_simulator::sptr array_simulator::make(const core::antenna_array& array,
                                            const std::vector<double>& angles_deg,
                                            const std::vector<double>& snr_db,
                                            double sample_rate,
                                            const core::calibration_state& errors,
                                            const std::vector<double>& rates_deg,
                                            const std::vector<double>& frequencies,
                                            const std::string& modulation,
                                            bool coherent,
                                            double phase_drift_deg,
                                            double center_frequency,
                                            double start_time,
                                            double noise_power,
                                            int seed,
                                            bool throttle,
                                            const std::vector<double>& elevations_deg)
{
    // The scene checks too, but in radians and with names of its own.
    require_finite("angles_deg", angles_deg);
    require_finite("rates_deg", rates_deg);
    require_finite("frequencies", frequencies);
    require_finite("elevations_deg", elevations_deg);
    if (!(std::isfinite(phase_drift_deg) && phase_drift_deg >= 0.0)) {
        reject("phase_drift_deg",
               std::to_string(phase_drift_deg),
               "finite and >= 0 degrees");
    }
    if (!(std::isfinite(sample_rate) && sample_rate > 0.0)) {
        reject("sample_rate", std::to_string(sample_rate), "finite and > 0 Hz");
    }
    if (!(std::isfinite(noise_power) && noise_power >= 0.0)) {
        reject("noise_power", std::to_string(noise_power), "finite and >= 0");
    }
    if (!(std::isfinite(center_frequency) && center_frequency >= 0.0)) {
        reject("center_frequency",
               std::to_string(center_frequency),
               "finite and > 0 Hz, or 0 for none");
    }
    // Seconds are counted in 64 bits.
    if (!(start_time >= 0.0 && start_time < 1e18)) {
        reject("start_time", std::to_string(start_time), "finite and >= 0 seconds");
    }

    // Without noise there is no SNR: then it counts from a power of 1.
    const double level_of_snr_db =
        noise_power > 0.0 ? 10.0 * std::log10(noise_power) : 0.0;
    require_levels(snr_db, level_of_snr_db);

    const size_t count = angles_deg.size();
    const std::vector<double> levels = for_each_source("snr_db", snr_db, count);
    const std::vector<double> rates = for_each_source("rates_deg", rates_deg, count);
    const std::vector<double> offsets =
        for_each_source("frequencies", frequencies, count);
    const std::vector<double> elevations =
        for_each_source("elevations_deg", elevations_deg, count);
    const core::waveform waveform = waveform_from_string(modulation);

    core::scene_config scene;
    scene.sample_rate = sample_rate;
    for (size_t i = 0; i < count; ++i) {
        core::scene_source source;
        source.azimuth = angles_deg[i] * radians_per_degree;
        source.elevation = elevations[i] * radians_per_degree;
        source.azimuth_rate = rates[i] * radians_per_degree;
        source.level_db = levels[i] + level_of_snr_db;
        source.frequency = offsets[i];
        source.waveform = waveform;
        scene.sources.push_back(source);
    }
    scene.coherent = coherent;
    scene.noise_power = noise_power;
    scene.phase_drift = phase_drift_deg * radians_per_degree;
    scene.seed = static_cast<std::uint64_t>(seed);

    core::antenna_array truth = checked_array(array).calibrated(errors);
    if (center_frequency > 0.0 && truth.wavelength()) {
        truth = truth.with_wavelength(wavelength_at(center_frequency));
    }
    return gnuradio::make_block_sptr<array_simulator_impl>(
        truth, scene, center_frequency, start_time, level_of_snr_db, throttle);
}

array_simulator_impl::array_simulator_impl(const core::antenna_array& array,
                                           const core::scene_config& scene,
                                           double center_frequency,
                                           double start_time,
                                           double level_of_snr_db,
                                           bool throttle)
    : gr::sync_block("array_simulator",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make(
                         array.num_elements(), array.num_elements(), sizeof(gr_complex))),
      d_num_elements(array.num_elements()),
      d_is_front_only(array.is_front_only()),
      d_sample_rate(scene.sample_rate),
      d_center_frequency(center_frequency),
      d_start_time(static_cast<std::uint64_t>(start_time),
                   start_time - std::floor(start_time)),
      d_level_of_snr_db(level_of_snr_db),
      d_is_throttled(throttle),
      d_sources(scene.sources),
      d_scene(array, scene),
      d_channels(array.num_elements())
{
}

bool array_simulator_impl::start()
{
    // What was in the buffers at a stop is gone: the stream tells its time anew.
    d_is_tagged = false;
    d_pace_start = std::chrono::steady_clock::now();
    d_paced_samples = 0;
    return sync_block::start();
}

// Lets the sources go on to where they are \p seconds after the first sample.
void array_simulator_impl::move_sources(double seconds)
{
    for (core::scene_source& source : d_sources) {
        source.azimuth += source.azimuth_rate * (seconds - d_sources_since);
    }
    d_sources_since = seconds;
}

void array_simulator_impl::set_angles_deg(const std::vector<double>& angles_deg)
{
    require_finite("angles_deg", angles_deg);
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (angles_deg.size() != d_sources.size()) {
        reject("angles_deg",
               "a list of " + std::to_string(angles_deg.size()),
               "a list of " + std::to_string(d_sources.size()) +
                   ", the number of sources is fixed");
    }
    for (size_t i = 0; i < d_sources.size(); ++i) {
        d_sources[i].azimuth = angles_deg[i] * radians_per_degree;
    }
    d_sources_since = d_next_change;
    d_is_changed = true;
}

void array_simulator_impl::set_snr_db(const std::vector<double>& snr_db)
{
    require_levels(snr_db, d_level_of_snr_db);
    const std::lock_guard<std::mutex> lock(d_mutex);
    const std::vector<double> levels =
        for_each_source("snr_db", snr_db, d_sources.size());
    for (size_t i = 0; i < d_sources.size(); ++i) {
        d_sources[i].level_db = levels[i] + d_level_of_snr_db;
    }
    d_is_changed = true;
}

std::vector<double> array_simulator_impl::angles_deg_at(double seconds) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    std::vector<double> angles_deg;
    for (const core::scene_source& source : d_sources) {
        const double azimuth =
            source.azimuth + source.azimuth_rate * (seconds - d_sources_since);
        double angle_deg = azimuth / radians_per_degree;
        if (!d_is_front_only) {
            angle_deg -= 360.0 * std::floor(angle_deg / 360.0);
            // A tiny negative angle rounds up to a full turn.
            angle_deg = angle_deg < 360.0 ? angle_deg : 0.0;
        }
        angles_deg.push_back(angle_deg);
    }
    return angles_deg;
}

// Hands changed sources to the scene, and tells setters when the next change can happen.
void array_simulator_impl::apply_changes()
{
    constexpr std::uint64_t interval = core::scene::update_interval;
    const std::uint64_t next_update =
        (d_scene.position() + interval - 1) / interval * interval;

    const std::lock_guard<std::mutex> lock(d_mutex);
    d_next_change = static_cast<double>(next_update) / d_sample_rate;
    if (d_is_changed) {
        move_sources(d_next_change);
        for (size_t i = 0; i < d_sources.size(); ++i) {
            d_scene.set_source(i, d_sources[i]);
        }
        d_is_changed = false;
    }
}

// Samples that may be delivered now, at most \p wanted; sleeps a little when none are
// due.
int array_simulator_impl::wait_for_samples(int wanted) const
{
    const auto due = [this] {
        const std::chrono::duration<double> elapsed =
            std::chrono::steady_clock::now() - d_pace_start;
        return elapsed.count() * d_sample_rate - static_cast<double>(d_paced_samples);
    };
    // Few long portions: many short ones would cost more than the samples themselves.
    const double portion =
        std::min<double>(wanted, std::max(1.0, pace_interval * d_sample_rate));
    double ready = due();
    if (ready < portion) {
        const double missing = (portion - ready) / d_sample_rate;
        std::this_thread::sleep_for(
            std::chrono::duration<double>(std::min(missing, longest_sleep)));
        ready = due();
    }
    return static_cast<int>(std::min<double>(wanted, std::floor(ready)));
}

void array_simulator_impl::add_start_tags()
{
    const std::optional<stream_time> time =
        d_start_time.advanced(d_scene.position(), d_sample_rate);
    for (int k = 0; k < d_num_elements; ++k) {
        const std::uint64_t offset = nitems_written(k);
        if (time) {
            add_item_tag(k, offset, pmt::intern("rx_time"), time->to_pmt(), alias_pmt());
        }
        add_item_tag(k,
                     offset,
                     pmt::intern("rx_rate"),
                     pmt::from_double(d_sample_rate),
                     alias_pmt());
        if (d_center_frequency > 0.0) {
            add_item_tag(k,
                         offset,
                         pmt::intern("rx_freq"),
                         pmt::from_double(d_center_frequency),
                         alias_pmt());
        }
    }
}

int array_simulator_impl::work(int noutput_items,
                               gr_vector_const_void_star&,
                               gr_vector_void_star& output_items)
{
    const int size = d_is_throttled ? wait_for_samples(noutput_items) : noutput_items;
    if (size < 1) {
        return 0;
    }
    apply_changes();
    if (!d_is_tagged) {
        add_start_tags();
        d_is_tagged = true;
    }
    for (int k = 0; k < d_num_elements; ++k) {
        d_channels[k] = static_cast<gr_complex*>(output_items[k]);
    }
    d_scene.generate(d_channels.data(), size);
    d_paced_samples += size;
    return size;
}

} // namespace bearing
} // namespace gr
