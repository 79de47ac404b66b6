/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "estimator_binding.h"
#include "recent_estimators.h"
#include <gnuradio/bearing/beamscan.h>
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/beamscan.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/music_2d.h>
#include <gnuradio/bearing/core/subspace/root_music.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/music.h>
#include <gnuradio/bearing/root_music.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>
#include <tuple>

namespace py = pybind11;
namespace bearing = gr::bearing;
using namespace gr::bearing::core;

namespace {

angle_grid to_grid(const antenna_array& array, const std::optional<real_array>& grid_deg)
{
    return grid_deg ? angle_grid::points(array, to_radians("grid_deg", *grid_deg))
                    : angle_grid::whole_range(array);
}

// Never destroyed: Python may be gone before.
template <typename Estimator, typename Config>
recent_estimators<Estimator, Config>& recent()
{
    static auto* const kept = new recent_estimators<Estimator, Config>;
    return *kept;
}

music_estimator music_on(const antenna_array& array,
                         int num_sources,
                         const std::optional<real_array>& grid_deg)
{
    music_config config;
    config.num_sources = num_sources;
    return music_estimator(array, to_grid(array, grid_deg), config);
}

bearing_estimate scan(beamscan_method method,
                      const Eigen::MatrixXcd& covariance,
                      const antenna_array& array,
                      const std::optional<real_array>& grid_deg,
                      int num_sources,
                      long long snapshots)
{
    return recent<beamscan_estimator, std::pair<beamscan_method, int>>()
        .get(array,
             grid_deg,
             { method, num_sources },
             [&] {
                 beamscan_config config;
                 config.method = method;
                 config.num_sources = num_sources;
                 return beamscan_estimator(array, to_grid(array, grid_deg), config);
             })
        ->estimate(covariance, to_snapshots(snapshots, 0));
}

using covariance_stack =
    py::array_t<std::complex<double>, py::array::c_style | py::array::forcecast>;

py::array_t<double> spectra_of(const music_estimator& estimator,
                               const covariance_stack& covariances,
                               long long snapshots)
{
    const py::ssize_t n = estimator.array().num_elements();
    const py::ssize_t dimensions = covariances.ndim();
    if (dimensions < 2 || dimensions > 3 || covariances.shape(dimensions - 1) != n ||
        covariances.shape(dimensions - 2) != n) {
        throw std::invalid_argument("R: must be N x N, or M x N x N, with N = " +
                                    std::to_string(n) + " elements of the array");
    }
    const std::size_t known_snapshots = to_snapshots(snapshots, 0);
    std::vector<py::ssize_t> shape(covariances.shape(),
                                   covariances.shape() + dimensions - 2);
    shape.push_back(estimator.grid().size());
    py::array_t<double> spectra(shape);
    double* out = spectra.mutable_data();
    const std::complex<double>* in = covariances.data();
    for (py::ssize_t left = covariances.size(); left > 0; left -= n * n) {
        // NumPy's order is by rows.
        const Eigen::MatrixXcd covariance =
            Eigen::Map<const Eigen::MatrixXcd>(in, n, n).transpose();
        const Eigen::VectorXd spectrum =
            estimator.spectrum_db(covariance, known_snapshots);
        out = std::copy(spectrum.begin(), spectrum.end(), out);
        in += n * n;
    }
    return spectra;
}

Eigen::VectorXd in_degrees(const Eigen::VectorXd& radians)
{
    return radians / radians_per_degree;
}

void bind_functions(py::module& core)
{
    py::class_<bearing_estimate>(core, "bearing_estimate", R"(
What an estimator found in one covariance; strongest source first, NaN where nothing was
found.
)")
        .def_property_readonly(
            "angles_deg",
            [](const bearing_estimate& e) { return in_degrees(e.azimuth); },
            "azimuths in degrees, clockwise from +y, num_sources values")
        .def_property_readonly(
            "std_deg",
            [](const bearing_estimate& e) { return in_degrees(e.deviation); },
            "predicted standard deviations in degrees; NaN where not trustworthy")
        .def_readonly("power_db", &bearing_estimate::power_db, "power per element, dB")
        .def_readonly("snr_db", &bearing_estimate::snr_db, "SNR per element, dB")
        .def_readonly(
            "num_sources", &bearing_estimate::num_sources, "K, given or counted")
        .def_property_readonly(
            "status",
            [](const bearing_estimate& e) { return to_string(e.status); },
            "ok, no_source, unresolved, collapsed, bad_data, low_snr, model_mismatch or "
            "not_identifiable")
        .def_readonly(
            "spectrum_db", &bearing_estimate::spectrum_db, "spectrum in dB over grid_deg")
        .def_property_readonly(
            "grid_deg",
            [](const bearing_estimate& e) { return in_degrees(e.grid); },
            "azimuths of the spectrum in degrees")
        .def_readonly("front_only",
                      &bearing_estimate::is_front_only,
                      "whether angles_deg are in [-90, 90], of an array that cannot tell "
                      "front from back, else in [0, 360)")
        .def_property_readonly(
            "elevation_deg",
            [](const bearing_estimate& e) { return in_degrees(e.elevation); },
            "elevations in degrees up from the x-y plane; empty: not searched")
        .def_property_readonly(
            "elevation_std_deg",
            [](const bearing_estimate& e) { return in_degrees(e.elevation_deviation); },
            "of elevation_deg; also NaN, whatever the status, near the plane of a flat "
            "array")
        .def_readonly("range",
                      &bearing_estimate::range,
                      "distances from the origin in the array's unit; infinite: not told "
                      "apart from a source far away; empty: not searched")
        .def_readonly(
            "range_std",
            &bearing_estimate::range_deviation,
            "of range; also NaN, whatever the status, where the inverse range is "
            "known to no better than an eighth")
        .def_readonly(
            "map_db",
            &bearing_estimate::map_db,
            "music_2d: spectrum in dB, a row for each of grid_deg, a column for "
            "each elevation or inverse range; else empty")
        .def_property_readonly(
            "map_elevation_deg",
            [](const bearing_estimate& e) { return in_degrees(e.elevation_grid); },
            "elevations of map_db's columns in degrees; empty: not searched")
        .def_readonly(
            "map_inverse_range",
            &bearing_estimate::inverse_range_grid,
            "inverse ranges of map_db's columns, one over the array's unit; empty: "
            "not searched")
        .def_readonly("roots",
                      &bearing_estimate::roots,
                      "root_music: roots of the null polynomial inside the unit circle, "
                      "nearest to it first; else empty")
        .def("__repr__", [](const bearing_estimate& e) {
            return "<bearing_estimate: " + std::to_string(e.num_sources) +
                   " sources, status " + to_string(e.status) + ">";
        });

    core.def(
        "bartlett",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           const std::optional<real_array>& grid_deg,
           int num_sources,
           long long snapshots) {
            return scan(beamscan_method::bartlett,
                        covariance,
                        array,
                        grid_deg,
                        num_sources,
                        snapshots);
        },
        R"(
Bartlett spectrum a^H R a / (a^H a)^2 and its highest peaks.

Parameters
----------
R : complex array of N x N
a : bearing.array
grid_deg : ascending azimuths in degrees, optional
    Default: the array's whole range in 512 points.
num_sources : int
    Peaks to report; 0: count the sources, which needs snapshots.
snapshots : int
    Number behind R; 0: unknown.

Returns
-------
bearing_estimate with spectrum_db: power per element from each direction. std_deg is NaN:
beamscan peaks are biased by near-by sources and no deviation is predicted.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("grid_deg") = py::none(),
        py::arg("num_sources") = 1,
        py::arg("snapshots") = 0);
    core.def(
        "capon",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           const std::optional<real_array>& grid_deg,
           int num_sources,
           long long snapshots) {
            return scan(beamscan_method::capon,
                        covariance,
                        array,
                        grid_deg,
                        num_sources,
                        snapshots);
        },
        "Capon spectrum 1 / (a^H R^-1 a) and its highest peaks; parameters and result as "
        "for "
        "bartlett().",
        py::arg("R"),
        py::arg("a"),
        py::arg("grid_deg") = py::none(),
        py::arg("num_sources") = 1,
        py::arg("snapshots") = 0);
    core.def(
        "music",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           int num_sources,
           long long snapshots,
           const std::optional<real_array>& grid_deg) {
            return recent<music_estimator, int>()
                .get(array,
                     grid_deg,
                     num_sources,
                     [&] { return music_on(array, num_sources, grid_deg); })
                ->estimate(covariance, to_snapshots(snapshots, 0));
        },
        R"(
