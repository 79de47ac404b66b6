/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_PHASE_DRIFT_H
#define INCLUDED_BEARING_CORE_CALIBRATION_PHASE_DRIFT_H

#include "gauss_newton.h"
#include "source_null.h"
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How fast the phase of each element drifts, from what samples of different age say
 * of it.
 *
 * Gauss-Newton on the same sum as gauss_newton, over the rates, with the phases eliminated
 * and the rest as it is. Nothing is allocated after construction.
 */
class phase_drift
{
public:
    explicit phase_drift(int num_elements);

    //! Radians an arrival, N.
    const Eigen::VectorXd& rate() const { return d_rate; }
    //! No drift is known.
    void forget();

    //! Drops what was added, not the rate.
    void clear();
    /*!
     * \brief Adds a source.
     * \param curvature Re Q of the source, N x N
     * \param age in arrivals relative to the mean of what is added
     */
    void add(const source_null& source,
             const Eigen::MatrixXd& curvature,
             bool is_known,
             double weight,
             double age);
    /*!
     * \brief Moves the rate towards what was added, from what it was before.
     *
     * The same data may be added again and again as it ages: it does not count more for it.
     *
     * \param windows what was learnt before what was added, which is forgotten, counts so
     * many times as much; 0: there is nothing before
     * \param newton what was added there tells the phases; what it pinned in its last step is
     * taken out of the rate
     * \returns the change of the rate, N
     */
    const Eigen::VectorXd& step(double windows, gauss_newton& newton);

private:
    Eigen::VectorXd d_rate;
    Eigen::VectorXd d_before; // the rate before the data that is at hand
    Eigen::MatrixXd d_normal; // of the rates
    Eigen::MatrixXd d_cross;  // phases by rates
    Eigen::VectorXd d_gradient;
    Eigen::MatrixXd d_phase_normal;
    Eigen::MatrixXd d_eliminated;
    Eigen::VectorXd d_azimuth_column;
    Eigen::LLT<Eigen::MatrixXd> d_solver;
    Eigen::VectorXd d_change;
    Eigen::VectorXd d_next;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_PHASE_DRIFT_H */
