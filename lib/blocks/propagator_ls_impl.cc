/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "propagator_ls_impl.h"
#include "report_schedule.h"
#include "spectra_message.h"
#include <gnuradio/block_detail.h>
#include <gnuradio/buffer_reader.h>
#include <gnuradio/fft/fft.h>
#include <gnuradio/io_signature.h>
#include <type_traits>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace gr {
namespace bearing {

namespace {

constexpr int max_sensors = 64;

// Velocities beyond are no calibration any more, and the filters are too short for them.
constexpr double slowest_scale = 0.95;
constexpr double fastest_scale = 1.05;
// A change of velocity by less costs no hundredth of a decibel.
constexpr double smallest_step = 2e-4;

// For a worker that was given one job; it always ends, and is asked again.
constexpr std::chrono::seconds longest_wait{ 1 };

bool is_calibration(double scale)
{
    return scale >= slowest_scale && scale <= fastest_scale;
}

const pmt::pmt_t bearings_port = pmt::mp("bearings");
const pmt::pmt_t spectra_port = pmt::mp("spectra");

velocity_use velocity_use_from_string(const std::string& velocity)
{
    if (velocity == "off") {
        return velocity_use::off;
    }
    if (velocity == "report") {
        return velocity_use::report;
    }
    if (velocity == "apply") {
        return velocity_use::apply;
    }
    throw std::invalid_argument("velocity is \"" + velocity +
                                "\"; it must be \"off\", \"report\" or \"apply\"");
}

void require_propagators(const std::vector<core::propagator>& propagators)
{
    if (propagators.empty()) {
        throw std::invalid_argument(
            "propagators is empty; it must hold one for each source");
    }
    const int sensors = propagators.front().num_sensors();
    if (sensors > max_sensors) {
        throw std::invalid_argument("propagators have " + std::to_string(sensors) +
                                    " sensors; they must have 1 to " +
                                    std::to_string(max_sensors));
    }
}

velocity_use checked_velocity(const std::string& velocity,
                              const std::vector<core::propagator>& propagators)
{
    const velocity_use use = velocity_use_from_string(velocity);
    for (std::size_t k = 0; use != velocity_use::off && k < propagators.size(); ++k) {
        if (!propagators[k].has_velocity()) {
            throw std::invalid_argument(
                "velocity is \"" + velocity + "\", but propagators[" + std::to_string(k) +
                "] is a table of responses, which has none; it must be \"off\"");
        }
    }
    return use;
}

std::optional<double> center_frequency(const core::propagator_stream_config& config,
                                       const std::vector<core::propagator>& propagators)
{
    const double given = config.estimate.center_frequency;
    return given != 0.0 ? given : propagators.front().own_center_frequency();
}

// FFTW makes and destroys plans in one thread at a time.
template <class Stream>
Stream make_stream(double sample_rate,
                   const std::vector<core::propagator>& propagators,
                   const core::propagator_stream_config& config)
{
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    return Stream(sample_rate, propagators, config);
}

} // namespace

template <class T>
typename propagator_ls<T>::sptr
propagator_ls<T>::make(const std::vector<core::propagator>& propagators,
                       double sample_rate,
                       const std::string& mode,
                       const std::string& noise,
                       double mu,
                       std::optional<double> ridge,
                       int block_length,
                       double averaging,
                       bool align,
                       double taper,
                       const Eigen::MatrixXd& source_psd,
                       const Eigen::MatrixXd& noise_psd,
                       double center_frequency,
                       double interval,
                       const std::string& velocity)
{
    // Here, because the signatures of the block would reject no sensors in other words.
    require_propagators(propagators);
    core::propagator_stream_config config;
    config.estimate.mode = core::ls_mode_from_string(mode);
    config.estimate.noise = core::sensor_noise_from_string(noise);
    config.estimate.mu = mu;
    config.estimate.ridge = ridge;
    config.estimate.source_psd = source_psd;
    config.estimate.noise_psd = noise_psd;
    config.estimate.center_frequency = center_frequency;
    config.block_length = block_length;
    config.averaging = averaging;
    config.align = align;
    config.taper = taper;
    return gnuradio::make_block_sptr<propagator_ls_impl<T>>(
        propagators,
        sample_rate,
        config,
        checked_interval(interval),
        checked_velocity(velocity, propagators));
}

template <class T>
propagator_ls_impl<T>::propagator_ls_impl(
    const std::vector<core::propagator>& propagators,
    double sample_rate,
    const core::propagator_stream_config& config,
    double interval,
    velocity_use velocity)
    : gr::block(std::is_same<T, float>::value ? "propagator_ls_ff" : "propagator_ls_cc",
                gr::io_signature::make(propagators.front().num_sensors(),
                                       propagators.front().num_sensors(),
                                       sizeof(T)),
                gr::io_signature::make(propagators.front().num_sensors(),
                                       propagators.front().num_sensors() +
                                           static_cast<int>(propagators.size()),
                                       sizeof(T))),
      d_sample_rate(sample_rate),
      d_interval(interval),
      d_velocity_use(velocity),
      d_num_sensors(propagators.front().num_sensors()),
      d_num_sources(static_cast<int>(propagators.size())),
      d_config(config),
      d_stream(make_stream<core_stream>(sample_rate, propagators, config)),
      d_given(propagators),
      d_velocities(d_num_sources),
      d_inputs(d_num_sensors),
      d_signals(d_num_sensors),
      d_sources(d_num_sources),
      d_unconnected(d_num_sources, std::vector<T>(d_stream->hop())),
      d_tags(sample_rate),
      d_center_frequency(center_frequency(config, propagators)),
      d_work_lock(d_mutex, std::defer_lock),
      d_worker(
          [this](const std::shared_ptr<velocity_fits>& job) { fit_velocities(*job); })
{
    // Tags of N inputs come out once.
    this->set_tag_propagation_policy(gr::block::TPP_DONT);
    this->message_port_register_out(spectra_port);
    this->message_port_register_in(bearings_port);
    this->set_msg_handler(bearings_port,
                          [this](const pmt::pmt_t& message) { on_bearings(message); });
}

template <class T>
propagator_ls_impl<T>::~propagator_ls_impl()
{
    d_worker.stop();
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    d_stream.reset();
}

template <class T>
bool propagator_ls_impl<T>::start()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    // Samples between stop and start are missing; what is inside belongs to the old ones.
    d_stream->finish();
    d_restarts += d_is_open;
    for (std::size_t k = 0; k < d_unconnected.size(); ++k) {
        d_sources[k] = d_unconnected[k].data();
    }
    std::vector<T> nowhere(d_stream->hop());
    std::fill(d_signals.begin(), d_signals.end(), nowhere.data());
    while (d_stream->read(d_signals.data(), d_sources.data(), nowhere.size()) > 0) {
    }
    d_tags.start();
    d_next_frequency.reset();
    d_is_open = false;
    d_num_read = 0;
    d_block_start = 0;
    d_told_until = 0;
    d_next_velocity = 0.0;
    d_fits.reset();
    if (d_velocity_use != velocity_use::off) {
        d_worker.start();
    }
    return gr::block::start();
}

