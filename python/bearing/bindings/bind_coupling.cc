/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "path_argument.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <gnuradio/bearing/core/coupling/coupling_tracker.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>
#include <complex>
#include <optional>
#include <string>
#include <vector>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

// The model of an array's structure and the weights at which it has c_1, c_2, ..
struct structured_coupling {
    coupling_model model;
    Eigen::VectorXd weights;
};

structured_coupling
to_structured_coupling(const antenna_array& array,
                       const std::vector<std::complex<double>>& coefficients)
{
    const coupling_model model =
        coupling_model::of_array(array, static_cast<int>(coefficients.size()) + 1);
    Eigen::VectorXd weights(2 * coefficients.size());
    for (std::size_t k = 0; k < coefficients.size(); ++k) {
        weights(2 * k) = coefficients[k].real();
        weights(2 * k + 1) = coefficients[k].imag();
    }
    return { model, weights };
}

frobenius_search to_search(const std::string& search)
{
    if (search == "levenberg_marquardt") {
        return frobenius_search::levenberg_marquardt;
    }
    if (search == "alternating") {
        return frobenius_search::alternating;
    }
    throw std::invalid_argument("search is '" + search +
                                "'; it must be 'levenberg_marquardt' or 'alternating'");
}

coupling_config to_config(int num_sources,
                          int coefficients,
                          const std::string& prior,
                          const py::object& weights,
                          int sampling_steps,
                          int sampling_count,
                          std::uint64_t seed)
{
    coupling_config config;
    config.num_sources = num_sources;
    config.coefficients = coefficients;
    config.prior = coupling_knowledge_from_string(prior);
    config.weights = to_path(weights);
    config.sampling = { sampling_steps, sampling_count, seed };
    return config;
}

coupling_estimate fit(const Eigen::MatrixXcd& covariance,
                      const antenna_array& array,
                      int num_sources,
                      long long snapshots,
                      int coefficients,
                      const std::string& prior,
                      const std::string& criterion,
                      const std::optional<Eigen::MatrixXcd>& samples,
                      const py::object& weights,
                      const std::string& search,
                      bool powers_and_noise,
                      int sampling_steps,
                      int sampling_count,
                      std::uint64_t seed)
{
    coupling_config config = to_config(
        num_sources, coefficients, prior, weights, sampling_steps, sampling_count, seed);
    config.criterion = coupling_criterion_from_string(criterion);
    config.search = to_search(search);
    config.powers_and_noise = powers_and_noise;
    return coupling_estimator(array, config)
        .estimate(
            covariance, to_snapshots(snapshots, 0), samples.value_or(Eigen::MatrixXcd()));
}

void bind_estimate(py::module& core)
{
    py::class_<coupling_estimate>(core, "coupling_estimate", R"(
Coupling and bearings found together; strongest source first, NaN where nothing was found.
)")
        .def_property_readonly(
            "angles_deg",
            [](const coupling_estimate& e) {
                return Eigen::VectorXd(e.bearings.azimuth / radians_per_degree);
            },
            "azimuths in degrees, clockwise from +y, num_sources values")
        .def_property_readonly(
            "std_deg",
            [](const coupling_estimate& e) {
                return Eigen::VectorXd(e.bearings.deviation / radians_per_degree);
            },
            "predicted standard deviations in degrees, the coupling unknown; NaN where "
            "not "
            "trustworthy")
        .def_property_readonly(
            "power_db",
            [](const coupling_estimate& e) { return e.bearings.power_db; },
            "power per element, dB")
        .def_property_readonly(
            "snr_db",
            [](const coupling_estimate& e) { return e.bearings.snr_db; },
            "SNR per element, dB")
        .def_property_readonly(
            "num_sources",
            [](const coupling_estimate& e) { return e.bearings.num_sources; },
            "K, given or counted")
        .def_property_readonly(
            "status",
            [](const coupling_estimate& e) { return to_string(e.bearings.status); },
            "ok, low_snr when gated, model_mismatch when glrt is above its limit, "
            "unresolved, not_identifiable, no_source or bad_data")
        .def_property_readonly(
            "front_only",
            [](const coupling_estimate& e) { return e.bearings.is_front_only; },
            "whether angles_deg are in [-90, 90], else in [0, 360)")
        .def_readonly("coupling",
                      &coupling_estimate::coupling,
                      "C, complex128 array of N x N, C[0, 0] = 1; that of the model's "
                      "centre when gated or when nothing was found")
        .def_readonly("powers",
                      &coupling_estimate::power,
                      "power of each source at an element, as the angles")
        .def_readonly(
            "noise", &coupling_estimate::noise_power, "noise power E|n|^2 at an element")
        .def_readonly("glrt",
                      &coupling_estimate::glrt,
                      "likelihood ratio against any covariance; NaN where it cannot tell")
        .def_readonly("glrt_limit",
                      &coupling_estimate::glrt_limit,
                      "above it the model is wrong, false alarms 1 %")
        .def_readonly("iterations", &coupling_estimate::iterations, "steps tried")
        .def_readonly("is_gated",
                      &coupling_estimate::is_gated,
                      "angles are those without correction; status and reason say why")
        .def_readonly("reason",
                      &coupling_estimate::reason,
                      "a sentence behind the status; may be empty with ok")
        .def("__repr__", [](const coupling_estimate& e) {
            return "<coupling_estimate: " + std::to_string(e.bearings.num_sources) +
                   " sources, status " + to_string(e.bearings.status) + ">";
        });
}

