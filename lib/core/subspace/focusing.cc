/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "focusing.h"
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {
constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };
// What the identity counts beside A B^H where that says nothing.
constexpr double identity_share = 1e-6;
} // namespace

Eigen::VectorXd focusing_azimuths(const antenna_array& array,
                                  const std::vector<double>& azimuths,
                                  double share)
{
    const double n = array.num_elements();
    Eigen::VectorXd all(3 * azimuths.size());
    for (std::size_t k = 0; k < azimuths.size(); ++k) {
        const manifold_point here = array.manifold(azimuths[k]);
        const Eigen::VectorXcd d =
            here.d -
            imaginary_unit * array.centroid_phase_derivative(azimuths[k]) * here.a;
        // The uniform line whose response to a turn is the same has this many radians of
        // phase between neighbours for each radian of azimuth; its beam is 2 pi / N from peak to null.
        const double scale =
            std::sqrt(12.0 / (n * n - 1.0) * d.squaredNorm() / here.a.squaredNorm());
        const double step = share * 2.0 * M_PI / n / std::max(scale, 1.0 / n);
        all.segment<3>(3 * k) << azimuths[k] - step, azimuths[k], azimuths[k] + step;
    }
    return all;
}

Eigen::MatrixXcd focusing_matrix(const antenna_array& array,
                                 const antenna_array& other,
                                 const Eigen::VectorXd& azimuths)
{
    const Eigen::VectorXd horizon = Eigen::VectorXd::Zero(azimuths.size());
    Eigen::MatrixXcd product =
        array.steering(azimuths, horizon) * other.steering(azimuths, horizon).adjoint();
    product.diagonal().array() += identity_share * product.norm();
    const Eigen::JacobiSVD<Eigen::MatrixXcd> svd(
        product, Eigen::ComputeFullU | Eigen::ComputeFullV);
    return svd.matrixU() * svd.matrixV().adjoint();
}

} // namespace core
} // namespace bearing
} // namespace gr
