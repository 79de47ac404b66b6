/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_CHI_SQUARED_H
#define INCLUDED_BEARING_CORE_SUBSPACE_CHI_SQUARED_H

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/subspace/chi_squared_quantile.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! The 0.9999 quantile of chi-squared. Right to 7 % at one degree of freedom and to 2 % from
//! nine on, always above.
inline double chi_squared_limit(double freedom)
{
    constexpr double deviations = 3.719; // of a Gaussian, one-sided
    return chi_squared_quantile(freedom, deviations);
}

//! A sum of chi-squared variables with different weights, taken as one with the same mean
//! and variance (F. E. Satterthwaite 1946).
class chi_squared_sum
{
public:
    void add(double weight, double freedom)
    {
        d_mean += weight * freedom;
        d_square += weight * weight * freedom;
    }
    //! Its 0.9999 quantile; 0 of an empty sum.
    double limit() const
    {
        if (!(d_mean > 0.0)) {
            return 0.0;
        }
        const double freedom = d_mean * d_mean / d_square;
        return d_mean / freedom * chi_squared_limit(freedom);
    }

    //! The calibration's own errors, one real number each, at an element of power_l.
    void add_errors_of(const calibration_state& calibration, const Eigen::ArrayXd& power)
    {
        for (const Eigen::VectorXd* sigma :
             { &calibration.sigma_phase_rad, &calibration.sigma_log_gain }) {
            for (Eigen::Index l = 0; l < sigma->size(); ++l) {
                add((*sigma)(l) * (*sigma)(l)*power(l), 1.0);
            }
        }
    }

private:
    double d_mean = 0.0;
    double d_square = 0.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_CHI_SQUARED_H */
