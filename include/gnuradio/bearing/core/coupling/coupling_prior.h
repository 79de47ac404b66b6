/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_PRIOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_PRIOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <gnuradio/bearing/core/coupling/coupling_model.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <cstdint>
#include <memory>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What simulated antennas of one family know of their coupling: principal components
 * in which it is white, w ~ (0, I), and a network that knows its distribution.
 *
 * Read from a weights file of kind "coupling"; see docs/coupling.md for the format.
 */
class BEARING_API coupling_prior
{
public:
    //! \throws std::runtime_error naming the file and what is wrong with it
    static std::shared_ptr<const coupling_prior> load(const std::string& path);

    const antenna_family& family() const { return d_family; }
    const coupling_model& model() const { return d_model; }
    const noise_schedule& schedule() const { return d_schedule; }
    const noise_network& network() const { return d_network; }
    //! N(0, I): all that prior "gaussian" uses.
    weight_prior gaussian() const;

private:
    coupling_prior(antenna_family family,
                   coupling_model model,
                   noise_schedule schedule,
                   noise_network network);

    antenna_family d_family;
    coupling_model d_model;
    noise_schedule d_schedule;
    noise_network d_network;
};

//! How sample_coupling() works.
struct coupling_sampling {
    int steps = 20;  //!< of DDIM
    int samples = 6; //!< whose mean is taken; they start in pairs from opposite noise
    std::uint64_t seed = 1;
};

/*!
 * \brief Posterior mean of the coupling under the network's prior, by guided sampling.
 *
 * The guidance is the likelihood itself: two scoring steps with the prior
 * N(x0, r^2 I), r^2 = max(1 - abar, 0.02), over w and all other parameters. Then w is held
 * at the samples' mean and the rest fitted again.
 *
 * Where the network's output or the cost of what came of it is not finite, the result is
 * \p start with its cost, and has not converged.
 *
 * \param fit of a covariance of model prior.model()
 * \param start its fit with prior.gaussian()
 */
BEARING_API coupled_fit sample_coupling(const likelihood_fit& fit,
                                        const coupling_prior& prior,
                                        const coupled_scene& start,
                                        const coupling_sampling& sampling = {});

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_PRIOR_H */