template <class T>
bool propagator_ls_impl<T>::stop()
{
    d_worker.stop();
    return gr::block::stop();
}

template <class T>
const char* propagator_ls_impl<T>::name_of(event event)
{
    switch (event) {
    case event::gap:
        return "gap";
    case event::jump:
        return "jump";
    case event::retuned:
        return "retuned";
    case event::bearings_followed:
        return "bearings_followed";
    case event::bearings_ignored:
        return "bearings_ignored";
    case event::bearings_malformed:
        return "bearings_malformed";
    case event::refused:
        return "refused";
    case event::bad_tags:
        return "bad_tags";
    case event::other_rate:
        return "other_rate";
    case event::num_events:
        break;
    }
    return "";
}

// Returns how often the event came before.
template <class T>
std::uint64_t propagator_ls_impl<T>::count(event event, std::uint64_t number)
{
    std::uint64_t& own = d_counts[static_cast<std::size_t>(event)];
    own += number;
    return own - number;
}

template <class T>
std::map<std::string, std::uint64_t> propagator_ls_impl<T>::all_counts() const
{
    std::map<std::string, std::uint64_t> counts;
    for (std::size_t k = 0; k < static_cast<std::size_t>(event::num_events); ++k) {
        counts[name_of(static_cast<event>(k))] = d_counts[k];
    }
    return counts;
}

