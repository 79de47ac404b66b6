/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "estimator_binding.h"
#include <gnuradio/bearing/core/subspace/subspace_fit.h>
#include <gnuradio/bearing/core/subspace/subspace_fit_accuracy.h>
#include <gnuradio/bearing/subspace_fit.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>

namespace py = pybind11;
namespace bearing = gr::bearing;
using namespace gr::bearing::core;

namespace {

void bind_functions(py::module& core)
{
    core.def(
        "subspace_fit",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           int num_sources,
           long long snapshots,
           const std::string& criterion) {
            subspace_fit_config config;
            config.num_sources = num_sources;
            config.criterion = fit_criterion_from_string(criterion);
            return subspace_fit_estimator(array, config)
                .estimate(covariance, to_snapshots(snapshots, 0));
        },
        R"(
Directions of all sources at once, on any array, calibrated or not: for sources that are too
close for MUSIC, and for coherent ones (echoes of each other).

Alternating projection (I. Ziskind, M. Wax 1988) on a grid, refined jointly to rounding.

Parameters
----------
R : complex array of N x N
a : bearing.array
num_sources : int
    K, 1 .. N-1; 0: count them, which needs snapshots (coherent ones count as one).
snapshots : int
    Number behind R; 0: unknown, then std_deg is NaN and status not_identifiable.
criterion : str
    "wsf", weighted subspace fitting (M. Viberg, B. Ottersten 1991), which reaches the
    Cramer-Rao bound; or "dml", deterministic maximum likelihood, tr(P_A R).

Returns
-------
bearing_estimate without a spectrum. Sources that fell together are one direction and a NaN,
status unresolved; with that status, finite std_deg still hold. Where other directions explain
the data as well, std_deg is NaN and the status not_identifiable.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("num_sources"),
        py::arg("snapshots") = 0,
        py::arg("criterion") = "wsf");
    core.def(
        "predict_fit_std_deg",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           const real_array& angles_deg,
           long long snapshots,
           const std::string& criterion) {
            const Eigen::VectorXd deviation =
                predict_fit_deviation(covariance,
                                      array,
                                      to_radians("angles_deg", angles_deg),
                                      to_snapshots(snapshots, 1),
                                      fit_criterion_from_string(criterion));
            return Eigen::VectorXd(deviation / radians_per_degree);
        },
        R"(
Standard deviations that subspace_fit() reaches at the true directions, from an exact covariance
of sources of any correlation.

For "wsf" they are the stochastic Cramer-Rao bound (P. Stoica, A. Nehorai 1990).

Parameters
----------
R : complex array of N x N
    The exact covariance.
a : bearing.array
angles_deg : array of K
    True directions in degrees, 1 <= K < N.
snapshots : int >= 1
criterion : str
    "wsf" or "dml".

Returns
-------
array of K, degrees; NaN where R is no covariance or cannot resolve the directions.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("angles_deg"),
        py::arg("snapshots"),
        py::arg("criterion") = "wsf");
}

void bind_block(py::module& m)
{
    bind_estimator<bearing::subspace_fit>(m, "subspace_fit", R"(
Subspace fitting: bearings with predicted standard deviations also of close and of coherent
sources.

Input: covariance items. Message in ``calibration``: a dict with any of gains, positions,
coupling, sigma_phase_rad, sigma_log_gain, reference, frequency, time; a missing key leaves that
part unchanged. Message out ``bearings``: one PDU an item, whose ``method`` is the criterion;
with status unresolved its finite std_deg hold.

Parameters
----------
array : bearing.array
num_sources : int, K = 1 .. N-1; 0: count them (coherent ones count as one)
criterion : "wsf", weighted subspace fitting, or "dml", deterministic maximum likelihood
snapshots : int
    Number behind each item while no ``snapshots`` tag tells; 0: unknown.
heading_deg : direction of +y, clockwise from north
counting : "ratio", "mdl" or "aic"

Raises ValueError naming the parameter.
)")
        .def(py::init(&bearing::subspace_fit::make),
             py::arg("array"),
             py::arg("num_sources"),
             py::arg("criterion") = "wsf",
             py::arg("snapshots") = 0,
             py::arg("heading_deg") = 0.0,
             py::arg("counting") = "ratio")
        .def("set_criterion",
             &bearing::subspace_fit::set_criterion,
             "\"wsf\" or \"dml\"",
             py::arg("criterion"));
}

} // namespace

void bind_subspace_fit(py::module& m, py::module& core)
{
    bind_functions(core);
    bind_block(m);
}
