/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_ESTIMATE_PARAMETERS_H
#define INCLUDED_BEARING_CORE_PROPAGATION_ESTIMATE_PARAMETERS_H

#include <gnuradio/bearing/core/propagation/propagator.h>
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! \throws std::invalid_argument naming sample_rate
void require_sample_rate(double sample_rate);

/*!
 * \brief What must hold of propagators and configuration together, whatever the data.
 *
 * \param num_bins of the densities, where they are given
 * \throws std::invalid_argument as propagator_ls()
 */
void require_valid(const std::vector<propagator>& propagators,
                   const propagator_ls_config& config,
                   Eigen::Index num_bins);

/*!
 * \brief The centre frequency of samples: \p requested, or if that is 0 the propagators' own.
 *
 * \throws std::invalid_argument naming center_frequency: real samples have none, and
 * propagators that have different ones do not tell
 */
double center_frequency_of(const std::vector<propagator>& propagators,
                           double requested,
                           bool is_real);

/*!
 * \brief P of each source at the bins of T samples, F x N each.
 *
 * Real samples hold, at 0 and at Nyquist's frequency, the real part of what arrives there: P
 * is real at those bins.
 */
std::vector<Eigen::MatrixXcd> bin_responses(const std::vector<propagator>& propagators,
                                            Eigen::Index num_samples,
                                            double sample_rate,
                                            double center_frequency,
                                            spectrum_sides sides);

//! The same with densities of one row spread over all bins.
propagator_ls_config at_all_bins(propagator_ls_config config, Eigen::Index num_bins);

//! Whether noise, or its shares among the sensors, must be told from the data.
bool estimates_noise(const propagator_ls_config& config);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_ESTIMATE_PARAMETERS_H */
