/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MANIFOLD_TABLE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MANIFOLD_TABLE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/vector_kernels.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <Eigen/Dense>
#include <string>

namespace gr {
namespace bearing {
namespace core {

struct spectrum_kernel;

/*!
 * \brief Steering vectors over a grid, laid out for fast spectra.
 *
 * Every spectrum of this module is a quadratic form of the steering vector,
 * sum_k w_k |v_k^H a(theta)|^2; the table evaluates it at all G azimuths at once. Real
 * and imaginary parts are kept apart, with the azimuths contiguous, so that the loops run
 * over whole vector registers.
 */
class BEARING_API manifold_table
{
public:
    /*!
     * \param kernel variant of the loops, see vector_kernels.h
     * \throws std::invalid_argument for a kernel that is unknown or does not run here
     */
    manifold_table(const antenna_array& array,
                   const angle_grid& grid,
                   const std::string& kernel = default_kernel_name());
    //! Of any G steering vectors, N x G; "azimuth" then stands for their order.
    explicit manifold_table(const Eigen::MatrixXcd& steering,
                            const std::string& kernel = default_kernel_name());

    //! a^H a at each azimuth, G
    const Eigen::VectorXd& squared_norm() const { return d_squared_norm; }
    //! Real and imaginary part of a, one row an azimuth, G x N
    const Eigen::MatrixXd& real() const { return d_real; }
    const Eigen::MatrixXd& imag() const { return d_imag; }

    /*!
     * \brief sum_k weights_k |vectors_k^H a|^2 at each azimuth.
     * \param vectors N x K
     * \param weights K
     * \param result G, overwritten
     */
    void quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                        const Eigen::Ref<const Eigen::VectorXd>& weights,
                        Eigen::VectorXd& result) const;

    //! offset + scale_g times the above; \p scale G values, or null: 1.
    void scaled_quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                               const Eigen::Ref<const Eigen::VectorXd>& weights,
                               const double* scale,
                               double offset,
                               Eigen::VectorXd& result) const;

private:
    const spectrum_kernel* d_kernel;
    Eigen::MatrixXd d_real;
    Eigen::MatrixXd d_imag;
    Eigen::VectorXd d_squared_norm;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_MANIFOLD_TABLE_H */
