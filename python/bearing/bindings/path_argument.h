/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_PATH_ARGUMENT_H
#define INCLUDED_BEARING_BINDINGS_PATH_ARGUMENT_H

#include <pybind11/pybind11.h>
#include <string>

//! A str or os.PathLike.
inline std::string to_path(const pybind11::object& path)
{
    return pybind11::module::import("os").attr("fspath")(path).cast<std::string>();
}

#endif /* INCLUDED_BEARING_BINDINGS_PATH_ARGUMENT_H */
