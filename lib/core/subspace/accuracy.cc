/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <gnuradio/bearing/core/subspace/accuracy.h>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };

// The gates within which the predicted interval covers what it promises.
constexpr double smallest_eigenvalue_margin = 2.0;
constexpr double largest_relative_deviation = 0.06;
// Towards endfire sin(theta) flattens and the error is no longer Gaussian: its quadratic
// part is deviation * tan(theta) / 2 of its linear part.
constexpr double largest_endfire_distortion = 0.25;
// The null function at a true direction stays below its limit with a probability of
// 0.9999: so many standard deviations of a Gaussian.
constexpr double support_deviations = 3.719;
// Debiased signal eigenvalues stay this far above the noise.
constexpr double debiased_floor = 1.02;
constexpr int debiasing_rounds = 3;

// The steering vector and its azimuth derivative referenced to the elements' centroid.
struct manifold_point {
    Eigen::VectorXcd a;
    Eigen::VectorXcd d;
};

manifold_point centred(const antenna_array& array, double azimuth)
{
    manifold_point point;
    point.a = array.steering(azimuth);
    point.d = array.azimuth_derivative(azimuth) -
              imaginary_unit * array.centroid_phase_derivative(azimuth) * point.a;
    return point;
}

// s2 / M b^H W b with b = Us^H a: the variance that sampling gives to each component of
// Pn a.
double null_variance(const manifold_point& point,
                     const Eigen::MatrixXcd& signal_subspace,
                     const Eigen::VectorXd& weights,
                     double noise_over_snapshots)
{
    const Eigen::VectorXcd b = signal_subspace.adjoint() * point.a;
    return noise_over_snapshots * (weights.array() * b.array().abs2()).sum();
}

// s2 / (2 M) b^H W b / (d^H Pn d)
double asymptotic_variance(const manifold_point& point,
                           const Eigen::MatrixXcd& signal_subspace,
                           double variance_of_null)
{
    const double gamma =
        point.d.squaredNorm() - (signal_subspace.adjoint() * point.d).squaredNorm();
    return variance_of_null / 2.0 / gamma;
}

// What the calibration's own uncertainty adds to the variance.
double calibration_floor(const antenna_array& array,
                         const manifold_point& point,
                         const Eigen::MatrixXcd& signal_subspace)
{
    const calibration_state& calibration = array.calibration();
    const Eigen::VectorXd& phase = calibration.sigma_phase_rad;
    const Eigen::VectorXd& log_gain = calibration.sigma_log_gain;
    if (phase.size() == 0 && log_gain.size() == 0) {
        return 0.0;
    }
    // A gain error moves the elements' response before coupling, so both sides of q are
    // taken there: a = C e with e = g o v.
    Eigen::VectorXcd projected =
        point.d - signal_subspace * (signal_subspace.adjoint() * point.d);
    const double gamma = projected.squaredNorm();
    Eigen::VectorXcd element_response = point.a;
    if (calibration.coupling.size() > 0) {
        element_response = calibration.coupling.partialPivLu().solve(point.a);
        projected = calibration.coupling.adjoint() * projected;
    }
    const Eigen::VectorXcd q = projected.conjugate().cwiseProduct(element_response);
    double sum = 0.0;
    if (phase.size() > 0) {
        sum += (phase.array() * q.imag().array()).square().sum();
    }
    if (log_gain.size() > 0) {
        sum += (log_gain.array() * q.real().array()).square().sum();
    }
    return sum / (gamma * gamma);
}

// E. B. Wilson, M. M. Hilferty 1931: the cube root of chi-squared is nearly Gaussian.
// Right to 7 % at one degree of freedom and to 2 % from nine on, always above.
double chi_squared_quantile(double freedom)
{
    const double variance = 2.0 / (9.0 * freedom);
    return freedom *
           std::pow(1.0 - variance + support_deviations * std::sqrt(variance), 3);
}

