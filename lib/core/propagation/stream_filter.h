/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FILTER_H
#define INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FILTER_H

#include "stream_fft.h"
#include "stream_kernel.h"
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <Eigen/Dense>
#include <complex>
#include <cstddef>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What is known before a block is estimated: E|bin|^2 of noise (times gamma) and sources.
struct stream_prior {
    std::vector<double> noise;  //!< q, F
    std::vector<double> source; //!< S, F of each of K sources, one after the other
};

//! What of propagator_ls_config may change on a running stream.
struct stream_settings {
    ls_mode mode;
    double mu;
    double ridge;
};

/*!
 * \brief The least squares of one set of propagators in the bins of a block.
 *
 * Inside, each P_k is divided by c_k(f) = max_i |P_ki(f)|, which keeps single precision in
 * range whatever a line amplifies, and spectra without slopes that smoothing would bend:
 * "scaled" sources are c_k s_k, as the sensor has them that hears them best.
 *
 * Spectra are pairs (re, im), stride() floats from channel to channel and from source to
 * source. After the constructor, nothing is allocated.
 */
class stream_filter
{
public:
    /*!
     * \param response P at the bins, F x N of each source
     * \param noise_shape noise of each sensor relative to q, F x N, > 0; empty: 1
     */
    stream_filter(const std::vector<Eigen::MatrixXcd>& response,
                  const Eigen::MatrixXd& noise_shape);

    int num_bins() const { return d_num_bins; }
    int num_sensors() const { return d_num_sensors; }
    int num_sources() const { return d_num_sources; }
    std::ptrdiff_t stride() const { return d_stride; }

    //! Uses these sensors, with noise of gamma, N, relative to each other.
    void weigh(const std::vector<int>& sensors, const Eigen::VectorXd& gamma);

    //! b = P^H R^-1 d of a block, from which all else is made.
    void match(const float* spectra);
    //! z, scaled: what explains the data best. Where sources look alike to the sensors, it
    //! is as small as can be.
    void solve_least_squares();
    const float* least_squares() const { return d_least_squares.data(); }
    //! Of several sources: the same as if source m were the only one, to bins, stride floats.
    void solve_alone(int source, float* bins) const;
    //! Estimates of the sources, scaled, times \p factor, F; K x stride floats.
    void estimate(const stream_prior& prior,
                  const stream_settings& settings,
                  const std::vector<double>& factor,
                  float* sources);
    //! Of several sources: share of each that the last estimate kept, F of each.
    const std::vector<double>& kept() const { return d_kept; }

    //! |d - P z|^2 under the square of a Hann window, real and imaginary parts apart, added
    //! to total; and by sensor, times share (twice for each bin; null: not), added to power.
    //! Bins within two of the ends are wrong.
    void residual(const float* spectra,
                  const float* share,
                  float* total,
                  std::vector<double>& power) const;
    //! d - P z of one sensor and bin.
    std::complex<float> residual(const float* spectra, int sensor, int bin) const;

    //! What estimated sources become at one sensor, stride floats.
    void respond(const float* sources, int sensor, float* bins) const;
    //! An estimated source as it is, not scaled.
    void unscale(const float* sources, int source, float* bins) const;

    //! Whether the first sensor's P is 1 for the only source.
    bool is_source_at_first() const { return d_is_source_at_first; }
    //! c_k^2, F of each source.
    const std::vector<double>& scale_power() const { return d_scale_power; }
    //! Noise in z^2, over q, where sources are scaled: diagonal of (P^H R^-1 P)^-1.
    const std::vector<float>& noise_gain() const { return d_noise_gain; }
    //! The same if each source were the only one, 1 / (P_k^H R^-1 P_k); of one source, only
    //! noise_gain() has it.
    const std::vector<float>& alone_gain() const { return d_alone_gain; }
    //! Sensors less what the sources take up, F.
    const std::vector<double>& degrees_of_freedom() const { return d_degrees_of_freedom; }
    //! sum over bins of the noise of each sensor in use that z leaves in the residual, over
    //! its own; in the order of weigh(). share as in residual(): bins where it is 0 do not
    //! count.
    void left_noise(const float* share, std::vector<double>& left);

    const std::vector<int>& sensors() const { return d_sensors; }

private:
    using complex = std::complex<double>;

    std::complex<float> response(int source, int sensor, int bin) const;
    void refresh_one_source();
    void refresh_many_sources();
    void estimate_one(const stream_prior& prior,
                      const stream_settings& settings,
                      const std::vector<double>& factor,
                      float* sources);
    void estimate_many(const stream_prior& prior,
                       const stream_settings& settings,
                       const std::vector<double>& factor,
                       float* sources);

    int d_num_bins;
    int d_num_sensors;
    int d_num_sources;
    std::ptrdiff_t d_stride;
    const stream_kernel* d_kernel;

    aligned_floats d_response; // K x N x stride
    aligned_floats d_matched;  // the same over the noise's shape, where that is given
    bool d_has_noise_shape;
    bool d_is_source_at_first;
    std::vector<float> d_power; // Re P* P / shape, K x N x F
    std::vector<double> d_scale_power;
    aligned_floats d_inverse_scale; // 1 / c, twice each, K x stride

    std::vector<int> d_sensors;
    std::vector<float> d_weights;
    std::vector<double> d_gain;     // one source: g, F
    std::vector<complex> d_gram;    // several: P^H R^-1 P, F x K x K
    std::vector<complex> d_inverse; // of it, a little loaded
    std::vector<float> d_noise_gain;
    std::vector<float> d_alone_gain; // several
    std::vector<double> d_degrees_of_freedom;
    std::vector<double> d_kept;
    std::vector<float> d_work_gain;
    std::vector<complex> d_work; // 2 K^2 + 2 K

    aligned_floats d_inverse_gain; // 1 / g, twice each
    aligned_floats d_factor;       // from b to the estimate, twice each
    aligned_floats d_match;        // b, K x stride
    aligned_floats d_least_squares;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_STREAM_FILTER_H */
