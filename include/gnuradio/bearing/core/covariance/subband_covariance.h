/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SUBBAND_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SUBBAND_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <memory>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! How a band is cut into sub-bands.
struct subband_config {
    //! M, 3 .. 1024
    int num_subbands = 16;
    //! the share of the sample rate that they fill at most, about its centre, in (0, 1];
    //! what is outside, where receivers' filters fall off, is left out. Best no more than
    //! the signal fills: sub-bands at its edge or beyond tell nothing
    double bandwidth = 0.8;
};

//! F = 2 ceil(M / (2 bandwidth)): samples in a frame; sub-bands are sample_rate / F apart.
//! \throws std::invalid_argument naming num_subbands or bandwidth; also for F > 65536
BEARING_API int subband_frame_length(const subband_config& config);

/*!
 * \brief Centres of the sub-bands in Hz, relative to the centre of the band, M, ascending:
 * (m - (M - 1) / 2) sample_rate / F.
 *
 * They lie evenly about the centre. With an even M none is on it, where a receiver that
 * mixes straight down has its own oscillator.
 *
 * \param sample_rate Hz, > 0
 * \throws std::invalid_argument naming the parameter
 */
BEARING_API Eigen::VectorXd subband_frequencies(const subband_config& config,
                                                double sample_rate);

/*!
 * \brief Independent snapshots that so many overlapped frames amount to.
 *
 * Q / (1 + 2 (1 - 1/Q) / 36): neighbouring frames share half of their samples, under a Hann
 * window a sixth of their energy. Source: P. D. Welch, "The use of fast Fourier transform
 * for the estimation of power spectra", IEEE Trans. Audio Electroacoust. 15(2), 1967.
 */
BEARING_API double subband_snapshots(std::size_t num_frames);

/*!
 * \brief How far the errors of two sub-bands' covariances are correlated, in [0, 1].
 *
 * Of R_m and R_(m + distance), for many frames of any white process: the Hann window's
 * main lobe covers its neighbours. 1, 0.459, 0.039, 0.001, and 0 from a distance of 4 on.
 * The correlation of two bins is sum_n w(n) w(n + j F/2) exp(j 2 pi n distance / F) over
 * sum_n w(n)^2, and that of products of Gaussian variables is its square, summed over frame
 * shifts j (same source as subband_snapshots()).
 */
BEARING_API double subband_correlation(int distance);

/*!
 * \brief Covariances of N channels in M sub-bands, for bands too wide for one covariance.
 *
 *     R_m = 1 / (F Q) sum_q X_m(q) X_m(q)^H,  X_m(q) the sub-band's bin of frame q
 *
 * Frames of F samples, half overlapped, under a Hann window of unit energy; in the square
 * of the samples' unit. R_m is the power inside sub-band m: those of all F sub-bands would
 * add up to the covariance of the whole band. Frames start at the first sample after
 * construction or reset().
 *
 * Guarantees
 * - Each R_m is Hermitian to the bit; no frames give R_m = 0.
 * - How the samples are split into calls does not change a bit of the frames, and R_m by
 *   no more than covariance_accumulator says.
 * - NaN and infinite samples make the rows and columns of their own channel NaN or
 *   infinite, in all sub-bands, and no others.
 * - update() neither allocates nor throws. One object belongs to one thread at a time;
 *   construction plans a transform, which FFTW allows one thread at a time.
 *
 * Source: the periodogram average of P. D. Welch 1967, of cross-spectra.
 */
class BEARING_API subband_accumulator
{
public:
    /*!
     * \param num_elements N, 1 .. 64
     * \throws std::invalid_argument naming the parameter
     */
    subband_accumulator(int num_elements, const subband_config& config);
    ~subband_accumulator();
    subband_accumulator(const subband_accumulator&) = delete;
    subband_accumulator& operator=(const subband_accumulator&) = delete;

    int num_elements() const { return d_num_elements; }
    int num_subbands() const { return d_config.num_subbands; }
    //! F; a new frame starts every F / 2 samples
    int frame_length() const { return d_frame_length; }

    //! Adds \p num_samples samples from each of the N \p channels.
    void update(const std::complex<float>* const* channels, std::size_t num_samples);

    //! Samples of each channel since construction or reset()
    std::size_t num_samples() const { return d_num_samples; }
    //! Q: whole frames in them
    std::size_t num_frames() const;

    //! Forgets all samples.
    void reset();

    /*!
     * \brief Writes R_0 .. R_(M-1), lowest frequency first, without allocating.
     * \param out room for M*N*N values, each R_m column-major
     */
    void covariance(std::complex<float>* out);
    //! The same in double, side by side, N x N M.
    Eigen::MatrixXcd covariance();

private:
    struct plan;
    struct release {
        void operator()(std::complex<float>* values) const;
    };
    using aligned_values = std::unique_ptr<std::complex<float>[], release>;
    static aligned_values zeros(std::size_t size);

    void take_frame();
    void transform();

    const int d_num_elements;
    const subband_config d_config;
    const int d_frame_length;
    std::size_t d_num_samples = 0;

    aligned_values d_window;  // F
    aligned_values d_samples; // the frame that is being filled, N x F
    int d_num_filled = 0;
    aligned_values d_frames; // waiting for their transform, N x batch x F
    int d_num_waiting = 0;
    aligned_values d_bins; // of one channel each, N x F x batch
    std::unique_ptr<plan> d_plan;
    std::vector<covariance_accumulator> d_accumulators; // one a sub-band
    std::vector<const std::complex<float>*> d_channels;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SUBBAND_COVARIANCE_H */