// Whether the null is as deep at a direction as it is at a true one. There, sampling (and
// the calibration's own uncertainty) make a^H Pn a half a variance times chi-squared with
// 2 (N - K) degrees of freedom, less one for the direction that was fitted.
bool is_supported(const antenna_array& array,
                  const manifold_point& point,
                  const Eigen::MatrixXcd& signal_subspace,
                  double variance_of_null)
{
    const Eigen::Index freedom =
        2 * (signal_subspace.rows() - signal_subspace.cols()) - 1;
    double limit =
        variance_of_null / 2.0 * chi_squared_quantile(static_cast<double>(freedom));
    // The calibration's own errors are one real number each: a weighted sum of chi-squared
    // with one degree of freedom, taken as one chi-squared with the same mean and variance
    // (F. E. Satterthwaite 1946).
    const calibration_state& calibration = array.calibration();
    const Eigen::ArrayXd power = point.a.cwiseAbs2().array();
    double mean = 0.0;
    double square = 0.0;
    for (const Eigen::VectorXd* sigma :
         { &calibration.sigma_phase_rad, &calibration.sigma_log_gain }) {
        if (sigma->size() > 0) {
            const Eigen::ArrayXd weight = sigma->array().square() * power;
            mean += weight.sum();
            square += weight.square().sum();
        }
    }
    if (mean > 0.0) {
        const double errors = mean * mean / square;
        limit += mean / errors * chi_squared_quantile(errors);
    }
    const double null =
        (point.a - signal_subspace * (signal_subspace.adjoint() * point.a)).squaredNorm();
    return null <= limit;
}

Eigen::VectorXd music_weights(const Eigen::VectorXd& signal_values, double noise_power)
{
    return signal_values.array() / (signal_values.array() - noise_power).square();
}

// The weights W of a sample covariance: its signal eigenvalues are too large by what the
// noise adds to them.
Eigen::VectorXd debiased_weights(const eigendecomposition& decomposition,
                                 int num_sources,
                                 double noise_power,
                                 double snapshots)
{
    const double n = static_cast<double>(decomposition.values.size());
    const double excess = (n - num_sources) / snapshots * noise_power;
    Eigen::VectorXd values = decomposition.values.head(num_sources);
    for (int k = 0; k < num_sources; ++k) {
        const double sample_value = values(k);
        for (int round = 0; round < debiasing_rounds; ++round) {
            values(k) =
                std::max(sample_value / (1.0 + excess / (values(k) - noise_power)),
                         debiased_floor * noise_power);
        }
    }
    return music_weights(values, noise_power);
}

// What the formulas need of a sample covariance of M > K snapshots.
struct signal_model {
    double noise_power;
    double noise_over_snapshots;
    Eigen::MatrixXcd subspace;
    Eigen::VectorXd weights;
};

signal_model sampled_model(const eigendecomposition& decomposition,
                           int num_sources,
                           std::size_t snapshots)
{
    const double m = static_cast<double>(snapshots);
    const Eigen::Index num_noise = decomposition.values.size() - num_sources;
    const double noise_power =
        decomposition.values.tail(num_noise).mean() * m / (m - num_sources);
    return { noise_power,
             noise_power / m,
             decomposition.vectors.leftCols(num_sources),
             debiased_weights(decomposition, num_sources, noise_power, m) };
}

bool is_ideal_line(const antenna_array& array)
{
    const calibration_state& calibration = array.calibration();
    return array.uniform_spacing() && calibration.gains.size() == 0 &&
           calibration.positions.size() == 0 && calibration.coupling.size() == 0;
}

