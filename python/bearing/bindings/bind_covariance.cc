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
#include <pybind11/numpy.h>
#include <complex>
#include <stdexcept>
#include <string>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

using sample = std::complex<float>;
using sample_array = py::array_t<sample, py::array::forcecast>;
using plain_sample_array = py::array_t<sample, py::array::c_style | py::array::forcecast>;

// Eigen steps by whole numbers of values, and forwards only.
bool is_steppable(const sample_array& x)
{
    for (py::ssize_t axis = 0; axis < x.ndim(); ++axis) {
        if (x.strides(axis) <= 0 || x.strides(axis) % x.itemsize() != 0) {
            return false;
        }
    }
    return true;
}

Eigen::MatrixXcf covariance_of(const sample_array& x)
{
    if (x.ndim() != 2) {
        throw std::invalid_argument("X has " + std::to_string(x.ndim()) +
                                    " dimensions; it must have 2, elements by snapshots");
    }
    if (x.shape(1) == 0) {
        throw std::invalid_argument("X has 0 snapshots; it must have at least 1");
    }
    using steps = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    const auto covariance =
        [&x](const sample* data, py::ssize_t down, py::ssize_t along) {
            const Eigen::Map<const Eigen::MatrixXcf, 0, steps> samples(
                data, x.shape(0), x.shape(1), steps(along, down));
            return Eigen::MatrixXcf(sample_covariance(samples).cast<sample>());
        };
    if (is_steppable(x)) {
        return covariance(
            x.data(), x.strides(0) / x.itemsize(), x.strides(1) / x.itemsize());
    }
    const plain_sample_array rows(x);
    return covariance(rows.data(), x.shape(1), 1);
}

} // namespace

void bind_covariance(py::module& m, py::module& core)
{
    core.def("covariance",
             &covariance_of,
             R"(
Sample covariance R = (1/T) sum x x^H.

Parameters
----------
X : complex64 array of N x T, N = 1 .. 64
    Of any memory layout; other types are converted.

Returns
-------
R : complex64 array of N x N, Hermitian to the bit; NaN where a channel holds NaN or Inf

Raises ValueError naming X.
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
spans a gap, a time jump or a retune of any input: they restart the accumulation. Inputs that
stay at different frequencies come out as one rx_freq, that of the lowest of those that changed
last.

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
