/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <gnuradio/bearing/core/simulation/scene.h>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double two_pi = 2.0 * M_PI;
constexpr double seconds_per_minute = 60.0;

// Beyond this a float cannot hold the samples' squares.
constexpr double largest_level_db = 300.0;

// Streams of random numbers: every part of the scene has its own, so that for example the
// noise stays the same when a source is added.
constexpr std::uint64_t noise_stream = 0;
constexpr std::uint64_t drift_stream = 1;
constexpr std::uint64_t first_source_stream = 2;

void require(bool is_allowed,
             const std::string& name,
             double value,
             const std::string& allowed)
{
    if (!is_allowed) {
        throw std::invalid_argument("scene: " + name + " is " + std::to_string(value) +
                                    "; it must be " + allowed);
    }
}

void require_source(std::size_t index, const scene_source& source, double sample_rate)
{
    const auto name = [index](const char* parameter) {
        return std::string(parameter) + " of source " + std::to_string(index);
    };
    require(std::isfinite(source.azimuth),
            name("azimuth"),
            source.azimuth,
            "finite, radians");
    require(std::isfinite(source.elevation),
            name("elevation"),
            source.elevation,
            "finite, radians");
    require(std::isfinite(source.azimuth_rate),
            name("azimuth_rate"),
            source.azimuth_rate,
            "finite, radians a second");
    require(std::abs(source.level_db) <= largest_level_db,
            name("level_db"),
            source.level_db,
            "from -300 to 300 dB");
    require(std::abs(source.frequency) <= 0.5 * sample_rate,
            name("frequency"),
            source.frequency,
            "within half the sample rate, which is " + std::to_string(sample_rate) +
                " Hz");
}

} // namespace

struct scene::state {
    // A source and the sample at which it is, or was, at its azimuth.
    struct placed_source {
        scene_source source;
        std::uint64_t since = 0;
        double cycles = 0.0; // of the oscillator at the next interval
        gaussian_source random;
        Eigen::VectorXcd steering;
        bool is_steered = false; // towards where it is
    };

    state(antenna_array the_array, const scene_config& config);

    std::uint64_t next_update() const;
    double azimuth_at(const placed_source& placed, double position) const;
    void render();
    void render_waveform(placed_source& placed);

    antenna_array array;
    double sample_rate;
    bool coherent;
    double noise_power;
    double drift_step; // standard deviation of a phase step per interval, radians
    std::vector<placed_source> sources;
    gaussian_source noise;
    gaussian_source drift;
    Eigen::VectorXd drift_phase;
    Eigen::VectorXcd receivers; // phasors of the drift
    Eigen::VectorXcf response;
    Eigen::VectorXcd work;

    std::uint64_t position = 0;
    // The interval that holds the present position; the output is always copied from
    // here, so that not even rounding depends on where a caller's buffers begin.
    Eigen::ArrayXXcf interval; // update_interval x N
    Eigen::ArrayXcf waveform;  // update_interval
};

scene::state::state(antenna_array the_array, const scene_config& config)
    : array(std::move(the_array)),
      sample_rate(config.sample_rate),
      coherent(config.coherent),
      noise_power(config.noise_power),
      drift_step(config.phase_drift * std::sqrt(static_cast<double>(update_interval) /
                                                (sample_rate * seconds_per_minute))),
      noise(config.seed, noise_stream),
      drift(config.seed, drift_stream),
      drift_phase(Eigen::VectorXd::Zero(array.num_elements())),
      receivers(Eigen::VectorXcd::Ones(array.num_elements())),
      response(array.num_elements()),
      interval(update_interval, array.num_elements()),
      waveform(update_interval)
{
    for (std::size_t i = 0; i < config.sources.size(); ++i) {
        sources.push_back({ config.sources[i],
                            0,
                            0.0,
                            gaussian_source(config.seed, first_source_stream + i),
                            {},
                            false });
    }
}

std::uint64_t scene::state::next_update() const
{
    return (position + update_interval - 1) / update_interval * update_interval;
}

double scene::state::azimuth_at(const placed_source& placed, double at) const
{
    const double seconds = (at - static_cast<double>(placed.since)) / sample_rate;
    return placed.source.azimuth + placed.source.azimuth_rate * seconds;
}

