/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "null_statistics.h"
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <gnuradio/bearing/core/subspace/signal_part.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The gate within which the predicted interval covers what it promises.
constexpr double largest_relative_deviation = 0.06;

// The variance that sampling gives to an estimate. The noise of a real part has half the
// variance of the complex one, and its two quadratures differ.
double sampling_variance(const manifold_point& point,
                         const signal_model& model,
                         const null_moments& null)
{
    const Eigen::VectorXcd inside = model.subspace.adjoint() * point.d;
    const double gamma = point.d.squaredNorm() - inside.squaredNorm();
    if (model.variant != subspace_variant::real) {
        return null.variance / (2.0 * gamma);
    }
    // g^T g with g = En^T d
    const std::complex<double> g_square =
        point.d.array().square().sum() - inside.array().square().sum();
    return (null.variance + (std::conj(g_square) * null.pseudo_variance).real() / gamma) /
           (4.0 * gamma);
}

// What the calibration's own uncertainty adds to the variance.
double calibration_floor(const variant_frame& frame,
                         const manifold_point& point,
                         const Eigen::MatrixXcd& signal_subspace)
{
    const calibration_state& calibration = frame.array().calibration();
    if (!has_deviations(calibration)) {
        return 0.0;
    }
    const Eigen::VectorXcd projected =
        point.d - signal_subspace * (signal_subspace.adjoint() * point.d);
    const double gamma = projected.squaredNorm();
    return calibration_information(calibration, frame.mixing(), point.a, projected)(0) /
           (gamma * gamma);
}

// The distance of two estimates, and the factor that takes a deviation in azimuth into
// the same measure: spatial frequency on a uniform line, and on any other array the
// azimuth scaled to the spatial frequency of the uniform line with the same response to a
// turn.
class separation
{
public:
    explicit separation(const antenna_array& array) : d_array(array) {}

    //! \param here the frame's manifold at \p azimuth; of arrays that are no uniform line
    //! there is the complex frame only, whose phase is zero at the centroid
    double scale(double azimuth, const manifold_point& here) const
    {
        if (d_array.uniform_spacing()) {
            return 2.0 * M_PI * *d_array.uniform_spacing() * std::abs(std::cos(azimuth));
        }
        const double n = d_array.num_elements();
        return std::sqrt(12.0 / (n * n - 1.0) * here.d.squaredNorm() /
                         here.a.squaredNorm());
    }

    double distance(double azimuth, double other, double scale) const
    {
        if (d_array.uniform_spacing()) {
            return std::abs(std::remainder(2.0 * M_PI * *d_array.uniform_spacing() *
                                               (std::sin(azimuth) - std::sin(other)),
                                           2.0 * M_PI));
        }
        return scale * std::abs(std::remainder(azimuth - other, 2.0 * M_PI));
    }

    // Two beamwidths: estimates farther apart than this do not influence each other.
    double cap() const { return 4.0 * M_PI / d_array.num_elements(); }

private:
    const antenna_array& d_array;
};

} // namespace

accuracy_theory accuracy_theory_from_string(const std::string& name)
{
    if (name == "full") {
        return accuracy_theory::full;
    }
    if (name == "paper") {
        return accuracy_theory::paper;
    }
    throw std::invalid_argument("theory is '" + name + "'; it must be 'full' or 'paper'");
}

