/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "propagation_arguments.h"
#include <gnuradio/bearing/propagator_ls.h>
#include <pybind11/eigen.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <memory>

namespace py = pybind11;
namespace core = gr::bearing::core;

namespace {

template <class T>
typename gr::bearing::propagator_ls<T>::sptr
make(const propagator_list& one_or_more,
     double sample_rate,
     const std::string& mode,
     const std::string& noise,
     double mu,
     std::optional<double> ridge,
     int block_length,
     double averaging,
     bool align,
     double taper,
     const std::optional<real_array>& source_psd,
     const std::optional<real_array>& noise_psd,
     double center_frequency,
     double interval,
     const std::string& velocity)
{
    const std::vector<core::propagator> propagators = to_propagators(one_or_more);
    const Eigen::MatrixXd source = to_density("source_psd", source_psd);
    const Eigen::MatrixXd sensor = to_density("noise_psd", noise_psd);
    // The planner's mutex is waited for.
    const py::gil_scoped_release release;
    return gr::bearing::propagator_ls<T>::make(propagators,
                                               sample_rate,
                                               mode,
                                               noise,
                                               mu,
                                               ridge,
                                               block_length,
                                               averaging,
                                               align,
                                               taper,
                                               source,
                                               sensor,
                                               center_frequency,
                                               interval,
                                               velocity);
}

template <class T>
void bind_block(py::module& m, const char* name, const char* doc)
{
    using block = gr::bearing::propagator_ls<T>;
    using released = py::call_guard<py::gil_scoped_release>;
    py::class_<block, gr::block, gr::basic_block, std::shared_ptr<block>>(m, name, doc)
        .def(py::init(&make<T>),
             py::arg("propagators"),
             py::arg("sample_rate"),
             py::arg("mode") = "wiener",
             py::arg("noise") = "common",
             py::arg("mu") = 1.0,
             py::arg("ridge") = py::none(),
             py::arg("block_length") = 0,
             py::arg("averaging") = 4.0,
             py::arg("align") = true,
             py::arg("taper") = 0.0,
             py::arg("source_psd") = py::none(),
             py::arg("noise_psd") = py::none(),
             py::arg("center_frequency") = 0.0,
             py::arg("interval") = 1.0,
             py::arg("velocity") = "off")
        .def("set_mode",
             &block::set_mode,
             released(),
             "\"ls\", \"ridge\" or \"wiener\", faded over one block.",
             py::arg("mode"))
        .def("set_mu",
             &block::set_mu,
             released(),
             "Of mode \"wiener\", >= 0, faded over one block.",
             py::arg("mu"))
        .def(
            "set_propagators",
            [](block& self, const propagator_list& one_or_more) {
                const std::vector<core::propagator> propagators =
                    to_propagators(one_or_more);
                const py::gil_scoped_release release;
                self.set_propagators(propagators);
            },
            "As many of as many sensors, faded over one block; ValueError when they need "
            "longer filters than there are.",
            py::arg("propagators"))
        .def("propagators",
             &block::propagators,
             released(),
             "As they are in force, turned by bearings and scaled by velocities.")
        .def("num_sensors", &block::num_sensors, "N")
        .def("num_sources", &block::num_sources, "K")
        .def("latency",
             &block::latency,
             released(),
             "Most items that go in before the first comes out.")
        .def("block_length", &block::block_length, released(), "M, of an FFT")
        .def("support",
             &block::support,
             released(),
             "Samples that a filter reaches to each side.")
        .def("hop", &block::hop, released(), "Items that a block yields.")
        .def("status",
             &block::status,
             released(),
             "\"ok\", \"learning\", \"bad_data\", \"no_source\" or "
             "\"not_identifiable\"")
        .def(
            "spectra",
            [](const block& self) {
                core::stream_spectra spectra;
                {
                    const py::gil_scoped_release release;
                    spectra = self.spectra();
                }
                return py::make_tuple(
                    spectra.frequency, spectra.noise_psd, spectra.source_psd);
            },
            "(frequency in Hz, noise_psd F x N, source_psd F x K), two-sided densities.")
        .def("sensor_noise",
             &block::sensor_noise,
             released(),
             "Noise power of each sensor relative to their geometric mean, N.")
        .def("velocity_scale",
             &block::velocity_scale,
             released(),
             "True velocity over that of the propagators as given, K; NaN: unknown.")
        .def("restarts",
             &block::restarts,
             released(),
             "How often the filters started anew, after gaps and retunings.")
        .def("counts",
             &block::counts,
             released(),
             "{name: number} of gap, jump, retuned, bearings_followed, bearings_ignored, "
             "bearings_malformed, refused, bad_tags and other_rate.");
}

} // namespace

void bind_propagator_ls_block(py::module& m)
{
    const std::string doc = R"(
Signals that propagate along N sensors, out of noise, while they come in: least squares along
propagators with the sources' spectra as the prior, by overlap-save.

Inputs: N streams of %. Outputs: N streams of signal, then 0 .. K of sources. Output item k is the
estimate for input item k; it comes out latency() items later, and tags keep their items. A ``gap``
tag, a jump of ``rx_time`` or another ``rx_freq`` starts the filters anew.

Message out ``spectra``: a dict with ``frequency``, ``noise_psd`` (row-major F x N), ``source_psd``
(F x K), ``sensor_noise``, ``velocity_scale``, ``status``, ``rx_time``, ``restarts`` and ``counts``.

Message in ``bearings``: of an estimator; plane waves turn to the strongest bearings.

Parameters
----------
propagators : bearing.propagator, or a list of K
sample_rate : Hz
mode : "ls", "ridge" or "wiener"
noise : "common" or "per_sensor"
mu : of "wiener": 1 is minimum mean square error, more leaks less
ridge : of "ridge": the constant that P^H P gets
block_length : samples of an FFT; 0: by the propagators
averaging : of the spectra, in blocks, >= 1
align : whether channels are delayed by whole samples first
taper : share of the band below Nyquist over which filters fade out, 0 .. 1
source_psd, noise_psd : F x K, F x 1 or F x N, or a number
    Known two-sided power densities, unit^2 / Hz, at the bins of a block; None: estimated.
center_frequency : of complex streams, Hz; 0: the propagators' own
interval : seconds of stream time between messages; 0: every block
velocity : "off"; "report": estimated from one block each interval and told; "apply": and the propagators are scaled by it

Raises ValueError naming the parameter.
)";
    const auto with = [&doc](const char* type) {
        std::string text = doc;
        return text.replace(text.find('%'), 1, type);
    };
    bind_block<float>(m, "propagator_ls_ff", with("float").c_str());
    bind_block<gr_complex>(m, "propagator_ls_cc", with("complex float").c_str());
}
