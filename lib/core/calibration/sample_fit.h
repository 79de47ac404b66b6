/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_FIT_H
#define INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_FIT_H

#include "calibration_sample.h"
#include "element_scan.h"
#include "gauss_newton.h"
#include "peak_search.h"
#include "phase_drift.h"
#include "source_null.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <random>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! Samples by age, oldest first.
using sample_list = std::vector<calibration_sample*>;

//! How sources whose null is high are kept from bending the fit: each term is multiplied by
//! (1 + (depth / limit)^2)^-2.
enum class source_weighting {
    batch,    //!< labels are trusted; peaks: limit 4 times their median
    learning, //!< labels: 30 times their median; peaks as before
    tracking  //!< 4 times the median of the newest few, labels and peaks apart: what has
              //!< become stale as the array drifts counts less and less
};

//! Between two searches for peaks the directions only follow.
constexpr int steps_per_search = 5;

/*!
 * \brief The fit of an array's parameters to samples, step by step.
 *
 * Allocates nothing once it has seen as many samples as it will.
 */
class sample_fit
{
public:
    sample_fit(const antenna_array& drawn, bool fit_positions);

    const array_parameters& parameters() const { return d_parameters; }
    //! Goes on from other parameters, which are put into the gauge.
    void set_parameters(const array_parameters& parameters);

    //! Finds the directions of a sample that are not known.
    void find_peaks(calibration_sample& sample);
    //! Largest depth at the newest few labels when they were last looked at, at least 1.
    double label_depth(const sample_list& samples);
    //! Sets the depths of a sample's sources.
    void measure_depths(calibration_sample& sample);

    /*!
     * \brief Sets the normal equations up at the present parameters.
     * \param look_again search for all peaks anew instead of following them
     * \returns the mean depth of all sources that are not doubtful, NaN without any
     */
    double
    assemble(const sample_list& samples, source_weighting weighting, bool look_again);
    //! median depth of the sources last assembled
    double median_depth() const { return d_median_depth; }
    //! Moves the parameters by one step, but not along \p map; its length relative to the
    //! longest that is allowed.
    double move(const free_map& map, const parameter_prior& prior = vague_prior);
    //! The same, with vague_prior about \p expected: what the data does not tell stays there.
    double move_near(const array_parameters& expected, const free_map& map);

    /*!
     * \brief Tries another start, for a fit that ended in a wrong minimum, and keeps what it
     * leads to if the median depth is lower.
     * \param start about which the gains are varied
     */
    void try_other_start(const sample_list& samples,
                         const free_map& map,
                         source_weighting weighting,
                         const array_parameters& start);

    /*!
     * \brief Moves the element that most seems to sit in a wrong minimum, if there is one,
     * after assemble().
     */
    bool move_worst_element(const sample_list& samples);

    gauss_newton& newton() { return d_newton; }
    phase_drift& drift() { return d_drift; }
    //! weighted mean age of the samples last assembled, in arrivals
    double mean_age() const { return d_mean_age; }
    int num_unknowns() const { return d_newton.num_unknowns(); }

private:
    void look_for_peaks(calibration_sample& sample);
    void locate(const sample_list& samples, bool look_again);
    template <class Action>
    void for_each_source(const sample_list& samples, Action action);
    void set_mean_age(const sample_list& samples);
    void set_limits(const sample_list& samples, source_weighting weighting);
    std::vector<double>& newest_depths(const sample_list& samples, bool known, int most);

    antenna_array d_drawn;
    array_parameters d_parameters;
    source_null d_source;
    peak_search d_search;
    int d_num_axes;
    gauss_newton d_newton;
    phase_drift d_drift;
    double d_mean_age = 0.0;
    std::vector<double> d_depths;
    double d_label_limit = 0.0;
    double d_peak_limit = 0.0;
    double d_median_depth = 0.0;
    std::mt19937 d_random;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_FIT_H */
