/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_IMPL_H
#define INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_IMPL_H

#include "stream_time.h"
#include <gnuradio/bearing/array_simulator.h>
#include <gnuradio/bearing/core/simulation/scene.h>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace gr {
namespace bearing {

class array_simulator_impl : public array_simulator
{
public:
    array_simulator_impl(const core::antenna_array& array,
                         const core::scene_config& scene,
                         double center_frequency,
                         double start_time,
                         double level_of_snr_db,
                         bool throttle);

    bool start() override;
    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_angles_deg(const std::vector<double>& angles_deg) override;
    void set_snr_db(const std::vector<double>& snr_db) override;
    std::vector<double> angles_deg_at(double seconds) const override;

private:
    void move_sources(double seconds);
    void apply_changes();
    int wait_for_samples(int wanted) const;
    void add_start_tags();

    const int d_num_elements;
    const bool d_is_front_only;
    const double d_sample_rate;
    const double d_center_frequency;
    const stream_time d_start_time;
    const double d_level_of_snr_db; // level of a source at an SNR of 0 dB
    const bool d_is_throttled;

    mutable std::mutex d_mutex; // guards what setters and angles_deg_at() use:
    std::vector<core::scene_source> d_sources;
    double d_sources_since = 0.0; // seconds at which the sources are at their azimuths
    double d_next_change = 0.0;   // seconds at which a change made now takes effect
    bool d_is_changed = false;    // the scene does not know yet

    core::scene d_scene;
    bool d_is_tagged = false;
    std::chrono::steady_clock::time_point d_pace_start;
    std::uint64_t d_paced_samples = 0;
    std::vector<gr_complex*> d_channels;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_ARRAY_SIMULATOR_IMPL_H */
