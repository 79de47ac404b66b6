/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_LS_H
#define INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_LS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <Eigen/Dense>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! How s0 is estimated from d = P s0 + n.
enum class ls_mode {
    ls,    //!< weighted least squares: leaks noise where the array has no redundancy
    ridge, //!< the same with a constant added to P^H P
    wiener //!< with the source's spectrum as the prior: minimum mean square error
};
//! \throws std::invalid_argument naming mode and the allowed "ls", "ridge", "wiener"
BEARING_API ls_mode ls_mode_from_string(const std::string& name);

//! What is known of the sensors' noise.
enum class sensor_noise {
    common,    //!< all sensors have the same
    per_sensor //!< one shape over frequency, and a power of its own for each sensor
};
//! \throws std::invalid_argument naming noise and the allowed "common", "per_sensor"
BEARING_API sensor_noise sensor_noise_from_string(const std::string& name);

//! What an estimator of signals along a propagator does.
struct propagator_ls_config {
    ls_mode mode = ls_mode::wiener;
    sensor_noise noise = sensor_noise::common;
    //! of Wiener: 1 is minimum mean square error, 2 or 4 leak less and lose some signal
    double mu = 1.0;
    //! of ridge, relative to P^H P of one sensor with gain 1; mode ridge needs it
    std::optional<double> ridge;
    //! S, F x K, and noise, F x 1 or F x N; one row holds at all bins; empty: estimated.
    //! Two-sided power densities, unit^2 / Hz: white noise of variance v has v /
    //! sample_rate.
    Eigen::MatrixXd source_psd;
    Eigen::MatrixXd noise_psd;
    //! of complex data, Hz; 0: the propagator's own, where it has one
    double center_frequency = 0.0;
};

//! What a record holds; Scalar is double or std::complex<double>.
template <class Scalar>
struct propagator_ls_result {
    using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
    //! sum_k P_k s0_k at each sensor, T x N
    matrix signal;
    //! s0, T x K
    matrix source;
    //! of the bins, Hz, F: T/2 + 1 of real data; T of complex, in the order of the DFT
    Eigen::VectorXd frequency;
    //! two-sided power densities as in the config, F x N and F x K; the noise of sensors that
    //! were left out is 0
    Eigen::MatrixXd noise_psd;
    Eigen::MatrixXd source_psd;
    //! ok; bad_data: sensors that are dead or have NaN or Inf were left out, their signal
    //! comes from the others; no_source: no signal was found, or all is zero;
    //! not_identifiable: fewer good sensors than sources (than sources and one, where noise is
    //! estimated), all values are 0. All values are finite always.
    core::status status = core::status::bad_data;
};

/*!
 * \brief Signals that propagate along N sensors, out of noise: d(f) = sum_k P_k(f) s0_k(f) +
 * n(f), for a whole record.
 *
 * With R = q diag(gamma), g = P^H R^-1 P, z = P^H R^-1 d / g and e = 1 / g the estimate is
 * s0 = w z, w = S / (S + mu e): the Wiener filter behind least squares. Noise q and prior
 * S come from the record itself, smoothed over frequency. K sources are estimated jointly.
 *
 * \param data d, T x N, time first; taken to be periodic, so that nearer to its ends than the
 * longest travel time estimates are wrong
 * \param sample_rate Hz
 * \param propagators one for each of K sources, N sensors each
 * \throws std::invalid_argument naming the parameter: sizes that disagree, T < 2, no
 * propagator, fewer sensors than sources (estimating noise takes one more), a sample rate
 * that is not positive, tables that do not cover the band, mu or ridge < 0, mode ridge
 * without ridge, densities that are negative or not finite
 *
 * FFTW plans are made: not from two threads at once.
 */
BEARING_API propagator_ls_result<double>
propagator_ls(const Eigen::MatrixXd& data,
              double sample_rate,
              const std::vector<propagator>& propagators,
              const propagator_ls_config& config = {});
BEARING_API propagator_ls_result<std::complex<double>>
propagator_ls(const Eigen::MatrixXcd& data,
              double sample_rate,
              const std::vector<propagator>& propagators,
              const propagator_ls_config& config = {});

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_LS_H */