// Real-valued root-MUSIC: 2 K eigenpairs of Re R, a and d referred to the first element.
Eigen::VectorXd real_deviation(const Eigen::MatrixXcd& covariance,
                               const antenna_array& array,
                               const Eigen::VectorXd& azimuth,
                               std::size_t snapshots,
                               accuracy_theory theory)
{
    const int n = array.num_elements();
    const int dimension = 2 * static_cast<int>(azimuth.size());
    const eigendecomposition eigen =
        decompose(covariance.real().cast<std::complex<double>>());
    const Eigen::MatrixXcd signal_subspace = eigen.vectors.leftCols(dimension);
    const Eigen::MatrixXcd noise_subspace = eigen.vectors.rightCols(n - dimension);
    const Eigen::VectorXd values = eigen.values.head(dimension);
    const double noise_power = eigen.values.tail(n - dimension).mean();
    const double scale = noise_power / (4.0 * static_cast<double>(snapshots));
    const Eigen::VectorXd weights =
        theory == accuracy_theory::full
            ? music_weights(values, noise_power)
            : (values.array() - noise_power).inverse().matrix();

    Eigen::VectorXd deviation(azimuth.size());
    for (Eigen::Index k = 0; k < azimuth.size(); ++k) {
        const Eigen::VectorXcd steering = array.steering(azimuth(k));
        const std::complex<double> reference = steering(0);
        const Eigen::VectorXcd derivative = array.azimuth_derivative(azimuth(k));
        const std::complex<double> rate = derivative(0) / reference;
        const Eigen::VectorXcd a = steering / reference;
        const Eigen::VectorXcd d = derivative / reference - rate * a;
        // The eigenvectors are real: the transpose and the adjoint are the same.
        const Eigen::VectorXcd g = noise_subspace.transpose() * d;
        const Eigen::VectorXcd b = signal_subspace.transpose() * a;
        const double gamma = g.squaredNorm();
        double sum = (weights.array() * b.array().abs2()).sum() / gamma;
        if (theory == accuracy_theory::full) {
            const std::complex<double> g_square = g.array().square().sum();
            const std::complex<double> b_square =
                (weights.array().cast<std::complex<double>>() * b.array().square()).sum();
            sum += (std::conj(g_square) * b_square).real() / (gamma * gamma);
        }
        deviation(k) = std::sqrt(scale * sum);
    }
    return deviation;
}

// The distance of two estimates, and the factor that takes a deviation in azimuth into
// the same measure: spatial frequency on a uniform line, and on any other array the
// azimuth scaled to the spatial frequency of the uniform line with the same response to a
// turn.
class separation
{
public:
    explicit separation(const antenna_array& array) : d_array(array) {}

    double scale(double azimuth) const
    {
        if (d_array.uniform_spacing()) {
            return 2.0 * M_PI * *d_array.uniform_spacing() * std::abs(std::cos(azimuth));
        }
        const double n = d_array.num_elements();
        const manifold_point point = centred(d_array, azimuth);
        return std::sqrt(12.0 / (n * n - 1.0) * point.d.squaredNorm() /
                         point.a.squaredNorm());
    }

    double distance(double azimuth, double other) const
    {
        if (d_array.uniform_spacing()) {
            return std::abs(std::remainder(2.0 * M_PI * *d_array.uniform_spacing() *
                                               (std::sin(azimuth) - std::sin(other)),
                                           2.0 * M_PI));
        }
        return scale(azimuth) * std::abs(std::remainder(azimuth - other, 2.0 * M_PI));
    }

    // Two beamwidths: estimates farther apart than this do not influence each other.
    double cap() const { return 4.0 * M_PI / d_array.num_elements(); }

private:
    const antenna_array& d_array;
};

} // namespace

accuracy_variant accuracy_variant_from_string(const std::string& name)
{
    if (name == "complex") {
        return accuracy_variant::complex;
    }
    if (name == "unitary") {
        return accuracy_variant::unitary;
    }
    if (name == "real") {
        return accuracy_variant::real;
    }
    throw std::invalid_argument("variant is '" + name +
                                "'; it must be 'complex', 'unitary' or 'real'");
}

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
                                  accuracy_variant variant,
                                  accuracy_theory theory)
{
    const int n = array.num_elements();
    const int num_sources = static_cast<int>(azimuth.size());
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("R is " + std::to_string(covariance.rows()) + " x " +
                                    std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) + " elements");
    }
    if (num_sources < 1 || num_sources >= n) {
        throw std::invalid_argument("angles: " + std::to_string(num_sources) +
                                    " sources; allowed are 1 to " +
                                    std::to_string(n - 1));
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is 0; it must be at least 1");
    }
    if (variant != accuracy_variant::complex && !is_ideal_line(array)) {
        throw std::invalid_argument("variant 'unitary' and 'real' need an uncalibrated "
                                    "uniform line; use 'complex'");
    }
    if (variant == accuracy_variant::real && 2 * num_sources >= n) {
        throw std::invalid_argument("angles: " + std::to_string(num_sources) +
                                    " sources; variant 'real' allows fewer than N/2 = " +
                                    std::to_string(n / 2.0));
    }
    if (check_covariance(covariance) != status::ok || !azimuth.allFinite()) {
        return Eigen::VectorXd::Constant(num_sources, nan);
    }
    if (variant == accuracy_variant::real) {
        return real_deviation(covariance, array, azimuth, snapshots, theory);
    }
    const eigendecomposition eigen =
        decompose(variant == accuracy_variant::unitary ? forward_backward(covariance)
                                                       : Eigen::MatrixXcd(covariance));
    const Eigen::MatrixXcd signal_subspace = eigen.vectors.leftCols(num_sources);
    const double noise_power = eigen.values.tail(n - num_sources).mean();
    const Eigen::VectorXd weights =
        music_weights(eigen.values.head(num_sources), noise_power);

    Eigen::VectorXd deviation(num_sources);
    for (int k = 0; k < num_sources; ++k) {
        const manifold_point point = centred(array, azimuth(k));
        const double variance_of_null =
            null_variance(point, signal_subspace, weights, noise_power / snapshots);
        deviation(k) =
            std::sqrt(asymptotic_variance(point, signal_subspace, variance_of_null) +
                      calibration_floor(array, point, signal_subspace));
    }
    return deviation;
}

