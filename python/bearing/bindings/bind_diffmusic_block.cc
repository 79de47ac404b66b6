/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "path_argument.h"
#include <gnuradio/bearing/diffmusic.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_diffmusic_block(py::module& m)
{
    using gr::bearing::diffmusic;
    py::class_<diffmusic,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<diffmusic>>(m, "diffmusic", R"(
Calibrates the array while it runs, from whatever it hears: diffMUSIC, by Gauss-Newton on the null
function, one step an item.

Input: covariance items; no output. A circle, or any array that is no line, calibrates itself from
unknown signals, and one known bearing fixes north; a line needs two for its tilt and stretch.

Message in ``truth``: a dict with ``angles_deg`` (f32vector, at most num_sources; empty: nothing is
known any more), ``start`` and ``stop`` (tuples (uint64 seconds, double fraction) in stream time;
without start: from now on, without stop: until replaced) and ``range_m`` (f32vector, for
transmitters near by). It counts for items that lie wholly within its time; messages that overlap
must agree.

Message out ``calibration``: for the estimators, with ``status``, ``orientation``, ``ambiguity``
("tilt", "stretch", "north" or "none"), ``loss``, ``restarts``, ``rollbacks`` and ``counts``
besides; at once when one of the first three changes, else at most one an interval.

Parameters
----------
array : bearing.array
    As drawn, with the calibration to start from; at least 3 elements.
num_sources : int, 1 .. N-1
snapshots : int
    Number behind each item while no ``snapshots`` tag tells; 0: unknown, then items are not used.
path : str or os.PathLike
    State file: written every save_interval and at the end, read at the beginning; "": none. One
    that cannot be used is renamed to path + ".bad".
interval : seconds of stream time between messages
save_interval : seconds between writings of the state file
labelled_buffer, unlabelled_buffer : int
    How many of the latest items are remembered.
label_lifetime : int
    Items for which a label is remembered.
fit_positions : bool
    Whether element positions are fitted, or gains alone.
frequency_tolerance : float
    Part of ``rx_freq`` within which one calibration holds; beyond it there is another one.
threading : "auto", "inline" or "worker"
    Which thread updates: the scheduler's while that is quick against an item's duration, else one
    of the block's; always the scheduler's (every item is used); always the block's.

Raises ValueError naming the parameter.
)")
        .def(py::init([](const gr::bearing::core::antenna_array& array,
                         int num_sources,
                         int snapshots,
                         const py::object& path,
                         double interval,
                         double save_interval,
                         int labelled_buffer,
                         int unlabelled_buffer,
                         int label_lifetime,
                         bool fit_positions,
                         double frequency_tolerance,
                         const std::string& threading) {
                 return diffmusic::make(array,
                                        num_sources,
                                        snapshots,
                                        to_path(path),
                                        interval,
                                        save_interval,
                                        labelled_buffer,
                                        unlabelled_buffer,
                                        label_lifetime,
                                        fit_positions,
                                        frequency_tolerance,
                                        threading);
             }),
             py::arg("array"),
             py::arg("num_sources"),
             py::arg("snapshots") = 0,
             py::arg("path") = "",
             py::arg("interval") = 1.0,
             py::arg("save_interval") = 60.0,
             py::arg("labelled_buffer") = 20,
             py::arg("unlabelled_buffer") = 32,
             py::arg("label_lifetime") = 600,
             py::arg("fit_positions") = true,
             py::arg("frequency_tolerance") = 1e-3,
             py::arg("threading") = "auto")
        .def("set_interval",
             &diffmusic::set_interval,
             "Seconds of stream time between messages, >= 0.",
             py::arg("interval"))
        .def("set_save_interval",
             &diffmusic::set_save_interval,
             "Seconds between writings of the state file, > 0.",
             py::arg("save_interval"))
        .def("calibration",
             &diffmusic::calibration,
             "The present calibration, of the tuning that was in use last.")
        .def("status", &diffmusic::status, "\"learning\", \"tracking\" or \"frozen\"")
        .def("orientation",
             &diffmusic::orientation,
             "\"unknown\", \"partly_known\" or \"known\"")
        .def("loss",
             &diffmusic::loss,
             "Running null function over its expectation, about 1 when the array is "
             "calibrated; NaN before the first accepted item.")
        .def("restarts", &diffmusic::restarts, "Step changes it recovered from.")
        .def("rollbacks",
             &diffmusic::rollbacks,
             "How often it went back to its last good state.")
        .def("counts",
             &diffmusic::counts,
             "What became of items (accepted, bad_data, weak, too_many_sources, "
             "close_sources, off_model, bad_label, busy, unknown_snapshots) and of truth "
             "messages that were not used (truth_malformed, truth_outside_view, "
             "truth_too_many, truth_expired, truth_dropped); items for which a truth "
             "message counted (labelled) or several disagreed (truth_contradictory): a "
             "dict of str to int.");
}