MUSIC (R. O. Schmidt 1986) on any array; directions do not depend on the grid's step.

Parameters
----------
R : complex array of N x N
a : bearing.array
num_sources : int
    K, 1 .. N-1; 0: count them.
snapshots : int
    Number behind R; 0: unknown, then std_deg is NaN and status not_identifiable.
grid_deg : ascending azimuths in degrees, optional
    Where the spectrum is evaluated; its ends limit the search. Default: the array's whole
    range in 512 points.

Returns
-------
bearing_estimate

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("num_sources"),
        py::arg("snapshots") = 0,
        py::arg("grid_deg") = py::none());
    py::class_<music_estimator>(core, "music_estimator", R"(
MUSIC on one array and grid, for many covariances. core.music() keeps the tables of its latest
four arrays, grids and numbers of sources; this keeps its own, and gives mere spectra as well.

Parameters
----------
a : bearing.array
num_sources : int
    K, 1 .. N-1; 0: count them.
grid_deg : ascending azimuths in degrees, optional
    As for core.music().

Raises
------
ValueError
    Naming the parameter.
)")
        .def(py::init(&music_on),
             py::arg("a"),
             py::arg("num_sources"),
             py::arg("grid_deg") = py::none())
        .def(
            "estimate",
            [](const music_estimator& estimator,
               const Eigen::MatrixXcd& covariance,
               long long snapshots) {
                return estimator.estimate(covariance, to_snapshots(snapshots, 0));
            },
            "What core.music(R, a, num_sources, snapshots, grid_deg) returns.",
            py::arg("R"),
            py::arg("snapshots") = 0)
        .def("spectrum_db",
             &spectra_of,
             R"(
The spectra alone, without looking for directions.

Parameters
----------
R : complex array of N x N, or of M x N x N
snapshots : int
    Number behind each; used when num_sources is 0.

Returns
-------
Spectrum in dB, G values, or M x G; 0 where there is no signal subspace.
)",
             py::arg("R"),
             py::arg("snapshots") = 0);
    core.def(
        "music_2d",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           int num_sources,
           long long snapshots,
           const std::string& search,
           const std::optional<real_array>& grid_deg,
           double nearest_range) {
            music_2d_config config;
            config.num_sources = num_sources;
            config.search = search_plane_from_string(search);
            config.nearest_range = nearest_range;
            config.keeps_map = true;
            return music_2d_estimator(array, to_grid(array, grid_deg), config)
                .estimate(covariance, to_snapshots(snapshots, 0));
        },
        R"(
