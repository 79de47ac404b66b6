/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gain_state.h"
#include "non_negative.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <gnuradio/bearing/core/calibration/sky_gains.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <complex>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// An alternation that lowers the residual by less than this has converged.
constexpr double converged = 1e-9;
constexpr double rounding = 1e-12;
// Of the information about the unknowns, least over largest: below it they are not determined.
constexpr double least_stiffness = 1e-10;
// Sweeps over the gains between two fits of the powers: even, for the averages.
constexpr int sweeps = 4;

// The best of the starts explains more of pure noise than its share: what is explained per
// unknown over what is left per datum stays below this, in 99 of 100 cases.
constexpr double most_of_noise = 3.5;
constexpr double few_data = 60.0;

void require_arguments(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                       const antenna_array& array,
                       const Eigen::VectorXd& azimuth,
                       const Eigen::VectorXd& elevation,
                       const sky_gains_config& config)
{
    const int n = array.num_elements();
    if (covariance.rows() != n || covariance.cols() != n) {
        throw std::invalid_argument("covariance is " + std::to_string(covariance.rows()) +
                                    " x " + std::to_string(covariance.cols()) +
                                    "; the array has " + std::to_string(n) + " elements");
    }
    if (azimuth.size() == 0) {
        throw std::invalid_argument("azimuth is empty; at least 1 source is needed");
    }
    if (elevation.size() != azimuth.size()) {
        throw std::invalid_argument(
            "elevation has " + std::to_string(elevation.size()) + " values and azimuth " +
            std::to_string(azimuth.size()) +
            "; directions are taken pairwise, so both must be equally long");
    }
    if (!azimuth.allFinite() || !elevation.allFinite()) {
        throw std::invalid_argument(
            "azimuth or elevation holds NaN or Inf; every direction must be finite");
    }
    if (config.starts < 1) {
        throw std::invalid_argument("starts is " + std::to_string(config.starts) +
                                    "; it must be at least 1");
    }
    if (config.iterations < 1) {
        throw std::invalid_argument("iterations is " + std::to_string(config.iterations) +
                                    "; it must be at least 1");
    }
}

// Finite, Hermitian, and not all zero.
bool is_usable(const Eigen::MatrixXcd& cross_correlations)
{
    const Eigen::Index n = cross_correlations.rows();
    const double largest = cross_correlations.cwiseAbs().maxCoeff();
    return check_covariance(cross_correlations +
                            largest * Eigen::MatrixXcd::Identity(n, n)) == status::ok;
}

Eigen::MatrixXcd cross_correlations(const Eigen::Ref<const Eigen::MatrixXcd>& matrix)
{
    Eigen::MatrixXcd result = matrix;
    result.diagonal().setZero();
    return result;
}

// The entries above the diagonal, real parts and then imaginary parts.
Eigen::VectorXd upper(const Eigen::MatrixXcd& matrix)
{
    const Eigen::Index n = matrix.rows();
    const Eigen::Index half = n * (n - 1) / 2;
    Eigen::VectorXd entries(2 * half);
    Eigen::Index row = 0;
    for (Eigen::Index j = 1; j < n; ++j) {
        for (Eigen::Index i = 0; i < j; ++i, ++row) {
            entries(row) = matrix(i, j).real();
            entries(half + row) = matrix(i, j).imag();
        }
    }
    return entries;
}

Eigen::MatrixXcd from_upper(const Eigen::VectorXd& entries, Eigen::Index n)
{
    const Eigen::Index half = entries.size() / 2;
    Eigen::MatrixXcd matrix = Eigen::MatrixXcd::Zero(n, n);
    Eigen::Index row = 0;
    for (Eigen::Index j = 1; j < n; ++j) {
        for (Eigen::Index i = 0; i < j; ++i, ++row) {
            matrix(i, j) = { entries(row), entries(half + row) };
            matrix(j, i) = std::conj(matrix(i, j));
        }
    }
    return matrix;
}

struct sky_fit {
    Eigen::VectorXcd gains;
    Eigen::VectorXd power;
    double residual = std::numeric_limits<double>::infinity(); // of norms
};

// The model of one sky and what a fit needs of it. R, V and C as in the header.
class sky
{
public:
    sky(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
        const antenna_array& array,
        const Eigen::VectorXd& azimuth,
        const Eigen::VectorXd& elevation)
        : d_measured(cross_correlations(covariance)),
          d_phasors(without_gains(array).steering(azimuth, elevation)),
          d_coupling(array.calibration().coupling)
    {
        const Eigen::Index n = d_measured.rows();
        if (d_coupling.size() == 0) {
            d_coupling = Eigen::MatrixXcd::Identity(n, n);
        }
        d_coupling_gram = d_coupling.adjoint() * d_coupling;
    }

    const Eigen::MatrixXcd& measured() const { return d_measured; }

