/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel_choice.h"
#include "spectrum_kernel.h"
#include <gnuradio/bearing/core/subspace/manifold_table.h>

namespace gr {
namespace bearing {
namespace core {

manifold_table::manifold_table(const antenna_array& array,
                               const angle_grid& grid,
                               const std::string& kernel)
    : manifold_table(array.steering(grid.azimuth(), Eigen::VectorXd::Zero(grid.size())),
                     kernel)
{
}

manifold_table::manifold_table(const Eigen::MatrixXcd& steering,
                               const std::string& kernel)
    : d_kernel(chosen_kernel(kernel)),
      d_real(steering.real().transpose()),
      d_imag(steering.imag().transpose()),
      d_squared_norm(steering.colwise().squaredNorm())
{
}

void manifold_table::quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                                    Eigen::VectorXd& result) const
{
    scaled_quadratic_form(vectors, weights, nullptr, 0.0, result);
}

void manifold_table::scaled_quadratic_form(
    const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
    const Eigen::Ref<const Eigen::VectorXd>& weights,
    const double* scale,
    double offset,
    Eigen::VectorXd& result) const
{
    if (vectors.outerStride() != vectors.rows()) { // the kernel wants them in a row
        scaled_quadratic_form(Eigen::MatrixXcd(vectors), weights, scale, offset, result);
        return;
    }
    result.resize(d_real.rows());
    d_kernel->quadratic_form(d_real.data(),
                             d_imag.data(),
                             d_real.rows(),
                             d_real.rows(),
                             static_cast<int>(d_real.cols()),
                             reinterpret_cast<const double*>(vectors.data()),
                             weights.data(),
                             static_cast<int>(vectors.cols()),
                             scale,
                             offset,
                             result.data());
}

} // namespace core
} // namespace bearing
} // namespace gr