MUSIC over two coordinates, each with its predicted deviation.

Parameters
----------
R : complex array of N x N
a : bearing.array
    Not a line for "azimuth_elevation".
num_sources : int
    K, 1 .. N-1 (deviations: .. N-2); 0: count them.
snapshots : int
    Number behind R; 0: unknown, then deviations are NaN and status not_identifiable.
search : str
    "azimuth_elevation": sources far away. A flat array cannot tell the sides of its plane apart:
    it looks up (an upright one ahead). "azimuth_range": sources near by, at elevation 0.
grid_deg : ascending azimuths in degrees, optional
    Where the spectrum is evaluated; its ends limit the search. Default: the array's whole
    range in 512 points.
nearest_range : float
    No source is nearer to the origin than this, in the array's unit; 0: one and a half times the
    distance of the farthest element.

Returns
-------
bearing_estimate with elevation_deg and elevation_std_deg, or range and range_std; spectrum_db is
the best over the second coordinate, map_db the whole.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("num_sources"),
        py::arg("snapshots") = 0,
        py::arg("search") = "azimuth_elevation",
        py::arg("grid_deg") = py::none(),
        py::arg("nearest_range") = 0.0);
    core.def(
        "root_music",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           int num_sources,
           long long snapshots,
           const std::string& variant,
           const std::string& mirror) {
            root_music_config config;
            config.num_sources = num_sources;
            config.variant = root_music_variant_from_string(variant);
            config.mirror = mirror_rejection_from_string(mirror);
            return recent<root_music_estimator,
                          std::tuple<int,
                                     std::optional<subspace_variant>,
                                     mirror_rejection>>()
                .get(array,
                     std::nullopt,
                     { num_sources, config.variant, config.mirror },
                     [&] { return root_music_estimator(array, config); })
                ->estimate(covariance, to_snapshots(snapshots, 0));
        },
        R"(
