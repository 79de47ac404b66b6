/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "sensor_levels.h"
#include "source_spectra.h"
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Noise below this share of the mean power is rounding; it keeps the weights finite.
constexpr double least_noise = 1e-30;
// Responses below this are none: their reciprocals' squares would overflow.
constexpr double least_response = 1e-100;
// Columns of the responses that are this near to dependent count as one.
constexpr double same_response = 1e-7;

// Noise of the sensors relative to each other settles geometrically; a thousandth of its
// logarithm is a tenth of its standard deviation in records of 10^4 samples.
constexpr int most_level_rounds = 30;
constexpr double settled_levels = 1e-3;
// So does the spectrum of several sources.
constexpr int most_source_rounds = 100;
constexpr double settled_source = 1e-4;
// Least mu with several sources, relative to the largest eigenvalue that it is added to.
constexpr double least_mu = 1e-10;

// Deviations above the mean, and exponents of Chernoff's bound on an average, that noise
// does not reach in 10^5 bins but with a chance of 1e-6 and 1e-4.
constexpr double surely_above = 5.0;
constexpr double surely_peak = 20.0;

using matrices = std::vector<Eigen::MatrixXcd>;

// Least squares with weights at every bin.
struct least_squares {
    Eigen::MatrixXcd source;  // z, F x K
    Eigen::MatrixXd residual; // |d - P z|^2, F x N
    Eigen::MatrixXd leverage; // F x N
    Eigen::VectorXd rank;     // of P, F
};

// g = P^H R^-1 P of one source, F.
Eigen::VectorXd array_gain(const Eigen::MatrixXcd& response, const Eigen::MatrixXd& noise)
{
    return (response.array().abs2() / noise.array()).rowwise().sum();
}

// P^H R^-1 d, F.
Eigen::VectorXcd beam(const Eigen::MatrixXcd& response,
                      const Eigen::MatrixXcd& data,
                      const Eigen::MatrixXd& noise)
{
    return (response.array().conjugate() * data.array() / noise.array()).rowwise().sum();
}

least_squares one_source_fit(const Eigen::MatrixXcd& data,
                             const Eigen::MatrixXcd& response,
                             const Eigen::MatrixXd& noise)
{
    const Eigen::VectorXd gain = array_gain(response, noise);
    least_squares fit;
    fit.source = beam(response, data, noise);
    fit.rank = (gain.array() > 0.0).cast<double>();
    for (Eigen::Index k = 0; k < gain.size(); ++k) {
        fit.source(k) = gain(k) > 0.0 ? fit.source(k) / gain(k) : 0.0;
    }
    fit.leverage = response.array().abs2() / noise.array();
    fit.leverage.array().colwise() /= (gain.array() > 0.0).select(gain.array(), 1.0);
    fit.residual = (data - fit.source.col(0).asDiagonal() * response).cwiseAbs2();
    return fit;
}

least_squares joint_fit(const Eigen::MatrixXcd& data,
                        const matrices& responses,
                        const Eigen::MatrixXd& noise)
{
    const Eigen::Index num_bins = data.rows();
    const Eigen::Index num_sensors = data.cols();
    const auto num_sources = static_cast<Eigen::Index>(responses.size());
    least_squares fit{ Eigen::MatrixXcd(num_bins, num_sources),
                       Eigen::MatrixXd(num_bins, num_sensors),
                       Eigen::MatrixXd(num_bins, num_sensors),
                       Eigen::VectorXd(num_bins) };
    Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXcd> solver(num_sensors,
                                                                    num_sources);
    solver.setThreshold(same_response);
    Eigen::MatrixXcd whitened(num_sensors, num_sources);
    Eigen::MatrixXcd basis(num_sensors, num_sources);
    for (Eigen::Index f = 0; f < num_bins; ++f) {
        const Eigen::VectorXd deviation = noise.row(f).cwiseSqrt();
        for (Eigen::Index k = 0; k < num_sources; ++k) {
            whitened.col(k) = responses[k].row(f).transpose().cwiseQuotient(
                deviation.cast<std::complex<double>>());
        }
        const Eigen::VectorXcd observed =
            data.row(f).transpose().cwiseQuotient(deviation.cast<std::complex<double>>());
        solver.compute(whitened);
        const Eigen::Index rank = solver.rank();
        basis.setIdentity();
        basis.applyOnTheLeft(solver.householderQ());
        fit.source.row(f) = solver.solve(observed).transpose();
        fit.rank(f) = static_cast<double>(rank);
        fit.leverage.row(f) = basis.leftCols(rank).rowwise().squaredNorm().transpose();
        const Eigen::VectorXcd left =
            observed -
            basis.leftCols(rank) * (basis.leftCols(rank).adjoint() * observed).eval();
        fit.residual.row(f) = left.cwiseProduct(deviation.cast<std::complex<double>>())
                                  .cwiseAbs2()
                                  .transpose();
    }
    return fit;
}

