/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "calibration_arguments.h"
#include <gnuradio/bearing/core/calibration/alignment.h>
#include <gnuradio/bearing/core/calibration/diffmusic_fit.h>
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <cstdint>
#include <optional>
#include <string>

namespace py = pybind11;
using namespace gr::bearing::core;

namespace {

orientation orientation_from_string(const std::string& name)
{
    for (const orientation known :
         { orientation::unknown, orientation::partly_known, orientation::known }) {
        if (name == to_string(known)) {
            return known;
        }
    }
    throw std::invalid_argument("orientation is '" + name +
                                "'; it must be 'unknown', 'partly_known' or 'known'");
}

diffmusic_result fit(const complex_array& covariances,
                     const antenna_array& array,
                     int num_sources,
                     long long snapshots,
                     const std::optional<real_array>& labels_deg,
                     const std::string& method,
                     int iterations,
                     bool fit_positions,
                     const std::optional<real_array>& ranges)
{
    const std::vector<Eigen::MatrixXcd> matrices = to_covariances(covariances);
    // A list of labels belongs to one covariance, or one each to several.
    const bool is_single = matrices.size() == 1;
    known_directions known;
    if (labels_deg) {
        known.azimuth =
            to_table("labels_deg", *labels_deg, is_single) * radians_per_degree;
    }
    if (ranges) {
        known.range = to_table("ranges", *ranges, is_single);
    }
    diffmusic_config config;
    config.method = diffmusic_method_from_string(method);
    config.iterations = iterations;
    config.fit_positions = fit_positions;
    const std::size_t count = to_snapshots(snapshots, 1);
    const py::gil_scoped_release release;
    return diffmusic_fit(matrices, array, num_sources, count, known, config);
}

// An online calibrator and the snapshots that its covariances usually have.
struct online_calibrator {
    diffmusic_online calibrator;
    std::size_t snapshots;
};

online_calibrator make_online(const antenna_array& array,
                              int num_sources,
                              long long snapshots,
                              int labelled_buffer,
                              int unlabelled_buffer,
                              int label_lifetime,
                              bool fit_positions)
{
    online_config config;
    config.num_sources = num_sources;
    config.labelled_buffer = labelled_buffer;
    config.unlabelled_buffer = unlabelled_buffer;
    config.label_lifetime = label_lifetime;
    config.fit_positions = fit_positions;
    return { diffmusic_online(array, config), to_snapshots(snapshots, 1) };
}

const char* update(online_calibrator& self,
                   const Eigen::MatrixXcd& covariance,
                   const std::optional<real_array>& labels_deg,
                   const std::optional<real_array>& ranges,
                   std::optional<long long> snapshots)
{
    const std::size_t count = snapshots ? to_snapshots(*snapshots, 1) : self.snapshots;
    const Eigen::VectorXd azimuth =
        labels_deg ? to_radians("labels_deg", *labels_deg) : Eigen::VectorXd();
    const Eigen::VectorXd range =
        ranges ? to_vector("ranges", *ranges) : Eigen::VectorXd();
    return to_string(self.calibrator.update(covariance, count, azimuth, range));
}

py::dict counts(const online_calibrator& self)
{
    py::dict result;
    for (int k = 0; k < static_cast<int>(update_outcome::num_outcomes); ++k) {
        const update_outcome outcome = static_cast<update_outcome>(k);
        result[to_string(outcome)] = self.calibrator.count(outcome);
    }
    return result;
}

void bind_fit(py::module& core)
{
    py::class_<diffmusic_result>(core, "diffmusic_result", R"(
What diffmusic_fit() found.

Attributes
----------
calibration : bearing.calibration
    Gains and position offsets, 1 and 0 at its reference, with sigma_phase_rad and
    sigma_log_gain: array.calibrated(calibration) predicts deviations that include them.
sigma_positions : array of N x 3
    Standard deviations of the offsets against the reference's, in the array's unit.
loss : array
    The method's loss after each iteration; about 1 is perfect for "gauss_newton".
angles_deg : array of K x M
    Labels where known, else the peaks the fit ended with; NaN for covariances left out.
orientation : str
    "known"; "unknown": bearings are right but for a tilt and stretch of sin(theta) on a line, a
    rotation on any other array; "partly_known": a line's stretch is not known.
status : str
    ok; bad_data: no covariance could be used; not_identifiable: too few for the unknowns;
    model_mismatch: noise does not explain what the fit left.
)")
        .def_readonly("calibration", &diffmusic_result::calibration)
        .def_readonly("sigma_positions", &diffmusic_result::sigma_positions)
        .def_property_readonly("loss",
                               [](const diffmusic_result& self) {
                                   return Eigen::VectorXd(
                                       Eigen::Map<const Eigen::VectorXd>(
                                           self.loss.data(), self.loss.size()));
                               })
        .def_property_readonly("angles_deg",
                               [](const diffmusic_result& self) {
                                   return Eigen::MatrixXd(self.azimuth /
                                                          radians_per_degree);
                               })
        .def_property_readonly(
            "orientation",
            [](const diffmusic_result& self) { return to_string(self.orientation); })
        .def_property_readonly("status", [](const diffmusic_result& self) {
            return to_string(self.status);
        });
    core.def("diffmusic_fit",
             &fit,
             R"(
Calibrates an array's gains and element positions from covariances, through the MUSIC spectrum.

"gauss_newton" minimises the null function at the labels, or at the peaks where a direction is
not known, which are eliminated (variable projection). The others descend a loss with Adam: "sl_p",
the logarithm of the spectrum at the labels; "sl_theta", the error of the spectrum's soft peaks;
"ul", Jain's index around the peaks, without labels. B. Chatelier et al., "Physically parameterized
differentiable MUSIC for DoA estimation with uncalibrated arrays", ICC 2025 (arXiv 2411.15144).

Parameters
----------
Rs : complex array of K x N x N
    Covariances; bad ones are left out.
a : bearing.array
    As drawn, N >= 3 elements; a calibration in it is the start, its coupling is kept.
num_sources : int
    M, 1 .. N-1, in each.
snapshots : int >= 1
    Number behind each.
labels_deg : array of K x M (or K for M = 1), optional
    Known azimuths in degrees; NaN where unknown.
method : str
    "gauss_newton", "sl_p", "sl_theta" or "ul".
iterations : int
    At most so many; 0: the method's own number.
fit_positions : bool
    Whether elements move along x (lines) or x and y (others), or gains alone are fitted.
ranges : array as labels_deg, optional
    Distances of known sources that are near by, in the array's unit; inf or NaN: far away.

Returns
-------
diffmusic_result

Raises
------
ValueError
    Naming the parameter.
)",
             py::arg("Rs"),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("snapshots"),
             py::arg("labels_deg") = py::none(),
             py::arg("method") = "gauss_newton",
             py::arg("iterations") = 0,
             py::arg("fit_positions") = true,
             py::arg("ranges") = py::none());
}