template <class T>
std::map<std::string, std::uint64_t> propagator_ls_impl<T>::counts() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return all_counts();
}

template <class T>
void propagator_ls_impl<T>::set_mode(const std::string& mode)
{
    const core::ls_mode known = core::ls_mode_from_string(mode);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_stream->set_mode(known);
    d_config.estimate.mode = known;
}

template <class T>
void propagator_ls_impl<T>::set_mu(double mu)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_stream->set_mu(mu);
    d_config.estimate.mu = mu;
}

template <class T>
void propagator_ls_impl<T>::set_propagators(
    const std::vector<core::propagator>& propagators)
{
    require_propagators(propagators);
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_stream->set_propagators(propagators);
    d_given = propagators;
    d_velocities.assign(d_num_sources, velocity_mean());
    d_is_fit_outdated = true;
    d_follower.forget();
}

// With the velocities that are in force.
template <class T>
std::vector<core::propagator>
propagator_ls_impl<T>::scaled(const std::vector<core::propagator>& given) const
{
    std::vector<core::propagator> propagators = given;
    for (int k = 0; k < d_num_sources; ++k) {
        if (d_velocities[k].applied != 1.0) {
            propagators[k] = given[k].with_velocity_scale(d_velocities[k].applied);
        }
    }
    return propagators;
}

template <class T>
std::vector<core::propagator> propagator_ls_impl<T>::propagators() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return scaled(d_given);
}

template <class T>
int propagator_ls_impl<T>::latency() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->latency();
}

template <class T>
int propagator_ls_impl<T>::block_length() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->block_length();
}

template <class T>
int propagator_ls_impl<T>::support() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->support();
}

template <class T>
int propagator_ls_impl<T>::hop() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->hop();
}

template <class T>
std::string propagator_ls_impl<T>::status() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return core::to_string(d_stream->status());
}

template <class T>
core::stream_spectra propagator_ls_impl<T>::spectra() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->spectra();
}

template <class T>
Eigen::VectorXd propagator_ls_impl<T>::sensor_noise() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_stream->sensor_noise();
}

template <class T>
Eigen::VectorXd propagator_ls_impl<T>::velocity_scale() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    Eigen::VectorXd scales(d_num_sources);
    for (int k = 0; k < d_num_sources; ++k) {
        const velocity_mean& mean = d_velocities[k];
        scales(k) =
            mean.num_blocks > 0 ? mean.scale : std::numeric_limits<double>::quiet_NaN();
    }
    return scales;
}

template <class T>
std::uint64_t propagator_ls_impl<T>::restarts() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_restarts;
}

// Takes over what the stream itself asks for, if that can be.
template <class T>
bool propagator_ls_impl<T>::try_propagators(
    const std::vector<core::propagator>& propagators, const char* why)
{
    try {
        d_stream->set_propagators(propagators);
        return true;
    } catch (const std::exception& error) {
        if (count(event::refused) == 0) {
            this->d_logger->warn(
                "{} not followed: {}; further ones are counted", why, error.what());
        }
        return false;
    }
}

template <class T>
void propagator_ls_impl<T>::on_bearings(const pmt::pmt_t& message)
{
    const std::optional<heard_bearings> heard = bearings_from_pmt(message);
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (!heard) {
        if (count(event::bearings_malformed) == 0) {
            this->d_logger->warn("message bearings must be cons(dict with status, "
                                 "f32vector); this and further ones are counted");
        }
        return;
    }
    const bool has_wave =
        std::any_of(d_given.begin(), d_given.end(), [](const core::propagator& p) {
            return p.is_plane_wave();
        });
    if (heard->status != "ok" || heard->directions.empty() || !has_wave) {
        count(event::bearings_ignored);
        return;
    }
    wave_follower follower = d_follower;
    const std::vector<core::propagator> turned =
        follower.follow(d_given, heard->directions);
    if (try_propagators(scaled(turned), "bearings")) {
        count(event::bearings_followed);
        d_given = turned;
        d_follower = follower;
    }
}

template <class T>
void propagator_ls_impl<T>::forecast(int, gr_vector_int& ninput_items_required)
{
    // What is ready needs no input, and neither does the rest at the end; else any number
    // of samples brings outputs nearer.
    const std::lock_guard<std::mutex> lock(d_mutex);
    const bool needs_input = d_stream->available() == 0 && !has_ended(0);
    std::fill(
        ninput_items_required.begin(), ninput_items_required.end(), needs_input ? 1 : 0);
}