Root-MUSIC (A. J. Barabell 1983): MUSIC without a grid, on any array.

Uniform lines have an exact polynomial; all others the Fourier series of the null function
(M. Ruebsamen, A. B. Gershman 2009).

Parameters
----------
R : complex array of N x N
a : bearing.array
num_sources : int
    K, 1 .. N-1 (variant "real": 2 K < N); 0: count them.
snapshots : int
    Number behind R; 0: unknown, then std_deg is NaN and status not_identifiable.
variant : str
    "complex"; or, on uniform lines, ideal or calibrated in gain and coupling: "unitary"
    (forward-backward averaged, survives most coherent pairs) and "real" (RV-root-MUSIC,
    arXiv 2509.01999: from the real part of R); "auto": unitary on an ideal or
    gain-calibrated uniform line, else complex.
mirror : str
    How "real" tells directions from their mirror images: "least_squares", or "cbf" as in
    its paper, which fails next to a strong source and on mirrored pairs.

Returns
-------
bearing_estimate with roots; status "collapsed" (real): a direction fell together with its
mirror image, the angles are the complex variant's, without std_deg.

Raises
------
ValueError
    Naming the parameter.
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("num_sources"),
        py::arg("snapshots") = 0,
        py::arg("variant") = "complex",
        py::arg("mirror") = "least_squares");
    core.def(
        "count_sources",
        [](const Eigen::MatrixXcd& covariance,
           long long snapshots,
           const std::string& method) {
            const count_method how = count_method_from_string(method);
            const std::size_t count = to_snapshots(snapshots, 1);
            if (covariance.rows() != covariance.cols() || covariance.rows() == 0) {
                throw std::invalid_argument("R is " + std::to_string(covariance.rows()) +
                                            " x " + std::to_string(covariance.cols()) +
                                            "; it must be square, N x N");
            }
            return covariance.allFinite()
                       ? count_sources(decompose(covariance).values, count, how)
                       : 0;
        },
        R"(
Number of sources in a covariance of so many snapshots; 0 for a zero or NaN R.

method: "ratio" (robust to unequal noise in the channels), "mdl" or "aic" (M. Wax, T. Kailath
1985).
)",
        py::arg("R"),
        py::arg("snapshots"),
        py::arg("method") = "ratio");
    core.def(
        "predict_std_deg",
        [](const Eigen::MatrixXcd& covariance,
           const antenna_array& array,
           const real_array& angles_deg,
           long long snapshots,
           const std::string& variant,
           const std::string& theory) {
            return in_degrees(predict_deviation(covariance,
                                                array,
                                                to_radians("angles_deg", angles_deg),
                                                to_snapshots(snapshots, 1),
                                                subspace_variant_from_string(variant),
                                                accuracy_theory_from_string(theory)));
        },
        R"(
Standard deviations in degrees that MUSIC and root-MUSIC reach at the true directions
angles_deg, from an exact covariance R.

variant: "complex" (any array), "unitary" or "real" (uniform lines, calibrated in gain and
coupling at most); theory: "full", or
"paper" for the high-SNR limit of the real variant (arXiv 2509.01999, equation 36).
)",
        py::arg("R"),
        py::arg("a"),
        py::arg("angles_deg"),
        py::arg("snapshots"),
        py::arg("variant") = "complex",
        py::arg("theory") = "full");
    core.def(
        "crb_deg",
        [](const antenna_array& array,
           const real_array& angles_deg,
           const real_array& snr_db,
           long long snapshots) {
            return in_degrees(cramer_rao_deviation(array,
                                                   to_radians("angles_deg", angles_deg),
                                                   to_vector("snr_db", snr_db),
                                                   to_snapshots(snapshots, 1)));
        },
        R"(
Stochastic Cramer-Rao bound: the smallest standard deviations in degrees that any unbiased
estimator can have (P. Stoica, A. Nehorai 1990). snr_db: per element, one number or K.
)",
        py::arg("a"),
        py::arg("angles_deg"),
        py::arg("snr_db"),
        py::arg("snapshots"));
}

