/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_MODEL_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_MODEL_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What mutual coupling may look like: C = C0 + sum_j w_j D_j with real weights w.
 *
 * C(0,0) = 1: C0(0,0) = 1 and D_j(0,0) = 0. C is N x N and stands between the elements'
 * own response and the receivers, a~ = C diag(g) a.
 *
 * A value type.
 */
class BEARING_API coupling_model
{
public:
    /*!
     * \brief Symmetric banded Toeplitz matrices, for uniform lines: elements k apart couple
     * with c_k, c_0 = 1; weights are Re c_1, Im c_1, Re c_2, ..
     * \param num_elements N >= 2
     * \param coefficients c_0 included, 1 .. N
     * \throws std::invalid_argument naming the parameter
     */
    static coupling_model toeplitz(int num_elements, int coefficients);

    //! Symmetric circulant matrices, for uniform circles: neighbours of order k on either
    //! side couple with c_k. \param coefficients 1 .. N / 2 + 1 (integer division)
    static coupling_model circulant(int num_elements, int coefficients);

    /*!
     * \brief Any C0 and D_j, for example principal components of simulated antennas.
     * \throws std::invalid_argument unless all are N x N and finite, C0(0,0) = 1 and
     * D_j(0,0) = 0 (1e-6), and the D_j are linearly independent over the reals
     */
    static coupling_model general(Eigen::MatrixXcd mean,
                                  std::vector<Eigen::MatrixXcd> basis);

    //! toeplitz() for a uniform line, circulant() for a uniform circle as drawn.
    //! \throws std::invalid_argument for other arrays: their coupling has no structure that
    //! one covariance could tell, give it a model of its own
    static coupling_model of_array(const antenna_array& array, int coefficients);

    int num_elements() const { return static_cast<int>(d_mean.rows()); }
    int num_weights() const { return static_cast<int>(d_basis.size()); }
    //! C0
    const Eigen::MatrixXcd& mean() const { return d_mean; }
    //! D_j
    const std::vector<Eigen::MatrixXcd>& basis() const { return d_basis; }

    //! C(w). \throws std::invalid_argument unless there are num_weights()
    Eigen::MatrixXcd coupling(const Eigen::VectorXd& weights) const;
    //! The w for which C(w) is nearest to \p coupling in the Frobenius norm.
    Eigen::VectorXd weights(const Eigen::MatrixXcd& coupling) const;

private:
    coupling_model(Eigen::MatrixXcd mean, std::vector<Eigen::MatrixXcd> basis);

    Eigen::MatrixXcd d_mean;
    std::vector<Eigen::MatrixXcd> d_basis;
};

//! What is known of the weights beforehand: w ~ N(mean, covariance).
struct weight_prior {
    Eigen::VectorXd mean;
    Eigen::MatrixXd covariance; //!< positive definite
};

//! What data tell of the weights, which need not be all of them: independent data add up.
struct weight_evidence {
    Eigen::MatrixXd information;               //!< Fisher's, of w; empty: nothing
    Eigen::VectorXd information_times_weights; //!< of the w that the data would choose
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_MODEL_H */