void bind_fit(py::module& core)
{
    const coupling_config defaults;
    core.def("coupling_fit",
             &fit,
             R"(
Mutual coupling and bearings of all sources together, from one covariance.

R = C A P A^H C^H + noise * I with the coupling C unknown, by stochastic maximum likelihood (Fisher
scoring) from MUSIC's bearings. Deviations are those of the Cramer-Rao bound with C unknown.

Parameters
----------
R : complex array of N x N
a : bearing.array
    A uniform line or circle for priors "none" and "covariance". Gains and position offsets count,
    a coupling does not.
num_sources : int
    K, 1 .. N-1; 0: count them.
snapshots : int
    Number behind R; 0: unknown, then std_deg and glrt are NaN.
coefficients : int
    Of the array's structure, c_0 = 1 included: symmetric banded Toeplitz on lines (elements k apart
    couple with c_k), circulant on circles. Not used with "gaussian" and "coupling".
prior : str
    "none"; "gaussian", principal components of simulated antennas; "coupling", the same with a
    diffusion model; "covariance", the array's structure fitted to a covariance from a diffusion
    model; "snapshot", likewise with single snapshots (worse than none).
criterion : str
    "ml" or "frobenius", ||R - R(x)||_F^2, to compare with.
samples : complex array of N x T, optional
    For prior "snapshot".
weights : str or os.PathLike
    Weights file; "": find_weights().
search : str
    Of "frobenius": "levenberg_marquardt" or "alternating".
powers_and_noise : bool
    Of "frobenius": False for P = I without noise, as it was published.
sampling_steps, sampling_count, seed : int
    Of prior "coupling": steps of DDIM, samples whose mean is taken, and their seed.

Returns
-------
coupling_estimate

Raises
------
ValueError
    Naming the parameter.
RuntimeError
    For a weights file that is missing or damaged, saying what is wrong with it.
)",
             py::arg("R"),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("snapshots"),
             py::arg("coefficients") = defaults.coefficients,
             py::arg("prior") = "none",
             py::arg("criterion") = "ml",
             py::arg("samples") = py::none(),
             py::arg("weights") = "",
             py::arg("search") = "levenberg_marquardt",
             py::arg("powers_and_noise") = defaults.powers_and_noise,
             py::arg("sampling_steps") = defaults.sampling.steps,
             py::arg("sampling_count") = defaults.sampling.samples,
             py::arg("seed") = defaults.sampling.seed);
}

