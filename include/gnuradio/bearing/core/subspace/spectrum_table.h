/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SPECTRUM_TABLE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SPECTRUM_TABLE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/vector_kernels.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <Eigen/Dense>
#include <optional>
#include <string>

namespace gr {
namespace bearing {
namespace core {

struct spectrum_kernel;

/*!
 * \brief What an array's spectra over a grid need of its manifold, and the spectra: sums
 * q(theta) = sum_k w_k |v_k^H a(theta)|^2 at all G azimuths.
 *
 * For a uniform line, whatever its gains and coupling T (a = T (1, z, z^2, ..) with z =
 * exp(j 2 pi d sin(theta) / lambda)), q is a real trigonometric polynomial: c_0 + 2 Re
 * sum_(m=1..N-1) c_m z^m, its coefficients the sums along the diagonals of
 * sum_k w_k T^H v_k v_k^H T. That takes N - 1 complex multiply-adds an azimuth, however
 * many vectors there are, and a table of z alone. Any other array, and a line whose
 * calibration moves its elements, has a manifold_table.
 *
 * Values are right to about N units of rounding of the largest that q can take, a^H a times
 * the largest weight. A null function, 1 - q / a^H a, is as exact: depths of -140 dB and
 * below are rounding.
 */
class BEARING_API spectrum_table
{
public:
    /*!
     * \param kernel variant of the loops, see vector_kernels.h
     * \throws std::invalid_argument for a kernel that is unknown or does not run here
     */
    spectrum_table(const antenna_array& array,
                   const angle_grid& grid,
                   const std::string& kernel = default_kernel_name());

    //! G
    Eigen::Index size() const { return d_inverse_norm.size(); }
    //! True when the polynomial is in use.
    bool is_line() const { return !d_manifold; }

    /*!
     * \brief q at each azimuth.
     * \param vectors v_k, N x K
     * \param weights w_k, K
     * \param result G, overwritten
     */
    void quadratic_form(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                        const Eigen::Ref<const Eigen::VectorXd>& weights,
                        Eigen::VectorXd& result) const;

    //! q / (a^H a)^2: power per element, where sum_k w_k v_k v_k^H is a covariance.
    void beam_power(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                    const Eigen::Ref<const Eigen::VectorXd>& weights,
                    Eigen::VectorXd& result) const;

    //! MUSIC's null function 1 - |Us^H a|^2 / a^H a of a signal subspace Us (N x K,
    //! orthonormal columns). Rounding may leave a value just below 0.
    void null_function(const Eigen::Ref<const Eigen::MatrixXcd>& signal_subspace,
                       Eigen::VectorXd& result) const;

private:
    void evaluate(const Eigen::Ref<const Eigen::MatrixXcd>& vectors,
                  const Eigen::Ref<const Eigen::VectorXd>& weights,
                  const double* scale,
                  double offset,
                  Eigen::VectorXd& result) const;

    const spectrum_kernel* d_kernel;
    std::optional<manifold_table> d_manifold; // absent: a line
    Eigen::VectorXd d_cosine;                 // of a line: z, G
    Eigen::VectorXd d_sine;
    Eigen::MatrixXcd d_response;            // and T; empty: identity
    Eigen::VectorXd d_inverse_norm;         // 1 / a^H a, G
    Eigen::VectorXd d_inverse_squared_norm; // 1 / (a^H a)^2, G
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_SPECTRUM_TABLE_H */