// Whether an input has nothing, and will have nothing, after \p used items.
template <class T>
bool propagator_ls_impl<T>::has_ended(std::size_t used) const
{
    const gr::block_detail_sptr detail = this->detail();
    if (!detail) { // not in a flowgraph
        return false;
    }
    for (int k = 0; k < d_num_sensors; ++k) {
        const gr::buffer_reader_sptr input = detail->input(k);
        const gr::thread::scoped_lock guard(*input->mutex());
        if (input->done() && static_cast<std::size_t>(input->items_available()) <= used) {
            return true;
        }
    }
    return false;
}

template <class T>
void propagator_ls_impl<T>::load_tags(std::size_t size)
{
    d_loaded.clear();
    for (int k = 0; k < d_num_sensors; ++k) {
        this->get_tags_in_window(d_window, k, 0, size);
        d_loaded.insert(d_loaded.end(), d_window.begin(), d_window.end());
    }
    d_tags.load(d_loaded);
}

template <class T>
void propagator_ls_impl<T>::follow(const tagged_sample& sample, std::size_t num_outputs)
{
    for (const gr::tag_t& tag : sample.tags) {
        for (std::size_t output = 0; output < num_outputs; ++output) {
            this->add_item_tag(output, sample.offset, tag.key, tag.value, tag.srcid);
        }
    }
    if (sample.num_bad > 0 && count(event::bad_tags, sample.num_bad) == 0) {
        this->d_logger->warn("a tag at sample {} has a value that makes no sense; it and "
                             "all further such values are ignored",
                             sample.offset);
    }
    if (sample.num_other_rates > 0 &&
        count(event::other_rate, sample.num_other_rates) == 0) {
        this->d_logger->warn("tag rx_rate at sample {} differs from sample_rate, {} Hz, "
                             "which stays in force",
                             sample.offset,
                             d_sample_rate);
    }
    if (sample.has_gap || sample.has_jump) {
        count(sample.has_gap ? event::gap : event::jump);
        restart();
    }
    if (sample.rx_freq && sample.rx_freq != d_center_frequency) {
        if (d_is_open) {
            count(event::retuned);
            restart();
        }
        d_next_frequency = sample.rx_freq;
    }
}

// What was written comes out as it would at the end, and what follows starts anew.
template <class T>
void propagator_ls_impl<T>::restart()
{
    if (d_is_open) {
        finish();
        ++d_restarts;
    }
}

template <class T>
void propagator_ls_impl<T>::finish()
{
    follow_velocity();
    const std::uint64_t first = d_num_read + d_stream->available();
    d_stream->finish();
    if (d_num_read + d_stream->available() > first) {
        d_block_start = first;
    }
    d_is_open = false;
}

// To the frequency that a tag told of; nothing is inside the core.
template <class T>
void propagator_ls_impl<T>::retune()
{
    const double frequency = *d_next_frequency;
    d_next_frequency.reset();
    if (d_center_frequency == frequency) {
        return;
    }
    d_stream->forget();
    if (std::is_same<T, float>::value) {
        d_center_frequency = frequency;
        return;
    }
    core::propagator_stream_config config = d_config;
    config.estimate.center_frequency = frequency;
    // Given densities are at the bins of the blocks there are.
    if (d_config.estimate.source_psd.rows() > 1 ||
        d_config.estimate.noise_psd.rows() > 1) {
        config.block_length = d_stream->block_length();
    }
    try {
        core_stream retuned =
            make_stream<core_stream>(d_sample_rate, scaled(d_given), config);
        const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
        d_stream = std::move(retuned);
        d_center_frequency = frequency;
        for (std::vector<T>& source : d_unconnected) {
            source.resize(d_stream->hop());
        }
    } catch (const std::exception& error) {
        d_center_frequency.reset(); // coming back is another change
        if (count(event::refused) == 0) {
            this->d_logger->warn("rx_freq not followed: {}; further ones are counted",
                                 error.what());
        }
    }
}

