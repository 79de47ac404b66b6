/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_COVARIANCE_POINT_H
#define INCLUDED_BEARING_CORE_COUPLING_COVARIANCE_POINT_H

#include "real_columns.h"
#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! R(x) at one x, with what its derivatives are made of.
struct covariance_point {
    covariance_point(const coupled_covariance& model, const coupled_scene& scene);

    /*!
     * \brief All derivatives F dR/dx_i F^H, one a column of N^2 numbers, in the order of x.
     *
     * All but the noise's have rank 2 K: U V^H + V U^H with V = F C A, so that none costs
     * more than N^2 K once U is there.
     *
     * \param factor F, N x N: I, or what whitens R
     */
    Eigen::MatrixXcd derivatives(const Eigen::MatrixXcd& factor) const;

    const coupling_model& model;
    Eigen::VectorXd power;
    double noise_power;
    Eigen::MatrixXcd steering;   //!< A, N x K
    Eigen::MatrixXcd slopes;     //!< dA/dphi, N x K
    Eigen::MatrixXcd coupling;   //!< C
    Eigen::MatrixXcd response;   //!< G = C A
    Eigen::MatrixXcd covariance; //!< R
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_COVARIANCE_POINT_H */
