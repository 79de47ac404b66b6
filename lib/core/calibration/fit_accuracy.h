/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_FIT_ACCURACY_H
#define INCLUDED_BEARING_CORE_CALIBRATION_FIT_ACCURACY_H

#include "gauss_newton.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How well fitted parameters are known, from the Gauss-Newton information matrix.
 *
 * Twice the normal matrix is Fisher's information of the shape. What the data leaves free
 * (free_map) is as uncertain as the array was found to differ from its drawing.
 */
class fit_accuracy
{
public:
    /*!
     * \param fit with the sources of the last iteration added
     * \param parameters that it ended with
     * \param map that the data left free
     * \param drawn where the array was supposed to be
     * \param inflation of the variances: 1, or the loss where it is larger
     */
    fit_accuracy(gauss_newton& fit,
                 const array_parameters& parameters,
                 const free_map& map,
                 const antenna_array& drawn,
                 double inflation);

    /*!
     * \brief Sets sigma_phase_rad and sigma_log_gain of a calibration.
     *
     * The phases are those of the elements' whole responses, gain and position, over the
     * field of view. Errors of a fit hang together and predictors take them as
     * independent, so the phases' are scaled for the bearing of a source to be, on average,
     * as uncertain as it is.
     */
    void fill(calibration_state& calibration) const;

    //! Standard deviations of position offsets against the reference's, in wavelengths,
    //! N x 3
    Eigen::MatrixXd sigma_positions(int reference) const;

    //! Largest standard deviation, in radians, of an element's phase as far as the shape
    //! goes: what is known of the array when it is near vague_prior's is the drawing only.
    double largest_shape_deviation() const { return d_largest_shape_deviation; }
    //! Root of the summed variances of all phases as far as the shape goes, an element by
    //! its power: one thing that the data does not tell is enough to make it near 1.
    double shape_deviation() const { return d_shape_deviation; }

private:
    double phase_variance(int element) const;

    int d_num_elements;
    int d_num_axes;
    array_parameters d_parameters;
    bool d_is_front_only;
    Eigen::MatrixXd d_covariance; // log gain, phase, x, y
    double d_largest_shape_deviation;
    double d_shape_deviation;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_FIT_ACCURACY_H */
