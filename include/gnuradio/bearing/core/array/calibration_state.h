/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_ARRAY_CALIBRATION_STATE_H
#define INCLUDED_GNURADIO_BEARING_CORE_ARRAY_CALIBRATION_STATE_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief How the real array differs from its drawing.
 *
 * The calibrated manifold is a~(u) = C diag(g) exp(+j 2 pi (p + delta) . u / lambda).
 * A part that is absent (an empty vector or matrix) leaves that part of the array
 * unchanged: g = 1, delta = 0, C = I.
 *
 * Gauge: data cannot tell a common gain or a common shift, so fitted calibrations have
 * g = 1 and delta = 0 at the \p reference element. A calibration made by hand may use
 * any gauge.
 */
struct BEARING_API calibration_state {
    //! g: complex gain of each element, N; empty: absent
    Eigen::VectorXcd gains;
    //! delta: position offsets, N x 3, in the array's own unit (metres for an array with
    //! a wavelength, else wavelengths); empty: absent
    Eigen::MatrixXd positions;
    //! C: mutual coupling, N x N, C(0,0) = 1; empty: absent
    Eigen::MatrixXcd coupling;
    //! standard deviation of each gain's phase in radians, N; empty: unknown
    Eigen::VectorXd sigma_phase_rad;
    //! standard deviation of each gain's logarithmic magnitude in nepers, N; empty:
    //! unknown
    Eigen::VectorXd sigma_log_gain;
    //! index of the element at which g = 1 and delta = 0; absent: 0, or as it was
    std::optional<int> reference;
    //! radio frequency in Hz at which it was measured
    std::optional<double> frequency;
    //! when it was measured, seconds since 1970-01-01 UTC
    std::optional<double> time;

    //! Number of elements that the present parts describe; 0 when no part is present.
    int num_elements() const;

    /*!
     * \brief Checks every part.
     * \param num_elements elements of the array it will be applied to; 0: any
     * \throws std::invalid_argument naming the part, when sizes disagree, a value is not
     * finite, a deviation is negative, the reference is out of range or C(0,0) is not 1.
     */
    void validate(int num_elements = 0) const;

    //! A copy in which the parts that \p newer has replace this one's; the reference
    //! belongs to gains and positions, and is replaced only along with either.
    calibration_state updated_by(const calibration_state& newer) const;
    //! A copy in which coupling is absent.
    calibration_state without_coupling() const;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_ARRAY_CALIBRATION_STATE_H */
