/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_DRIFTING_STATION_H
#define INCLUDED_BEARING_TESTS_DRIFTING_STATION_H

#include "uncalibrated_arrays.h"
#include <Eigen/Dense>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>

// What arrives: a covariance and perhaps a label.
struct arrival {
    Eigen::MatrixXcd covariance;
    Eigen::VectorXd label;
};

// An array at work, its receivers' phases drifting.
class station
{
public:
    station(uncalibrated_world& world,
            const gr::bearing::core::antenna_array& drawn,
            double drift_deg)
        : d_world(world),
          d_drawn(drawn),
          d_truth(world.impaired(drawn, 0.36, drawn.is_front_only() ? 0.25 : 0.06)),
          d_rate(drawn.num_elements())
    {
        // Each element's phase runs away at this many degrees a minute, one way or the
        // other.
        for (double& rate : d_rate) {
            rate = (d_world.uniform(-1.0, 1.0) > 0.0 ? 1.0 : -1.0) * drift_deg * degree /
                   600.0;
        }
    }

    const gr::bearing::core::antenna_array& truth() const { return d_truth; }
    const gr::bearing::core::antenna_array& drawn() const { return d_drawn; }
    //! of the phases, radians an arrival
    const Eigen::VectorXd& rate() const { return d_rate; }

    void change(const std::function<void(gr::bearing::core::calibration_state&)>& how)
    {
        gr::bearing::core::calibration_state state = d_truth.calibration();
        how(state);
        d_truth = d_drawn.calibrated(state);
    }

    // One source somewhere, or at the bearing.
    arrival next(double bearing = std::numeric_limits<double>::quiet_NaN())
    {
        change([this](gr::bearing::core::calibration_state& state) {
            for (Eigen::Index l = 0; l < d_rate.size(); ++l) {
                state.gains(l) *= std::polar(1.0, d_rate(l));
            }
        });
        Eigen::VectorXd azimuth = d_world.directions(d_drawn);
        if (!std::isnan(bearing)) {
            azimuth(0) = bearing;
        }
        return { d_world.covariance(d_truth, azimuth), azimuth };
    }

private:
    uncalibrated_world& d_world;
    const gr::bearing::core::antenna_array& d_drawn;
    gr::bearing::core::antenna_array d_truth;
    Eigen::VectorXd d_rate;
};

// Spoils one arrival: another source, nothing but noise, a wrong label, no number, strong
// interference that is no plane wave.
inline void spoil(uncalibrated_world& world, station& where, arrival& what)
{
    const int n = where.drawn().num_elements();
    switch (static_cast<int>(world.uniform(0.0, 5.0))) {
    case 0: {
        const Eigen::Vector2d two(what.label(0), world.directions(where.drawn())(0));
        what.covariance = world.covariance(where.truth(), two);
        break;
    }
    case 1:
        what.covariance = world.covariance(where.truth(), what.label, -15.0);
        break;
    case 2:
        what.label = world.directions(where.drawn());
        break;
    case 3:
        what.covariance.setConstant(std::numeric_limits<double>::quiet_NaN());
        break;
    default: {
        Eigen::VectorXcd wave(n);
        for (std::complex<double>& value : wave) {
            value = world.circular(900.0);
        }
        what.covariance += wave * wave.adjoint();
    }
    }
}

#endif /* INCLUDED_BEARING_TESTS_DRIFTING_STATION_H */
