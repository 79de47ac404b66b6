/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "propagation_arguments.h"
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <gnuradio/bearing/core/propagation/velocity_scale.h>
#include <gnuradio/fft/fft.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/pybind11.h>
#include <complex>
#include <mutex>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

// Real or complex results under one name in Python.
struct ls_result {
    py::object signal;
    py::object source;
    Eigen::VectorXd frequency;
    Eigen::MatrixXd noise_psd;
    Eigen::MatrixXd source_psd;
    std::string status;
};

template <class Scalar>
Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic> to_record(const py::array& d)
{
    using array = py::array_t<Scalar, py::array::c_style | py::array::forcecast>;
    using row_major =
        Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    if (d.ndim() != 2) {
        throw std::invalid_argument("d has " + std::to_string(d.ndim()) +
                                    " dimensions; it must be T x N, time first");
    }
    const array values(d);
    return Eigen::Map<const row_major>(values.data(), values.shape(0), values.shape(1));
}

bool is_complex(const py::array& d) { return d.dtype().kind() == 'c'; }

// Without the GIL: who holds the planner's mutex may wait for it.
template <class Function>
auto with_planner(Function function)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    return function();
}

template <class Scalar>
ls_result estimate(const py::array& d,
                   double sample_rate,
                   const std::vector<propagator>& propagators,
                   const propagator_ls_config& config)
{
    const auto data = to_record<Scalar>(d);
    const propagator_ls_result<Scalar> found = with_planner(
        [&] { return propagator_ls(data, sample_rate, propagators, config); });
    return { py::cast(found.signal), py::cast(found.source), found.frequency,
             found.noise_psd,        found.source_psd,       to_string(found.status) };
}

ls_result fit(const py::array& d,
              double sample_rate,
              const propagator_list& p,
              const std::string& mode,
              const std::string& noise,
              double mu,
              std::optional<double> ridge,
              const std::optional<real_array>& source_psd,
              const std::optional<real_array>& noise_psd,
              double center_frequency)
{
    propagator_ls_config config;
    config.mode = ls_mode_from_string(mode);
    config.noise = sensor_noise_from_string(noise);
    config.mu = mu;
    config.ridge = ridge;
    config.source_psd = to_density("source_psd", source_psd);
    config.noise_psd = to_density("noise_psd", noise_psd);
    config.center_frequency = center_frequency;
    const std::vector<propagator> propagators = to_propagators(p);
    return is_complex(d)
               ? estimate<std::complex<double>>(d, sample_rate, propagators, config)
               : estimate<double>(d, sample_rate, propagators, config);
}

velocity_fit calibrate(const py::array& d,
                       double sample_rate,
                       const propagator& p,
                       double widest,
                       double center_frequency)
{
    if (is_complex(d)) {
        const Eigen::MatrixXcd data = to_record<std::complex<double>>(d);
        return with_planner([&] {
            return velocity_scale(data, sample_rate, p, widest, center_frequency);
        });
    }
    if (center_frequency != 0.0) {
        throw std::invalid_argument("center_frequency is " +
                                    std::to_string(center_frequency) +
                                    "; it must be 0 for real d");
    }
    const Eigen::MatrixXd data = to_record<double>(d);
    return with_planner([&] { return velocity_scale(data, sample_rate, p, widest); });
}

// A number holds at all of the table's frequencies.
Eigen::VectorXd
to_table(const char* name, const real_array& values, Eigen::Index num_frequencies)
{
    return values.ndim() == 0 ? Eigen::VectorXd::Constant(num_frequencies, *values.data())
                              : to_vector(name, values);
}

propagator dispersive(const real_array& positions,
                      const real_array& frequency,
                      const real_array& gain,
                      const real_array& velocity,
                      std::optional<double> gain_distance)
{
    const Eigen::VectorXd axis = to_vector("frequency", frequency);
    return propagator::dispersive(to_vector("positions", positions),
                                  axis,
                                  to_table("gain", gain, axis.size()),
                                  to_table("velocity", velocity, axis.size()),
                                  gain_distance);
}

