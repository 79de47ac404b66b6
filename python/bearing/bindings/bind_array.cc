/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using gr::bearing::core::antenna_array;
using gr::bearing::core::calibration_state;

namespace {

// The names of the parts that are there.
std::string present_parts(const calibration_state& calibration)
{
    std::string parts;
    const auto add = [&parts](const char* name, bool is_present) {
        if (is_present) {
            parts += (parts.empty() ? "" : ", ") + std::string(name);
        }
    };
    add("gains", calibration.gains.size() > 0);
    add("positions", calibration.positions.size() > 0);
    add("coupling", calibration.coupling.size() > 0);
    return parts;
}

// None where a part is absent.
template <typename T>
py::object or_none(const T& part)
{
    return part.size() > 0 ? py::cast(part) : py::none();
}

template <typename T>
void assign_or_clear(T& part, const std::optional<T>& value)
{
    part = value.value_or(T{});
}

calibration_state make_calibration(const std::optional<Eigen::VectorXcd>& gains,
                                   const std::optional<Eigen::MatrixXd>& positions,
                                   const std::optional<Eigen::MatrixXcd>& coupling,
                                   int reference,
                                   std::optional<double> frequency,
                                   const std::optional<Eigen::VectorXd>& sigma_phase_rad,
                                   const std::optional<Eigen::VectorXd>& sigma_log_gain,
                                   std::optional<double> time)
{
    calibration_state calibration;
    assign_or_clear(calibration.gains, gains);
    assign_or_clear(calibration.positions, positions);
    assign_or_clear(calibration.coupling, coupling);
    assign_or_clear(calibration.sigma_phase_rad, sigma_phase_rad);
    assign_or_clear(calibration.sigma_log_gain, sigma_log_gain);
    calibration.reference = reference;
    calibration.frequency = frequency;
    calibration.time = time;
    calibration.validate();
    return calibration;
}

// Azimuths and elevations in radians, a single one of either repeated.
std::pair<Eigen::VectorXd, Eigen::VectorXd> directions(const real_array& azimuth_deg,
                                                       const real_array& elevation_deg)
{
    Eigen::VectorXd azimuth = to_radians("azimuth_deg", azimuth_deg);
    Eigen::VectorXd elevation = to_radians("elevation_deg", elevation_deg);
    if (azimuth.size() == 1 && elevation.size() > 1) {
        azimuth = Eigen::VectorXd::Constant(elevation.size(), azimuth(0));
    }
    if (elevation.size() == 1) {
        elevation = Eigen::VectorXd::Constant(azimuth.size(), elevation(0));
    }
    return { azimuth, elevation };
}

Eigen::MatrixXcd steering_derivative(const antenna_array& self,
                                     const real_array& azimuth_deg,
                                     const real_array& elevation_deg,
                                     const std::string& with_respect_to)
{
    const auto [azimuth, elevation] = directions(azimuth_deg, elevation_deg);
    if (azimuth.size() != elevation.size()) {
        throw std::invalid_argument(
            "elevation_deg must be a number or as long as azimuth_deg");
    }
    using derivative = Eigen::VectorXcd (antenna_array::*)(double, double) const;
    derivative member = nullptr;
    if (with_respect_to == "azimuth") {
        member = &antenna_array::azimuth_derivative;
    } else if (with_respect_to == "elevation") {
        member = &antenna_array::elevation_derivative;
    } else if (with_respect_to == "wavelength") {
        member = &antenna_array::wavelength_derivative;
    } else {
        throw std::invalid_argument(
            "with_respect_to is '" + with_respect_to +
            "'; it must be 'azimuth', 'elevation' or 'wavelength'");
    }
    Eigen::MatrixXcd result(self.num_elements(), azimuth.size());
    for (Eigen::Index g = 0; g < azimuth.size(); ++g) {
        result.col(g) = (self.*member)(azimuth(g), elevation(g));
    }
    return result;
}

// 1 / r, a single one repeated.
Eigen::VectorXd inverse_ranges(const real_array& range, Eigen::Index count)
{
    Eigen::VectorXd inverse = to_vector("range", range).cwiseInverse();
    if (!(inverse.array() >= 0.0).all()) {
        throw std::invalid_argument(
            "range holds a value that is negative or NaN; it must be "
            "> 0, infinite for sources far away");
    }
    return inverse.size() == 1 ? Eigen::VectorXd::Constant(count, inverse(0)) : inverse;
}

Eigen::MatrixXcd near_field(const antenna_array& array,
                            const real_array& azimuth_deg,
                            const real_array& range,
                            const real_array& elevation_deg)
{
    auto [azimuth, elevation] = directions(azimuth_deg, elevation_deg);
    if (azimuth.size() == 1) {
        azimuth = Eigen::VectorXd::Constant(range.size(), azimuth(0));
    }
    if (elevation.size() == 1) {
        elevation = Eigen::VectorXd::Constant(range.size(), elevation(0));
    }
    const Eigen::VectorXd inverse = inverse_ranges(range, azimuth.size());
    if (azimuth.size() != elevation.size() || azimuth.size() != inverse.size()) {
        throw std::invalid_argument(
            "azimuth_deg, range and elevation_deg must be numbers or equally long");
    }
    Eigen::MatrixXcd result(array.num_elements(), azimuth.size());
    for (Eigen::Index g = 0; g < azimuth.size(); ++g) {
        result.col(g) = array.near_field_steering(azimuth(g), elevation(g), inverse(g));
    }
    return result;
}

} // namespace