Eigen::VectorXd predict_deviation(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                                  const antenna_array& array,
                                  const Eigen::VectorXd& azimuth,
                                  std::size_t snapshots,
                                  subspace_variant variant,
                                  accuracy_theory theory)
{
    const int n = array.num_elements();
    const int num_sources = static_cast<int>(azimuth.size());
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) + " elements");
    }
    const variant_frame frame(array, variant);
    const int dimension = frame.signal_dimension(num_sources);
    if (num_sources < 1 || dimension >= n) {
        throw std::invalid_argument("angles: " + std::to_string(num_sources) +
                                    (variant == subspace_variant::real
                                         ? " sources; variant 'real' allows 1 to "
                                         : " sources; allowed are 1 to ") +
                                    std::to_string((n - 1) / frame.signal_dimension(1)));
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is 0; it must be at least 1");
    }
    if (check_covariance(covariance) != status::ok || !azimuth.allFinite()) {
        return Eigen::VectorXd::Constant(num_sources, nan);
    }
    const eigendecomposition eigen = frame.decompose(covariance);
    const double noise_power = eigen.values.tail(n - dimension).mean();
    const Eigen::VectorXd values = eigen.values.head(dimension);
    const bool is_limit =
        variant == subspace_variant::real && theory == accuracy_theory::paper;
    const signal_model model{ variant,
                              noise_power / snapshots,
                              eigen.vectors.leftCols(dimension),
                              is_limit ? (values.array() - noise_power).inverse().matrix()
                                       : music_weights(values, noise_power) };

    Eigen::VectorXd deviation(num_sources);
    for (int k = 0; k < num_sources; ++k) {
        const manifold_point point = frame.manifold(azimuth(k));
        null_moments null = moments(point.a, model);
        if (is_limit) {
            null.pseudo_variance = 0.0;
        }
        const double value = std::sqrt(sampling_variance(point, model, null) +
                                       calibration_floor(frame, point, model.subspace));
        deviation(k) = std::isfinite(value) ? value : nan;
    }
    return deviation;
}

plug_in_accuracy predict_plug_in(const eigendecomposition& decomposition,
                                 const variant_frame& frame,
                                 const Eigen::VectorXd& azimuth,
                                 std::size_t snapshots)
{
    const int n = frame.array().num_elements();
    const int num_sources = static_cast<int>(azimuth.size());
    const int dimension = frame.signal_dimension(num_sources);
    const double looks = frame.looks(snapshots);
    plug_in_accuracy result{ Eigen::VectorXd::Constant(num_sources, nan), status::ok };
    result.status = check_signal(decomposition.values, dimension, looks);
    // One noise eigenvector is orthogonal to more directions than the sources', and which
    // they are the data cannot tell; a line has no others.
    if (!frame.array().is_front_only() && n - num_sources < 2) {
        result.status = status::not_identifiable;
    }
    if (result.status != status::ok) {
        return result;
    }

    const signal_model model =
        sampled_model(decomposition, frame, num_sources, snapshots);
    const separation measure(frame.array());
    const bool has_mirrors = frame.variant() == subspace_variant::real;
    int num_found = 0;
    int num_supported = 0;
    for (int k = 0; k < num_sources; ++k) {
        if (!std::isfinite(azimuth(k))) {
            result.status = status::unresolved;
            continue;
        }
        const manifold_point point = frame.manifold(azimuth(k));
        const null_moments null = moments(point.a, model);
        ++num_found;
        num_supported += is_supported(frame.array().calibration(), point.a, model, null);
        const double deviation =
            std::sqrt(sampling_variance(point, model, null) +
                      calibration_floor(frame, point, model.subspace));
        const double scale = measure.scale(azimuth(k), point);
        double nearest = measure.cap();
        for (int other = 0; other < num_sources; ++other) {
            if (!std::isfinite(azimuth(other))) {
                continue;
            }
            if (other != k) {
                nearest = std::min(nearest,
                                   measure.distance(azimuth(k), azimuth(other), scale));
            }
            if (has_mirrors) {
                nearest = std::min(nearest,
                                   measure.distance(azimuth(k), -azimuth(other), scale));
            }
        }
        const bool is_apart = scale * deviation < largest_relative_deviation * nearest;
        if (is_apart && is_off_endfire(frame.array(), azimuth(k), deviation)) {
            result.deviation(k) = deviation;
        } else {
            result.status = status::unresolved;
        }
    }
    if (num_supported < num_found) {
        // One direction too shallow: two sources share another one. All of them: no
        // steering vector of this array lies in the signal subspace.
        result.deviation.setConstant(nan);
        result.status = num_supported > 0 ? status::unresolved : status::model_mismatch;
    }
    return result;
}

bool supports_direction(const eigendecomposition& decomposition,
                        const variant_frame& frame,
                        int num_sources,
                        double azimuth,
                        std::size_t snapshots)
{
    const signal_model model =
        sampled_model(decomposition, frame, num_sources, snapshots);
    const manifold_point point = frame.manifold(azimuth);
    return is_supported(
        frame.array().calibration(), point.a, model, moments(point.a, model));
}

} // namespace core
} // namespace bearing
} // namespace gr
