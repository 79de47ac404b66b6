/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {
// Sources whose effects on the data are this much alike cannot be told apart.
constexpr double smallest_condition = 1e-12;
} // namespace

Eigen::VectorXd source_powers(const antenna_array& array,
                              const Eigen::VectorXd& azimuth,
                              const Eigen::VectorXd& snr_db,
                              std::size_t snapshots)
{
    const int n = array.num_elements();
    const Eigen::Index num_sources = azimuth.size();
    if (num_sources < 1 || num_sources >= n) {
        throw std::invalid_argument("angles: " + std::to_string(num_sources) +
                                    " sources; allowed are 1 to " +
                                    std::to_string(n - 1));
    }
    if (snr_db.size() != 1 && snr_db.size() != num_sources) {
        throw std::invalid_argument("snr_db has " + std::to_string(snr_db.size()) +
                                    " values; it must have 1, or one for each of the " +
                                    std::to_string(num_sources) + " sources");
    }
    if (!azimuth.allFinite() || !snr_db.allFinite()) {
        throw std::invalid_argument("angles and snr_db must be finite");
    }
    if (snapshots < 1) {
        throw std::invalid_argument("snapshots is 0; it must be at least 1");
    }
    const Eigen::VectorXd each =
        snr_db.size() == 1 ? Eigen::VectorXd::Constant(num_sources, snr_db(0)).eval()
                           : snr_db;
    return Eigen::pow(10.0, each.array() / 10.0);
}

Eigen::VectorXd cramer_rao_deviation(const antenna_array& array,
                                     const Eigen::VectorXd& azimuth,
                                     const Eigen::VectorXd& snr_db,
                                     std::size_t snapshots)
{
    const int n = array.num_elements();
    const Eigen::Index num_sources = azimuth.size();
    const Eigen::VectorXd power = source_powers(array, azimuth, snr_db, snapshots);
    Eigen::MatrixXcd a(n, num_sources);
    Eigen::MatrixXcd d(n, num_sources);
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        const manifold_point here = array.manifold(azimuth(k));
        a.col(k) = here.a;
        d.col(k) = here.d;
    }
    const Eigen::MatrixXcd p = power.cast<std::complex<double>>().asDiagonal();
    const Eigen::MatrixXcd r = a * p * a.adjoint() + Eigen::MatrixXcd::Identity(n, n);
    // I - A A^+ from an orthonormal basis of A.
    const Eigen::ColPivHouseholderQR<Eigen::MatrixXcd> qr(a);
    Eigen::VectorXd deviation =
        Eigen::VectorXd::Constant(num_sources, std::numeric_limits<double>::quiet_NaN());
    if (qr.rank() < num_sources) {
        return deviation;
    }
    const Eigen::MatrixXcd q =
        qr.householderQ() * Eigen::MatrixXcd::Identity(n, num_sources);
    const Eigen::MatrixXcd projected_d = d - q * (q.adjoint() * d);
    const Eigen::MatrixXcd h = d.adjoint() * projected_d;
    const Eigen::MatrixXcd g = p * a.adjoint() * r.llt().solve(a * p);
    const Eigen::MatrixXd information = h.cwiseProduct(g.transpose()).real();
    // Scaled to a unit diagonal, so that only how alike the sources are counts and not
    // how unequal their powers.
    const Eigen::VectorXd scale = information.diagonal().cwiseSqrt().cwiseInverse();
    const Eigen::FullPivLU<Eigen::MatrixXd> lu(scale.asDiagonal() * information *
                                               scale.asDiagonal());
    if (!(lu.rcond() > smallest_condition)) {
        return deviation;
    }
    const Eigen::MatrixXd bound = scale.asDiagonal() * lu.inverse() * scale.asDiagonal() /
                                  (2.0 * static_cast<double>(snapshots));
    deviation = bound.diagonal().cwiseSqrt();
    return deviation;
}

} // namespace core
} // namespace bearing
} // namespace gr
