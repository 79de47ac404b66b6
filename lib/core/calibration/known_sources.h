/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_KNOWN_SOURCES_H
#define INCLUDED_BEARING_CORE_CALIBRATION_KNOWN_SOURCES_H

#include "calibration_sample.h"
#include "gauss_newton.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <limits>

namespace gr {
namespace bearing {
namespace core {

constexpr double far_away = std::numeric_limits<double>::infinity();

//! Known bearings of a line that are nearer to each other than this, in sin(theta), tell its
//! tilt but not its stretch.
constexpr double well_apart = 0.1;

//! \throws std::invalid_argument unless N >= 3 and 1 <= num_sources < N
void require_calibratable(const antenna_array& array, int num_sources);

//! Axes along which positions can be fitted from bearings on the horizon: x on a line, x
//! and y on any other array; none when they are not to be.
int num_fitted_axes(const antenna_array& array, bool fit_positions);

/*!
 * \brief Makes the known directions the first ones of \p sample, whose signal subspace is
 * there already.
 * \param azimuth radians, up to M; NaN: unknown
 * \param range in the array's unit, as many, or empty; NaN or infinite: far away
 * \throws std::invalid_argument for more labels than sources, a label outside the field of
 * view, a range within the array, ranges that are not as many as labels
 */
void set_known(const antenna_array& array,
               const Eigen::VectorXd& azimuth,
               const Eigen::VectorXd& range,
               calibration_sample& sample);

//! What a set of known bearings tells of an array's orientation.
class known_bearings
{
public:
    explicit known_bearings(const antenna_array& array)
        : d_is_front_only(array.is_front_only())
    {
    }

    void add(const calibration_sample& sample);

    core::orientation orientation() const;
    //! the map that they leave free
    free_map left_free() const;

private:
    bool d_is_front_only;
    int d_count = 0;
    double d_lowest = 1.0; // of sin(azimuth)
    double d_highest = -1.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_KNOWN_SOURCES_H */
