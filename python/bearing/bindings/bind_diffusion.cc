/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "path_argument.h"
#include <gnuradio/bearing/core/coupling/coupling_prior.h>
#include <gnuradio/bearing/core/coupling/covariance_prior.h>
#include <gnuradio/bearing/core/coupling/diffusion_sampler.h>
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <gnuradio/bearing/core/coupling/snapshot_prior.h>
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

constexpr double no_measurement = std::numeric_limits<double>::infinity();

//! A network with the schedule that it was trained for.
struct scheduled_network {
    noise_schedule schedule;
    noise_network network;
    std::string kind;

    noise_predictor predictor() const
    {
        return [this](const Eigen::MatrixXd& x, double alpha_bar) {
            return network(x, alpha_bar);
        };
    }
};

template <class Prior>
scheduled_network network_of(const std::string& path, const std::string& kind)
{
    const std::shared_ptr<const Prior> prior = Prior::load(path);
    return { prior->schedule(), prior->network(), kind };
}

scheduled_network load_network(const py::object& path_object)
{
    const std::string path = to_path(path_object);
    const tensor_file file = tensor_file::load(path);
    const auto kind = file.metadata.find("kind");
    if (kind != file.metadata.end() && kind->second == "covariance") {
        return network_of<covariance_prior>(path, kind->second);
    }
    if (kind != file.metadata.end() && kind->second == "snapshot") {
        return network_of<snapshot_prior>(path, kind->second);
    }
    // It says what is wrong with a file of any other kind.
    return network_of<coupling_prior>(path, "coupling");
}

// Columns of x_t, of the network's dimension.
Eigen::MatrixXd to_columns(const char* name,
                           const Eigen::Ref<const Eigen::MatrixXd>& values,
                           const noise_network& network)
{
    if (values.rows() != network.dimension()) {
        throw std::invalid_argument(std::string(name) + " has " +
                                    std::to_string(values.rows()) +
                                    " rows; it must have the network's dimension, " +
                                    std::to_string(network.dimension()));
    }
    return values;
}

double checked_variance(double variance)
{
    if (!(variance > 0.0)) {
        throw std::invalid_argument("variance is " + std::to_string(variance) +
                                    "; it must be > 0 (infinite: no measurement)");
    }
    return variance;
}

// y, as start; anything where nothing is measured.
Eigen::MatrixXd to_measurement(const std::optional<Eigen::MatrixXd>& measurement,
                               const Eigen::MatrixXd& start)
{
    if (!measurement) {
        return Eigen::MatrixXd::Zero(start.rows(), start.cols());
    }
    if (measurement->rows() != start.rows() || measurement->cols() != start.cols()) {
        throw std::invalid_argument("measurement must be as large as start");
    }
    return *measurement;
}

// A one-dimensional array stays one.
py::object like(const py::array& argument, const Eigen::MatrixXd& result)
{
    if (argument.ndim() == 1) {
        return py::cast(Eigen::VectorXd(result.col(0)));
    }
    return py::cast(result);
}

using columns = Eigen::MatrixXd;

void bind_networks(py::module& core)
{
    py::class_<scheduled_network>(core, "noise_network", R"(
The network of a weights file: finds the noise in x_t = sqrt(abar) x_0 + sqrt(1 - abar) e.

Parameters
----------
path : str or os.PathLike

Raises RuntimeError naming the file and what is wrong with it.
)")
        .def(py::init(&load_network), py::arg("path"))
        .def_property_readonly(
            "dimension",
            [](const scheduled_network& self) { return self.network.dimension(); },
            "of x")
        .def_readonly("kind",
                      &scheduled_network::kind,
                      "of the file: \"coupling\", \"covariance\" or \"snapshot\"")
        .def_property_readonly(
            "alpha_bar",
            [](const scheduled_network& self) {
                Eigen::VectorXd values(self.schedule.steps());
                for (int t = 0; t < self.schedule.steps(); ++t) {
                    values(t) = self.schedule.alpha_bar(t);
                }
                return values;
            },
            "abar_t of the schedule, t = 0 .. T-1")
        .def(
            "__call__",
            [](const scheduled_network& self, const py::array& x, double alpha_bar) {
                if (!(alpha_bar > 0.0 && alpha_bar < 1.0)) {
                    throw std::invalid_argument("alpha_bar is " +
                                                std::to_string(alpha_bar) +
                                                "; it must be > 0 and < 1");
                }
                return like(x,
                            self.network(to_columns("x", x.cast<columns>(), self.network),
                                         alpha_bar));
            },
            "The noise in x, dimension or dimension x columns; ValueError naming the "
            "parameter.",
            py::arg("x"),
            py::arg("alpha_bar"));
    core.def("find_weights",
             &find_weights,
             R"(
Path of the weights for an array: of the files in the folder that the environment variable
GR_BEARING_WEIGHTS names (in place of the installed ones), else of those installed, the first whose
family has the array.

Parameters
----------
a : bearing.array
kind : str
    "coupling" (for priors "gaussian" and "coupling"), "covariance" or "snapshot".

Raises RuntimeError saying which folder was searched and which arrays its weights are for.
)",
             py::arg("a"),
             py::arg("kind"));
}

