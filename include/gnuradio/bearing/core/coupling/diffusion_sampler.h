/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_DIFFUSION_SAMPLER_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_DIFFUSION_SAMPLER_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <Eigen/Dense>
#include <cstdint>
#include <functional>

namespace gr {
namespace bearing {
namespace core {

//! eps(x, abar) of each column of x: a noise_network, or a closed form.
using noise_predictor =
    std::function<Eigen::MatrixXd(const Eigen::MatrixXd& x, double alpha_bar)>;
//! Moves the estimates of x_0 (columns) towards what was measured; abar is that of the step.
using guidance =
    std::function<Eigen::MatrixXd(const Eigen::MatrixXd& estimate, double alpha_bar)>;

//! kappa = r^2 / (r^2 + sigma^2) with r^2 = 1 - abar: how far a measurement with noise of
//! variance sigma^2 per real dimension pulls.
BEARING_API double guidance_gain(double alpha_bar, double variance);

/*!
 * \brief Deterministic sampling (DDIM) with guidance, from noise to x_0.
 *
 * At each of \p count steps t, from T-1 down to 0:
 *
 *     x0 = (x - sqrt(1 - abar_t) eps(x, t)) / sqrt(abar_t),  x0 <- guide(x0)
 *     e  = (x - sqrt(abar_t) x0) / sqrt(1 - abar_t)
 *     x  = sqrt(abar_t') x0 + sqrt(1 - abar_t') e,  t' the next step
 *
 * and the last guided x0 is the result.
 *
 * Reference: J. Song, C. Meng, S. Ermon, "Denoising diffusion implicit models", 2021.
 *
 * \param guide may be empty: no measurement
 * \param start x_T, one sample a column; standard_normal() for a fresh one
 */
BEARING_API Eigen::MatrixXd ddim_sample(const noise_schedule& schedule,
                                        const noise_predictor& predictor,
                                        const guidance& guide,
                                        Eigen::MatrixXd start,
                                        int count);

/*!
 * \brief The same from the stochastic equation by Euler and Maruyama, all T steps: going
 * from t to t - 1,
 *
 *     x += (beta x / 2 + beta s + beta k) + sqrt(beta) e,  s = -eps / sqrt(1 - abar)
 *
 * with k the score of the measurement, (y - x0) sqrt(abar) / (variance + r^2) where
 * r^2 = 1 - abar, and fresh e; none in the last step, which arrives where there is no noise.
 *
 * \param measurement y, like \p start
 * \param variance of its noise, per real dimension; infinite: no measurement
 */
BEARING_API Eigen::MatrixXd euler_maruyama_sample(const noise_schedule& schedule,
                                                  const noise_predictor& predictor,
                                                  const Eigen::MatrixXd& measurement,
                                                  double variance,
                                                  Eigen::MatrixXd start,
                                                  std::uint64_t seed);

/*!
 * \brief E[x_0 | y] of y = x_0 + noise by one call of the network: at the t whose
 * abar = 1 / (1 + variance), on sqrt(abar) y; at the nearest end of the schedule when that
 * lies beyond it.
 */
BEARING_API Eigen::MatrixXd posterior_mean(const noise_schedule& schedule,
                                           const noise_predictor& predictor,
                                           const Eigen::MatrixXd& measurement,
                                           double variance);

//! Independent Gaussian values of variance 1; same seed, same values.
BEARING_API Eigen::MatrixXd
standard_normal(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_DIFFUSION_SAMPLER_H */