    // Alternates from these gains until nothing changes.
    sky_fit fit(Eigen::VectorXcd gains, int iterations) const
    {
        sky_fit result;
        for (int iteration = 0; iteration < iterations; ++iteration) {
            const Eigen::VectorXd power = powers(gains);
            const double residual = misfit(gains, power).norm() / d_measured.norm();
            const bool is_better = residual < result.residual * (1.0 - converged);
            if (residual < result.residual) {
                result = { gains, power, residual };
            }
            if (!is_better || residual < rounding) {
                break;
            }
            for (int sweep = 0; sweep < sweeps; ++sweep) {
                const Eigen::VectorXcd next = swept(gains, power);
                gains = sweep % 2 == 0 ? next : Eigen::VectorXcd(0.5 * (gains + next));
            }
        }
        return result;
    }

    // Derivatives of upper() of the model by [Re g, Im g, P], P of the present sources.
    Eigen::MatrixXd jacobian(const sky_fit& fit,
                             const std::vector<Eigen::Index>& present) const
    {
        const Eigen::Index n = fit.gains.size();
        const Eigen::Index num_present = static_cast<Eigen::Index>(present.size());
        const Eigen::MatrixXcd a = responses(fit.gains);
        const Eigen::MatrixXcd other = d_phasors * fit.power.asDiagonal() * a.adjoint();
        Eigen::MatrixXd result(n * (n - 1), 2 * n + num_present);
        for (Eigen::Index l = 0; l < n; ++l) {
            const Eigen::MatrixXcd change = d_coupling.col(l) * other.row(l);
            const Eigen::MatrixXcd turned = std::complex<double>(0.0, 1.0) * change;
            result.col(l) = upper(change + change.adjoint());
            result.col(n + l) = upper(turned + turned.adjoint());
        }
        for (Eigen::Index s = 0; s < num_present; ++s) {
            const Eigen::VectorXcd response = a.col(present[s]);
            result.col(2 * n + s) = upper(response * response.adjoint());
        }
        return result;
    }

    Eigen::MatrixXcd misfit(const Eigen::VectorXcd& gains,
                            const Eigen::VectorXd& power) const
    {
        const Eigen::MatrixXcd a = responses(gains);
        return d_measured - cross_correlations(a * power.asDiagonal() * a.adjoint());
    }

private:
    Eigen::MatrixXcd responses(const Eigen::VectorXcd& gains) const
    {
        return d_coupling * (gains.asDiagonal() * d_phasors);
    }

    Eigen::VectorXd powers(const Eigen::VectorXcd& gains) const
    {
        // Inner products of the sources' cross-correlations with each other and with those
        // measured.
        const Eigen::MatrixXcd a = responses(gains);
        const Eigen::MatrixXd levels = a.cwiseAbs2();
        const Eigen::MatrixXd gram =
            Eigen::MatrixXcd(a.adjoint() * a).cwiseAbs2() - levels.transpose() * levels;
        const Eigen::VectorXd target =
            (a.conjugate().cwiseProduct(d_measured * a)).colwise().sum().real();
        Eigen::VectorXd power = non_negative_minimum(gram, target);
        if (power.maxCoeff() <= 0.0) {
            // Gains so wrong that no source seems to be there: equal ones lead on.
            power.setConstant(d_measured.norm() / std::sqrt(gram.sum()));
        }
        return power;
    }

    // The gains of one side by least squares, those of the other as they are.
    Eigen::VectorXcd swept(const Eigen::VectorXcd& gains,
                           const Eigen::VectorXd& power) const
    {
        // Column j of R is C diag(g) b_j, less its own row j.
        const Eigen::MatrixXcd b =
            d_phasors * power.asDiagonal() * responses(gains).adjoint();
        const Eigen::MatrixXcd own = d_coupling.cwiseProduct(b.transpose());
        Eigen::MatrixXcd normal =
            d_coupling_gram.cwiseProduct(b.conjugate() * b.transpose()) -
            own.adjoint() * own;
        normal.diagonal().array() += rounding * normal.diagonal().real().maxCoeff();
        const Eigen::VectorXcd target =
            b.conjugate().cwiseProduct(d_coupling.adjoint() * d_measured).rowwise().sum();
        return normal.ldlt().solve(target);
    }

    Eigen::MatrixXcd d_measured;
    Eigen::MatrixXcd d_phasors;
    Eigen::MatrixXcd d_coupling;
    Eigen::MatrixXcd d_coupling_gram;
};

std::vector<Eigen::Index> positive(const Eigen::VectorXd& values)
{
    std::vector<Eigen::Index> indices;
    for (Eigen::Index k = 0; k < values.size(); ++k) {
        if (values(k) > 0.0) {
            indices.push_back(k);
        }
    }
    return indices;
}

sky_fit best_of_starts(const sky& model,
                       const antenna_array& array,
                       const sky_gains_config& config)
{
    const int n = array.num_elements();
    std::mt19937 generator(config.seed);
    sky_fit best = model.fit(array_parameters::of(array).gains, config.iterations);
    for (int start = 1; start < config.starts; ++start) {
        Eigen::VectorXcd gains(n);
        for (std::complex<double>& gain : gains) {
            gain = std::polar(1.0, 2.0 * M_PI * generator() / 4294967296.0);
        }
        const sky_fit next = model.fit(gains, config.iterations);
        if (next.residual < best.residual) {
            best = next;
        }
    }
    return best;
}

