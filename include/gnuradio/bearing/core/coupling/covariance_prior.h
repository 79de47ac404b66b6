/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COVARIANCE_PRIOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COVARIANCE_PRIOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What random scenes on random coupled arrays know of noise-free covariances R0.
 *
 * The network sees x_0 = (hvec(R0 N / tr R0) - mu) / s; hvec lists the diagonal, then
 * sqrt(2) times the real parts of the upper triangle, row by row, then sqrt(2) times the
 * imaginary parts, so that it keeps the Frobenius norm.
 *
 * Read from a weights file of kind "covariance".
 */
class BEARING_API covariance_prior
{
public:
    //! \throws std::runtime_error naming the file and what is wrong with it
    static std::shared_ptr<const covariance_prior> load(const std::string& path);

    const antenna_family& family() const { return d_family; }
    const noise_schedule& schedule() const { return d_schedule; }
    const noise_network& network() const { return d_network; }

    /*!
     * \brief The noise-free covariance behind R^: guided samples, their mean.
     *
     * The noise power is that of the N - K smallest eigenvalues and is taken out first. In
     * the eigenbasis of R^ entry (i, j) is known with a variance of l_i l_j / (L tr^2 s^2), which
     * sets how far it pulls. R^ less the noise power, and nothing more, where there is no
     * signal above the noise, or where what comes of the network is not finite.
     *
     * \param covariance R^, N x N
     * \param num_sources K
     * \param snapshots L >= 1
     */
    Eigen::MatrixXcd diffuse(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             int num_sources,
                             std::size_t snapshots,
                             int steps = 25,
                             int samples = 4,
                             std::uint64_t seed = 1) const;

private:
    covariance_prior(antenna_family family,
                     noise_schedule schedule,
                     noise_network network,
                     Eigen::VectorXd mean,
                     double scale);

    antenna_family d_family;
    noise_schedule d_schedule;
    noise_network d_network;
    Eigen::VectorXd d_mean;
    double d_scale;
};

//! hvec() of a Hermitian matrix, N^2, and back.
BEARING_API Eigen::VectorXd
hermitian_to_vector(const Eigen::Ref<const Eigen::MatrixXcd>& matrix);
BEARING_API Eigen::MatrixXcd
vector_to_hermitian(const Eigen::Ref<const Eigen::VectorXd>& vector);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COVARIANCE_PRIOR_H */
