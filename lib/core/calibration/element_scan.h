/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_ELEMENT_SCAN_H
#define INCLUDED_BEARING_CORE_CALIBRATION_ELEMENT_SCAN_H

#include "source_null.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Finds an element that sits in a wrong minimum: a wavelength's fraction away the data
 * fits better.
 *
 * D is a quadratic form in the response of one element, so at each place its best gain is
 * known in closed form, and only the place has to be searched.
 */
class element_scan
{
public:
    //! \param num_axes of the offsets that are fitted: 1 (x) or 2 (x and y)
    element_scan(const antenna_array& drawn, int num_axes);

    void clear();
    //! Adds a source at the present \p parameters; \p weight multiplies its term.
    void
    add(const source_null& source, const array_parameters& parameters, double weight);

    /*!
     * \brief Moves the one element that gains most by it, with the gain that belongs to its
     * new place.
     * \returns whether there was one
     */
    bool move_worst(array_parameters& parameters) const;

private:
    Eigen::MatrixXd d_places; // by the drawing, in wavelengths, G x 2
    Eigen::MatrixXd d_drawn;  // N x 2
    Eigen::MatrixXcd d_sums;  // G x N
    Eigen::VectorXcd d_present;
    Eigen::VectorXd d_power;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_ELEMENT_SCAN_H */