// Up to item \p limit of the output buffers; returns how many there are then.
template <class T>
std::size_t propagator_ls_impl<T>::read(const gr_vector_void_star& outputs,
                                        std::size_t made,
                                        std::size_t limit)
{
    while (made < limit && d_stream->available() > 0) {
        const std::size_t size = std::min<std::size_t>(limit - made, d_stream->hop());
        for (int k = 0; k < d_num_sensors; ++k) {
            d_signals[k] = static_cast<T*>(outputs[k]) + made;
        }
        for (int k = 0; k < d_num_sources; ++k) {
            const std::size_t output = d_num_sensors + k;
            d_sources[k] = output < outputs.size()
                               ? static_cast<T*>(outputs[output]) + made
                               : d_unconnected[k].data();
        }
        const std::size_t taken =
            d_stream->read(d_signals.data(), d_sources.data(), size);
        made += taken;
        d_num_read += taken;
    }
    return made;
}

// Returns how many were taken; at most one block of outputs becomes ready.
template <class T>
std::size_t propagator_ls_impl<T>::write(const gr_vector_const_void_star& inputs,
                                         std::size_t used,
                                         std::size_t count)
{
    for (int k = 0; k < d_num_sensors; ++k) {
        d_inputs[k] = static_cast<const T*>(inputs[k]) + used;
    }
    const std::uint64_t first = d_num_read + d_stream->available();
    const std::size_t taken =
        d_stream->write(d_inputs.data(), std::min<std::size_t>(count, d_stream->hop()));
    d_is_open = d_is_open || taken > 0;
    if (d_num_read + d_stream->available() > first) {
        d_block_start = first;
        learn_velocity();
        tell(false);
    }
    return taken;
}

// In the worker's thread, which an exception would end together with the process. A fit
// that fails says nothing, and its velocity stays as it was.
template <class T>
void propagator_ls_impl<T>::fit_velocities(velocity_fits& job)
{
    for (std::size_t k = 0; k < job.fits.size(); ++k) {
        if (!job.fits[k]) {
            continue;
        }
        try {
            // The fit transforms blocks of a length of its own.
            const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
            job.scales[k] = job.fits[k]();
        } catch (const std::exception& error) {
            if (!d_has_warned_of_fits.exchange(true)) {
                this->d_logger->warn("velocity not fitted: {}; further ones are not told",
                                     error.what());
            }
        }
    }
    job.fits.clear(); // and the data they hold
}

/*
 * A fit takes longer than a block of a fast stream lasts, so the worker has half of the
 * interval for it. What it found is used at an item that was set before: what comes out does
 * not depend on how fast the machine is. Only if it took longer, the stream waits.
 */
template <class T>
void propagator_ls_impl<T>::learn_velocity()
{
    const auto ready = static_cast<double>(d_num_read + d_stream->available());
    if (ready >= d_velocity_due) {
        follow_velocity();
    }
    if (d_velocity_use == velocity_use::off || d_fits || ready < d_next_velocity) {
        return;
    }
    d_next_velocity = ready + d_interval * d_sample_rate;
    d_velocity_due = ready + 0.5 * d_interval * d_sample_rate;
    d_fits = std::make_shared<velocity_fits>();
    d_is_fit_outdated = false;
    d_fits->fits.resize(d_num_sources);
    d_fits->scales.assign(d_num_sources, std::numeric_limits<double>::quiet_NaN());
    for (int k = 0; k < d_num_sources; ++k) {
        d_fits->applied.push_back(d_velocities[k].applied);
        if (d_given[k].has_velocity()) {
            d_fits->fits[k] = d_stream->velocity_fit(k);
        }
    }
    d_worker.push(d_fits);
}

