/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "calibration_arguments.h"
#include <gnuradio/bearing/core/calibration/pilot_gains.h>
#include <gnuradio/bearing/core/calibration/sky_gains.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <vector>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

Eigen::MatrixXd
to_angles(const char* name, const real_array& degrees, bool is_single_covariance)
{
    return to_table(name, degrees, is_single_covariance) * radians_per_degree;
}

bool is_number(const real_array& values) { return values.ndim() == 0; }

void bind_pilot_gains(py::module& core)
{
    py::class_<pilot_gains_result>(core, "pilot_gains_result", "Gains of pilot_gains().")
        .def_readonly("calibration", &pilot_gains_result::calibration)
        .def_readonly("residual",
                      &pilot_gains_result::residual,
                      "mean of the null function at the known directions, 0 .. 1")
        .def_property_readonly(
            "status", [](const pilot_gains_result& r) { return to_string(r.status); });
    core.def(
        "pilot_gains",
        [](const complex_array& covariances,
           const antenna_array& array,
           const real_array& labels_deg,
           const real_array& elevation_deg,
           long long snapshots) {
            const bool is_single = covariances.ndim() == 2;
            const Eigen::MatrixXd azimuth =
                to_angles("labels_deg", labels_deg, is_single);
            Eigen::MatrixXd elevation;
            if (is_number(elevation_deg)) {
                elevation.setConstant(azimuth.rows(),
                                      azimuth.cols(),
                                      *elevation_deg.data() * radians_per_degree);
            } else {
                elevation = to_angles("elevation_deg", elevation_deg, is_single);
            }
            return pilot_gains(to_covariances(covariances),
                               array,
                               azimuth,
                               elevation,
                               to_snapshots(snapshots, 0));
        },
        R"(
Gains of the elements from sources at known directions, in closed form (A. J. Weiss,
B. Friedlander 1990). Positions and coupling are taken as the array has them.

Parameters
----------
Rs : complex array of K x N x N, or N x N
a : bearing.array
labels_deg : array of K x M
    Azimuths in degrees of the M < N sources in each covariance, NaN where unknown. A list is
    one source for each of K covariances, or M sources in a single one.
elevation_deg : number, or array like labels_deg
snapshots : int
    Number behind each covariance; 0: unknown, then the calibration states no deviations and
    a misfit is not noticed.

Returns
-------
pilot_gains_result with calibration, residual and status: ok, bad_data, low_snr,
not_identifiable or model_mismatch. Unless it is ok or model_mismatch the gains are the
array's own.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("Rs"),
        py::arg("a"),
        py::arg("labels_deg"),
        py::arg("elevation_deg") = 0.0,
        py::arg("snapshots") = 0);
}

void bind_sky_gains(py::module& core)
{
    py::class_<sky_gains_result>(core, "sky_gains_result", "Gains of sky_gains().")
        .def_readonly("calibration", &sky_gains_result::calibration)
        .def_readonly("power",
                      &sky_gains_result::power,
                      "of each source at an element of gain 1, linear")
        .def_readonly("residual",
                      &sky_gains_result::residual,
                      "what is left of the cross-correlations, norm over norm, 0 .. 1")
        .def_property_readonly(
            "status", [](const sky_gains_result& r) { return to_string(r.status); });
    core.def(
        "sky_gains",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           const real_array& azimuth_deg,
           const real_array& elevation_deg,
           int starts,
           int iterations,
           unsigned seed) {
            const Eigen::VectorXd azimuth = to_radians("azimuth_deg", azimuth_deg);
            Eigen::VectorXd elevation = to_radians("elevation_deg", elevation_deg);
            if (is_number(elevation_deg)) {
                elevation.setConstant(azimuth.size(), elevation(0));
            }
            return sky_gains(
                covariance, array, azimuth, elevation, { starts, iterations, seed });
        },
        R"(
Gains of the elements from one covariance of many weak sources at known directions, such as
the navigation satellites in view; there may be more of them than elements.

Alternates between non-negative powers of the sources and gains of the elements (S. Salvini,
S. J. Wijnholds 2014), from several starts, of which the lowest residual wins. The diagonal of
R is ignored. Positions and coupling are taken as the array has them.

Parameters
----------
R : complex array of N x N
a : bearing.array
azimuth_deg : array of S
elevation_deg : array of S, or one number for all
starts : int >= 1
    The array's own gains, then random phases.
iterations : int >= 1
    Most alternations from each start.
seed : int
    Of the random phases.

Returns
-------
sky_gains_result with calibration, power (S), residual and status: ok, bad_data, low_snr or
not_identifiable. Unless it is ok the gains are the array's own.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("azimuth_deg"),
        py::arg("elevation_deg") = 0.0,
        py::arg("starts") = 10,
        py::arg("iterations") = 300,
        py::arg("seed") = 1);
}

} // namespace

void bind_closed_form_gains(py::module& core)
{
    bind_pilot_gains(core);
    bind_sky_gains(core);
}
