/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_sample.h"
#include "gain_state.h"
#include <gnuradio/bearing/core/calibration/pilot_gains.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Weights are those of the gains of the last pass; from the third on nothing changes that
// the fit could tell.
constexpr int weighting_passes = 3;
// Where the number of snapshots is unknown the weights of covariances still compare.
constexpr std::size_t assumed_snapshots = 1000;
// The smallest eigenvalue must stand apart from the second by so much of what noise makes
// of it, and by more than rounding.
constexpr double least_gap = 10.0;
constexpr double rounding = 1e-9;
// The misfit of the right model is chi-squared; it does not surpass its mean by so many
// deviations.
constexpr double largest_surplus = 6.0;

void require_directions(const char* name, const Eigen::MatrixXd& angles, std::size_t rows)
{
    if (static_cast<std::size_t>(angles.rows()) != rows) {
        throw std::invalid_argument(std::string(name) + " has " +
                                    std::to_string(angles.rows()) +
                                    " rows; it must have one for each of the " +
                                    std::to_string(rows) + " covariances");
    }
    if (angles.array().isInf().any()) {
        throw std::invalid_argument(std::string(name) +
                                    " holds Inf; every angle must be finite, or NaN "
                                    "where it is unknown");
    }
}

void require_sizes(const std::vector<Eigen::MatrixXcd>& covariances,
                   const antenna_array& array,
                   const Eigen::MatrixXd& azimuth,
                   const Eigen::MatrixXd& elevation)
{
    const int n = array.num_elements();
    if (covariances.empty()) {
        throw std::invalid_argument("covariances is empty; at least 1 is needed");
    }
    for (const Eigen::MatrixXcd& covariance : covariances) {
        if (covariance.rows() != n || covariance.cols() != n) {
            throw std::invalid_argument(
                "covariances hold a matrix of " + std::to_string(covariance.rows()) +
                " x " + std::to_string(covariance.cols()) + "; the array has " +
                std::to_string(n) + " elements");
        }
    }
    require_directions("azimuth", azimuth, covariances.size());
    if (azimuth.cols() < 1 || azimuth.cols() >= n) {
        throw std::invalid_argument("azimuth has " + std::to_string(azimuth.cols()) +
                                    " columns, one for each source; an array of " +
                                    std::to_string(n) + " elements allows 1 to " +
                                    std::to_string(n - 1));
    }
    if (elevation.size() > 0) {
        require_directions("elevation", elevation, covariances.size());
        if (elevation.cols() != azimuth.cols()) {
            throw std::invalid_argument(
                "elevation has " + std::to_string(elevation.cols()) +
                " columns and azimuth " + std::to_string(azimuth.cols()) +
                "; directions are taken pairwise, so both must have as many");
        }
    }
}

void require_in_front(const antenna_array& array, const Eigen::MatrixXd& azimuth)
{
    constexpr double rounding_of_a_turn = 1e-9;
    const Eigen::ArrayXXd beyond = azimuth.array().abs() - M_PI / 2.0;
    if (array.is_front_only() && (beyond > rounding_of_a_turn).any()) {
        throw std::invalid_argument(
            "azimuth holds a direction behind the array; all elements have the same y, "
            "and "
            "such an array sees azimuths from -90 to 90 degrees only");
    }
}

// One covariance with its known directions.
struct pilot {
    calibration_sample sample;
    std::vector<Eigen::MatrixXcd> responses; // B = C diag(v) of each, N x N
    Eigen::VectorXd weights;

    // Pn B
    Eigen::MatrixXcd outside(const Eigen::MatrixXcd& response) const
    {
        const Eigen::MatrixXcd& signal = sample.signal_subspace;
        return response - signal * (signal.adjoint() * response);
    }
};

