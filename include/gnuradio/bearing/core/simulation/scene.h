/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SCENE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SCENE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! The waveform of a simulated source.
enum class waveform {
    noise, //!< white complex Gaussian over the whole band, shifted by the frequency
    tone   //!< a carrier of constant envelope at the frequency, phase 0 at the start
};

//! One transmitter of a simulated scene.
struct scene_source {
    double azimuth = 0.0;      //!< radians, clockwise from +y, at the start
    double elevation = 0.0;    //!< radians
    double azimuth_rate = 0.0; //!< radians a second: the source moves
    double level_db = 10.0;    //!< SNR per element in dB when the noise power is 1
    double frequency = 0.0;    //!< offset from the centre in Hz, within half the rate
    core::waveform waveform = core::waveform::noise;
};

//! A scene: transmitters, receiver errors, noise.
struct scene_config {
    double sample_rate = 1.0; //!< Hz, > 0
    std::vector<scene_source> sources;
    bool coherent = false;    //!< all sources carry the first one's waveform (multipath)
    double noise_power = 1.0; //!< E|n|^2 at each element, >= 0
    //! random walk of each element's phase: its standard deviation after one minute, in
    //! radians; 0: none. Element 0 is the reference and does not drift.
    double phase_drift = 0.0;
    std::uint64_t seed = 1; //!< same seed, same samples
};

/*!
 * \brief A running simulation of what an array's receivers deliver.
 *
 * Gain, phase, position and coupling errors are those of the array's calibration: the
 * samples are made with the calibrated manifold. The samples depend on the seed and the
 * configuration only, not on how calls split the stream; steering vectors of moving
 * sources and drifting phases are updated every update_interval samples.
 */
class BEARING_API scene
{
public:
    //! Samples between updates of moving directions and drifting phases.
    static constexpr std::size_t update_interval = 256;

    //! \throws std::invalid_argument naming the parameter
    scene(antenna_array array, scene_config config);
    ~scene();
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;

    //! Appends \p num_samples samples of each element to N separate channel buffers.
    void generate(std::complex<float>* const* channels, std::size_t num_samples);

    //! Samples made so far.
    std::uint64_t position() const;
    //! Azimuth of each source in radians at sample \p position by its present motion,
    //! wrapped into [0, 2 pi), or unwrapped for an array that looks forward only.
    std::vector<double> azimuth_at(std::uint64_t position) const;
    //! Changes a source from the next update on; its azimuth is where it is then. The
    //! carrier's phase is continuous.
    //! \throws std::invalid_argument for an index that does not exist or a value that the
    //! constructor would reject
    void set_source(std::size_t index, const scene_source& source);

private:
    struct state;
    std::unique_ptr<state> d_state;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SCENE_H */
