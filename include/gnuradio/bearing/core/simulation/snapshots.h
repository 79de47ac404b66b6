/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SNAPSHOTS_H
#define INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SNAPSHOTS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Snapshots of Gaussian sources in white noise: X = A S + N.
 *
 * \param array manifold, with its calibration as the truth
 * \param azimuth K directions in radians, K >= 0
 * \param snr_db SNR per element of each source in dB, K values (or 1 for all); the noise
 * has variance E|n|^2 = 1
 * \param snapshots T >= 1
 * \param seed same seed, same samples
 * \param coherent all sources carry one waveform (multipath) instead of independent ones
 * \returns X, N x T
 * \throws std::invalid_argument naming the parameter
 */
BEARING_API Eigen::MatrixXcf simulate(const antenna_array& array,
                                      const Eigen::VectorXd& azimuth,
                                      const Eigen::VectorXd& snr_db,
                                      std::size_t snapshots,
                                      std::uint64_t seed,
                                      bool coherent = false);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_SNAPSHOTS_H */
