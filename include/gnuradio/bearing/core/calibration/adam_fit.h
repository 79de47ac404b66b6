/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ADAM_FIT_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ADAM_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <gnuradio/bearing/core/calibration/diffmusic_fit.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What a descent found.
struct adam_result {
    //! those of the smallest loss on the way
    array_parameters parameters;
    //! after each iteration; NaN where no covariance took part
    std::vector<double> loss;
};

/*!
 * \brief Calibrates by descending one of the losses of diffmusic_losses.
 *
 * Adam (D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015) over
 * all covariances at once: steps of 1e-2 in the gains and 3e-3 wavelengths in the
 * positions, going to zero by a half cosine, and impose_gauge() after each. Arrays that
 * look forward only move along x, all others along x and y. What unlabelled data cannot
 * tell (see orientation) is kept out of the steps of ul and stays as it was at the start.
 *
 * \param signal_subspaces Es of K covariances, N x M
 * \param drawn the array as drawn, which gives the gauge and the range of directions
 * \param start where to start
 * \param method sl_p, sl_theta or ul
 * \param azimuth labels in radians, K x M, NaN where unknown; ignored by ul
 * \param iterations >= 0
 * \param fit_positions whether elements move, or gains alone
 * \throws std::invalid_argument naming the parameter, as diffmusic_losses does
 */
BEARING_API adam_result fit_by_adam(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                                    const antenna_array& drawn,
                                    const array_parameters& start,
                                    diffmusic_method method,
                                    const Eigen::MatrixXd& azimuth,
                                    int iterations,
                                    bool fit_positions);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_ADAM_FIT_H */