void scene::state::render_waveform(placed_source& placed)
{
    const double amplitude = std::pow(10.0, placed.source.level_db / 20.0);
    const bool is_tone = placed.source.waveform == core::waveform::tone;
    if (is_tone) {
        waveform.setConstant(static_cast<float>(amplitude));
    } else {
        placed.random.fill(waveform.data(), update_interval, amplitude * amplitude);
    }
    const double cycles_per_sample = placed.source.frequency / sample_rate;
    if (placed.source.frequency != 0.0 || placed.cycles != 0.0) {
        const std::complex<double> step = std::polar(1.0, two_pi * cycles_per_sample);
        std::complex<double> rotation = std::polar(1.0, two_pi * placed.cycles);
        for (std::size_t t = 0; t < update_interval; ++t) {
            waveform(t) *= static_cast<std::complex<float>>(rotation);
            rotation *= step;
        }
        const double cycles = placed.cycles + cycles_per_sample * update_interval;
        placed.cycles = cycles - std::floor(cycles);
    }
}

void scene::state::render()
{
    noise.fill(interval.data(), interval.size(), noise_power);

    if (drift_step > 0.0) {
        // Before the first interval the receivers are in phase.
        for (Eigen::Index l = 1; l < drift_phase.size(); ++l) {
            drift_phase(l) += position > 0 ? drift_step * drift.next() : 0.0;
            receivers(l) = std::polar(1.0, drift_phase(l));
        }
    }

    // Directions are those in the middle of the interval, so that the error of holding
    // them has no bias.
    const double middle = static_cast<double>(position) + 0.5 * update_interval;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        placed_source& placed = sources[i];
        const scene_source& source = placed.source;
        double level = 1.0;
        if (!coherent || i == 0) {
            render_waveform(placed);
        } else {
            level = std::pow(10.0, (source.level_db - sources[0].source.level_db) / 20.0);
        }
        if (!placed.is_steered || source.azimuth_rate != 0.0) {
            array.steering(
                azimuth_at(placed, middle), source.elevation, placed.steering, work);
            placed.is_steered = true;
        }
        response = (level * receivers.array() * placed.steering.array())
                       .cast<std::complex<float>>();
        for (Eigen::Index l = 0; l < response.size(); ++l) {
            interval.col(l) += response(l) * waveform;
        }
    }
}

scene::scene(antenna_array array, scene_config config)
{
    require(std::isfinite(config.sample_rate) && config.sample_rate > 0.0,
            "sample_rate",
            config.sample_rate,
            "finite and > 0 Hz");
    require(std::isfinite(config.noise_power) && config.noise_power >= 0.0,
            "noise_power",
            config.noise_power,
            "finite and >= 0");
    require(std::isfinite(config.phase_drift) && config.phase_drift >= 0.0,
            "phase_drift",
            config.phase_drift,
            "finite and >= 0 radians");
    for (std::size_t i = 0; i < config.sources.size(); ++i) {
        require_source(i, config.sources[i], config.sample_rate);
    }
    d_state = std::make_unique<state>(std::move(array), config);
}

scene::~scene() = default;

void scene::generate(std::complex<float>* const* channels, std::size_t num_samples)
{
    for (std::size_t done = 0; done < num_samples;) {
        const std::size_t offset = d_state->position % update_interval;
        if (offset == 0) {
            d_state->render();
        }
        const std::size_t size = std::min(num_samples - done, update_interval - offset);
        for (Eigen::Index l = 0; l < d_state->interval.cols(); ++l) {
            const std::complex<float>* from = &d_state->interval(offset, l);
            std::copy(from, from + size, channels[l] + done);
        }
        done += size;
        d_state->position += size;
    }
}

std::uint64_t scene::position() const { return d_state->position; }

std::vector<double> scene::azimuth_at(std::uint64_t position) const
{
    std::vector<double> azimuths;
    for (const state::placed_source& placed : d_state->sources) {
        double azimuth = d_state->azimuth_at(placed, static_cast<double>(position));
        if (!d_state->array.is_front_only()) {
            azimuth -= two_pi * std::floor(azimuth / two_pi);
            // A tiny negative azimuth rounds up to a full turn.
            azimuth = azimuth < two_pi ? azimuth : 0.0;
        }
        azimuths.push_back(azimuth);
    }
    return azimuths;
}

void scene::set_source(std::size_t index, const scene_source& source)
{
    if (index >= d_state->sources.size()) {
        throw std::invalid_argument("scene: source " + std::to_string(index) +
                                    " does not exist; there are " +
                                    std::to_string(d_state->sources.size()));
    }
    require_source(index, source, d_state->sample_rate);
    state::placed_source& placed = d_state->sources[index];
    placed.source = source;
    placed.since = d_state->next_update();
    placed.is_steered = false;
}

} // namespace core
} // namespace bearing
} // namespace gr
