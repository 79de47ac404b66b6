/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_FILTER_SUPPORT_H
#define INCLUDED_BEARING_CORE_PROPAGATION_FILTER_SUPPORT_H

#include <gnuradio/bearing/core/propagation/propagator.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! How far the filters of an estimator reach, in samples.
struct filter_support {
    //! whole samples by which each sensor's data is taken later, N; 0 of plane waves
    Eigen::VectorXi alignment;
    //! to each side, between channels so aligned
    int support;
};

/*!
 * \brief Support of the filters from any sensor to any sensor and to the source: the largest
 * difference of their group delays at one frequency, and 60 samples for what the edges of
 * the band and the filters' own shapes add.
 *
 * Sensors that receive less than 1e-5 of the strongest at a frequency do not count there:
 * 100 dB down, they neither help nor are heard. Jumps of the phase have no delay, and
 * do not count either. The filters of several sources reach twice as far.
 *
 * It allows for what may become of propagators later: velocities by 5 % slower or faster, and
 * plane waves from any direction.
 *
 * \param is_real band from 0 to half of \p sample_rate; else both sides of
 * \p center_frequency
 * \param is_aligned each sensor by the middle of its group delays; else all by 0
 * \throws std::invalid_argument naming propagators: group delays that 131072 samples of
 * frequency resolution cannot tell; and as propagator::response()
 */
filter_support find_filter_support(const std::vector<propagator>& propagators,
                                   double sample_rate,
                                   double center_frequency,
                                   bool is_real,
                                   bool is_aligned);

//! The same of these propagators alone, by an alignment that is there already.
int support_after(const std::vector<propagator>& propagators,
                  double sample_rate,
                  double center_frequency,
                  bool is_real,
                  const Eigen::VectorXi& alignment);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_FILTER_SUPPORT_H */