least_squares fit_least_squares(const Eigen::MatrixXcd& data,
                                const matrices& responses,
                                const Eigen::MatrixXd& noise)
{
    return responses.size() == 1 ? one_source_fit(data, responses.front(), noise)
                                 : joint_fit(data, responses, noise);
}

class spectral_estimator
{
public:
    spectral_estimator(const sensor_spectra& spectra,
                       const propagator_ls_config& config,
                       double bin_power)
        : d_spectra(spectra),
          d_config(config),
          d_bin_power(bin_power),
          d_responses(spectra.responses),
          d_size(spectra.data.rows(), static_cast<Eigen::Index>(spectra.responses.size()))
    {
        // Sources as they are at the sensor that hears them best: their spectra have no
        // slopes there that smoothing would bend.
        for (Eigen::Index k = 0; k < d_size.cols(); ++k) {
            d_size.col(k) = d_responses[k].cwiseAbs().rowwise().maxCoeff();
            for (Eigen::Index f = 0; f < d_size.rows(); ++f) {
                if (d_size(f, k) > least_response) {
                    d_responses[k].row(f) /= d_size(f, k);
                } else {
                    d_responses[k].row(f).setZero();
                    d_size(f, k) = 0.0;
                }
            }
        }
    }

    source_spectra run()
    {
        source_spectra result;
        estimate_noise();
        d_fit = fit_least_squares(d_spectra.data, d_responses, d_noise);
        set_beams();
        result.has_signal = has_signal();
        estimate_source_power();
        result.source = estimate();
        result.source_power = d_power;
        for (Eigen::Index k = 0; k < d_size.cols(); ++k) {
            for (Eigen::Index f = 0; f < d_size.rows(); ++f) {
                const double size = d_size(f, k);
                result.source(f, k) = size > 0.0 ? result.source(f, k) / size : 0.0;
                result.source_power(f, k) =
                    size > 0.0 ? result.source_power(f, k) / (size * size) : 0.0;
            }
        }
        result.noise_power = std::move(d_noise);
        return result;
    }

private:
    Eigen::VectorXd smooth(const Eigen::VectorXd& power, smoothing_width width) const
    {
        return smooth_spectrum(power, width, d_spectra.sides, d_spectra.num_samples);
    }

    void estimate_noise()
    {
        const Eigen::MatrixXcd& data = d_spectra.data;
        const Eigen::Index num_sensors = data.cols();
        const Eigen::MatrixXd& given = d_config.noise_psd;
        const bool per_sensor = d_config.noise == sensor_noise::per_sensor;
        if (given.cols() == num_sensors && (num_sensors > 1 || !per_sensor)) {
            d_noise = d_bin_power * given;
        } else {
            Eigen::VectorXd gamma = Eigen::VectorXd::Ones(num_sensors);
            Eigen::VectorXd q;
            if (given.size() > 0) {
                q = d_bin_power * given;
            }
            bool is_settled = given.size() > 0 && !per_sensor;
            for (int round = 0; !is_settled && round < most_level_rounds; ++round) {
                const least_squares fit = fit_least_squares(
                    data, d_responses, gamma.transpose().replicate(data.rows(), 1));
                if (given.size() == 0) {
                    const Eigen::VectorXd freedom =
                        static_cast<double>(num_sensors) - fit.rank.array();
                    q = smooth(
                        (fit.residual * gamma.cwiseInverse()).cwiseQuotient(freedom),
                        noise_smoothing);
                }
                is_settled = true;
                if (per_sensor) {
                    const Eigen::VectorXd next =
                        sensor_levels(fit.residual, q, fit.leverage);
                    is_settled =
                        (next.cwiseQuotient(gamma).array().log().abs() < settled_levels)
                            .all();
                    gamma = next;
                }
            }
            d_noise = q * gamma.transpose();
        }
        const double mean = data.cwiseAbs2().mean();
        d_noise = d_noise.cwiseMax(least_noise * mean);
    }

