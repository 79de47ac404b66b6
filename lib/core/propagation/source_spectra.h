/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_SOURCE_SPECTRA_H
#define INCLUDED_BEARING_CORE_PROPAGATION_SOURCE_SPECTRA_H

#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! A record of good sensors over frequency.
struct sensor_spectra {
    Eigen::MatrixXcd data;                   //!< d, F x N, not scaled
    std::vector<Eigen::MatrixXcd> responses; //!< P of each of K sources, F x N
    spectrum_sides sides;
    Eigen::Index num_samples; //!< T
};

//! What it holds; powers are E|bin|^2.
struct source_spectra {
    Eigen::MatrixXcd source;      //!< s0, F x K
    Eigen::MatrixXd source_power; //!< S, F x K
    Eigen::MatrixXd noise_power;  //!< F x N
    bool has_signal = false;      //!< whether there is more than noise would show
};

/*!
 * \brief Estimates noise, spectra of the sources and the sources, in this order.
 *
 * \param config its densities are multiplied by \p bin_power before use, and those of the
 * noise are of the good sensors
 * \param bin_power |bin|^2 for a power density of 1
 */
source_spectra estimate_spectra(const sensor_spectra& spectra,
                                const propagator_ls_config& config,
                                double bin_power);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_SOURCE_SPECTRA_H */
