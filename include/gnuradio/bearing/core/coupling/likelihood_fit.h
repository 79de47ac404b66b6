/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_LIKELIHOOD_FIT_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_LIKELIHOOD_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <Eigen/Dense>
#include <cstddef>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! Where a fit ended.
struct coupled_fit {
    coupled_scene scene;
    double cost = 0.0;  //!< what was minimised, see the fit
    int iterations = 0; //!< steps tried
    bool converged = false;
};

/*!
 * \brief Stochastic maximum likelihood of coupling, directions, powers and noise: minimises
 *
 *     L (logdet R(x) + tr R(x)^-1 R^) + 1/2 (w - m)^T S^-1 (w - m)
 *
 * by Fisher scoring with Levenberg-Marquardt damping, the second part with a prior N(m, S)
 * only. A step moves a direction by at most 0.15 rad and any other parameter by at most 1; a
 * weight that has a prior by at most a deviation of it, or as far as it is from its mean.
 *
 * Keeps a reference to \p model and a copy of R^; evaluate and fit allocate.
 */
class BEARING_API likelihood_fit
{
public:
    //! \param covariance R^, N x N, positive semidefinite
    //! \param snapshots L >= 1
    likelihood_fit(const coupled_covariance& model,
                   const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                   std::size_t snapshots);

    //! L (logdet R + tr R^-1 R^), and the prior's part
    double cost(const coupled_scene& scene,
                const std::optional<weight_prior>& prior = std::nullopt) const;
    //! Gradient of cost() over x = [w; phi; q; v].
    Eigen::VectorXd
    gradient(const coupled_scene& scene,
             const std::optional<weight_prior>& prior = std::nullopt) const;

    //! Until converged, at most \p max_iterations; w stays where it is when \p hold_weights.
    coupled_fit minimise(const coupled_scene& start,
                         const std::optional<weight_prior>& prior = std::nullopt,
                         bool hold_weights = false,
                         int max_iterations = 100) const;

    //! 2 L (logdet R + tr R^-1 R^ - logdet R^ - N): how much worse than the unstructured
    //! covariance; NaN for fewer snapshots than elements.
    double likelihood_ratio(const coupled_scene& scene) const;

    const coupled_covariance& model() const { return d_model; }
    std::size_t snapshots() const { return d_snapshots; }

private:
    const coupled_covariance& d_model;
    Eigen::MatrixXcd d_covariance;
    std::size_t d_snapshots;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_LIKELIHOOD_FIT_H */
