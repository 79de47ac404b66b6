/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_VELOCITY_SCALE_H
#define INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_VELOCITY_SCALE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! A velocity calibration.
struct velocity_fit {
    //! true velocity over the propagator's; NaN with a status other than ok
    double scale;
    //! ok; no_source: nothing but noise or zeros; bad_data: fewer than two good sensors;
    //! not_identifiable: the best scale lies at an end of what was searched. What is slower
    //! or faster than all that is much like noise, and may be no_source in short records.
    core::status status = core::status::bad_data;
};

/*!
 * \brief How much faster the waves of a record are than a propagator says: the scale that
 * maximises sum_f |P^H d|^2 / P^H P.
 *
 * A grid of 0.5 % or less, finer for long lines, then parabolas.
 *
 * \param data T x N, time first
 * \param widest scales from 1 - widest to 1 + widest are searched, 0 < widest < 1
 * \param center_frequency of complex data, Hz; 0: the propagator's own
 * \throws std::invalid_argument naming the parameter; p: without a velocity
 */
BEARING_API velocity_fit velocity_scale(const Eigen::MatrixXd& data,
                                        double sample_rate,
                                        const propagator& p,
                                        double widest = 0.1);
BEARING_API velocity_fit velocity_scale(const Eigen::MatrixXcd& data,
                                        double sample_rate,
                                        const propagator& p,
                                        double widest = 0.1,
                                        double center_frequency = 0.0);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_VELOCITY_SCALE_H */
