/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <gnuradio/bearing/covariance.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>

namespace py = pybind11;
using namespace gr::bearing::core;

void bind_covariance(py::module& m, py::module& core)
{
    core.def(
        "covariance",
        [](const py::EigenDRef<const Eigen::MatrixXcf>& x) {
            return Eigen::MatrixXcf(sample_covariance(x).cast<std::complex<float>>());
        },
        R"(
Sample covariance R = (1/T) sum x x^H.

Parameters
----------
X : complex64 array of N x T, N = 1 .. 64

Returns
-------
R : complex64 array of N x N, Hermitian to the bit; NaN where a channel holds NaN or Inf
)",
        py::arg("X"));
    core.def(
        "forward_backward",
        &forward_backward,
        "(R + J conj(R) J) / 2 with the exchange matrix J, for arrays that look the same "
        "from both ends.",
        py::arg("R"));
    core.def("spatial_smoothing",
             &spatial_smoothing,
             R"(
Mean of the covariances of all neighbouring subarrays of a uniform line: decorrelates
coherent sources (T.-J. Shan, M. Wax, T. Kailath 1985).

Returns a matrix of subarray_size x subarray_size. ValueError unless 2 <= subarray_size <= N.
)",
             py::arg("R"),
             py::arg("subarray_size"),
             py::arg("forward_backward") = true);
    core.def("covariance_kernel",
             &covariance_kernel_name,
             "Name of the vector kernel that this processor runs.");

    using gr::bearing::covariance;
    py::class_<covariance, gr::block, gr::basic_block, std::shared_ptr<covariance>>(
        m, "covariance", R"(
Sample covariance of N coherent complex streams, one item of N * N complex values per block
of snapshots (NumPy: item.reshape(N, N, order='F')).

Tags: rx_time (advanced to the item's first sample), rx_freq, rx_rate, snapshots, gap. No item
spans a gap, a time jump or a retune: they restart the accumulation.

Parameters
----------
num_elements : int, N = 1 .. 64
snapshots : int, T >= 1, samples of each channel in one item
sample_rate : float
    Hz, for rx_time arithmetic until an rx_rate tag tells better; 0: unknown.

Raises ValueError naming the parameter.
)")
        .def(py::init(&covariance::make),
             py::arg("num_elements"),
             py::arg("snapshots"),
             py::arg("sample_rate") = 0.0)
        .def("set_snapshots",
             &covariance::set_snapshots,
             "Takes effect with the next item; ValueError unless >= 1.",
             py::arg("snapshots"))
        .def("snapshots", &covariance::snapshots)
        .def("num_elements", &covariance::num_elements);
}
