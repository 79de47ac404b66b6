/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <pybind11/pybind11.h>

namespace py = pybind11;

void bind_array(py::module& m);
void bind_calibration(py::module& m);
void bind_diffmusic(py::module& core);
void bind_diffmusic_block(py::module& m);
void bind_simulation(py::module& m, py::module& core);
void bind_channel_tags(py::module& m);
void bind_phase_gate(py::module& m);
void bind_covariance(py::module& m, py::module& core);
void bind_subspace(py::module& m, py::module& core);
void bind_subspace_fit(py::module& m, py::module& core);
void bind_closed_form_gains(py::module& core);
void bind_diffmusic_losses(py::module& core);
void bind_coupling(py::module& core);
void bind_coupling_block(py::module& m);
void bind_diffusion(py::module& core);
void bind_kraken_source(py::module& m);
void bind_propagation(py::module& m, py::module& core);
void bind_propagator_ls_block(py::module& m);
void bind_wideband(py::module& m, py::module& core);

PYBIND11_MODULE(bearing_python, m)
{
    // The base classes of blocks are registered by GNU Radio's own modules.
    py::module::import("gnuradio.gr");

    m.attr("__version__") = BEARING_VERSION;
    py::module core = m.def_submodule(
        "core",
        "Array processing on NumPy arrays, without a flowgraph. Angles are in degrees, "
        "azimuths clockwise from the array's +y axis.");
    bind_array(m);
    bind_calibration(m);
    bind_diffmusic_block(m);
    bind_simulation(m, core);
    bind_channel_tags(m);
    bind_covariance(m, core);
    bind_subspace(m, core);
    bind_subspace_fit(m, core);
    bind_diffmusic(core);
    bind_closed_form_gains(core);
    bind_diffmusic_losses(core);
    bind_coupling(core);
    bind_coupling_block(m);
    bind_diffusion(core);
    bind_kraken_source(m);
    bind_propagation(m, core);
    bind_propagator_ls_block(m);
    bind_wideband(m, core);
    bind_phase_gate(m);
}
