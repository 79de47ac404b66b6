/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_HERMITIAN_MATRIX_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_HERMITIAN_MATRIX_H

#include <complex>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

/*
 * Writes upper_sum / divisor to the n x n column-major matrix `out`, Hermitian to the bit:
 * the lower triangle is the conjugate of the upper one, and the diagonal's imaginary part
 * is +0. upper_sum is what covariance_accumulator::upper_sum() tells.
 */
template <typename Real>
void write_hermitian(const double* upper_sum,
                     int n,
                     double divisor,
                     std::complex<Real>* out)
{
    const std::size_t size = n;
    for (std::size_t j = 0; j < size; ++j) {
        for (std::size_t i = 0; i <= j; ++i) {
            const double* entry = upper_sum + 2 * (i + j * size);
            const std::complex<Real> value(
                static_cast<Real>(entry[0] / divisor),
                i == j ? Real(0) : static_cast<Real>(entry[1] / divisor));
            out[j + i * size] = std::conj(value);
            out[i + j * size] = value;
        }
    }
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_HERMITIAN_MATRIX_H */