// B of the directions in a row that are known.
std::vector<Eigen::MatrixXcd> responses(const antenna_array& phasors,
                                        const Eigen::MatrixXcd& coupling,
                                        const Eigen::RowVectorXd& azimuth,
                                        const Eigen::RowVectorXd& elevation)
{
    std::vector<Eigen::MatrixXcd> result;
    for (Eigen::Index i = 0; i < azimuth.size(); ++i) {
        if (std::isnan(azimuth(i)) || std::isnan(elevation(i))) {
            continue;
        }
        Eigen::MatrixXcd response =
            phasors.steering(azimuth(i), elevation(i)).asDiagonal();
        if (coupling.size() > 0) {
            response = coupling * response;
        }
        result.push_back(std::move(response));
    }
    return result;
}

// Fills the sample, or says what is wrong with the covariance.
status assign(const Eigen::MatrixXcd& covariance,
              int num_sources,
              std::size_t snapshots,
              calibration_sample& sample)
{
    if (check_covariance(covariance) != status::ok) {
        return status::bad_data;
    }
    const eigendecomposition eigen = decompose(covariance);
    const std::size_t assumed = snapshots > 0 ? snapshots : assumed_snapshots;
    const eigenvalue_margins margin = margins(eigen.values, num_sources, assumed);
    if (margin.is_weak()) {
        return status::low_snr;
    }
    if (snapshots > 0 && margin.has_further_sources()) {
        return status::model_mismatch;
    }
    // The coupling stays in the responses, beside noise that is white.
    assign(eigen, num_sources, assumed, {}, sample);
    return status::ok;
}

// The weight of a covariance as a whole, or of each direction at gains g.
void weigh(const Eigen::VectorXcd& gains, pilot& p)
{
    for (std::size_t i = 0; i < p.responses.size(); ++i) {
        const Eigen::VectorXcd inside =
            p.sample.signal_subspace.adjoint() * (p.responses[i] * gains);
        p.weights(i) = 1.0 / p.sample.null_weights.dot(inside.cwiseAbs2());
    }
}
void weigh(pilot& p)
{
    const double n = static_cast<double>(p.sample.signal_subspace.rows());
    p.weights.setConstant(p.responses.size(), 1.0 / (n * p.sample.null_weights.mean()));
}

// The minimum of the quadratic form, and what lies beside it.
struct gain_fit {
    Eigen::VectorXd values;   // generalised, ascending, N
    Eigen::MatrixXcd vectors; // columns of norm 1 by the weighted responses, N x N
    Eigen::VectorXcd gains;   // the first of them, ||g||^2 = N
    double norm;              // sum of w ||B g||^2
};

gain_fit minimise(const std::vector<pilot>& pilots)
{
    const Eigen::Index n = pilots.front().sample.signal_subspace.rows();
    Eigen::MatrixXcd misfit = Eigen::MatrixXcd::Zero(n, n);
    Eigen::MatrixXcd norm = Eigen::MatrixXcd::Zero(n, n);
    for (const pilot& p : pilots) {
        for (std::size_t i = 0; i < p.responses.size(); ++i) {
            const Eigen::MatrixXcd& response = p.responses[i];
            const Eigen::MatrixXcd outside = p.outside(response);
            misfit += p.weights(i) * outside.adjoint() * outside;
            norm += p.weights(i) * response.adjoint() * response;
        }
    }
    const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXcd> solver(misfit, norm);
    gain_fit fit;
    fit.values = solver.eigenvalues();
    fit.vectors = solver.eigenvectors();
    const Eigen::VectorXcd first = fit.vectors.col(0);
    fit.gains = first * (std::sqrt(static_cast<double>(n)) / first.norm());
    fit.norm = n / first.squaredNorm();
    return fit;
}

gain_fit fit_gains(std::vector<pilot>& pilots)
{
    std::for_each(pilots.begin(), pilots.end(), [](pilot& p) { weigh(p); });
    gain_fit fit = minimise(pilots);
    for (int pass = 1; pass < weighting_passes; ++pass) {
        for (pilot& p : pilots) {
            weigh(fit.gains, p);
        }
        fit = minimise(pilots);
    }
    return fit;
}

