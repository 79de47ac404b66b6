/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "mirror_rejection.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

// The sweeps end when none changes a power by more than this share of the largest one: a
// ten-thousandth of a decibel.
constexpr double converged_change = 2e-5;
// Nearly equal steering vectors converge slowly, and share their power anyhow.
constexpr int most_sweeps = 1000;

// The x >= 0 that minimises x^T H x / 2 - g^T x for a positive semidefinite H, by
// coordinate descent.
Eigen::VectorXd non_negative_minimum(const Eigen::MatrixXd& h, const Eigen::VectorXd& g)
{
    Eigen::VectorXd x = Eigen::VectorXd::Zero(g.size());
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
        double largest_change = 0.0;
        for (Eigen::Index i = 0; i < g.size(); ++i) {
            const double before = x(i);
            x(i) = std::max(0.0, before + (g(i) - h.col(i).dot(x)) / h(i, i));
            largest_change = std::max(largest_change, std::abs(x(i) - before));
        }
        if (largest_change <= converged_change * x.maxCoeff()) {
            break;
        }
    }
    return x;
}

// a(theta) of each direction, then of each mirror image.
Eigen::MatrixXcd steering_of_pairs(const antenna_array& array,
                                   const Eigen::VectorXd& azimuth)
{
    const Eigen::Index num_pairs = azimuth.size();
    const Eigen::VectorXd horizon = Eigen::VectorXd::Zero(num_pairs);
    Eigen::MatrixXcd b(array.num_elements(), 2 * num_pairs);
    b.leftCols(num_pairs) = array.steering(azimuth, horizon);
    const calibration_state& calibration = array.calibration();
    if (calibration.gains.size() == 0 && calibration.coupling.size() == 0) {
        // The same up to a phase, which no power depends on.
        b.rightCols(num_pairs) = b.leftCols(num_pairs).conjugate();
    } else {
        b.rightCols(num_pairs) = array.steering(-azimuth, horizon);
    }
    return b;
}

} // namespace

mirror_rejection mirror_rejection_from_string(const std::string& name)
{
    if (name == "least_squares") {
        return mirror_rejection::least_squares;
    }
    if (name == "cbf") {
        return mirror_rejection::beamformer;
    }
    throw std::invalid_argument("mirror is '" + name +
                                "'; it must be 'least_squares' or 'cbf'");
}

unmirrored reject_mirrors(const antenna_array& array,
                          const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          const Eigen::VectorXd& azimuth,
                          mirror_rejection method)
{
    const Eigen::Index num_pairs = azimuth.size();
    Eigen::VectorXd candidates(2 * num_pairs);
    candidates << azimuth, -azimuth;
    const Eigen::MatrixXcd b = steering_of_pairs(array, azimuth);
    const Eigen::VectorXd norms = b.colwise().squaredNorm();
    const Eigen::VectorXd beams =
        b.conjugate().cwiseProduct(covariance * b).colwise().sum().real();
    if (method == mirror_rejection::beamformer) {
        const Eigen::ArrayXd level = beams.cwiseQuotient(norms);
        return {
            (level.head(num_pairs) >= level.tail(num_pairs)).select(azimuth, -azimuth), {}
        };
    }
    // R = B diag(p) B^H + s2 I: eliminating s2 takes the mean of the diagonal out.
    const double n = static_cast<double>(b.rows());
    const Eigen::MatrixXd products = (b.adjoint() * b).cwiseAbs2();
    const Eigen::VectorXd power =
        non_negative_minimum(products - norms * norms.transpose() / n,
                             beams - norms * (covariance.trace().real() / n));
    std::vector<Eigen::Index> order(candidates.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](Eigen::Index i, Eigen::Index k) {
        return power(i) > power(k);
    });
    order.resize(num_pairs);
    return { candidates(order), power.cwiseProduct(norms)(order) / n };
}

} // namespace core
} // namespace bearing
} // namespace gr
