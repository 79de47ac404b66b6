/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/kraken_source.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <variant>
#include <vector>

namespace py = pybind11;

namespace {

// One number, or one for each channel.
using gains = std::variant<double, std::vector<double>>;

std::vector<double> to_list(const gains& gain_db)
{
    if (const double* one = std::get_if<double>(&gain_db)) {
        return { *one };
    }
    return std::get<std::vector<double>>(gain_db);
}

} // namespace

void bind_kraken_source(py::module& m)
{
    using gr::bearing::kraken_source;
    const auto without_gil = py::call_guard<py::gil_scoped_release>();
    py::class_<kraken_source,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<kraken_source>>(m, "kraken_source", R"(
Samples of a KrakenSDR, or of another coherent receiver with the Heimdall server, over the network.

Outputs: N coherent complex streams, one an antenna, full scale 1. Only samples of the antennas
from channels that are aligned come out; all else is left out and counted by name.

Tags, on all streams: rx_freq, rx_rate, sync_state, noise_source and overdrive (v1: bit m for
channel m) on the first sample and where they change; rx_time on the first sample, after a gap and
where clocks have parted by more than 0.1 s; gap where samples are missing: how many, 0: an unknown
number.

Message ports: command takes a dict or a pair of freq (Hz) and gain (dB); status tells, when it
changes, a dict of state, receiving, frequency, sample_rate and counters.

Parameters
----------
num_elements : int, N = 1 .. 32
    A server with another number of channels is refused, and asked again.
frequency : float
    Hz; 0: whatever the server is tuned to.
gain_db : float or list of N floats
    0 .. 49.6; the nearest gain of the tuner is taken. v2 has one for all: the first. []: the
    server's own.
host : str
protocol : "auto", "v1" (heimdall_daq_fw) or "v2" (heimdall_v2)
data_port, control_port : int
    0: the protocol's, 5000 and 5001 or 8091 and 8092.
timeout_s : float
    Seconds to wait for a connection, for the next frame and for an answer to a setting.

Raises ValueError naming the parameter.
)")
        .def(py::init([](int num_elements,
                         double frequency,
                         const gains& gain_db,
                         const std::string& host,
                         const std::string& protocol,
                         int data_port,
                         int control_port,
                         double timeout_s) {
                 return kraken_source::make(num_elements,
                                            frequency,
                                            to_list(gain_db),
                                            host,
                                            protocol,
                                            data_port,
                                            control_port,
                                            timeout_s);
             }),
             py::arg("num_elements") = 5,
             py::arg("frequency") = 433.92e6,
             py::arg("gain_db") = gains(std::vector<double>{ 28.0 }),
             py::arg("host") = "127.0.0.1",
             py::arg("protocol") = "auto",
             py::arg("data_port") = 0,
             py::arg("control_port") = 0,
             py::arg("timeout_s") = 10.0)
        .def("set_frequency",
             &kraken_source::set_frequency,
             "Hz, at any time; kept, and sent again to a server that comes back with "
             "another "
             "one. 0: no longer any.",
             py::arg("frequency"),
             without_gil)
        .def(
            "set_gain",
            [](kraken_source& self, const gains& gain_db) {
                self.set_gain(to_list(gain_db));
            },
            "dB, one or N numbers; as set_frequency().",
            py::arg("gain_db"))
        .def("num_elements", &kraken_source::num_elements)
        .def("frequency",
             &kraken_source::frequency,
             "Hz, of the last frame that could be used; 0: none yet.")
        .def("sample_rate",
             &kraken_source::sample_rate,
             "Hz, of the last frame that could be used; 0: none yet.")
        .def("state",
             &kraken_source::state,
             "Why data flow or do not, in one line.",
             without_gil)
        .def("is_receiving",
             &kraken_source::is_receiving,
             "Whether the last frames could be used.")
        .def("counters",
             &kraken_source::counters,
             "What became of frames and connections: dict of str to int. frames_received "
             "= "
             "frames_delivered + frames_dropped + frames_queued + those of no use, by "
             "reason.",
             without_gil);
}