// Covariance of the errors of g. To first order Pn a_i is Gaussian with the covariances
// Pn (sum_m null_weights_m b_i b_j^*), b = Es^H a, and g moves by what it adds to the
// gradient, through the inverse of the form beside g.
Eigen::MatrixXcd error_covariance(const std::vector<pilot>& pilots, const gain_fit& fit)
{
    const Eigen::Index n = fit.gains.size();
    Eigen::MatrixXcd gradient = Eigen::MatrixXcd::Zero(n, n);
    for (const pilot& p : pilots) {
        for (std::size_t i = 0; i < p.responses.size(); ++i) {
            const Eigen::MatrixXcd outside = p.outside(p.responses[i]);
            const Eigen::VectorXcd b_i =
                p.sample.signal_subspace.adjoint() * (p.responses[i] * fit.gains);
            for (std::size_t j = 0; j < p.responses.size(); ++j) {
                const Eigen::VectorXcd b_j =
                    p.sample.signal_subspace.adjoint() * (p.responses[j] * fit.gains);
                const std::complex<double> shared =
                    (p.sample.null_weights.array() * b_i.array() *
                     b_j.array().conjugate())
                        .sum();
                gradient += p.weights(i) * p.weights(j) * shared * outside.adjoint() *
                            p.outside(p.responses[j]);
            }
        }
    }
    const Eigen::MatrixXcd beside = fit.vectors.rightCols(n - 1);
    const Eigen::VectorXd stiffness = fit.values.tail(n - 1).array() - fit.values(0);
    const Eigen::MatrixXcd inverse =
        beside * stiffness.cwiseInverse().asDiagonal() * beside.adjoint();
    return inverse * gradient * inverse;
}

int count_directions(const std::vector<pilot>& pilots)
{
    int count = 0;
    for (const pilot& p : pilots) {
        count += static_cast<int>(p.responses.size());
    }
    return count;
}

} // namespace

pilot_gains_result pilot_gains(const std::vector<Eigen::MatrixXcd>& covariances,
                               const antenna_array& array,
                               const Eigen::MatrixXd& azimuth,
                               const Eigen::MatrixXd& elevation,
                               std::size_t snapshots)
{
    require_sizes(covariances, array, azimuth, elevation);
    require_in_front(array, azimuth);

    pilot_gains_result result;
    result.calibration = own_calibration(array);
    const antenna_array phasors = without_gains(array);
    const int num_sources = static_cast<int>(azimuth.cols());
    std::vector<pilot> pilots;
    for (std::size_t k = 0; k < covariances.size(); ++k) {
        pilot p;
        p.responses =
            responses(phasors,
                      array.calibration().coupling,
                      azimuth.row(k),
                      elevation.size() > 0 ? Eigen::RowVectorXd(elevation.row(k))
                                           : Eigen::RowVectorXd::Zero(num_sources));
        if (p.responses.empty()) {
            continue;
        }
        const status found = assign(covariances[k], num_sources, snapshots, p.sample);
        if (found == status::ok) {
            pilots.push_back(std::move(p));
        } else if (result.status == status::bad_data) {
            result.status = found;
        }
    }
    if (pilots.empty()) {
        return result;
    }

    const gain_fit fit = fit_gains(pilots);
    const int n = array.num_elements();
    const int dimension = n - num_sources;
    const int count = count_directions(pilots);
    // The smallest eigenvalue that noise makes of zero.
    const double floor = snapshots > 0 ? dimension * count / fit.norm : fit.values(0);
    if (!(fit.values(1) - fit.values(0) > std::max(least_gap * floor, rounding))) {
        result.status = status::not_identifiable;
        return result;
    }
    result.calibration = calibration_with(array, fit.gains);
    result.residual = std::max(fit.values(0), 0.0);
    result.status = status::ok;
    if (snapshots == 0) {
        return result;
    }
    Eigen::MatrixXcd covariance = error_covariance(pilots, fit);
    const double freedom = 2.0 * dimension * count - 2.0 * (n - 1);
    const double misfit = 2.0 * result.residual * fit.norm;
    if (freedom > 0.0 && misfit > freedom + largest_surplus * std::sqrt(2.0 * freedom)) {
        result.status = status::model_mismatch;
        covariance *= misfit / freedom;
    }
    set_deviations(fit.gains, 0.5 * real_form(covariance), result.calibration);
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
