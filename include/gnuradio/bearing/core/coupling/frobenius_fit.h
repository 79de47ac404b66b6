/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_FROBENIUS_FIT_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_FROBENIUS_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! How frobenius_fit searches.
enum class frobenius_search {
    levenberg_marquardt, //!< all parameters together
    alternating          //!< gradient descent over w, then over phi (and q, v), by turns
};

/*!
 * \brief The covariance fit min ||R^ - R(x)||_F^2, with E = R - R^, G = C A:
 *
 *     df/dw_j = 4 Re tr(E D_j A P G^H),  df/dphi_k = 4 p_k Re(g_k^H E C a'_k),
 *     df/dq_k = 2 p_k g_k^H E g_k,       df/dv = 2 s2 tr E
 *
 * Without powers and noise (P = I, s2 = 0) it is the form in which it was published; it is
 * then wrong by what the sources' powers and the noise are. Less accurate than
 * likelihood_fit; here to compare with.
 *
 * Reference: Luo and Fung, "DOA and Mutual Coupling Estimation using Score-Guided
 * Diffusion", equation (34).
 */
class BEARING_API frobenius_fit
{
public:
    frobenius_fit(const coupled_covariance& model,
                  const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                  bool powers_and_noise = true);

    double cost(const coupled_scene& scene) const;
    //! Over x = [w; phi; q; v]; the last K + 1 are 0 without powers and noise.
    Eigen::VectorXd gradient(const coupled_scene& scene) const;
    coupled_fit minimise(const coupled_scene& start,
                         frobenius_search search = frobenius_search::levenberg_marquardt,
                         int max_iterations = 200) const;

private:
    const coupled_covariance& d_model;
    Eigen::MatrixXcd d_covariance;
    bool d_powers_and_noise;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_FROBENIUS_FIT_H */
