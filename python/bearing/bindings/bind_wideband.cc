/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "arguments.h"
#include "estimator_binding.h"
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <gnuradio/bearing/core/subspace/wideband_music.h>
#include <gnuradio/bearing/subband_covariance.h>
#include <gnuradio/bearing/wideband_music.h>
#include <gnuradio/fft/fft.h>
#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <cmath>
#include <complex>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace py = pybind11;
namespace bearing = gr::bearing;
using namespace gr::bearing::core;

namespace {

constexpr double speed_of_light = 299792458.0; // m/s

using sample = std::complex<float>;
using sample_array = py::array_t<sample, py::array::c_style | py::array::forcecast>;
using value = std::complex<double>;
using value_array = py::array_t<value, py::array::c_style | py::array::forcecast>;

// Without the GIL: who holds the planner's mutex may wait for it.
template <class Function>
auto with_planner(Function function)
{
    const py::gil_scoped_release release;
    const std::lock_guard<std::mutex> planning(gr::fft::planner::mutex());
    return function();
}

// FFTW makes and destroys plans in one thread at a time.
struct planned_delete {
    void operator()(subband_accumulator* accumulator) const
    {
        with_planner([accumulator] { delete accumulator; });
    }
};

py::tuple covariances_of(const sample_array& x,
                         double sample_rate,
                         int num_subbands,
                         double bandwidth,
                         double center_frequency)
{
    if (x.ndim() != 2) {
        throw std::invalid_argument("X has " + std::to_string(x.ndim()) +
                                    " dimensions; it must have 2, elements by samples");
    }
    const subband_config config{ num_subbands, bandwidth };
    const Eigen::VectorXd frequencies =
        subband_frequencies(config, sample_rate).array() + center_frequency;
    const int n = static_cast<int>(x.shape(0));
    if (x.shape(1) < subband_frame_length(config)) {
        throw std::invalid_argument("X has " + std::to_string(x.shape(1)) + " samples; " +
                                    std::to_string(num_subbands) +
                                    " sub-bands take at least " +
                                    std::to_string(subband_frame_length(config)));
    }
    const std::unique_ptr<subband_accumulator, planned_delete> accumulator(
        with_planner([&] { return new subband_accumulator(n, config); }));
    std::vector<const sample*> channels(n);
    for (int i = 0; i < n; ++i) {
        channels[i] = x.data(i, 0);
    }
    Eigen::MatrixXcd side_by_side;
    {
        const py::gil_scoped_release release;
        accumulator->update(channels.data(), x.shape(1));
        side_by_side = accumulator->covariance();
    }
    value_array covariances({ num_subbands, n, n });
    for (int m = 0; m < num_subbands; ++m) {
        for (int i = 0; i < n; ++i) {
            for (int j = 0; j < n; ++j) {
                covariances.mutable_at(m, i, j) = side_by_side(i, m * n + j);
            }
        }
    }
    const double worth = subband_snapshots(accumulator->num_frames());
    return py::make_tuple(covariances, frequencies, static_cast<std::size_t>(worth));
}

// Side by side, as the estimator wants them.
Eigen::MatrixXcd
side_by_side(const value_array& covariances, py::ssize_t num_subbands, int num_elements)
{
    if (covariances.ndim() != 3 || covariances.shape(0) != num_subbands ||
        covariances.shape(1) != num_elements || covariances.shape(2) != num_elements) {
        std::string shape;
        for (py::ssize_t k = 0; k < covariances.ndim(); ++k) {
            shape += (k > 0 ? " x " : "") + std::to_string(covariances.shape(k));
        }
        throw std::invalid_argument(
            "Rs is " + shape +
            "; it must be M x N x N, of M = " + std::to_string(num_subbands) +
            " frequencies and an array of N = " + std::to_string(num_elements) +
            " elements");
    }
    const py::ssize_t n = covariances.shape(1);
    Eigen::MatrixXcd all(n, n * num_subbands);
    for (py::ssize_t m = 0; m < num_subbands; ++m) {
        for (py::ssize_t i = 0; i < n; ++i) {
            for (py::ssize_t j = 0; j < n; ++j) {
                all(i, m * n + j) = covariances.at(m, i, j);
            }
        }
    }
    return all;
}

bearing_estimate estimate(const value_array& covariances,
                          const antenna_array& array,
                          const real_array& frequencies_hz,
                          int num_sources,
                          long long snapshots,
                          std::optional<double> center_frequency,
                          const std::string& combination,
                          const std::optional<real_array>& grid_deg,
                          const std::optional<std::vector<double>>& correlation)
{
    const Eigen::VectorXd frequencies = to_vector("frequencies", frequencies_hz);
    wideband_music_config config;
    config.num_sources = num_sources;
    config.combination = subband_combination_from_string(combination);
    if (correlation) {
        config.correlation = *correlation;
    }
    if (frequencies.size() > 0 && !(frequencies.minCoeff() > 0.0)) {
        throw std::invalid_argument(
            "frequencies start at " + std::to_string(frequencies.minCoeff()) +
            " Hz; they must be radio frequencies, > 0 Hz: give subband_covariance a "
            "center_frequency");
    }
    double center = frequencies.size() > 0 ? frequencies.mean() : 0.0;
    if (array.wavelength()) {
        center = speed_of_light / *array.wavelength();
    }
    const angle_grid grid =
        grid_deg ? angle_grid::points(array, to_radians("grid_deg", *grid_deg))
                 : angle_grid::whole_range(array);
    return wideband_music_estimator(
               array, center_frequency.value_or(center), frequencies, grid, config)
        .estimate(side_by_side(covariances, frequencies.size(), array.num_elements()),
                  to_snapshots(snapshots, 0));
}

void bind_functions(py::module& core)
{
    core.def("subband_covariance",
             &covariances_of,
             R"(
Covariances in M sub-bands, for signals too wide for one: averages of half overlapped frames
under a Hann window (P. D. Welch 1967).

Parameters
----------
X : complex64 array of N x T, N = 1 .. 64
    Of any memory layout; other types are converted.
sample_rate : float
    Hz.
num_subbands : int
    M, 3 .. 1024.
bandwidth : float
    Share of the sample rate that the sub-bands fill, about its centre, in (0, 1]. Best no more than
    the signal fills: sub-bands at its edge or beyond tell nothing.
center_frequency : float
    Hz, of what is at zero in X. core.wideband_music() needs it.

Returns
-------
Rs : complex128 array of M x N x N, lowest frequency first (core.covariance() gives complex64)
    Power inside each sub-band; each Hermitian to the bit, NaN where a channel holds NaN or Inf.
frequencies : array of M, Hz, center_frequency included
snapshots : int
    How many independent ones each of Rs is worth.

Raises ValueError naming the parameter.
)",
             py::arg("X"),
             py::arg("sample_rate"),
             py::arg("num_subbands"),
             py::arg("bandwidth") = 0.8,
             py::arg("center_frequency") = 0.0);
    core.def("wideband_music",
             &estimate,
             R"(
MUSIC for signals whose bandwidth times the aperture's travel time is not small, from the
covariances of sub-bands.

Parameters
----------
Rs : complex array of M x N x N
    Of sub-bands with ascending frequencies, as core.subband_covariance() gives them.
a : bearing.array
frequencies : array of M
    Of the sub-bands in Hz, evenly spaced, > 0: radio frequencies.
num_sources : int
    K, 1 .. N-1; 0: count them.
snapshots : int
    Independent ones behind each of Rs; 0: unknown, then std_deg is NaN and status
    not_identifiable.
center_frequency : float, optional
    Hz, at which the array's wavelength, or the wavelengths of its geometry, hold. Default: that
    of the array's wavelength at the speed of light, or the mean of frequencies.
combination : str
    "incoherent": null functions of the sub-bands are added, each weighted by what it is worth
    (M. Wax, T.-J. Shan, T. Kailath 1984). "coherent": the covariances are focused on the centre
    and added (H. Wang, M. Kaveh 1985; H. Hung, M. Kaveh 1988), which resolves echoes. No
    deviation can be told for sources that are echoes of each other: std_deg is NaN, and status
    not_identifiable, where the angles could be told.
grid_deg : ascending azimuths in degrees, optional
    Where the spectrum is evaluated; its ends limit the search. Default: the array's whole range
    in 512 points.
correlation : list of float in [0, 1], optional
    Of the errors of two sub-bands at distances 1, 2, ..; default: as of core.subband_covariance().
    []: independent, as of a filter bank without overlap.

Returns
-------
bearing_estimate

Raises
------
ValueError
    Naming the parameter.
)",
             py::arg("Rs"),
             py::arg("a"),
             py::arg("frequencies"),
             py::arg("num_sources"),
             py::arg("snapshots") = 0,
             py::arg("center_frequency") = py::none(),
             py::arg("combination") = "incoherent",
             py::arg("grid_deg") = py::none(),
             py::arg("correlation") = py::none());
}

