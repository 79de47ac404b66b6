/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_PEAK_SEARCH_H
#define INCLUDED_BEARING_CORE_CALIBRATION_PEAK_SEARCH_H

#include "calibration_sample.h"
#include "source_null.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! Distance of two directions on the horizon as unit vectors, radians in; a line does not
//! see on which side of it a source is.
double seen_distance(bool is_front_only, double azimuth, double other);
//! What two sources must be apart by, in that measure, to be told from each other.
double resolved_distance(const antenna_array& drawn);

/*!
 * \brief Peaks of the MUSIC spectrum of an array whose parameters keep changing.
 *
 * A coarse grid in single precision tells where, Newton's method in double precision
 * refines. Nothing is allocated after construction.
 */
class peak_search
{
public:
    explicit peak_search(const antenna_array& drawn);

    //! Steering vectors of the grid for these parameters.
    void update(const array_parameters& parameters);

    /*!
     * \brief Finds the directions of a sample that are not known, by the parameters last
     * given to update(), and writes them behind the known ones.
     * \returns false when fewer peaks than sources were found
     */
    bool find(const array_parameters& parameters, calibration_sample& sample);

    //! Moves the directions that are not known to the minima they stand next to.
    void refine(const array_parameters& parameters, calibration_sample& sample);

    //! Whether any two sources are too near to each other, or one that is not known too
    //! near to the ends of a line's view, for the directions to be trusted.
    bool is_doubtful(const calibration_sample& sample) const;

private:
    using candidate = std::pair<float, double>; // minus its height, azimuth

    void fill_spectrum(const calibration_sample& sample);
    double refined(const array_parameters& parameters,
                   const calibration_sample& sample,
                   double azimuth);

    bool d_is_front_only;
    double d_step;
    double d_least_distance;
    Eigen::VectorXd d_azimuth;
    Eigen::MatrixXf d_direction; // G x 2, 2 pi u
    Eigen::ArrayXXf d_phase;     // G x N
    Eigen::MatrixXf d_real;
    Eigen::MatrixXf d_imag;
    Eigen::MatrixXf d_basis_real; // N x M
    Eigen::MatrixXf d_basis_imag;
    Eigen::MatrixXf d_projected; // G x M
    Eigen::ArrayXf d_spectrum;
    std::vector<candidate> d_candidates;
    source_null d_source;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_PEAK_SEARCH_H */
