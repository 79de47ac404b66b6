/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_SNAPSHOT_PRIOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_SNAPSHOT_PRIOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <gnuradio/bearing/core/coupling/noise_network.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <Eigen/Dense>
#include <cstdint>
#include <memory>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What random scenes on random coupled arrays know of single noise-free snapshots:
 * the published pipeline, worse than none (docs/coupling.md says by how much).
 *
 * The network sees x_0 = [Re z; Im z] / (s sqrt(p)), p the mean power of the signals at an
 * element, which is that of the samples less the noise. Read from a weights file of kind
 * "snapshot".
 */
class BEARING_API snapshot_prior
{
public:
    //! \throws std::runtime_error naming the file and what is wrong with it
    static std::shared_ptr<const snapshot_prior> load(const std::string& path);

    const antenna_family& family() const { return d_family; }
    const noise_schedule& schedule() const { return d_schedule; }
    const noise_network& network() const { return d_network; }

    /*!
     * \brief Each snapshot without its noise, by guided DDIM.
     * \param snapshots X, N x T
     * \param noise_power E|n|^2 at an element
     * \returns N x T; \p snapshots themselves where what comes of the network is not finite
     */
    Eigen::MatrixXcd diffuse(const Eigen::Ref<const Eigen::MatrixXcd>& snapshots,
                             double noise_power,
                             int steps = 25,
                             std::uint64_t seed = 1) const;

private:
    snapshot_prior(antenna_family family,
                   noise_schedule schedule,
                   noise_network network,
                   double scale);

    antenna_family d_family;
    noise_schedule d_schedule;
    noise_network d_network;
    double d_scale;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_SNAPSHOT_PRIOR_H */