// Takes what the worker found, if it was asked. Called with d_work_lock held, which it may
// give up for a while.
template <class T>
void propagator_ls_impl<T>::follow_velocity()
{
    if (!d_fits) {
        return;
    }
    // Nobody else has to wait for a fit. Who sets something meanwhile finds the stream
    // between two blocks.
    d_work_lock.unlock();
    while (!d_worker.is_idle_by(std::chrono::steady_clock::now() + longest_wait)) {
    }
    d_work_lock.lock();
    const std::shared_ptr<velocity_fits> found = std::move(d_fits);
    d_fits.reset();
    if (d_is_fit_outdated) {
        return;
    }
    bool is_due = false;
    for (int k = 0; k < d_num_sources; ++k) {
        velocity_mean& mean = d_velocities[k];
        const double seen = found->applied[k] * found->scales[k];
        if (!std::isfinite(seen)) {
            continue;
        }
        mean.num_blocks += 1;
        mean.scale +=
            (seen - mean.scale) / std::min<double>(mean.num_blocks, d_config.averaging);
        is_due = is_due || (is_calibration(mean.scale) &&
                            std::abs(mean.scale - mean.tried) > smallest_step);
    }
    if (d_velocity_use != velocity_use::apply || !is_due) {
        return;
    }
    const std::vector<velocity_mean> before = d_velocities;
    for (velocity_mean& mean : d_velocities) {
        if (mean.num_blocks > 0 && is_calibration(mean.scale)) {
            mean.tried = mean.scale;
            mean.applied = mean.tried;
        }
    }
    if (!try_propagators(scaled(d_given), "velocity")) {
        for (int k = 0; k < d_num_sources; ++k) {
            d_velocities[k].applied = before[k].applied;
        }
    }
}

// Puts a message aside when there is something to tell.
template <class T>
void propagator_ls_impl<T>::tell(bool is_last)
{
    const std::uint64_t ready = d_num_read + d_stream->available();
    if (ready == d_told_until) {
        return;
    }
    const core::status status = d_stream->status();
    if (d_told_until == 0 || is_last || status != d_told_status ||
        d_restarts != d_told_restarts ||
        static_cast<double>(ready - d_told_until) >= d_interval * d_sample_rate) {
        d_told_until = ready;
        d_told_status = status;
        d_told_restarts = d_restarts;
        d_messages.push_back(report());
    }
}

template <class T>
pmt::pmt_t propagator_ls_impl<T>::report()
{
    spectra_report report;
    report.spectra = d_stream->spectra();
    report.sensor_noise = d_stream->sensor_noise();
    report.velocity_scale.resize(d_num_sources);
    for (int k = 0; k < d_num_sources; ++k) {
        report.velocity_scale(k) = d_velocities[k].num_blocks > 0
                                       ? d_velocities[k].scale
                                       : std::numeric_limits<double>::quiet_NaN();
    }
    report.status = d_stream->status();
    report.time = d_tags.time_of(d_block_start);
    report.restarts = d_restarts;
    report.counts = all_counts();
    return spectra_message(report);
}

template <class T>
int propagator_ls_impl<T>::general_work(int noutput_items,
                                        gr_vector_int& ninput_items,
                                        gr_vector_const_void_star& input_items,
                                        gr_vector_void_star& output_items)
{
    const std::size_t size = static_cast<std::size_t>(
        *std::min_element(ninput_items.begin(), ninput_items.end()));
    const std::size_t limit = static_cast<std::size_t>(noutput_items);
    const std::uint64_t first = this->nitems_read(0);
    load_tags(size);

    d_messages.clear();
    std::size_t used = 0;
    std::size_t made = 0;
    bool is_done = false;
    {
        const std::lock_guard<std::unique_lock<std::mutex>> lock(d_work_lock);
        while (true) {
            made = read(output_items, made, limit);
            if (d_stream->available() > 0) {
                break;
            }
            if (used == size) {
                is_done = has_ended(used);
                if (!is_done || !d_is_open) {
                    break;
                }
                finish();
                tell(true);
                continue;
            }
            if (d_tags.next_offset() == first + used) {
                follow(d_tags.next(), output_items.size());
                continue; // what a restart brings out comes before the next sample
            }
            if (d_next_frequency) {
                retune();
            }
            const std::size_t run =
                d_tags.next_offset()
                    ? std::min<std::size_t>(*d_tags.next_offset() - first, size) - used
                    : size - used;
            const std::size_t taken = write(input_items, used, run);
            used += taken;
            if (taken == 0 && d_stream->available() == 0) {
                break;
            }
        }
    }
    for (const pmt::pmt_t& message : d_messages) {
        this->message_port_pub(spectra_port, message);
    }
    this->consume_each(used);
    return is_done && made == 0 ? gr::block::WORK_DONE : static_cast<int>(made);
}

template class propagator_ls<float>;
template class propagator_ls<gr_complex>;

} // namespace bearing
} // namespace gr