void bind_online(py::module& core)
{
    py::class_<online_calibrator>(core, "diffmusic_online", R"(
Calibrates an array while it runs: one robust Gauss-Newton step for each covariance.

Remembers the latest covariances; those that do not fit are counted and left out. A step change of
the array makes it start again, and when what arrives gets worse without end it goes back to its last good
state. Without labels a line's tilt and stretch, any other array's rotation, stay as they are.

Parameters
----------
a : bearing.array
    As drawn, with the calibration to start from; N >= 3 elements.
num_sources : int
    M, 1 .. N-1, in each covariance.
snapshots : int >= 1
    Number behind each covariance for which update() is told no other.
labelled_buffer, unlabelled_buffer : int >= 1
    How many are remembered. They fade, for an array that drifts: a labelled one counts half after
    1.5 times as many arrivals as the buffer holds, another after 3 times as many.
label_lifetime : int >= 1
    A label is forgotten after so many arrivals.
fit_positions : bool
    Whether element positions are fitted, or gains alone.

Raises ValueError naming the parameter.
)")
        .def(py::init(&make_online),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("snapshots"),
             py::arg("labelled_buffer") = online_config().labelled_buffer,
             py::arg("unlabelled_buffer") = online_config().unlabelled_buffer,
             py::arg("label_lifetime") = online_config().label_lifetime,
             py::arg("fit_positions") = online_config().fit_positions)
        .def("update",
             &update,
             R"(
Takes one covariance, N x N, and steps; known azimuths in degrees and, for sources near by, ranges in
the array's unit, at most num_sources each. snapshots: behind this one, if not as usual.

Returns "accepted", "bad_data", "weak" (a source too weak, or fewer sources), "too_many_sources",
"close_sources" (or too near a line's endfire), "off_model" (the array is not as it was, or it
is another kind of signal) or "bad_label" (the label contradicts the data). ValueError for sizes that
disagree, more labels than sources and labels the array cannot see.
)",
             py::arg("R"),
             py::arg("labels_deg") = py::none(),
             py::arg("ranges") = py::none(),
             py::arg("snapshots") = py::none())
        .def(
            "resume",
            [](online_calibrator& self,
               const calibration_state& calibration,
               const std::string& known) {
                self.calibrator.resume(calibration, orientation_from_string(known));
            },
            "Goes on from the calibration and orientation that an earlier run ended "
            "with. ValueError when they do not fit.",
            py::arg("calibration"),
            py::arg("orientation"))
        .def_property_readonly(
            "calibration",
            [](const online_calibrator& self) { return self.calibrator.calibration(); },
            "The present calibration, as diffmusic_result.calibration.")
        .def_property_readonly(
            "sigma_positions",
            [](const online_calibrator& self) {
                return self.calibrator.sigma_positions();
            },
            "Standard deviations of its offsets, N x 3.")
        .def_property_readonly(
            "status",
            [](const online_calibrator& self) {
                return to_string(self.calibrator.status());
            },
            "\"learning\", \"tracking\", or \"frozen\": holds its last good state until "
            "it "
            "finds a new one.")
        .def_property_readonly(
            "orientation",
            [](const online_calibrator& self) {
                return to_string(self.calibrator.orientation());
            },
            "\"unknown\", \"partly_known\" or \"known\", as "
            "diffmusic_result.orientation.")
        .def_property_readonly(
            "loss",
            [](const online_calibrator& self) { return self.calibrator.loss(); },
            "Running median of the null function over its expectation: about 1 when the "
            "array is calibrated; NaN before the first accepted covariance.")
        .def_property_readonly("counts", &counts, "dict from outcome to its number.")
        .def_property_readonly(
            "restarts",
            [](const online_calibrator& self) { return self.calibrator.restarts(); },
            "Step changes after which it started again.")
        .def_property_readonly(
            "rollbacks",
            [](const online_calibrator& self) { return self.calibrator.rollbacks(); },
            "How often it went back to its last good state.");
}

