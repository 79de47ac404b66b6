/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_TRIDIAGONAL_FORM_H
#define INCLUDED_BEARING_CORE_SUBSPACE_TRIDIAGONAL_FORM_H

#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief A = Q T Q^H of a small Hermitian matrix, T real, symmetric and tridiagonal, Q
 * unitary, by Householder's reflections (G. H. Golub, C. F. Van Loan, "Matrix
 * Computations", 8.3.1).
 *
 * What Eigen's solver does as well, in expressions whose overhead is as large as the work
 * when a matrix has five rows. Nothing is allocated. The largest value is to be near 1.
 */
class tridiagonal_form
{
public:
    //! Beyond it the advantage, a fifth of the time, is gone.
    static constexpr int max_size = 32;

    //! \param matrix N x N, N <= max_size; its lower triangle counts
    explicit tridiagonal_form(const Eigen::Ref<const Eigen::MatrixXcd>& matrix);

    //! Of T: N, and N - 1 next to them.
    Eigen::Map<const Eigen::VectorXd> diagonal() const { return { d_diagonal, d_size }; }
    Eigen::Map<const Eigen::VectorXd> off_diagonal() const
    {
        return { d_off_diagonal, d_size - 1 };
    }

    //! Q Z of a real Z, N x N, its columns in reverse order.
    void apply_reversed(const Eigen::MatrixXd& z, Eigen::MatrixXcd& result) const;

private:
    void reduce();
    void collect();

    int d_size;
    double d_diagonal[max_size];
    double d_off_diagonal[max_size];
    // The matrix while it is reduced, the reflections' vectors below its diagonal; then Q.
    double d_real[max_size][max_size]; // [column][row]
    double d_imag[max_size][max_size];
    // H = I - tau v v^H
    double d_tau_real[max_size];
    double d_tau_imag[max_size];
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_TRIDIAGONAL_FORM_H */
