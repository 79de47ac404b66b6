/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLED_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLED_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <Eigen/Dense>
#include <cstddef>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What a covariance of an array with coupling is made of.
struct coupled_scene {
    Eigen::VectorXd weights; //!< w, of the coupling
    Eigen::VectorXd azimuth; //!< phi, K, radians clockwise from +y
    Eigen::VectorXd power;   //!< p, K, of each source at an element, > 0
    double noise_power = 0;  //!< s2 = E|n|^2 at an element, > 0
};

/*!
 * \brief The exact covariance of uncorrelated sources seen by an array with coupling:
 *
 *     R = C A P A^H C^H + s2 I,  C = C0 + sum w_j D_j,  P = diag(exp q),  s2 = exp v
 *
 * The parameter vector is x = [w; phi; q; v]. A comes from the array with its gains and
 * position offsets; a coupling that the array has is not used.
 */
class BEARING_API coupled_covariance
{
public:
    //! \throws std::invalid_argument when sizes differ
    coupled_covariance(const antenna_array& array, coupling_model model);

    //! the array without coupling
    const antenna_array& array() const { return d_array; }
    const coupling_model& model() const { return d_model; }
    //! of x, for K sources
    int num_parameters(int num_sources) const;

    //! R, N x N
    Eigen::MatrixXcd covariance(const coupled_scene& scene) const;
    //! dR/dx_i, num_parameters() of N x N, in the order of x
    std::vector<Eigen::MatrixXcd> derivatives(const coupled_scene& scene) const;

    //! The scene at x + \p step.
    static coupled_scene moved(const coupled_scene& scene, const Eigen::VectorXd& step);

    /*!
     * \brief Fisher information of x in L snapshots, L Re tr(R^-1 dR_i R^-1 dR_j); what a
     * prior knows of w is added when there is one.
     */
    Eigen::MatrixXd
    information(const coupled_scene& scene,
                std::size_t snapshots,
                const std::optional<weight_prior>& prior = std::nullopt) const;

    /*!
     * \brief Whether w, phi, q and s2 can be told from R near \p scene: the real rank of the
     * map from x to R against the number of parameters.
     */
    struct identifiability {
        int parameters; //!< length of x
        int rank;       //!< of the Jacobian, columns scaled to unit length, relative 1e-7
        bool is_identifiable() const { return rank == parameters; }
    };
    identifiability identify(const coupled_scene& scene) const;

private:
    antenna_array d_array;
    coupling_model d_model;
};

/*!
 * \brief Stochastic Cramer-Rao bound of the directions when the coupling has to be found
 * with them.
 *
 * \param azimuth, snr_db as for cramer_rao_deviation(); SNR is per element without coupling
 * \param weights the true w
 * \returns K standard deviations in radians; NaN where the scene is not identifiable
 * \throws std::invalid_argument naming the parameter
 */
BEARING_API Eigen::VectorXd
coupled_cramer_rao_deviation(const antenna_array& array,
                             const coupling_model& model,
                             const Eigen::VectorXd& weights,
                             const Eigen::VectorXd& azimuth,
                             const Eigen::VectorXd& snr_db,
                             std::size_t snapshots,
                             const std::optional<weight_prior>& prior = std::nullopt);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLED_COVARIANCE_H */
