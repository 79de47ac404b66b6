/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/phase_gate.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_phase_gate(py::module& m)
{
    using gr::bearing::phase_gate;
    using gr::bearing::core::calibration_state;
    py::class_<phase_gate, gr::block, gr::basic_block, std::shared_ptr<phase_gate>>(
        m, "phase_gate", R"(
Holds back the samples of N receivers until their phases are known: the part of
bearing.phase_realigner through which samples pass.

Inputs and outputs: N complex streams. It closes at a start and at the very sample of a gap tag,
a jump of rx_time, an rx_freq tag or an rx_rate that differs, and says so on message port
``events``. Orders measure() and open() name the closure that they are for, the number in that
message; one for an earlier closure is ignored.

Parameters
----------
num_elements : int, N = 1 .. 64
correction : bearing.apply_calibration, optional
    The block that reads all outputs, and is told the calibration that the gate is opened with.
sample_rate : float
    In Hz, for rx_time arithmetic until an rx_rate tag tells better; 0: unknown.

Raises ValueError naming the parameter.
)")
        .def(py::init(&phase_gate::make),
             py::arg("num_elements"),
             py::arg("correction") = nullptr,
             py::arg("sample_rate") = 0.0)
        .def("measure",
             &phase_gate::measure,
             "Leaves out discard samples, then tells the covariance of so many "
             "snapshots; of 0: "
             "only that the time is over.",
             py::arg("closure"),
             py::arg("discard"),
             py::arg("snapshots"),
             py::arg("not_before") = py::none())
        .def("open",
             &phase_gate::open,
             "Lets samples pass, after discard of them, with the calibration in force "
             "from the "
             "first one on. ValueError naming gains that do not fit.",
             py::arg("closure"),
             py::arg("discard"),
             py::arg("calibration") = calibration_state{},
             py::arg("not_before") = py::none())
        .def("close", &phase_gate::close, "At the next sample, as a retune does.")
        .def("num_elements", &phase_gate::num_elements)
        .def("passed", &phase_gate::passed, "Samples of each stream that came out.")
        .def("held_back", &phase_gate::held_back, "Samples of each stream that did not.");
}