void bind_propagator(py::module& m)
{
    py::class_<propagator>(m, "propagator", R"(
What becomes of a signal on its way from the first sensor to each of N: d_l(f) = P_l(f) s0(f).

Frequencies are in Hz and absolute: baseband frequency f of a complex stream is center_frequency +
f. A wave that comes later has a phase that falls with f. Immutable.
)")
        .def_static("dispersive",
                    &dispersive,
                    R"(
Sensors along a line on which attenuation and velocity depend on frequency:
``P_i(f) = gain(f)^((x_i - x_0) / gain_distance) exp(-j 2 pi f (x_i - x_0) / velocity(f))``.

Parameters
----------
positions : N, metres, no two alike, in the direction of travel: negate them for a wave from the
    far end
frequency : F, Hz, ascending; one value holds at all frequencies
gain : F or a number, > 0, over gain_distance
velocity : F or a number, > 0, of the phase, metres a second
gain_distance : metres; None: that of the first two sensors

In between, velocity and the logarithm of the gain are linear. Raises ValueError naming the
parameter.
)",
                    py::arg("positions"),
                    py::arg("frequency"),
                    py::arg("gain"),
                    py::arg("velocity"),
                    py::arg("gain_distance") = py::none())
        .def_static(
            "plane_wave",
            [](const antenna_array& array,
               double azimuth_deg,
               double elevation_deg,
               std::optional<double> velocity) {
                return propagator::plane_wave(array,
                                              azimuth_deg * radians_per_degree,
                                              elevation_deg * radians_per_degree,
                                              velocity);
            },
            R"(
A plane wave on an array: ``P_l(f) = exp(j 2 pi f (p_l - p_0) . u / velocity)``, with the array's
calibration relative to element 0.

Parameters
----------
a : bearing.array
azimuth_deg, elevation_deg : degrees, where it comes from
velocity : metres a second, for an array in metres; None: that of light, for complex streams only

Raises ValueError naming the parameter.
)",
            py::arg("a"),
            py::arg("azimuth_deg"),
            py::arg("elevation_deg") = 0.0,
            py::arg("velocity") = py::none())
        .def_static("table",
                    &propagator::table,
                    R"(
Any response: P, F x N complex, at ascending frequencies in Hz, linear in between.

Raises ValueError naming the parameter.
)",
                    py::arg("frequency"),
                    py::arg("P"))
        .def_property_readonly("num_sensors", &propagator::num_sensors, "N")
        .def_property_readonly("lowest_frequency",
                               &propagator::lowest_frequency,
                               "From here on it is known, Hz; -inf: everywhere.")
        .def_property_readonly("highest_frequency",
                               &propagator::highest_frequency,
                               "Up to here it is known, Hz; inf: everywhere.")
        .def_property_readonly(
            "own_center_frequency",
            &propagator::own_center_frequency,
            "That a complex stream has by the array's wavelength, Hz; None: none.")
        .def(
            "response",
            [](const propagator& self,
               const real_array& frequency,
               double center_frequency,
               std::optional<bool> is_real) {
                return self.response(to_vector("frequency", frequency),
                                     center_frequency,
                                     is_real.value_or(center_frequency == 0.0));
            },
            R"(
P at center_frequency + frequency in Hz, F x N complex.

is_real: of a real stream; None: when center_frequency is 0. Raises ValueError for frequencies that
the tables do not cover.
)",
            py::arg("frequency"),
            py::arg("center_frequency") = 0.0,
            py::arg("is_real") = py::none())
        .def_property_readonly("has_velocity",
                               &propagator::has_velocity,
                               "Whether there is one to be scaled: not in a table.")
        .def("with_velocity_scale",
             &propagator::with_velocity_scale,
             "The same with all velocities multiplied; ValueError without a velocity.",
             py::arg("scale"))
        .def_property_readonly("is_plane_wave", &propagator::is_plane_wave)
        .def(
            "towards",
            [](const propagator& self, double azimuth_deg, double elevation_deg) {
                return self.towards(azimuth_deg * radians_per_degree,
                                    elevation_deg * radians_per_degree);
            },
            "The same wave from another direction in degrees; ValueError unless it is a "
            "plane wave.",
            py::arg("azimuth_deg"),
            py::arg("elevation_deg") = 0.0)
        .def("__repr__", [](const propagator& self) {
            return "<bearing.propagator: " +
                   std::string(self.is_plane_wave()  ? "plane wave"
                               : self.has_velocity() ? "dispersive line"
                                                     : "table") +
                   ", " + std::to_string(self.num_sensors()) + " sensors>";
        });
}

