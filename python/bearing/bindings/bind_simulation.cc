/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include <gnuradio/bearing/array_simulator.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace gr::bearing::core;

void bind_simulation(py::module& m, py::module& core)
{
    core.def(
        "simulate",
        [](const antenna_array& array,
           const real_array& angles_deg,
           const real_array& snr_db,
           long long snapshots,
           std::uint64_t seed,
           bool coherent) {
            return simulate(array,
                            to_radians("angles_deg", angles_deg),
                            to_vector("snr_db", snr_db),
                            to_snapshots(snapshots, 1),
                            seed,
                            coherent);
        },
        R"(
Snapshots of Gaussian sources in white noise of variance 1.

Parameters
----------
array : bearing.array
    Its calibration is part of the truth.
angles_deg : K azimuths in degrees, clockwise from +y
snr_db : SNR per element of each source in dB, one number or K
snapshots : int, T >= 1
seed : int
    Same seed, same samples.
coherent : bool
    All sources carry one waveform (multipath).

Returns
-------
X : complex64 array of N x T
)",
        py::arg("array"),
        py::arg("angles_deg"),
        py::arg("snr_db"),
        py::arg("snapshots"),
        py::arg("seed"),
        py::arg("coherent") = false);

    using gr::bearing::array_simulator;
    py::class_<array_simulator,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<array_simulator>>(m, "array_simulator", R"(
What the receivers of an array deliver when transmitters stand, or move, around it.

Outputs: N coherent complex streams with noise; the first sample carries the tags rx_time,
rx_rate and, when a centre frequency is given, rx_freq. Lists hold one value for each of the
K sources, or a single value for all.

Parameters
----------
array : bearing.array
    The array as drawn; its calibration, if any, is part of the truth.
angles_deg : list of K azimuths at the start, degrees clockwise from +y
snr_db : SNR per element in dB
sample_rate : Hz
errors : bearing.calibration
    Gain, position and coupling errors of the receivers.
rates_deg : azimuth rates, degrees a second
frequencies : offsets from the centre, Hz
modulation : "noise" or "tone"
coherent : bool
    Every source carries the first one's waveform.
phase_drift_deg : float
    Random phase drift of the receivers: standard deviation after one minute.
center_frequency : float
    Hz for the rx_freq tag; it also replaces the wavelength of an array that was built with one.
    0: neither.
start_time : seconds, for the rx_time tag
noise_power : E|n|^2 at each element
seed : int
throttle : bool
    Deliver no faster than sample_rate.
elevations_deg : elevations, degrees

Raises ValueError naming the parameter.
)")
        .def(py::init(&array_simulator::make),
             py::arg("array"),
             py::arg("angles_deg"),
             py::arg("snr_db") = std::vector<double>{ 20.0 },
             py::arg("sample_rate") = 1e6,
             py::arg("errors") = calibration_state{},
             py::arg("rates_deg") = std::vector<double>{ 0.0 },
             py::arg("frequencies") = std::vector<double>{ 0.0 },
             py::arg("modulation") = "noise",
             py::arg("coherent") = false,
             py::arg("phase_drift_deg") = 0.0,
             py::arg("center_frequency") = 0.0,
             py::arg("start_time") = 0.0,
             py::arg("noise_power") = 1.0,
             py::arg("seed") = 1,
             py::arg("throttle") = false,
             py::arg("elevations_deg") = std::vector<double>{ 0.0 })
        .def("set_angles_deg",
             &array_simulator::set_angles_deg,
             "Puts the sources at new azimuths, K values in degrees.",
             py::arg("angles_deg"))
        .def("set_snr_db",
             &array_simulator::set_snr_db,
             "SNR per element, K values (or 1 for all) in dB.",
             py::arg("snr_db"))
        .def("angles_deg_at",
             &array_simulator::angles_deg_at,
             "Azimuth of each source in degrees, so many seconds after the first sample.",
             py::arg("seconds"));
}
