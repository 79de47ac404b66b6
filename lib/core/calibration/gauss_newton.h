/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_GAUSS_NEWTON_H
#define INCLUDED_BEARING_CORE_CALIBRATION_GAUSS_NEWTON_H

#include "calibration_sample.h"
#include "source_null.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! The map of bearings that the data leaves free, and that a step must not move along.
struct free_map {
    bool tilt = false;     //!< a line: sin(theta) -> sin(theta) + beta
    bool stretch = false;  //!< a line: sin(theta) -> fixed + alpha (sin(theta) - fixed)
    bool rotation = false; //!< any other array
    double fixed = 0.0;
};

//! Uncertainty, before the data, of the unknowns: log gain and phase of an element, and an
//! offset in wavelengths.
struct parameter_prior {
    double log_gain = 1.0;
    double phase = 1.0;
    double offset = 0.25;
};
//! Adds \p factor times its information to the diagonal of a matrix of the unknowns.
void add_information(const parameter_prior& prior,
                     double factor,
                     int num_elements,
                     Eigen::MatrixXd& information);
//! It only steadies what the data hardly tells.
constexpr parameter_prior vague_prior{};
/*!
 * \brief Gauss-Newton on the sum of D / variance over sources, by variable projection.
 *
 * Unknowns, relative to the present parameters: change of log gain, change of phase, and
 * offsets along x (planar arrays: and y) in wavelengths, N each. The direction of an
 * unknown source is eliminated. The normal matrix is half of Fisher's information.
 *
 * Nothing is allocated after construction.
 */
class gauss_newton
{
public:
    //! \param num_axes of the offsets that are fitted: 0, 1 (x) or 2 (x and y)
    gauss_newton(int num_elements, int num_axes);

    int num_unknowns() const { return static_cast<int>(d_gradient.size()); }

    void clear();
    //! Adds a source; \p weight multiplies its term.
    void add(const source_null& source, bool is_known, double weight);
    //! Re Q of the source last added, N x N.
    const Eigen::MatrixXd& last_curvature() const { return d_real; }
    //! Normal matrix and gradient of what was added, complete.
    const Eigen::MatrixXd& normal_matrix();
    const Eigen::VectorXd& gradient() const { return d_gradient; }

    //! Adds the gradient of vague_prior about \p expected; the step adds its curvature.
    void pull_towards(const array_parameters& expected, const array_parameters& present);

    /*!
     * \brief Directions along which the data cannot move the parameters: scale, common
     * phase, common shift, and the free map; orthonormal in the metric().
     *
     * Each element counts with its power, as it does in a bearing: the noise in a weak
     * element's phase must not turn the array.
     */
    const Eigen::MatrixXd& pinned(const array_parameters& parameters,
                                  const free_map& map);
    //! Diagonal of the metric by the parameters last given to pinned(): power per
    //! radian squared of phase, over all directions.
    const Eigen::VectorXd& metric() const { return d_metric; }

    //! Moves \p parameters by one step; its length relative to what a step may be.
    double step(array_parameters& parameters,
                const free_map& map,
                const parameter_prior& prior = vague_prior);

    //! Takes out of phases, N, what was pinned in the last step.
    void release_phases(Eigen::VectorXd& phases) const;

private:
    void pin(const Eigen::VectorXd& direction);

    int d_num_elements;
    int d_num_axes;
    bool d_is_complete = true;
    Eigen::MatrixXd d_normal;
    Eigen::VectorXd d_gradient;
    Eigen::MatrixXd d_real;
    Eigen::MatrixXd d_imag;
    Eigen::VectorXd d_azimuth_column;
    Eigen::MatrixXd d_pinned_storage;
    Eigen::MatrixXd d_pinned;
    int d_num_pinned = 0;
    Eigen::VectorXd d_metric;
    Eigen::VectorXd d_direction;
    Eigen::MatrixXd d_system;
    Eigen::LLT<Eigen::MatrixXd> d_solver;
    Eigen::VectorXd d_move;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_GAUSS_NEWTON_H */
