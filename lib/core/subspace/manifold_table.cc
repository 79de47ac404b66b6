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
    : manifold_table(array.steering(grid.azimuth(), Eigen::VectorXd::Zero(grid.size())))
{
}

manifold_table::manifold_table(const Eigen::MatrixXcd& steering)
    : d_real(steering.real().transpose()),
      d_imag(steering.imag().transpose()),
      d_squared_norm(steering.colwise().squaredNorm())
{
}

void manifold_table::quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                                    Eigen::VectorXd& result) const
{
    const int size = static_cast<int>(d_real.rows());
    result.setZero(size);
    double sum_real[tile];
    double sum_imag[tile];
    for (int start = 0; start < size; start += tile) {
        const int count = std::min(tile, size - start);
        double* const out = result.data() + start;
        for (Eigen::Index k = 0; k < vectors.cols(); ++k) {
            std::fill_n(sum_real, tile, 0.0);
            std::fill_n(sum_imag, tile, 0.0);
            for (Eigen::Index l = 0; l < d_real.cols(); ++l) {
                const double vr = vectors(l, k).real();
                const double vi = vectors(l, k).imag();
                const double* const ar = d_real.col(l).data() + start;
                const double* const ai = d_imag.col(l).data() + start;
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