void bind_blocks(py::module& m)
{
    estimator_class<bearing::music> music =
        bind_estimator<bearing::music>(m, "music", R"(
MUSIC: bearings with predicted standard deviations, and a pseudo-spectrum.

Input: covariance items. Output (may stay unconnected): the spectrum in dB, num_points
floats. Messages: calibration in, bearings out (one PDU an item).

Parameters
----------
array : bearing.array
num_sources : int, K = 1 .. N-1; 0: count them
snapshots : int
    Number behind each item while no ``snapshots`` tag tells; 0: unknown.
num_points : int
    Points of the spectrum, fixed.
limits_deg : [first, last] azimuth, degrees; empty: the whole range
heading_deg : direction of +y, clockwise from north
counting : "ratio", "mdl" or "aic"
search : "azimuth", "azimuth_elevation" (adds elevation_deg and elevation_std_deg to messages) or
    "azimuth_range" (range_m and range_std_m, in the array's unit); see bearing.core.music_2d

Raises ValueError naming the parameter.
)")
            .def(py::init(&bearing::music::make),
                 py::arg("array"),
                 py::arg("num_sources"),
                 py::arg("snapshots") = 0,
                 py::arg("num_points") = 512,
                 py::arg("limits_deg") = std::vector<double>{},
                 py::arg("heading_deg") = 0.0,
                 py::arg("counting") = "ratio",
                 py::arg("search") = "azimuth");
    bind_spectrum(music);

    estimator_class<bearing::beamscan> beamscan =
        bind_estimator<bearing::beamscan>(m, "beamscan", R"(
Bartlett or Capon spectrum, and the bearings of its highest peaks (without deviations).

Ports and parameters as bearing.music; method is "bartlett" or "capon".
)")
            .def(py::init(&bearing::beamscan::make),
                 py::arg("array"),
                 py::arg("num_sources"),
                 py::arg("method") = "capon",
                 py::arg("snapshots") = 0,
                 py::arg("num_points") = 512,
                 py::arg("limits_deg") = std::vector<double>{},
                 py::arg("heading_deg") = 0.0,
                 py::arg("counting") = "ratio")
            .def("set_method",
                 &bearing::beamscan::set_method,
                 "\"bartlett\" or \"capon\"",
                 py::arg("method"));
    bind_spectrum(beamscan);

    bind_estimator<bearing::root_music>(m, "root_music", R"(
Root-MUSIC: bearings with predicted standard deviations, without a grid or a spectrum.

Input: covariance items. Messages: calibration in, bearings out (one PDU an item).

Parameters
----------
array : bearing.array
    Any; for "unitary" and "real" a uniform line without position offsets.
num_sources : int, K = 1 .. N-1 ("real": 2 K < N); 0: count them
variant : str
    "complex", "unitary" or "real" as of bearing.core.root_music, or "auto": unitary while the
    array is a uniform line that is ideal or calibrated in gain only, else complex.
snapshots : int
    Number behind each item while no ``snapshots`` tag tells; 0: unknown.
heading_deg : direction of +y, clockwise from north
counting : "ratio", "mdl" or "aic"

Raises ValueError naming the parameter; a calibration message that the variant does not suit is
ignored with a warning.
)")
        .def(py::init(&bearing::root_music::make),
             py::arg("array"),
             py::arg("num_sources"),
             py::arg("variant") = "auto",
             py::arg("snapshots") = 0,
             py::arg("heading_deg") = 0.0,
             py::arg("counting") = "ratio")
        .def("set_variant",
             &bearing::root_music::set_variant,
             "\"auto\", \"complex\", \"unitary\" or \"real\"; ValueError for one that "
             "array,\n"
             "calibration or number of sources do not suit.",
             py::arg("variant"));
}

} // namespace

void bind_subspace(py::module& m, py::module& core)
{
    bind_functions(core);
    bind_blocks(m);
}
