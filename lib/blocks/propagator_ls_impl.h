/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_IMPL_H
#define INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_IMPL_H

#include "background_worker.h"
#include "sensor_tags.h"
#include "wave_follower.h"
#include <gnuradio/bearing/propagator_ls.h>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

//! What a velocity that data ask for is used for.
enum class velocity_use { off, report, apply };

template <class T>
class propagator_ls_impl : public propagator_ls<T>
{
public:
    propagator_ls_impl(const std::vector<core::propagator>& propagators,
                       double sample_rate,
                       const core::propagator_stream_config& config,
                       double interval,
                       velocity_use velocity);
    ~propagator_ls_impl() override;

    bool start() override;
    bool stop() override;
    void forecast(int noutput_items, gr_vector_int& ninput_items_required) override;
    int general_work(int noutput_items,
                     gr_vector_int& ninput_items,
                     gr_vector_const_void_star& input_items,
                     gr_vector_void_star& output_items) override;

    void set_mode(const std::string& mode) override;
    void set_mu(double mu) override;
    void set_propagators(const std::vector<core::propagator>& propagators) override;
    std::vector<core::propagator> propagators() const override;

    int num_sensors() const override { return d_num_sensors; }
    int num_sources() const override { return d_num_sources; }
    int latency() const override;
    int block_length() const override;
    int support() const override;
    int hop() const override;

    std::string status() const override;
    core::stream_spectra spectra() const override;
    Eigen::VectorXd sensor_noise() const override;
    Eigen::VectorXd velocity_scale() const override;
    std::uint64_t restarts() const override;
    std::map<std::string, std::uint64_t> counts() const override;

private:
    using core_stream = core::propagator_stream<T>;
    enum class event {
        gap,
        jump,
        retuned,
        bearings_followed,
        bearings_ignored,
        bearings_malformed,
        refused,
        bad_tags,
        other_rate,
        num_events
    };
    // How much faster waves are than a propagator, as given, says.
    struct velocity_mean {
        double scale = 0.0;
        int num_blocks = 0;
        double applied = 1.0;
        double tried = 1.0;
    };
    // Fits to one block of data, and what they found: relative to the velocities that were
    // applied then.
    struct velocity_fits {
        std::vector<std::function<double()>> fits; // none: no velocity to be found
        std::vector<double> applied;
        std::vector<double> scales;
    };

    static const char* name_of(event event);
    std::uint64_t count(event event, std::uint64_t number = 1);
    std::map<std::string, std::uint64_t> all_counts() const;

    std::vector<core::propagator>
    scaled(const std::vector<core::propagator>& given) const;
    bool try_propagators(const std::vector<core::propagator>& propagators,
                         const char* why);

    void on_bearings(const pmt::pmt_t& message);

    bool has_ended(std::size_t used) const;
    void load_tags(std::size_t size);
    void follow(const tagged_sample& sample, std::size_t num_outputs);
    void restart();
    void retune();
    std::size_t
    read(const gr_vector_void_star& outputs, std::size_t made, std::size_t limit);
    std::size_t
    write(const gr_vector_const_void_star& inputs, std::size_t used, std::size_t count);
    void finish();
    void fit_velocities(velocity_fits& job);
    void follow_velocity();
    void learn_velocity();
    void tell(bool is_last);
    pmt::pmt_t report();

    const double d_sample_rate;
    const double d_interval;
    const velocity_use d_velocity_use;
    const int d_num_sensors;
    const int d_num_sources;

    mutable std::mutex d_mutex; // guards what follows
    core::propagator_stream_config d_config;
    std::optional<core_stream> d_stream;
    std::vector<core::propagator> d_given; // as told, turned by bearings, not scaled
    std::vector<velocity_mean> d_velocities;
    wave_follower d_follower;
    std::uint64_t d_counts[static_cast<std::size_t>(event::num_events)] = {};
    std::uint64_t d_restarts = 0;
    std::shared_ptr<velocity_fits> d_fits; // that the worker has
    bool d_is_fit_outdated = false;        // other propagators came meanwhile

    // Everything below belongs to the scheduler's thread.
    std::vector<const T*> d_inputs;
    std::vector<T*> d_signals;
    std::vector<T*> d_sources;
    std::vector<std::vector<T>> d_unconnected; // a hop of each source
    sensor_tags d_tags;
    std::vector<gr::tag_t> d_window;
    std::vector<gr::tag_t> d_loaded;
    std::optional<double> d_center_frequency; // the one in force, where known
    std::optional<double> d_next_frequency;   // once all that was written came out

    bool d_is_open = false;          // written to since it was finished
    std::uint64_t d_num_read = 0;    // items that came out of the core since start()
    std::uint64_t d_block_start = 0; // first item of the latest block of outputs
    std::uint64_t d_told_until = 0;  // items that messages have told of
    double d_next_velocity = 0.0;    // items by which the velocity is fitted again
    double d_velocity_due = 0.0;     // items by which a fit is made use of
    core::status d_told_status = core::status::learning;
    std::uint64_t d_told_restarts = 0;
    std::vector<pmt::pmt_t> d_messages;
    std::unique_lock<std::mutex> d_work_lock; // on d_mutex

    std::atomic<bool> d_has_warned_of_fits{ false };
    background_worker<std::shared_ptr<velocity_fits>> d_worker;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_PROPAGATOR_LS_IMPL_H */