void bind_array(py::module& m)
{
    py::class_<calibration_state>(m, "calibration", R"(
How the real array differs from its drawing.

The calibrated manifold is ``C diag(g) exp(+j 2 pi (p + delta) . u / lambda)``. A part that
is None leaves that part of the array unchanged.

Parameters
----------
gains : complex array of N, optional
    g, gain of each element.
positions : real array of N x 3, optional
    delta, position offsets in the array's own unit (metres with a wavelength, else
    wavelengths).
coupling : complex array of N x N, optional
    C, mutual coupling with C[0, 0] = 1.
reference : int
    Element at which g = 1 and delta = 0 after a fit.
frequency : float, optional
    Hz at which it was measured.
sigma_phase_rad, sigma_log_gain : real arrays of N, optional
    Standard deviations of the gains' phases (radians) and logarithmic magnitudes (nepers).
time : float, optional
    Seconds since 1970-01-01 UTC.

Raises
------
ValueError
    Naming the part whose size or value is wrong.
)")
        .def(py::init(&make_calibration),
             py::arg("gains") = py::none(),
             py::arg("positions") = py::none(),
             py::arg("coupling") = py::none(),
             py::arg("reference") = 0,
             py::arg("frequency") = py::none(),
             py::arg("sigma_phase_rad") = py::none(),
             py::arg("sigma_log_gain") = py::none(),
             py::arg("time") = py::none())
        .def_property_readonly(
            "gains",
            [](const calibration_state& c) { return or_none(c.gains); },
            "g, complex128 array of N, or None")
        .def_property_readonly(
            "positions",
            [](const calibration_state& c) { return or_none(c.positions); },
            "delta, float64 array of N x 3, or None")
        .def_property_readonly(
            "coupling",
            [](const calibration_state& c) { return or_none(c.coupling); },
            "C, complex128 array of N x N, or None")
        .def_property_readonly(
            "sigma_phase_rad",
            [](const calibration_state& c) { return or_none(c.sigma_phase_rad); },
            "standard deviation of each phase in radians, or None")
        .def_property_readonly(
            "sigma_log_gain",
            [](const calibration_state& c) { return or_none(c.sigma_log_gain); },
            "standard deviation of each logarithmic magnitude in nepers, or None")
        .def_property_readonly(
            "reference",
            [](const calibration_state& c) { return c.reference.value_or(0); },
            "index of the element at which g = 1 and delta = 0")
        .def_readonly("frequency", &calibration_state::frequency, "Hz, or None")
        .def_readonly("time", &calibration_state::time, "seconds since 1970, or None")
        .def("__repr__", [](const calibration_state& c) {
            const std::string parts = present_parts(c);
            return "<bearing.calibration: " +
                   (parts.empty() ? "nothing"
                                  : parts + " of " + std::to_string(c.num_elements()) +
                                        " elements") +
                   ">";
        });

    py::class_<antenna_array>(m, "array", R"(
Geometry, wavelength and calibration of an antenna array.

Frame: x right, y forward, z up. Azimuth is clockwise from +y as on a compass, elevation up
from the x-y plane; both in degrees. Steering vectors are ``exp(+j 2 pi p . u / lambda)``
with u pointing from the array to the source. Without a wavelength the geometry is in
wavelengths; with one, both are in metres. Arrays never change: calibrated() and its like
return a new one.
)")
        .def_static("ula",
                    &antenna_array::uniform_line,
                    R"(
Uniform line along +x, element 0 at the origin; azimuths are broadside angles in [-90, 90].

Raises ValueError naming n (>= 1), spacing (> 0) or wavelength (> 0).
)",
                    py::arg("n"),
                    py::arg("spacing"),
                    py::arg("wavelength") = py::none())
        .def_static("uca",
                    &antenna_array::uniform_circle,
                    R"(
Uniform circle about the origin, element k at azimuth 360 k / n, clockwise from forward.

Raises ValueError naming n (1, or >= 3), radius (> 0) or wavelength (> 0).
)",
                    py::arg("n"),
                    py::arg("radius"),
                    py::arg("wavelength") = py::none())
        .def_static("custom",
                    &antenna_array::custom,
                    R"(
Elements anywhere: positions is N x 2 or N x 3, in wavelengths (metres with a wavelength).

Raises ValueError for coinciding elements, values that are not finite, and elements that,
seen from above, stand on a line that is not parallel to x.
)",
                    py::arg("positions"),
                    py::arg("wavelength") = py::none())
        .def_property_readonly("n", &antenna_array::num_elements, "number of elements")
        .def_property_readonly("positions", &antenna_array::positions, R"(
positions as drawn, N x 3)")
        .def_property_readonly("wavelength", &antenna_array::wavelength, R"(
in metres; None when the geometry is in wavelengths)")
        .def_property_readonly("calibration", &antenna_array::calibration, R"(
the parts of the calibration that are in force)")
        .def(
            "steering",
            [](const antenna_array& self,
               const real_array& azimuth_deg,
               const real_array& elevation_deg) {
                const auto [azimuth, elevation] = directions(azimuth_deg, elevation_deg);
                return self.steering(azimuth, elevation);
            },
            "Steering vectors, N x G complex128; directions (degrees) are taken "
            "pairwise.",
            py::arg("azimuth_deg"),
            py::arg("elevation_deg") = 0.0)
        .def_static("near_field",
                    &near_field,
                    R"(
Steering vectors of point sources, N x G complex128: ``exp(-j 2 pi (r_l - r) / lambda)`` with r the
distance of the source from the origin, in the array's unit, and r_l that from element l; then the
calibration, as for steering(). An infinite range gives steering().

Azimuths, ranges and elevations are taken pairwise. Raises ValueError unless every range exceeds the
distance of the farthest element from the origin.
)",
                    py::arg("a"),
                    py::arg("azimuth_deg"),
                    py::arg("range"),
                    py::arg("elevation_deg") = 0.0)
        .def("steering_derivative",
             &steering_derivative,
             R"(
Derivative of the steering vectors, N x G complex128, with respect to "azimuth" or
"elevation" (per radian) or "wavelength" (per metre).
)",
             py::arg("azimuth_deg"),
             py::arg("elevation_deg") = 0.0,
             py::arg("with_respect_to") = "azimuth")
        .def("calibrated",
             &antenna_array::calibrated,
             R"(
A new array whose manifold includes the parts that the calibration has; parts it lacks stay.

Raises ValueError when it does not fit this array.
)",
             py::arg("calibration"))
        .def("with_calibration",
             &antenna_array::with_calibration,
             R"(
A new array, as drawn, with this calibration in place of the one in force; parts it lacks are
those of the drawing.

Raises ValueError when it does not fit this array.
)",
             py::arg("calibration"))
        .def("with_wavelength",
             &antenna_array::with_wavelength,
             R"(
A new array at another wavelength in metres; ValueError when the geometry is in wavelengths.
)",
             py::arg("wavelength"))
        .def("__repr__", [](const antenna_array& self) {
            std::string text = "<bearing.array: ";
            text += self.uniform_spacing() ? "uniform line" : "array";
            text += " of " + std::to_string(self.num_elements()) +
                    " elements, aperture " + std::to_string(self.aperture()) +
                    " wavelengths";
            if (self.wavelength()) {
                text += " of " + std::to_string(*self.wavelength()) + " m";
            }
            const std::string parts = present_parts(self.calibration());
            return text + (parts.empty() ? "" : ", calibrated: " + parts) + ">";
        });
}
