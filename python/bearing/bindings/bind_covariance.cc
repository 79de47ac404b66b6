/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/covariance/sliding_covariance.h>
#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <gnuradio/bearing/covariance.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <complex>
#include <stdexcept>
#include <string>
#include <vector>

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

void require_snapshots(const sample_array& x)
{
    if (x.ndim() != 2) {
        throw std::invalid_argument("X has " + std::to_string(x.ndim()) +
                                    " dimensions; it must have 2, elements by snapshots");
    }
    if (x.shape(1) == 0) {
        throw std::invalid_argument("X has 0 snapshots; it must have at least 1");
    }
}

Eigen::MatrixXcf covariance_of(const sample_array& x)
{
    require_snapshots(x);
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

py::array_t<sample> covariances_of(const plain_sample_array& x,
                                   py::ssize_t snapshots,
                                   py::ssize_t hop,
                                   double forgetting)
{
    require_snapshots(x);
    const py::ssize_t n = x.shape(0);
    if (n < 1 || n > 64) {
        throw std::invalid_argument("X has " + std::to_string(n) +
                                    " rows; it must have 1 to 64, one an element");
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is " + std::to_string(snapshots) +
                                    "; it must be >= 1");
    }
    if (hop < 0) {
        throw std::invalid_argument("hop is " + std::to_string(hop) +
                                    "; it must be >= 0");
    }
    sliding_covariance_config config;
    config.snapshots = static_cast<std::size_t>(snapshots);
    config.hop = static_cast<std::size_t>(hop);
    config.forgetting = forgetting;
    sliding_covariance sums(static_cast<int>(n), config);

    const py::ssize_t size = x.shape(1);
    const py::ssize_t step = static_cast<py::ssize_t>(sums.config().hop);
    const py::ssize_t count = size < snapshots ? 0 : (size - snapshots) / step + 1;
    // Each matrix in column-major order, as it is written.
    const py::ssize_t one = sizeof(sample);
    py::array_t<sample> r({ count, n, n }, { n * n * one, one, n * one });
    sample* out = r.mutable_data();
    std::vector<const sample*> channels(n);
    for (py::ssize_t done = 0; done < size;) {
        for (py::ssize_t i = 0; i < n; ++i) {
            channels[i] = x.data() + i * size + done;
        }
        done += sums.update(channels.data(), size - done);
        if (sums.is_complete()) {
            sums.covariance(out);
            out += n * n;
        }
    }
    return r;
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
    core.def("covariances",
             &covariances_of,
             R"(
Sample covariances along a record: side by side, overlapping, or with exponential forgetting.
No sample is multiplied twice.

Parameters
----------
X : complex64 array of N x T, N = 1 .. 64
snapshots : int, samples in a window, >= 1
hop : int
    Samples from one covariance to the next: divides snapshots, at most 1024 hops in a window;
    0: snapshots, windows side by side.
forgetting : float
    b, 0 <= b < 1: covariance k is the mean of windows 0 .. k, each with b times the weight of
    the next. Above 0 only without overlap.

Returns
-------
R : complex64 array of K x N x N, each Hermitian to the bit; K = 0 for a record shorter than
    one window. Samples after the last whole hop are not used.
    With overlap or alone each is worth `snapshots`; with forgetting, R[k] is worth
    snapshots (1 + b) (1 - b^(k+1)) / ((1 - b) (1 + b^(k+1))): that is what an estimator is
    to be told.

A NaN or Inf makes its channel's row and column NaN in the windows that hold it. With
forgetting its window is left out of later covariances.

Raises ValueError naming the parameter.
)",
             py::arg("X"),
             py::arg("snapshots"),
             py::arg("hop") = 0,
             py::arg("forgetting") = 0.0);
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
Sample covariance of N coherent complex streams, one item of N * N complex values per hop of
snapshots (NumPy: item.reshape(N, N, order='F')).

Tags: rx_time (advanced to the first of the newest T samples of the item), rx_freq, rx_rate,
snapshots, gap. No item spans a gap, a time jump or a retune of any input: they restart the
accumulation. Inputs that stay at different frequencies come out as one rx_freq, that of the
lowest of those that changed last.

Parameters
----------
num_elements : int, N = 1 .. 64
snapshots : int, T >= 1, samples of each channel in a window
sample_rate : float
    Hz, for rx_time arithmetic until an rx_rate tag tells better; 0: unknown.
hop : int
    Snapshots from one item to the next: divides T, at most 1024 hops in T; 0: T, windows side by
    side.
forgetting : float
    b, 0 <= b < 1: an item is the mean of all windows so far, each with b times the weight of the
    next. The tag `snapshots` tells how many equally weighted ones it is worth. Above 0 only
    without overlap.

Raises ValueError naming the parameter, or both that do not go together.
)")
        .def(py::init(&covariance::make),
             py::arg("num_elements"),
             py::arg("snapshots"),
             py::arg("sample_rate") = 0.0,
             py::arg("hop") = 0,
             py::arg("forgetting") = 0.0)
        .def("set_window",
             &covariance::set_window,
             "snapshots, hop and forgetting at once, where one after the other would not "
             "go "
             "together. All setters take effect with the next item; ValueError as above, "
             "and nothing is changed then.",
             py::arg("snapshots"),
             py::arg("hop") = 0,
             py::arg("forgetting") = 0.0)
        .def("set_snapshots", &covariance::set_snapshots, py::arg("snapshots"))
        .def("set_hop", &covariance::set_hop, py::arg("hop"))
        .def("set_forgetting", &covariance::set_forgetting, py::arg("forgetting"))
        .def("snapshots", &covariance::snapshots)
        .def("hop", &covariance::hop, "As it was set: 0 stands for snapshots.")
        .def("forgetting", &covariance::forgetting)
        .def("num_elements", &covariance::num_elements);
}