void bind_alignment(py::module& core)
{
    core.def(
        "rmspe_deg",
        [](const antenna_array& array,
           const real_array& estimated_deg,
           const real_array& true_deg) -> py::object {
            const Eigen::MatrixXd estimated =
                to_table("estimated_deg", estimated_deg, true);
            const Eigen::MatrixXd truth = to_table("true_deg", true_deg, true);
            if (estimated.rows() != truth.rows()) {
                throw std::invalid_argument(
                    "estimated_deg has " + std::to_string(estimated.rows()) +
                    " rows and true_deg " + std::to_string(truth.rows()) +
                    "; both must be equally many");
            }
            Eigen::VectorXd errors(truth.rows());
            for (Eigen::Index row = 0; row < truth.rows(); ++row) {
                errors(row) =
                    permuted_error(array,
                                   estimated.row(row).transpose() * radians_per_degree,
                                   truth.row(row).transpose() * radians_per_degree) /
                    radians_per_degree;
            }
            if (true_deg.ndim() < 2) {
                return py::float_(errors(0));
            }
            return py::cast(errors);
        },
        R"(
Root mean square periodic error of bearings in the best permutation, in degrees.

Errors count modulo 180 degrees for an array that looks forward only, else modulo 360.

Parameters
----------
array : bearing.array
estimated_deg, true_deg : arrays of M, or of K x M; M <= 12
    One row a set of bearings.

Returns
-------
float, or array of K; NaN for rows that hold one.
)",
        py::arg("array"),
        py::arg("estimated_deg"),
        py::arg("true_deg"));
    core.def(
        "align_bearings",
        [](const antenna_array& array,
           const real_array& estimated_deg,
           const real_array& true_deg,
           bool robust) {
            const Eigen::MatrixXd estimated =
                to_table("estimated_deg", estimated_deg, false);
            const Eigen::MatrixXd truth = to_table("true_deg", true_deg, false);
            return Eigen::MatrixXd(aligned(array,
                                           estimated * radians_per_degree,
                                           truth * radians_per_degree,
                                           robust) /
                                   radians_per_degree);
        },
        R"(
Bearings after the best map that a calibration without known bearings leaves free.

On a line sin(theta) -> alpha sin(theta) + beta, on any other array a rotation, by least squares; with
robust by Tukey's biweight, which sources that were not resolved do not bend. For reports: what is
left is the error of the array's shape.

Parameters
----------
array : bearing.array
estimated_deg, true_deg : arrays of K x M, or of K for M = 1; M <= 12
    One row a set of bearings, in any order; rows with NaN pass through.
robust : bool

Returns
-------
array of K x M, degrees, each row in the order of true_deg.
)",
        py::arg("array"),
        py::arg("estimated_deg"),
        py::arg("true_deg"),
        py::arg("robust") = false);
}

} // namespace

void bind_diffmusic(py::module& core)
{
    bind_fit(core);
    bind_online(core);
    bind_alignment(core);
}