void bind_model(py::module& core)
{
    core.def(
        "coupling_matrix",
        [](const antenna_array& array,
           const std::vector<std::complex<double>>& coefficients) {
            const structured_coupling structured =
                to_structured_coupling(array, coefficients);
            return structured.model.coupling(structured.weights);
        },
        R"(
C, N x N, of a uniform line (symmetric Toeplitz) or circle (symmetric circulant) whose elements k
apart couple with c_k.

Parameters
----------
a : bearing.array
coefficients : complex values c_1, c_2, ..
    The others are 0; c_0 is 1.

Raises ValueError for another array, and for too many coefficients.
)",
        py::arg("a"),
        py::arg("coefficients"));
    core.def(
        "coupling_crb_deg",
        [](const antenna_array& array,
           const real_array& angles_deg,
           const real_array& snr_db,
           long long snapshots,
           const std::vector<std::complex<double>>& coefficients) {
            const structured_coupling structured =
                to_structured_coupling(array, coefficients);
            const Eigen::VectorXd azimuth = to_radians("angles_deg", angles_deg);
            Eigen::VectorXd levels = to_vector("snr_db", snr_db);
            if (levels.size() == 1) {
                levels = Eigen::VectorXd::Constant(azimuth.size(), levels(0));
            }
            const Eigen::VectorXd deviation =
                coupled_cramer_rao_deviation(array,
                                             structured.model,
                                             structured.weights,
                                             azimuth,
                                             levels,
                                             to_snapshots(snapshots, 1));
            return Eigen::VectorXd(deviation / radians_per_degree);
        },
        R"(
Stochastic Cramer-Rao bound of bearings when the coupling has to be found with them.

Parameters
----------
a : bearing.array
    A uniform line or circle.
angles_deg : array of K
snr_db : number or array of K
    Per element and source, without coupling.
snapshots : int >= 1
coefficients : complex values c_1, c_2, ..
    The true ones; all of them are unknown to the estimator.

Returns
-------
array of K, standard deviations in degrees; NaN where the scene is not identifiable.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("a"),
        py::arg("angles_deg"),
        py::arg("snr_db"),
        py::arg("snapshots"),
        py::arg("coefficients"));
}

void bind_tracker(py::module& core)
{
    const coupling_config defaults;
    const coupling_tracking tracking;
    py::class_<coupling_tracker>(core, "coupling_tracker", R"(
Coupling over many scenes: it stays while sources move, so what one covariance tells of it is known
beforehand for the next.

Scenes that contradict what was learnt are not averaged; after some of them in a row all is learnt
anew.

Parameters
----------
a, num_sources, coefficients, prior, weights, sampling_steps, sampling_count, seed
    As for coupling_fit().
memory : float
    Scenes after which one counts 1/e; 0: each covariance stands for itself.
patience : int
    Scenes in a row that contradict before it starts again.

Raises ValueError naming the parameter, RuntimeError for a weights file that is missing or damaged.
)")
        .def(py::init([](const antenna_array& array,
                         int num_sources,
                         int coefficients,
                         const std::string& prior,
                         const py::object& weights,
                         double memory,
                         int patience,
                         int sampling_steps,
                         int sampling_count,
                         std::uint64_t seed) {
                 return coupling_tracker(array,
                                         to_config(num_sources,
                                                   coefficients,
                                                   prior,
                                                   weights,
                                                   sampling_steps,
                                                   sampling_count,
                                                   seed),
                                         coupling_tracking{ memory, patience });
             }),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("coefficients") = defaults.coefficients,
             py::arg("prior") = "none",
             py::arg("weights") = "",
             py::arg("memory") = tracking.memory,
             py::arg("patience") = tracking.patience,
             py::arg("sampling_steps") = defaults.sampling.steps,
             py::arg("sampling_count") = defaults.sampling.samples,
             py::arg("seed") = defaults.sampling.seed)
        .def(
            "update",
            [](coupling_tracker& self,
               const Eigen::MatrixXcd& covariance,
               long long snapshots) {
                return self.update(covariance, to_snapshots(snapshots, 0));
            },
            "Bearings of this covariance, N x N, under all that is known, as a "
            "coupling_estimate; and the coupling is known better. One that is gated has "
            "the bearings of MUSIC with the coupling learnt from others.",
            py::arg("R"),
            py::arg("snapshots"))
        .def_property_readonly(
            "coupling",
            &coupling_tracker::coupling,
            "C of the average, N x N; that of the model's centre while "
            "learning")
        .def_property_readonly(
            "status",
            [](const coupling_tracker& self) { return to_string(self.status()); },
            "\"learning\", nothing averaged yet, or \"tracking\"")
        .def_property_readonly(
            "scenes", &coupling_tracker::scenes, "scenes averaged since the last start")
        .def_property_readonly(
            "restarts", &coupling_tracker::restarts, "times it was learnt anew");
}

} // namespace

void bind_coupling(py::module& core)
{
    bind_estimate(core);
    bind_fit(core);
    bind_model(core);
    bind_tracker(core);
}
