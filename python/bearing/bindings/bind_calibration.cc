/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/apply_calibration.h>
#include <gnuradio/bearing/core/calibration/calibration_file.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>
#include <filesystem>

namespace py = pybind11;
using gr::bearing::core::calibration_state;

void bind_calibration(py::module& m)
{
    // The class itself is registered with the array it belongs to; files are this
    // topic's.
    const py::object calibration = m.attr("calibration");
    calibration.attr("save") = py::cpp_function(
        [](const calibration_state& self, const std::filesystem::path& path) {
            gr::bearing::core::save_calibration(self, path.string());
        },
        py::name("save"),
        py::is_method(calibration),
        R"(
Writes the calibration as JSON, atomically: readers of path find the old file or the new one.
path is a str or os.PathLike.

Raises ValueError when it is empty, RuntimeError naming the path when it cannot be written.
)",
        py::arg("path"));
    calibration.attr("to_json") =
        py::cpp_function(&gr::bearing::core::calibration_to_json,
                         py::name("to_json"),
                         py::is_method(calibration),
                         R"(
The text of a calibration file, a str; ``time`` is null when the calibration has none.

Raises ValueError when it is empty.
)");
    calibration.attr("from_json") =
        py::staticmethod(py::cpp_function(&gr::bearing::core::calibration_from_json,
                                          py::name("from_json"),
                                          py::scope(calibration),
                                          R"(
Reads the text of a calibration file; name is what errors call it.

Raises RuntimeError naming name, and the key that is missing or wrong.
)",
                                          py::arg("text"),
                                          py::arg("name") = "text"));
    m.def(
        "load_calibration",
        [](const std::filesystem::path& path) {
            return gr::bearing::core::load_calibration(path.string());
        },
        R"(
Reads a calibration that calibration.save() wrote; path is a str or os.PathLike.

Raises RuntimeError naming the path, and the key that is missing or wrong.
)",
        py::arg("path"));

    using gr::bearing::apply_calibration;
    py::class_<apply_calibration,
               gr::sync_block,
               gr::block,
               gr::basic_block,
               std::shared_ptr<apply_calibration>>(m, "apply_calibration", R"(
Divides each of N complex streams by its calibrated gain.

Position offsets and coupling depend on the direction and belong into the estimator's array.
Message port ``calibration``: a dict whose ``gains`` replace those in force; one without gains
changes nothing.

Parameters
----------
num_elements : int, 1 .. 64
calibration : bearing.calibration, optional
    Its gains, none of them zero or too large or small to be divided by in single precision;
    without gains samples pass unchanged.
)")
        .def(py::init(&apply_calibration::make),
             py::arg("num_elements"),
             py::arg("calibration") = calibration_state{})
        .def(
            "set_calibration",
            &apply_calibration::set_calibration,
            "Replaces the calibration: its gains, or, when it has none, no change to the "
            "samples. ValueError naming gains that do not fit or cannot be divided by.",
            py::arg("calibration"));
}
