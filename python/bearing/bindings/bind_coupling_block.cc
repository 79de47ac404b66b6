/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "path_argument.h"
#include <gnuradio/bearing/coupling.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_coupling_block(py::module& m)
{
    using gr::bearing::coupling;
    py::class_<coupling,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<coupling>>(m, "coupling", R"(
Mutual coupling and bearings found together, while the array runs.

Input: covariance items; no stream output. Message in ``calibration``: a dict with any of gains,
positions, sigma_phase_rad, sigma_log_gain, reference, frequency, time; a missing key leaves that
part unchanged, and a coupling is not used.

Message out ``bearings``: one PDU an item, whose ``method`` is "coupling", with ``glrt`` and
``glrt_limit`` (above it the model is wrong), ``is_gated`` (bearings are those without
correction by this item, MUSIC's with what other items told of the coupling: status and reason say why)
and ``reason`` (a sentence behind a status other than ok, or behind missing
deviations) besides.

Message out ``calibration``: for the estimators, the ``coupling``, with ``status`` ("learning" or
"tracking"), ``glrt``, ``scenes`` and ``restarts`` besides; at once when status or restarts change,
else at most one an interval.

Parameters
----------
array : bearing.array
num_sources : int, K = 1 .. N-1; 0: count them
coefficients : int
    Of the coupling, c_0 = 1 included; not used with priors "gaussian" and "coupling".
prior : "none", "gaussian", "coupling" or "covariance", as for core.coupling_fit()
snapshots : int
    Number behind each item while no ``snapshots`` tag tells; 0: unknown.
heading_deg : direction of +y, clockwise from north
counting : "ratio", "mdl" or "aic"
criterion : "ml", or "frobenius", to compare with
weights : str or os.PathLike
    Weights file; "": the one among those installed that is for the array.
memory : float
    Items after which one counts 1/e in the average; 0: each stands for itself, as it must with prior
    "covariance" and criterion "frobenius".
interval : seconds of stream time between messages ``calibration``

Raises ValueError naming the parameter, RuntimeError for a weights file that is missing or damaged.
)")
        .def(py::init([](const gr::bearing::core::antenna_array& array,
                         int num_sources,
                         int coefficients,
                         const std::string& prior,
                         int snapshots,
                         double heading_deg,
                         const std::string& counting,
                         const std::string& criterion,
                         const py::object& weights,
                         double memory,
                         double interval) {
                 return coupling::make(array,
                                       num_sources,
                                       coefficients,
                                       prior,
                                       snapshots,
                                       heading_deg,
                                       counting,
                                       criterion,
                                       to_path(weights),
                                       memory,
                                       interval);
             }),
             py::arg("array"),
             py::arg("num_sources"),
             py::arg("coefficients") = 3,
             py::arg("prior") = "none",
             py::arg("snapshots") = 0,
             py::arg("heading_deg") = 0.0,
             py::arg("counting") = "ratio",
             py::arg("criterion") = "ml",
             py::arg("weights") = "",
             py::arg("memory") = 100.0,
             py::arg("interval") = 1.0)
        .def(
            "set_num_sources",
            &coupling::set_num_sources,
            "What was learnt of the coupling stays. ValueError unless 0 <= num_sources < "
            "N, and few enough for the coefficients.",
            py::arg("num_sources"))
        .def("set_heading_deg",
             &coupling::set_heading_deg,
             "Direction of the array's +y axis in degrees, clockwise from north; "
             "ValueError unless finite.",
             py::arg("heading_deg"))
        .def("set_interval",
             &coupling::set_interval,
             "Seconds of stream time between messages, >= 0.",
             py::arg("interval"))
        .def("set_calibration",
             &coupling::set_calibration,
             "Replaces gains and positions; parts that the argument lacks are as drawn, "
             "and its coupling is not used. ValueError when it does not fit the array.",
             py::arg("calibration"))
        .def("calibration",
             &coupling::calibration,
             "The coupling, with frequency and time, of the tuning that was in use last; "
             "its coupling is None before anything is learnt.")
        .def("status", &coupling::status, "\"learning\" or \"tracking\"")
        .def("scenes", &coupling::scenes, "Items that the average is made of.")
        .def("restarts", &coupling::restarts, "How often all was learnt anew.")
        .def("counts",
             &coupling::counts,
             "What became of items: their number by status, and busy, those that were "
             "skipped; besides, gated, those whose bearings are without correction: a "
             "dict of str to int.");
}
