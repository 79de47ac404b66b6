/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_ACCUMULATOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_ACCUMULATOR_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

struct covariance_kernel;

/*!
 * \brief Sample covariance R = (1/T) sum_t x(t) x(t)^H of N channels that lie in separate
 * buffers, summed over any number of calls.
 *
 * R_ij = (1/T) sum_t x_i(t) conj(x_j(t)), in the square of the samples' unit; the mean is
 * not removed. With the steering vector a(u) = exp(+j 2 pi p.u / lambda) a single source
 * of power P gives R = P a a^H.
 *
 * Guarantees
 * - R is Hermitian to the bit: R_ji is std::conj(R_ij) and the diagonal's imaginary part
 *   is +0. Zero snapshots give R = 0.
 * - Products and sums are float within blocks of at most 4096 samples and double across
 *   blocks. At 65536 snapshots |error of R_ij| <= 3e-6 sqrt(R_ii R_jj), for noise and for
 *   a constant alike, and for noise the Frobenius norm of the error is <= 5e-8 of that
 *   of R. Longer sums are not worse.
 * - How the snapshots are split into calls changes R by float rounding only, less than
 *   1e-6 sqrt(R_ii R_jj).
 * - NaN and infinite samples are data: the rows and columns of their own channels come
 *   out as NaN or infinite and no others do. So do those of samples whose products leave
 *   the range of float (magnitudes near 1e16 and above, in blocks of 4096).
 * - update() neither allocates nor throws. One object belongs to one thread at a time.
 *
 * Cost: N^2 vector multiply-adds per vector of samples, fewer for small N with AVX-512.
 * The vector instructions are chosen once per process, see covariance_kernel_name().
 *
 * Method: periodic double accumulation of float blocks (N. J. Higham, Accuracy and
 * Stability of Numerical Algorithms, 2nd ed., section 4.3: blocked summation).
 */
class BEARING_API covariance_accumulator
{
public:
    /*!
     * \param num_elements number of channels N, 1..64; else std::invalid_argument.
     */
    explicit covariance_accumulator(int num_elements);

    /*!
     * \brief For tests and benchmarks: the accumulator with a given kernel variant.
     *
     * \param num_elements number of channels N, 1..64; else std::invalid_argument.
     * \param kernel_name "generic", "avx2" or "avx512"; std::invalid_argument for another
     * name or a variant that this processor cannot run.
     */
    covariance_accumulator(int num_elements, const std::string& kernel_name);

    /*!
     * \brief Adds snapshots.
     *
     * \param channels N pointers, one per channel, each at num_snapshots samples. Buffers
     * that are aligned to 64 bytes, or all equally far from it, are the fastest.
     * \param num_snapshots samples to take from each channel, zero or more.
     */
    void update(const std::complex<float>* const* channels, std::size_t num_snapshots);

    /*! Snapshots since construction or reset(): T. */
    std::size_t num_snapshots() const { return d_num_snapshots; }

    /*! Number of channels: N. */
    int num_elements() const { return d_num_elements; }

    /*! Forgets all snapshots. */
    void reset();

    /*!
     * \brief Writes R, rounded once to float, without allocating.
     * \param out room for N*N values; R_ij goes to out[i + j*N] (column-major).
     */
    void covariance(std::complex<float>* out) const;

    /*! R in double, N x N. */
    Eigen::MatrixXcd covariance() const;

    /*!
     * \brief T R without its lower triangle, to be added to others: 2 N*N doubles, re and
     * im of (i, j), i <= j, at 2 (i + j*N). What is below the diagonal is 0.
     */
    const std::vector<double>& upper_sum() const { return d_sum; }

private:
    double divisor() const;

    int d_num_elements;
    const covariance_kernel* d_kernel;
    std::size_t d_num_snapshots;
    // Upper triangle, column-major, interleaved re and im.
    std::vector<double> d_sum;
};

/*!
 * \brief Name of the kernel variant that covariance_accumulator uses: "generic" (128-bit
 * vectors: SSE2 or NEON), "avx2" or "avx512".
 *
 * It is the best one for this processor unless the environment variable GR_BEARING_KERNEL
 * names another at its first use in the process. A name that is unknown, or that this
 * processor cannot run, is ignored.
 */
BEARING_API const char* covariance_kernel_name();

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_ACCUMULATOR_H */
