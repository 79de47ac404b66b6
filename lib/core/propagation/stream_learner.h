/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_STREAM_LEARNER_H
#define INCLUDED_BEARING_CORE_PROPAGATION_STREAM_LEARNER_H

#include "spectrum_box.h"
#include "stream_filter.h"
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Spectra of noise and sources, and the noise of each sensor, from block after block.
 *
 * Blocks are not windowed before the transform: sensors see different parts of the source
 * in a window, and its edges would look like noise. A squared Hann window is applied to
 * sources and residuals instead, after back-propagation, as five taps over frequency.
 *
 * After the constructor, nothing is allocated.
 */
class stream_learner
{
public:
    /*!
     * \param block_length M
     * \param averaging blocks
     * \param unit E|bin|^2 of a density of 1
     */
    stream_learner(const propagator_ls_config& config,
                   spectrum_sides sides,
                   int block_length,
                   int num_sensors,
                   int num_sources,
                   double averaging,
                   double unit);

    /*!
     * \brief Weighs \p filter for a block, matches it, and learns from that block.
     * \param sensors those that are good
     * \param share of the window's power that fell on samples rather than before or after
     * them
     */
    void learn(stream_filter& filter,
               const float* spectra,
               const std::vector<int>& sensors,
               double share);
    //! The spectra that were given are those of sources at its scale.
    void follow(const stream_filter& filter);
    void forget();

    bool has_learnt() const { return d_noise_weight > 0.0 || d_source_weight > 0.0; }
    //! Whether there is more than noise would show.
    bool has_signal(const stream_filter& filter) const;
    const stream_prior& prior() const { return d_prior; }
    //! N, geometric mean 1
    const Eigen::VectorXd& gamma() const { return d_gamma; }

private:
    //! E|bin|^2 of what a window leaves of a unit's.
    static constexpr double window_power = 9.0 / 64.0 + 2.0 / 16.0 + 2.0 / 256.0;

    bool has_any_source() const;
    bool takes(double share);
    void end_piece();
    void fill_residual(const stream_filter& filter, const float* spectra, bool is_shared);
    void smooth_residual(double share);
    void fill_share();
    void learn_levels(stream_filter& filter, const float* spectra, double share);
    Eigen::VectorXd& measured_levels(stream_filter& filter);
    void learn_noise(double share);
    void learn_source(const stream_filter& filter, double share);
    void set_source(const stream_filter& filter, int source, double share);
    void learn_sources(stream_filter& filter, double share);
    void start_sources(stream_filter& filter, double share);
    void fill_window_power(const float* bins);

    spectrum_sides d_sides;
    int d_num_bins;
    int d_num_sources;
    bool d_learns_noise;
    bool d_learns_source;
    bool d_learns_levels;
    double d_step; // of the averages
    spectrum_box d_noise_box;
    spectrum_box d_source_box;

    stream_prior d_given;
    stream_prior d_prior;
    Eigen::VectorXd d_gamma;
    Eigen::VectorXd d_measured;
    int d_level_blocks;

    // Shares of the window's power, by which blocks are chosen.
    double d_wanted_share; // at least, unless it is a whole block
    double d_last_share;
    double d_piece_share; // the most since the stream began or broke
    bool d_is_falling;
    bool d_is_first_piece;
    bool d_has_whole;       // learnt from a whole block
    double d_broken_pieces; // in a row without a whole block; no int that overflows

    // Averages over blocks, and of the share of the window that their samples had.
    std::vector<double> d_noise_average;
    double d_noise_weight;
    std::vector<double> d_source_average; // K x F
    std::vector<double>
        d_source_gain_average; // K x F: what a unit of noise or source adds
    double d_source_weight;

    aligned_floats d_total; // a block's residual
    aligned_floats d_share; // 1 / q
    std::vector<float> d_taps;
    std::vector<double> d_power;
    std::vector<double> d_smooth;
    std::vector<double> d_ones;
    aligned_floats d_sources; // estimates, of several sources
    std::vector<double> d_by_sensor;
    std::vector<double> d_left;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_STREAM_LEARNER_H */
