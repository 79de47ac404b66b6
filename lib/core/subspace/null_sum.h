/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_NULL_SUM_H
#define INCLUDED_BEARING_CORE_SUBSPACE_NULL_SUM_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/null_function.h>
#include <Eigen/Dense>
#include <deque>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! f(theta) = sum_m w_m f_m(theta): null functions of several arrays, or of one at several
//! frequencies, with weights.
class null_sum
{
public:
    //! \param array, signal_subspace as of null_function
    void add(const antenna_array& array, const Eigen::MatrixXcd& signal_subspace);

    //! w_m in the order of add(); 1 before.
    void set_weights(std::vector<double> weights);

    //! f and its first two derivatives with respect to azimuth
    null_function::expansion at(double azimuth) const;

    //! The minimum of f between \p lower and \p upper (radians), to rounding error, with
    //! \p start between them: Newton's method on the slope, kept inside by bisection.
    double minimum(double lower, double start, double upper) const;

private:
    std::deque<null_function> d_terms; // stay where they are
    std::vector<double> d_weights;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_NULL_SUM_H */
