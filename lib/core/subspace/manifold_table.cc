/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <algorithm>

namespace gr {
namespace bearing {
namespace core {

namespace {
// Azimuths handled together: their partial sums stay in the first-level cache.
constexpr int tile = 64;
} // namespace

manifold_table::manifold_table(const antenna_array& array, const angle_grid& grid)
    : d_num_elements(array.num_elements()),
      d_size(grid.size()),
      d_real(static_cast<std::size_t>(d_num_elements) * d_size),
      d_imag(d_real.size()),
      d_squared_norm(d_size)
{
    for (int g = 0; g < d_size; ++g) {
        const Eigen::VectorXcd a = array.steering(grid.azimuth()(g));
        d_squared_norm(g) = a.squaredNorm();
        for (int l = 0; l < d_num_elements; ++l) {
            d_real[static_cast<std::size_t>(l) * d_size + g] = a(l).real();
            d_imag[static_cast<std::size_t>(l) * d_size + g] = a(l).imag();
        }
    }
}

void manifold_table::quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                                    Eigen::VectorXd& result) const
{
    result.setZero(d_size);
    double sum_real[tile];
    double sum_imag[tile];
    for (int start = 0; start < d_size; start += tile) {
        const int count = std::min(tile, d_size - start);
        double* const out = result.data() + start;
        for (Eigen::Index k = 0; k < vectors.cols(); ++k) {
            std::fill_n(sum_real, tile, 0.0);
            std::fill_n(sum_imag, tile, 0.0);
            for (int l = 0; l < d_num_elements; ++l) {
                const double vr = vectors(l, k).real();
                const double vi = vectors(l, k).imag();
                const std::size_t row = static_cast<std::size_t>(l) * d_size + start;
                const double* const ar = d_real.data() + row;
                const double* const ai = d_imag.data() + row;
                for (int g = 0; g < count; ++g) {
                    sum_real[g] += vr * ar[g] + vi * ai[g];
                    sum_imag[g] += vr * ai[g] - vi * ar[g];
                }
            }
            const double weight = weights(k);
            for (int g = 0; g < count; ++g) {
                out[g] +=
                    weight * (sum_real[g] * sum_real[g] + sum_imag[g] * sum_imag[g]);
            }
        }
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