void bind_ls(py::module& core)
{
    py::class_<ls_result>(core, "propagator_ls_result", R"(
What propagator_ls() found. All values are finite.

Attributes
----------
signal : T x N
    The sources as they are at each sensor.
source : T x K
    The sources as they are at the first sensor.
frequency : F, Hz
    Of the bins: T // 2 + 1 of real data, T of complex in the order of the DFT.
noise_psd, source_psd : F x N, F x K
    Two-sided power densities, unit^2 / Hz: white noise of variance v has v / sample_rate.
status : str
    ok; bad_data: sensors that are dead or have NaN or Inf were left out; no_source: no signal was
    found; not_identifiable: fewer good sensors than sources.
)")
        .def_readonly("signal", &ls_result::signal)
        .def_readonly("source", &ls_result::source)
        .def_readonly("frequency", &ls_result::frequency)
        .def_readonly("noise_psd", &ls_result::noise_psd)
        .def_readonly("source_psd", &ls_result::source_psd)
        .def_readonly("status", &ls_result::status)
        .def("__repr__", [](const ls_result& self) {
            return "<bearing.core.propagator_ls_result: " +
                   std::to_string(self.noise_psd.cols()) + " sensors, " +
                   std::to_string(self.source_psd.cols()) + " sources, status " +
                   self.status + ">";
        });
    core.def("propagator_ls",
             &fit,
             R"(
Signals that propagate along N sensors, out of noise, for a whole record: least squares on
``d(f) = sum_k P_k(f) s0_k(f) + n(f)`` with the sources' spectra as the prior.

Plain least squares leaks noise where the sensors have no redundancy. Here ``s0 = w z`` with z the
least-squares estimate, ``w = S / (S + mu e)`` and e its variance; S and the noise are estimated from
the record, smoothed over frequency. Sources are estimated jointly. Method: see
docs/propagator_ls.md.

Parameters
----------
d : T x N, real or complex, time first
    Taken to be periodic: nearer to its ends than the longest travel time, estimates are wrong (the
    last sensor's at the beginning, the first one's at the end).
sample_rate : Hz
p : bearing.propagator, or a list of K
mode : "ls", "ridge" or "wiener"
noise : "common", or "per_sensor": a power of its own for each, one shape over frequency for all
mu : of "wiener": 1 is minimum mean square error, 2 or 4 leak less
ridge : of "ridge": the constant that P^H P gets
source_psd, noise_psd : F x K, F x 1 or F x N, or a number
    Known two-sided power densities at the bins; None: estimated.
center_frequency : of complex d, Hz; 0: the propagators' own

Returns
-------
propagator_ls_result

Raises
------
ValueError
    Naming the parameter.
)",
             py::arg("d"),
             py::arg("sample_rate"),
             py::arg("p"),
             py::arg("mode") = "wiener",
             py::arg("noise") = "common",
             py::arg("mu") = 1.0,
             py::arg("ridge") = py::none(),
             py::arg("source_psd") = py::none(),
             py::arg("noise_psd") = py::none(),
             py::arg("center_frequency") = 0.0);
}

void bind_velocity(py::module& core)
{
    py::class_<velocity_fit>(core, "velocity_fit", R"(
What velocity_scale() found.

Attributes
----------
scale : float
    True velocity over the propagator's; NaN with a status other than ok.
status : str
    ok; no_source; bad_data: fewer than two good sensors; not_identifiable: the best scale is at an
    end of what was searched.
)")
        .def_readonly("scale", &velocity_fit::scale)
        .def_property_readonly(
            "status", [](const velocity_fit& self) { return to_string(self.status); })
        .def("__float__", [](const velocity_fit& self) { return self.scale; })
        .def("__repr__", [](const velocity_fit& self) {
            return "<bearing.core.velocity_fit: scale " + std::to_string(self.scale) +
                   ", status " + to_string(self.status) + ">";
        });
    core.def("velocity_scale",
             &calibrate,
             R"(
How much faster the waves of a record are than a propagator says: the scale that maximises
``sum_f |P^H d|^2 / P^H P``.

Parameters
----------
d : T x N, real or complex, time first
sample_rate : Hz
p : bearing.propagator with a velocity
widest : scales from 1 - widest to 1 + widest are searched, 0 < widest < 1
center_frequency : of complex d, Hz; 0: the propagator's own

Returns
-------
velocity_fit

Raises
------
ValueError
    Naming the parameter.
)",
             py::arg("d"),
             py::arg("sample_rate"),
             py::arg("p"),
             py::arg("widest") = 0.1,
             py::arg("center_frequency") = 0.0);
}

} // namespace

void bind_propagation(py::module& m, py::module& core)
{
    bind_propagator(m);
    bind_ls(core);
    bind_velocity(core);
}