/*
 * Covariance S of the errors of a sample covariance's upper() entries, times J, on a scale on
 * which those of uncorrelated channels of equal power have variance 1.
 *
 * Cov(tr A dR, tr B dR) = tr(A R B R) / T for Hermitian A and B. This takes the diagonal of R;
 * where it was left out, channels count as uncorrelated and equal.
 */
Eigen::MatrixXd correlated(const Eigen::MatrixXcd& covariance,
                           const Eigen::MatrixXd& jacobian)
{
    constexpr double negligible = 1e-6;
    const Eigen::Index n = covariance.rows();
    if (!covariance.allFinite()) {
        return jacobian;
    }
    const Eigen::VectorXd values = eigenvalues(covariance);
    if (values(n - 1) < -negligible * values(0)) {
        return jacobian;
    }
    const Eigen::VectorXd power = covariance.diagonal().real();
    const double pairs = power.sum() * power.sum() - power.squaredNorm();
    const Eigen::MatrixXcd scaled =
        covariance * std::sqrt(static_cast<double>(n * (n - 1)) / pairs);
    Eigen::MatrixXd result(jacobian.rows(), jacobian.cols());
    for (Eigen::Index m = 0; m < jacobian.cols(); ++m) {
        result.col(m) = upper(scaled * from_upper(jacobian.col(m), n) * scaled);
    }
    return result;
}

// What the data tell about the unknowns at the minimum.
struct sky_information {
    bool is_identifiable = false;
    bool is_noise = false;
    Eigen::MatrixXd covariance; // of the errors of [Re g, Im g]
};

sky_information
inform(const sky& model, const sky_fit& fit, const Eigen::MatrixXcd& covariance)
{
    // A common phase, and a common gain against the powers.
    constexpr Eigen::Index num_free = 2;

    const Eigen::Index n = fit.gains.size();
    const std::vector<Eigen::Index> present = positive(fit.power);
    Eigen::MatrixXd jacobian = model.jacobian(fit, present);
    const Eigen::Index num_unknowns = jacobian.cols() - num_free;
    const double freedom = static_cast<double>(jacobian.rows() - num_unknowns);
    sky_information result;
    if (freedom <= 0.0) {
        return result;
    }
    // Gains and powers in units of their own size.
    Eigen::VectorXd unit(jacobian.cols());
    unit.head(2 * n).setConstant(fit.gains.norm() / std::sqrt(n));
    unit.tail(present.size()).setConstant(fit.power.sum() / present.size());
    jacobian = jacobian * unit.asDiagonal();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(jacobian.transpose() *
                                                                jacobian);
    const Eigen::VectorXd stiffness = solver.eigenvalues().tail(num_unknowns);
    result.is_identifiable = stiffness(0) > least_stiffness * stiffness(num_unknowns - 1);
    if (!result.is_identifiable) {
        return result;
    }

    const double left = upper(model.misfit(fit.gains, fit.power)).squaredNorm();
    const double explained = upper(model.measured()).squaredNorm() - left;
    const double noise = left / freedom;
    // All sources had the chance to fit noise, not only those that are left.
    const double num_tried = static_cast<double>(2 * n + fit.power.size() - num_free);
    result.is_noise =
        explained / num_tried <= (most_of_noise + few_data / freedom) * noise;

    const Eigen::MatrixXd directions = solver.eigenvectors().rightCols(num_unknowns);
    const Eigen::MatrixXd inverse =
        directions * stiffness.cwiseInverse().asDiagonal() * directions.transpose();
    const Eigen::MatrixXd gradient =
        jacobian.transpose() * correlated(covariance, jacobian);
    // The fit leaves of errors of variance 1 what does not move it.
    const double expected = jacobian.rows() - inverse.cwiseProduct(gradient).sum();
    const Eigen::MatrixXd moved = unit.head(2 * n).asDiagonal() * inverse.topRows(2 * n);
    result.covariance = left / expected * moved * gradient * moved.transpose();
    return result;
}

} // namespace

sky_gains_result sky_gains(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                           const antenna_array& array,
                           const Eigen::VectorXd& azimuth,
                           const Eigen::VectorXd& elevation,
                           const sky_gains_config& config)
{
    require_arguments(covariance, array, azimuth, elevation, config);
    sky_gains_result result;
    result.calibration = own_calibration(array);
    result.power.setConstant(azimuth.size(), nan);
    const sky model(covariance, array, azimuth, elevation);
    if (!is_usable(model.measured())) {
        return result;
    }

    const sky_fit fit = best_of_starts(model, array, config);
    const sky_information information = inform(model, fit, covariance);
    if (!information.is_identifiable) {
        result.status = status::not_identifiable;
        return result;
    }
    if (information.is_noise) {
        result.status = status::low_snr;
        return result;
    }
    result.calibration = calibration_with(array, fit.gains);
    set_deviations(fit.gains, information.covariance, result.calibration);
    result.power =
        fit.power * std::norm(fit.gains(result.calibration.reference.value_or(0)));
    result.residual = fit.residual;
    result.status = status::ok;
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