bearing::subband_covariance::sptr make_subband_covariance(int num_elements,
                                                          int snapshots,
                                                          int num_subbands,
                                                          double sample_rate,
                                                          double bandwidth)
{
    // The planner's mutex is waited for.
    const py::gil_scoped_release release;
    return bearing::subband_covariance::make(
        num_elements, snapshots, num_subbands, sample_rate, bandwidth);
}

void bind_blocks(py::module& m)
{
    py::class_<bearing::subband_covariance,
               gr::block,
               gr::basic_block,
               std::shared_ptr<bearing::subband_covariance>>(m,
                                                             "subband_covariance",
                                                             R"(
Covariances of N coherent complex streams in M sub-bands, one item of M * N * N complex values per
block of snapshots (NumPy: item.reshape(M, N, N).transpose(0, 2, 1)), lowest frequency first.

Tags: rx_time (advanced to the item's first sample), rx_freq, rx_rate, snapshots (what each
sub-band is worth), gap. No item spans a gap, a time jump or a retune of any input.

Parameters
----------
num_elements : int, N = 1 .. 64
snapshots : int
    T, samples of each channel in one item; at least a frame, 2 ceil(M / (2 bandwidth)).
num_subbands : int, M = 3 .. 1024
sample_rate : float, Hz
bandwidth : float
    Share of the sample rate that the sub-bands fill, about the centre, in (0, 1]. Best no more than
    the signal fills: sub-bands at its edge or beyond tell nothing.

Raises ValueError naming the parameter.
)")
        .def(py::init(&make_subband_covariance),
             py::arg("num_elements"),
             py::arg("snapshots"),
             py::arg("num_subbands"),
             py::arg("sample_rate"),
             py::arg("bandwidth") = 0.8)
        .def("set_snapshots",
             &bearing::subband_covariance::set_snapshots,
             "Takes effect with the next item; ValueError unless at least a frame.",
             py::arg("snapshots"))
        .def("snapshots", &bearing::subband_covariance::snapshots)
        .def("num_elements", &bearing::subband_covariance::num_elements)
        .def("num_subbands", &bearing::subband_covariance::num_subbands)
        .def("frequencies",
             &bearing::subband_covariance::frequencies,
             "Centres of the sub-bands in Hz from the centre of the band, ascending.");

    estimator_class<bearing::wideband_music> wideband_music =
        bind_estimator<bearing::wideband_music>(m, "wideband_music", R"(
MUSIC for signals too wide for one covariance: bearings with predicted standard deviations, and a
pseudo-spectrum.

Input: items of a subband_covariance with the same num_subbands, sample_rate and bandwidth. Output
(may stay unconnected): the spectrum in dB, num_points floats. Messages: calibration in, bearings
out (one PDU an item).

Parameters
----------
array : bearing.array
num_sources : int, K = 1 .. N-1; 0: count them
num_subbands : int, M = 3 .. 1024
sample_rate : float, Hz
bandwidth : float, in (0, 1]
center_frequency : float
    Hz, of the wavelengths that the array's geometry is in; of no effect on an array with a
    wavelength.
combination : "incoherent", or "coherent", which resolves echoes; see bearing.core.wideband_music
snapshots : int
    Number behind each sub-band while no ``snapshots`` tag tells; 0: unknown.
num_points : int
    Points of the spectrum, fixed.
limits_deg : [first, last] azimuth, degrees; empty: the whole range
heading_deg : direction of +y, clockwise from north
counting : "ratio", "mdl" or "aic"

Raises ValueError naming the parameter.
)")
            .def(py::init(&bearing::wideband_music::make),
                 py::arg("array"),
                 py::arg("num_sources"),
                 py::arg("num_subbands"),
                 py::arg("sample_rate"),
                 py::arg("bandwidth") = 0.8,
                 py::arg("center_frequency") = 0.0,
                 py::arg("combination") = "incoherent",
                 py::arg("snapshots") = 0,
                 py::arg("num_points") = 512,
                 py::arg("limits_deg") = std::vector<double>{},
                 py::arg("heading_deg") = 0.0,
                 py::arg("counting") = "ratio")
            .def("set_combination",
                 &bearing::wideband_music::set_combination,
                 "\"incoherent\" or \"coherent\"",
                 py::arg("combination"));
    bind_spectrum(wideband_music);
}

} // namespace

void bind_wideband(py::module& m, py::module& core)
{
    bind_functions(core);
    bind_blocks(m);
}
