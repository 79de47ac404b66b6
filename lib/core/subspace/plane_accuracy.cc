/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "plane_accuracy.h"
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int coordinates = 2;
// As of predict_plug_in().
constexpr double largest_relative_deviation = 0.06;
// Near the zenith, and near a flat array's plane, the error has a quadratic part that is
// half of this times its linear part, and estimates crowd where directions end: those of a
// source that lies in the plane pass the second gate in 3 of 10^5 cases.
constexpr double largest_distortion = 0.125;
// In the plane of a flat array derivatives vanish; so near to it, in radians, their limit
// is taken.
constexpr double limit_of_derivatives = 1e-3;
// A range beyond infinity by so many deviations contradicts the model.
constexpr double beyond_infinity = 4.0;
// A share of an arc that is rounding only.
constexpr double no_share = 1e-6;

// Covariance of the local coordinates of one estimate.
Eigen::Matrix2d covariance_of(const variant_frame& frame,
                              const source_plane& plane,
                              const source_place& place,
                              const Eigen::VectorXcd& a,
                              const signal_model& model,
                              const null_moments& null)
{
    const Eigen::MatrixXcd d =
        plane.centred_derivative(plane.off_plane(place, limit_of_derivatives));
    const Eigen::MatrixXcd projected =
        d - model.subspace * (model.subspace.adjoint() * d);
    const Eigen::Matrix2d inverse =
        Eigen::Matrix2d((d.adjoint() * projected).real()).inverse();
    Eigen::Matrix2d covariance = 0.5 * null.variance * inverse;
    const calibration_state& calibration = frame.array().calibration();
    if (has_deviations(calibration)) {
        covariance += inverse *
                      calibration_information(calibration, frame.mixing(), a, projected) *
                      inverse;
    }
    return covariance;
}

// The largest deviation of an estimate in spatial frequency.
double largest_deviation(const Eigen::Matrix2d& covariance, const Eigen::Matrix2d& metric)
{
    // Of a 2 x 2 matrix with real eigenvalues; symmetric only in the metric's own frame.
    const Eigen::Matrix2d product = metric * covariance;
    const double half = 0.5 * product.trace();
    return std::sqrt(half +
                     std::sqrt(std::max(half * half - product.determinant(), 0.0)));
}

double distance_to_nearest(const source_plane& plane,
                           const std::vector<source_place>& places,
                           std::size_t k,
                           int num_elements)
{
    // Two beamwidths: estimates farther apart than this do not influence each other.
    double nearest = 4.0 * M_PI / num_elements;
    for (std::size_t other = 0; other < places.size(); ++other) {
        if (other != k) {
            nearest = std::min(nearest, plane.distance(places[k], places[other]));
        }
    }
    return nearest;
}

// Whether the errors of azimuth and elevation are as Gaussian as those along the arcs.
bool is_off_zenith(const source_plane& plane,
                   const source_place& place,
                   const Eigen::Vector2d& deviation_of_arcs)
{
    return !plane.has_elevation() ||
           deviation_of_arcs.maxCoeff() * std::abs(std::tan(plane.second(place))) <
               largest_distortion;
}

// Sets the deviations of the coordinates that are too uncertain near the plane of a flat
// array to NaN.
void withhold_near_plane(const source_plane& plane,
                         const source_place& place,
                         const Eigen::Matrix2d& covariance,
                         Eigen::Vector2d& deviation)
{
    if (!plane.normal()) {
        return;
    }
    // The arc towards the normal.
    Eigen::Vector2d arc = plane.along_arcs(place, *plane.normal());
    if (!plane.has_elevation()) {
        arc(1) = 0.0;
    }
    const double cosine = arc.norm();
    if (cosine == 0.0) {
        return;
    }
    arc /= cosine;
    const double tangent = plane.normal()->dot(place.direction) / cosine;
    if (std::sqrt(arc.dot(covariance * arc)) < largest_distortion * tangent) {
        return;
    }
    for (int i = 0; i < coordinates; ++i) {
        if (std::abs(arc(i)) > no_share) {
            deviation(i) = nan;
        }
    }
}

} // namespace

plane_accuracy predict_in_plane(const eigendecomposition& decomposition,
                                const variant_frame& frame,
                                const source_plane& plane,
                                const std::vector<source_place>& places,
                                int num_sources,
                                std::size_t snapshots)
{
    const int n = frame.array().num_elements();
    plane_accuracy result{
        Eigen::VectorXd::Constant(num_sources, nan),
        Eigen::VectorXd::Constant(num_sources, nan),
        check_signal(decomposition.values, num_sources, static_cast<double>(snapshots))
    };
    if (n - num_sources < coordinates) {
        result.status = status::not_identifiable;
    }
    if (result.status != status::ok) {
        return result;
    }
    const signal_model model =
        sampled_model(decomposition, frame, num_sources, snapshots);
    std::size_t num_supported = 0;
    bool is_beyond_infinity = false;
    if (places.size() < static_cast<std::size_t>(num_sources)) {
        result.status = status::unresolved;
    }
    for (std::size_t k = 0; k < places.size(); ++k) {
        const Eigen::VectorXcd a = plane.steering(places[k]);
        const null_moments null = moments(a, model);
        num_supported +=
            is_supported(frame.array().calibration(), a, model, null, coordinates);
        const Eigen::Matrix2d covariance =
            covariance_of(frame, plane, places[k], a, model, null);
        const Eigen::Vector2d arcs = covariance.diagonal().cwiseSqrt();
        const Eigen::Vector2d rates = plane.rates(places[k]);
        const bool is_apart =
            largest_deviation(
                covariance,
                plane.metric(plane.off_plane(places[k], limit_of_derivatives))) <
            largest_relative_deviation * distance_to_nearest(plane, places, k, n);
        Eigen::Vector2d deviation = arcs.cwiseProduct(rates);
        if (!(is_apart && is_off_zenith(plane, places[k], arcs))) {
            deviation.setConstant(nan);
        }
        withhold_near_plane(plane, places[k], covariance, deviation);
        result.azimuth(k) = deviation(0);
        result.second(k) = deviation(1);
        is_beyond_infinity |= places[k].inverse_range < -beyond_infinity * deviation(1);
        if (std::isnan(deviation(0))) {
            result.status = status::unresolved;
        }
    }
    if (num_supported < places.size() || is_beyond_infinity) {
        // One place too shallow: two sources share another one. All of them: no steering
        // vector of this array lies in the signal subspace.
        result.azimuth.setConstant(nan);
        result.second.setConstant(nan);
        result.status = num_supported > 0 && !is_beyond_infinity ? status::unresolved
                                                                 : status::model_mismatch;
    }
    return result;
}

bool supports_place(const eigendecomposition& decomposition,
                    const variant_frame& frame,
                    const source_plane& plane,
                    const source_place& place,
                    int num_sources,
                    std::size_t snapshots)
{
    const signal_model model =
        sampled_model(decomposition, frame, num_sources, snapshots);
    const Eigen::VectorXcd a = plane.steering(place);
    return is_supported(
        frame.array().calibration(), a, model, moments(a, model), coordinates);
}

} // namespace core
} // namespace bearing
} // namespace gr
