/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_ARRAY_STATUS_H
#define INCLUDED_GNURADIO_BEARING_CORE_ARRAY_STATUS_H

#include <gnuradio/bearing/api.h>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What a result is worth, in one word.
 *
 * Every result of an estimator or a calibrator carries one. Bad data never throws: it
 * ends in one of these, and quantities that could not be determined are NaN.
 */
enum class status {
    ok,             //!< every value may be trusted
    no_source,      //!< nothing but noise
    unresolved,     //!< fewer directions than sources, or too close for their error bars
    collapsed,      //!< a direction and its mirror image fell together
    bad_data,       //!< NaN, Inf, all zero, a dead channel, or not a covariance
    low_snr,        //!< signal too weak for the predicted deviation to hold
    model_mismatch, //!< the data contradicts the array model
    not_identifiable, //!< the data cannot tell: ambiguous array, unknown snapshot count
    learning,         //!< a calibrator that has not converged yet
    tracking,         //!< a calibrator that follows the array
    frozen            //!< a calibrator that holds its last good state
};

//! The name of \p s as it stands in messages and in Python, for example "bad_data".
BEARING_API const char* to_string(status s);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_ARRAY_STATUS_H */