    void set_beams()
    {
        const Eigen::Index num_sources = d_size.cols();
        d_beam.resize(d_size.rows(), num_sources);
        d_gain.resize(d_size.rows(), num_sources);
        for (Eigen::Index k = 0; k < num_sources; ++k) {
            d_beam.col(k) = beam(d_responses[k], d_spectra.data, d_noise);
            d_gain.col(k) = array_gain(d_responses[k], d_noise);
        }
    }

    // Of noise alone, |P^H R^-1 d|^2 / g is exponentially distributed with mean 1.
    bool has_signal() const
    {
        const auto num_bins = static_cast<double>(d_size.rows());
        const auto freedom = static_cast<double>(d_spectra.data.cols() - d_size.cols());
        const double deviation =
            std::sqrt(num_bins * (1.0 + 1.0 / std::max(freedom, 1.0)));
        constexpr smoothing_width narrow{ 0.0, source_smoothing.narrowest };
        const double width = 2 * (narrow.narrowest / 2) + 1;
        for (Eigen::Index k = 0; k < d_size.cols(); ++k) {
            Eigen::VectorXd excess = d_beam.col(k).cwiseAbs2();
            for (Eigen::Index f = 0; f < excess.size(); ++f) {
                excess(f) = d_gain(f, k) > 0.0 ? excess(f) / d_gain(f, k) - 1.0 : 0.0;
            }
            if (excess.sum() > surely_above * deviation) {
                return true;
            }
            const double peak = smooth(excess, narrow).maxCoeff();
            if (peak > 0.0 && width * (peak - std::log1p(peak)) > surely_peak) {
                return true;
            }
        }
        return false;
    }

    void estimate_source_power()
    {
        if (d_config.source_psd.size() > 0) {
            d_power = d_bin_power * d_config.source_psd.cwiseProduct(d_size.cwiseAbs2());
        } else if (d_size.cols() == 1) {
            // The power of the least-squares estimate less that of its noise: smoothed
            // first, then clipped, else what is clipped is a bias.
            const Eigen::VectorXd error = d_gain.unaryExpr(
                [](double gain) { return gain > 0.0 ? 1.0 / gain : 0.0; });
            d_power =
                smooth(d_fit.source.cwiseAbs2() - error, source_smoothing).cwiseMax(0.0);
        } else {
            iterate_source_power();
        }
    }

    // Fixed point of the evidence: S_k is the power of the estimate over the share of it
    // that the data, and not the prior, has determined (D. J. C. MacKay, "Bayesian
    // interpolation", 1992). The estimate of one source does not work here: where sources
    // look alike, the noise of least squares exceeds all.
    void iterate_source_power()
    {
        const Eigen::Index num_sources = d_size.cols();
        d_power.resize(d_size.rows(), num_sources);
        for (Eigen::Index k = 0; k < num_sources; ++k) {
            Eigen::VectorXd alone = d_beam.col(k).cwiseAbs2();
            for (Eigen::Index f = 0; f < alone.size(); ++f) {
                const double gain = d_gain(f, k);
                alone(f) = gain > 0.0 ? alone(f) / (gain * gain) : 0.0;
            }
            d_power.col(k) = smooth(alone, source_smoothing).cwiseMax(0.0);
        }
        Eigen::MatrixXd determined(d_size.rows(), num_sources);
        for (int round = 0; round < most_source_rounds; ++round) {
            const Eigen::MatrixXcd source = joint_estimate(1.0, &determined);
            double change = 0.0;
            for (Eigen::Index k = 0; k < num_sources; ++k) {
                const Eigen::ArrayXd power =
                    smooth(source.col(k).cwiseAbs2(), source_smoothing);
                const Eigen::ArrayXd share = smooth(determined.col(k), source_smoothing);
                const Eigen::VectorXd next =
                    (share > 0.0).select((power / share).max(0.0), 0.0);
                const double sum = next.sum();
                if (sum > 0.0) {
                    change =
                        std::max(change, (next - d_power.col(k)).cwiseAbs().sum() / sum);
                }
                d_power.col(k) = next;
            }
            if (change < settled_source) {
                break;
            }
        }
    }

