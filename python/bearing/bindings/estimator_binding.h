/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_ESTIMATOR_BINDING_H
#define INCLUDED_BEARING_BINDINGS_ESTIMATOR_BINDING_H

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/sync_block.h>
#include <pybind11/pybind11.h>
#include <memory>

template <typename Block>
using estimator_class = pybind11::
    class_<Block, gr::sync_block, gr::block, gr::basic_block, std::shared_ptr<Block>>;

//! An estimator block with what all of them have; its constructor is the caller's.
template <typename Block>
estimator_class<Block>
bind_estimator(pybind11::module& m, const char* name, const char* doc)
{
    return estimator_class<Block>(m, name, doc)
        .def("set_num_sources",
             &Block::set_num_sources,
             "ValueError unless 0 <= num_sources < N (root_music, variant \"real\": < N "
             "/ 2).",
             pybind11::arg("num_sources"))
        .def("set_heading_deg",
             &Block::set_heading_deg,
             "Direction of the array's +y axis in degrees, clockwise from north; "
             "ValueError "
             "unless finite.",
             pybind11::arg("heading_deg"))
        .def("set_calibration",
             &Block::set_calibration,
             "Replaces the whole calibration; parts that the argument lacks are as "
             "drawn. ValueError when it does not fit the array (or a variant of the "
             "method).",
             pybind11::arg("calibration"));
}

//! What those with a spectrum have besides.
template <typename Block>
void bind_spectrum(estimator_class<Block>& block)
{
    block
        .def("set_limits_deg",
             &Block::set_limits_deg,
             "New limits for the same number of points; empty: the whole range.",
             pybind11::arg("limits_deg"))
        .def("grid_deg", &Block::grid_deg, "azimuths of the spectrum's points");
}

#endif /* INCLUDED_BEARING_BINDINGS_ESTIMATOR_BINDING_H */