plug_in_accuracy predict_plug_in(const eigendecomposition& decomposition,
                                 const antenna_array& array,
                                 const Eigen::VectorXd& azimuth,
                                 std::size_t snapshots)
{
    const int n = array.num_elements();
    const int num_sources = static_cast<int>(azimuth.size());
    plug_in_accuracy result{ Eigen::VectorXd::Constant(num_sources, nan), status::ok };
    if (snapshots <= static_cast<std::size_t>(num_sources)) {
        result.status = status::not_identifiable;
        return result;
    }

    // Eigenvalues this small are rounding errors of zero; a negative one tells how large
    // those are in a covariance that was rounded to single precision.
    const double rounding =
        std::max(n * std::numeric_limits<double>::epsilon() * decomposition.values(0),
                 -4.0 * decomposition.values(n - 1));
    if (decomposition.values(num_sources - 1) <= rounding) {
        result.status = status::unresolved;
        return result;
    }
    if (decomposition.values.tail(n - num_sources).mean() <= rounding) {
        result.status = status::not_identifiable;
        return result;
    }

    const signal_model model = sampled_model(decomposition, num_sources, snapshots);
    const double margin =
        std::pow(1.0 + std::sqrt(n / static_cast<double>(snapshots)), 2);
    if (!(decomposition.values(num_sources - 1) >=
          smallest_eigenvalue_margin * margin * model.noise_power)) {
        result.status = status::low_snr;
        return result;
    }

    const separation measure(array);
    int num_found = 0;
    int num_supported = 0;
    for (int k = 0; k < num_sources; ++k) {
        if (!std::isfinite(azimuth(k))) {
            result.status = status::unresolved;
            continue;
        }
        const manifold_point point = centred(array, azimuth(k));
        const double variance_of_null = null_variance(
            point, model.subspace, model.weights, model.noise_over_snapshots);
        ++num_found;
        num_supported += is_supported(array, point, model.subspace, variance_of_null);
        const double deviation =
            std::sqrt(asymptotic_variance(point, model.subspace, variance_of_null) +
                      calibration_floor(array, point, model.subspace));
        double nearest = measure.cap();
        for (int other = 0; other < num_sources; ++other) {
            if (other != k && std::isfinite(azimuth(other))) {
                nearest = std::min(nearest, measure.distance(azimuth(k), azimuth(other)));
            }
        }
        const bool is_apart =
            measure.scale(azimuth(k)) * deviation < largest_relative_deviation * nearest;
        const bool is_off_endfire =
            !array.is_front_only() ||
            deviation * std::abs(std::tan(azimuth(k))) < largest_endfire_distortion;
        if (is_apart && is_off_endfire) {
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
                        const antenna_array& array,
                        int num_sources,
                        double azimuth,
                        std::size_t snapshots)
{
    const signal_model model = sampled_model(decomposition, num_sources, snapshots);
    const manifold_point point = centred(array, azimuth);
    return is_supported(
        array,
        point,
        model.subspace,
        null_variance(point, model.subspace, model.weights, model.noise_over_snapshots));
}

} // namespace core
} // namespace bearing
} // namespace gr