void bind_samplers(py::module& core)
{
    core.def(
        "ddim_sample",
        [](const py::object& path,
           const py::array& start,
           int count,
           const std::optional<columns>& measurement,
           double variance) {
            const scheduled_network loaded = load_network(path);
            const columns x = to_columns("start", start.cast<columns>(), loaded.network);
            const columns y = to_measurement(measurement, x);
            const double noise =
                measurement ? checked_variance(variance) : no_measurement;
            const guidance guide = [&](const columns& estimate, double alpha_bar) {
                const double gain =
                    std::isinf(noise) ? 0.0 : guidance_gain(alpha_bar, noise);
                return columns(estimate + gain * (y - estimate));
            };
            return like(
                start, ddim_sample(loaded.schedule, loaded.predictor(), guide, x, count));
        },
        R"(
Deterministic sampling with guidance (DDIM: J. Song, C. Meng, S. Ermon 2021), from noise to x_0.

The estimate of x_0 at each step moves towards the measurement by r^2 / (r^2 + variance), r^2 = 1 -
abar.

Parameters
----------
path : str or os.PathLike
    Weights file.
start : array of dimension, or dimension x columns
    x_T: independent Gaussian values of variance 1, a sample each column.
count : int
    Steps, 2 .. T.
measurement : array as start, optional
    y = x_0 + noise.
variance : float
    Of its noise, per real dimension.

Returns
-------
array as start.

Raises
------
ValueError
    Naming the parameter.
RuntimeError
    Naming the file and what is wrong with it.
)",
        py::arg("path"),
        py::arg("start"),
        py::arg("count"),
        py::arg("measurement") = py::none(),
        py::arg("variance") = no_measurement);
    core.def(
        "euler_maruyama_sample",
        [](const py::object& path,
           const py::array& start,
           const std::optional<columns>& measurement,
           double variance,
           std::uint64_t seed) {
            const scheduled_network loaded = load_network(path);
            const columns x = to_columns("start", start.cast<columns>(), loaded.network);
            return like(start,
                        euler_maruyama_sample(loaded.schedule,
                                              loaded.predictor(),
                                              to_measurement(measurement, x),
                                              measurement ? checked_variance(variance)
                                                          : no_measurement,
                                              x,
                                              seed));
        },
        R"(
The same from the stochastic equation by Euler and Maruyama, all T steps; parameters, result and
errors as for ddim_sample(), seed that of the noise.
)",
        py::arg("path"),
        py::arg("start"),
        py::arg("measurement") = py::none(),
        py::arg("variance") = no_measurement,
        py::arg("seed") = 1);
    core.def(
        "posterior_mean",
        [](const py::object& path, const py::array& measurement, double variance) {
            const scheduled_network loaded = load_network(path);
            const columns y =
                to_columns("measurement", measurement.cast<columns>(), loaded.network);
            return like(
                measurement,
                posterior_mean(
                    loaded.schedule, loaded.predictor(), y, checked_variance(variance)));
        },
        R"(
E[x_0 | y] of y = x_0 + noise by one call of the network: at the t whose abar = 1 / (1 + variance), on
sqrt(abar) y; parameters, result and errors as for ddim_sample().
)",
        py::arg("path"),
        py::arg("measurement"),
        py::arg("variance"));
}

void bind_priors(py::module& core)
{
    core.def(
        "diffuse_covariance",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           int num_sources,
           long long snapshots,
           const py::object& weights,
           int steps,
           int samples,
           std::uint64_t seed) {
            return weights_for<covariance_prior>(array, to_path(weights), "covariance")
                ->diffuse(covariance,
                          num_sources,
                          to_snapshots(snapshots, 1),
                          steps,
                          samples,
                          seed);
        },
        R"(
The noise-free covariance behind R, N x N: what prior "covariance" fits the coupling to.

Parameters
----------
R : complex array of N x N
a : bearing.array
num_sources : int
    K, 1 .. N-1.
snapshots : int >= 1
weights : str or os.PathLike
    Weights file; "": find_weights().
steps, samples, seed : int
    Of DDIM; samples whose mean is taken; of the noise that they start from.

Raises ValueError naming the parameter, RuntimeError for a weights file that is missing or damaged.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("num_sources"),
        py::arg("snapshots"),
        py::arg("weights") = "",
        py::arg("steps") = 25,
        py::arg("samples") = 4,
        py::arg("seed") = 1);
    core.def(
        "diffuse_snapshots",
        [](const Eigen::MatrixXcd& snapshots,
           const antenna_array& array,
           double noise_power,
           const py::object& weights,
           int steps,
           std::uint64_t seed) {
            return weights_for<snapshot_prior>(array, to_path(weights), "snapshot")
                ->diffuse(snapshots, noise_power, steps, seed);
        },
        R"(
Each snapshot without its noise, N x T: what prior "snapshot" makes its covariance of.

Parameters
----------
X : complex array of N x T
a : bearing.array
noise_power : float
    E|n|^2 at an element.
weights, steps, seed
    As for diffuse_covariance().

Raises ValueError naming the parameter, RuntimeError for a weights file that is missing or damaged.
)",
        py::arg("X"),
        py::arg("a"),
        py::arg("noise_power"),
        py::arg("weights") = "",
        py::arg("steps") = 25,
        py::arg("seed") = 1);
}

} // namespace

void bind_diffusion(py::module& core)
{
    bind_networks(core);
    bind_samplers(core);
    bind_priors(core);
}