    // D (D G D + mu I)^-1 D P^H R^-1 d with D = diag(sqrt(S)): eigenvalues of at least mu
    // whatever S and P are. \p determined: diagonal of (D G D + mu I)^-1 D G D.
    Eigen::MatrixXcd joint_estimate(double mu, Eigen::MatrixXd* determined) const
    {
        const Eigen::Index num_sources = d_size.cols();
        Eigen::MatrixXcd result(d_size.rows(), num_sources);
        Eigen::MatrixXcd whitened(d_spectra.data.cols(), num_sources);
        Eigen::MatrixXcd gram(num_sources, num_sources);
        Eigen::LLT<Eigen::MatrixXcd> solver(num_sources);
        for (Eigen::Index f = 0; f < d_size.rows(); ++f) {
            const Eigen::VectorXd amplitude = d_power.row(f).cwiseSqrt();
            for (Eigen::Index k = 0; k < num_sources; ++k) {
                whitened.col(k) = amplitude(k) *
                                  d_responses[k].row(f).transpose().array() /
                                  d_noise.row(f).transpose().array().sqrt();
            }
            gram.noalias() = whitened.adjoint() * whitened;
            const double least = least_mu * gram.diagonal().real().sum();
            Eigen::MatrixXcd sum = gram;
            // All of it is zero only where S is: there 1 will do.
            const double added = std::max(mu, least);
            sum.diagonal().array() += added > 0.0 ? added : 1.0;
            solver.compute(sum);
            const Eigen::VectorXcd weighted = d_beam.row(f).transpose().cwiseProduct(
                amplitude.cast<std::complex<double>>());
            result.row(f) = solver.solve(weighted)
                                .cwiseProduct(amplitude.cast<std::complex<double>>())
                                .transpose();
            if (determined) {
                determined->row(f) = solver.solve(gram).diagonal().real().transpose();
            }
        }
        return result;
    }

    Eigen::MatrixXcd estimate()
    {
        if (d_config.mode == ls_mode::ls ||
            (d_config.mode == ls_mode::ridge && *d_config.ridge == 0.0)) {
            return d_fit.source;
        }
        double mu = d_config.mu;
        const Eigen::MatrixXd power = d_power;
        if (d_config.mode == ls_mode::ridge) {
            // A ridge is a prior too: the spectrum of the noise, divided by it.
            mu = 1.0;
            const Eigen::VectorXd noise =
                d_noise.array().log().rowwise().mean().exp() / *d_config.ridge;
            d_power = noise.asDiagonal() * d_size.cwiseAbs2();
        }
        Eigen::MatrixXcd result;
        if (d_size.cols() == 1) {
            result = d_fit.source;
            for (Eigen::Index f = 0; f < result.rows(); ++f) {
                const double prior = d_power(f) * d_gain(f);
                result(f) *= prior > 0.0 ? prior / (prior + mu) : 0.0;
            }
        } else {
            result = joint_estimate(mu, nullptr);
        }
        d_power = power;
        return result;
    }

    const sensor_spectra& d_spectra;
    const propagator_ls_config& d_config;
    const double d_bin_power;
    matrices d_responses;   // at most 1 at each bin
    Eigen::MatrixXd d_size; // what they were divided by, F x K

    Eigen::MatrixXd d_noise; // R, F x N
    least_squares d_fit;
    Eigen::MatrixXcd d_beam; // P^H R^-1 d, F x K
    Eigen::MatrixXd d_gain;  // P^H R^-1 P of each source alone, F x K
    Eigen::MatrixXd d_power; // S, F x K
};

} // namespace

source_spectra estimate_spectra(const sensor_spectra& spectra,
                                const propagator_ls_config& config,
                                double bin_power)
{
    return spectral_estimator(spectra, config, bin_power).run();
}

} // namespace core
} // namespace bearing
} // namespace gr
