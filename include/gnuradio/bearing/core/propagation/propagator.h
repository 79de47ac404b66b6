/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_H
#define INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <memory>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What becomes of a signal on its way from the first sensor to each of N sensors:
 * d_l(f) = P_l(f) s0(f), with P_0 = 1 for dispersive lines and plane waves.
 *
 * Frequencies are absolute, in Hz: for complex streams around a centre frequency f_c,
 * baseband frequency f is f_c + f. A wave that reaches sensor l later than the first has a
 * phase that falls with f: exp(-j 2 pi f delay).
 *
 * Immutable, cheap to copy.
 */
class BEARING_API propagator
{
public:
    /*!
     * \brief Sensors along a line on which attenuation and velocity depend on frequency:
     * P_i(f) = gain(f)^((x_i - x_0) / gain_distance) exp(-j 2 pi f (x_i - x_0) / velocity(f)).
     *
     * Tables are interpolated linearly; velocity and the logarithm of the gain, that is. At
     * -f the response is the conjugate of that at f, as in every real medium.
     *
     * \param positions x, N >= 1, metres, growing in the direction of travel (negate them for
     * a wave from the far end), no two alike
     * \param frequency of the tables, Hz, ascending, >= 0, F >= 1 (1: at all frequencies)
     * \param gain over gain_distance, F, > 0
     * \param velocity of the phase, F, > 0, metres a second
     * \param gain_distance metres, > 0; without: |x_1 - x_0|
     * \throws std::invalid_argument naming the parameter
     */
    static propagator dispersive(const Eigen::VectorXd& positions,
                                 const Eigen::VectorXd& frequency,
                                 const Eigen::VectorXd& gain,
                                 const Eigen::VectorXd& velocity,
                                 std::optional<double> gain_distance = {});

    /*!
     * \brief A plane wave from one direction on an array:
     * P_l(f) = exp(j 2 pi f (p_l - p_0) . u / velocity).
     *
     * Position offsets of the array's calibration count; where it has gains or a coupling,
     * P is the steering vector at that frequency relative to its element 0.
     *
     * \param azimuth clockwise from the array's +y, radians
     * \param elevation radians
     * \param velocity metres a second; without: that of light, and complex streams only
     * \throws std::invalid_argument for angles that are no numbers, velocity <= 0, or a
     * velocity for an array that is not in metres
     */
    static propagator plane_wave(const antenna_array& array,
                                 double azimuth,
                                 double elevation = 0.0,
                                 std::optional<double> velocity = {});

    /*!
     * \brief Any response, as a table; real and imaginary parts are interpolated linearly.
     * \param frequency Hz, ascending, F >= 2
     * \param response P, F x N
     */
    static propagator table(const Eigen::VectorXd& frequency,
                            const Eigen::MatrixXcd& response);

    int num_sensors() const;

    //! Frequencies in Hz for which the response is known (of dispersive lines, |f|); infinite
    //! where it is for all.
    double lowest_frequency() const;
    double highest_frequency() const;

    /*!
     * \brief The centre frequency that a complex stream has by itself: velocity over
     * wavelength, of plane waves on an array with a wavelength; else none.
     */
    std::optional<double> own_center_frequency() const;

    /*!
     * \brief P at center_frequency + frequency, F x N.
     *
     * \throws std::invalid_argument naming frequency when one lies outside what the tables
     * cover; naming center_frequency for a plane wave on an array in wavelengths when it is
     * 0; naming velocity for a plane wave without one when \p is_real.
     * \param is_real of a real stream: center_frequency must be 0
     */
    Eigen::MatrixXcd response(const Eigen::VectorXd& frequency,
                              double center_frequency,
                              bool is_real) const;

    //! Whether there is a velocity that can be scaled: not in a table of responses.
    bool has_velocity() const;
    //! The same with all velocities multiplied. \throws std::invalid_argument, see there
    propagator with_velocity_scale(double scale) const;

    bool is_plane_wave() const;
    //! The same wave from another direction, radians. \throws std::invalid_argument
    //! unless it is a plane wave
    propagator towards(double azimuth, double elevation = 0.0) const;

    class model;

private:
    explicit propagator(std::shared_ptr<const model> model);
    std::shared_ptr<const model> d_model;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_H */
