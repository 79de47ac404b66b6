/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>
#include <optional>
#include <vector>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

Eigen::MatrixXcd signal_subspace(const Eigen::MatrixXcd& covariance, int num_sources)
{
    if (covariance.rows() != covariance.cols() || num_sources < 1 ||
        num_sources >= covariance.cols()) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    " and num_sources " + std::to_string(num_sources) +
                                    "; R must be N x N and num_sources 1 .. N-1");
    }
    if (check_covariance(covariance) != status::ok) {
        throw std::invalid_argument("Rs holds a matrix that is no covariance; leave out "
                                    "those with NaN, a dead channel or no power");
    }
    return decompose(covariance).vectors.leftCols(num_sources);
}

loss_gradient differentiate(const std::vector<Eigen::MatrixXcd>& covariances,
                            const antenna_array& array,
                            int num_sources,
                            const std::optional<Eigen::MatrixXd>& labels_deg,
                            const std::string& loss)
{
    std::vector<Eigen::MatrixXcd> subspaces;
    for (const Eigen::MatrixXcd& covariance : covariances) {
        subspaces.push_back(signal_subspace(covariance, num_sources));
    }
    Eigen::MatrixXd labels;
    if (labels_deg) {
        labels = *labels_deg * radians_per_degree;
    }
    diffmusic_losses losses(subspaces, array, diffmusic_loss_from_string(loss), labels);
    const array_parameters parameters = array_parameters::of(array);
    losses.move_windows(parameters);
    loss_gradient result = losses.evaluate(parameters);
    result.positions /= array.wavelength().value_or(1.0);
    return result;
}

} // namespace

void bind_diffmusic_losses(py::module& core)
{
    py::class_<loss_gradient>(
        core, "loss_gradient", "A loss and its derivatives, from diffmusic_loss().")
        .def_readonly(
            "value", &loss_gradient::value, "the loss; NaN when no covariance took part")
        .def_readonly(
            "gains", &loss_gradient::gains, "dL/dRe g + j dL/dIm g, N complex values")
        .def_readonly("positions",
                      &loss_gradient::positions,
                      "dL/dp, N x 3, in 1 / the array's unit; 0 along z");
    core.def("diffmusic_loss",
             &differentiate,
             R"(
A loss of differentiable MUSIC and its gradient with respect to gains and positions.

P = a^H a / a^H (I - Es Es^H) a is the MUSIC spectrum. A coupling of the array is left out.

Parameters
----------
Rs : complex array of K x N x N
a : bearing.array, with the calibration at which to differentiate
num_sources : int
    M, 1 .. N-1, in each covariance.
labels_deg : array of K x M, degrees
    Known directions, NaN where unknown; "ul" needs none.
loss : str
    "sl_p": -sum log P at the labels, its mean over covariances; "sl_p_raw": -sum P;
    "sl_theta": root mean square error in radians of softmax peaks over windows of +-1
    degree around the M highest peaks, tau = 1; "ul": sum over the windows of Jain's index
    of P.

Returns
-------
loss_gradient with value, gains and positions. A window stands where the peak is, and is not
differentiated.

Raises
------
ValueError
    Naming the parameter.

Source: B. Chatelier et al., ICC 2025 (arXiv 2411.15144).
)",
             py::arg("Rs"),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("labels_deg") = py::none(),
             py::arg("loss") = "sl_p");
}
