/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_SCENE_DESCENT_H
#define INCLUDED_BEARING_CORE_COUPLING_SCENE_DESCENT_H

#include <gnuradio/bearing/core/coupling/coupled_covariance.h>
#include <gnuradio/bearing/core/coupling/likelihood_fit.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! Gradient and curvature of a cost over x = [w; phi; q; v].
struct slope {
    Eigen::VectorXd gradient;
    Eigen::MatrixXd curvature;
};

//! Of factor / 2 times the squared norm of a residual whose derivatives are \p columns.
slope slope_of(const Eigen::MatrixXcd& columns,
               const Eigen::MatrixXcd& residual,
               double factor);

//! \throws std::invalid_argument unless R^ is N x N
void require_covariance_size(const coupled_covariance& model,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance);

//! A scene on its way down a cost, which the derived class knows.
class scene_descent
{
public:
    virtual ~scene_descent() = default;

    const coupled_scene& scene() const { return d_scene; }
    double cost() const { return d_cost; }
    virtual slope here() const = 0;
    //! Whether a step that promises to save so much is not worth taking.
    virtual bool is_spent(double promise) const = 0;
    //! Steps over x, shortened to the limits; false when that did not lower the cost, and
    //! nothing has moved.
    bool try_step(Eigen::VectorXd step);

protected:
    //! \param floor powers and noise stay above it
    scene_descent(coupled_scene start, double floor);
    //! Once the derived class can tell the cost.
    void begin() { d_cost = cost_of(d_scene); }
    virtual double cost_of(const coupled_scene& scene) const = 0;
    //! How far a step may go, for each parameter: a direction 0.15 rad, all else 1.
    virtual Eigen::VectorXd limits() const;

    //! Where powers shall stay above for R(x) to stay invertible: a share of those of R^.
    static double power_floor(const Eigen::MatrixXcd& sample);

private:
    void keep_positive(coupled_scene& scene) const;

    coupled_scene d_scene;
    double d_floor;
    double d_cost = 0.0;
};

//! Damped Newton over x from \p first on, \p size parameters; others stay.
coupled_fit levenberg_marquardt(scene_descent& descent,
                                Eigen::Index first,
                                Eigen::Index size,
                                int max_iterations);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_SCENE_DESCENT_H */
