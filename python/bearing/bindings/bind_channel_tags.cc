/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/channel_tags.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_channel_tags(py::module& m)
{
    using gr::bearing::channel_tags;
    py::class_<channel_tags, gr::block, gr::basic_block, std::shared_ptr<channel_tags>>(
        m, "channel_tags", R"(
Behind decimating filters: tags that tell of the filters' output, and no sample that a filter
made of both sides of a loss.

Inputs and outputs: C * N complex streams, channel by channel: stream c * N + k is element k in
channel c.

Tags: rx_freq plus the channel's offset, rx_rate over the decimation, rx_time less the filters'
delay, right to half an output sample; others pass, copies at one sample once. After a loss, told
by a gap tag or by a jump of rx_time, and after a change of rx_freq or rx_rate, the filters'
memory is left out of all streams; the next sample carries a gap: samples at the output's rate
that are missing, those left out included; 0: an unknown number. The first samples after a start
are left out too, without a gap.

Parameters
----------
num_elements : int, N = 1 .. 64
offsets : sequence of C floats
    Centre frequencies of the channels less the input's, Hz.
decimation : int, M >= 1
    The rate before the filters over that behind them.
delay : float, a multiple of 0.5
    Of the filters: output sample m shows what the input was so many samples before sample m * M.
memory : int, >= 0
    Output samples from the first that a sample before the filter goes into to the last.
sample_rate : float
    Before the filters in Hz, for rx_time arithmetic until an rx_rate tag tells better; 0: unknown.
    Offsets stay as they are, so an rx_rate that differs is warned of.
center_frequency : float
    Before the filters in Hz, until an rx_freq tag tells better; more than minus the lowest offset,
    or 0: unknown.

Raises ValueError naming the parameter.
)")
        .def(py::init(&channel_tags::make),
             py::arg("num_elements"),
             py::arg("offsets"),
             py::arg("decimation"),
             py::arg("delay") = 0.0,
             py::arg("memory") = 0,
             py::arg("sample_rate") = 0.0,
             py::arg("center_frequency") = 0.0)
        .def("num_elements", &channel_tags::num_elements)
        .def("offsets", &channel_tags::offsets, "Hz, as they were given.");
}
