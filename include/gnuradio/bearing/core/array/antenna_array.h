/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_ARRAY_ANTENNA_ARRAY_H
#define INCLUDED_GNURADIO_BEARING_CORE_ARRAY_ANTENNA_ARRAY_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <Eigen/Dense>
#include <optional>

namespace gr {
namespace bearing {
namespace core {

//! A steering vector and its derivative with respect to azimuth, per radian, N each.
struct manifold_point {
    Eigen::VectorXcd a;
    Eigen::VectorXcd d;
};

//! The steering vector of a source near by and its derivatives, N each.
struct near_field_point {
    Eigen::VectorXcd a;
    Eigen::VectorXcd by_azimuth;       //!< per radian
    Eigen::VectorXcd by_elevation;     //!< per radian
    Eigen::VectorXcd by_inverse_range; //!< times the array's unit
};

/*!
 * \brief Geometry, wavelength and calibration of an antenna array: its manifold.
 *
 * Frame: x right, y forward, z up. Azimuth theta is clockwise from +y as on a compass,
 * elevation phi is up from the x-y plane, both in radians. The unit vector
 * u(theta, phi) = (sin theta cos phi, cos theta cos phi, sin phi) points from the array
 * to the source, and the steering vector is
 *
 *     a(theta, phi) = C diag(g) exp(+j 2 pi (p + delta) . u / lambda)
 *
 * so a wave reaches an element nearer to the source earlier. Uniform lines lie along +x:
 * theta in [-pi/2, pi/2] is their broadside angle.
 *
 * An array made without a wavelength has its geometry in wavelengths and is never
 * rescaled; with one, geometry and wavelength are in metres.
 *
 * A value type: cheap to copy, immutable, safe to share between threads.
 */
class BEARING_API antenna_array
{
public:
    /*!
     * \brief Uniform line along +x, element 0 at the origin.
     * \param num_elements N >= 1
     * \param spacing distance of neighbours > 0, in wavelengths (metres with a
     * wavelength)
     * \param wavelength in metres, > 0
     * \throws std::invalid_argument naming the parameter
     */
    static antenna_array uniform_line(int num_elements,
                                      double spacing,
                                      std::optional<double> wavelength = std::nullopt);

    /*!
     * \brief Uniform circle about the origin, element k at azimuth 2 pi k / N, clockwise
     * from +y.
     * \param num_elements N >= 1
     * \param radius > 0, in wavelengths (metres with a wavelength)
     * \param wavelength in metres, > 0
     * \throws std::invalid_argument naming the parameter
     */
    static antenna_array uniform_circle(int num_elements,
                                        double radius,
                                        std::optional<double> wavelength = std::nullopt);

    /*!
     * \brief Elements anywhere in two or three dimensions.
     * \param positions N x 2 or N x 3, in wavelengths (metres with a wavelength).
     * Elements that, seen from above, stand on one straight line must stand parallel to
     * x, because such an array cannot tell front from back and its bearings count from
     * +y.
     * \param wavelength in metres, > 0
     * \throws std::invalid_argument naming the parameter; also for two elements in one
     * place
     */
    static antenna_array custom(const Eigen::MatrixXd& positions,
                                std::optional<double> wavelength = std::nullopt);

    //! N
    int num_elements() const { return static_cast<int>(d_positions.rows()); }
    //! p: positions as drawn (without delta), N x 3, in wavelengths or metres
    const Eigen::MatrixXd& positions() const { return d_positions; }
    //! lambda in metres; absent when the geometry is in wavelengths
    std::optional<double> wavelength() const { return d_wavelength; }
    //! the parts of the calibration that are in force
    const calibration_state& calibration() const { return d_calibration; }

    //! True when all elements, as drawn, have the same y (a line along x, an upright
    //! panel): such an array cannot tell front from back, and theta runs over [-pi/2,
    //! pi/2] only.
    bool is_front_only() const { return d_is_front_only; }
    //! Distance of neighbours in wavelengths when the array, as drawn, is a uniform line
    //! in order of increasing x; else absent.
    std::optional<double> uniform_spacing() const { return d_uniform_spacing; }
    //! Largest distance of two elements as drawn, in wavelengths.
    double aperture() const { return d_aperture; }
    //! True when the calibration moves elements from where they are drawn.
    bool has_position_offsets() const
    {
        return d_calibration.positions.size() > 0 && !d_calibration.positions.isZero(0.0);
    }

    /*!
     * \brief True when two directions within azimuths [first, last] (radians) have the
     * same steering vector, so that no method can tell them apart.
     *
     * Known in closed form for uniform lines (grating lobes at spacings beyond half a
     * wavelength); false for all others.
     */
    bool is_ambiguous(double first, double last) const;

    //! A copy whose manifold includes the parts that \p calibration has; parts it lacks
    //! stay. \throws std::invalid_argument when it does not fit this array
    antenna_array calibrated(const calibration_state& calibration) const;
    //! A copy with \p calibration in place of the one in force; parts it lacks are those
    //! of the drawing. \throws std::invalid_argument when it does not fit this array
    antenna_array with_calibration(const calibration_state& calibration) const;
    //! A copy at another wavelength in metres (> 0).
    //! \throws std::invalid_argument for an array whose geometry is in wavelengths
    antenna_array with_wavelength(double wavelength) const;

    //! Steering vector a, N, towards azimuth and elevation in radians.
    Eigen::VectorXcd steering(double azimuth, double elevation = 0.0) const;
    //! The same into \p vector; neither it nor \p work, which is left with no meaning,
    //! is allocated anew once both have N elements.
    void steering(double azimuth,
                  double elevation,
                  Eigen::VectorXcd& vector,
                  Eigen::VectorXcd& work) const;
    //! Steering vectors, N x G; directions in radians are taken pairwise.
    Eigen::MatrixXcd steering(const Eigen::VectorXd& azimuth,
                              const Eigen::VectorXd& elevation) const;
    //! Derivative of a with respect to azimuth, per radian, N.
    Eigen::VectorXcd azimuth_derivative(double azimuth, double elevation = 0.0) const;
    //! Both for little more than the price of one, on the horizon.
    manifold_point manifold(double azimuth) const;
    //! Second derivative of a with respect to azimuth, per radian squared, N.
    Eigen::VectorXcd azimuth_second_derivative(double azimuth,
                                               double elevation = 0.0) const;
    //! Derivative of a with respect to elevation, per radian, N.
    Eigen::VectorXcd elevation_derivative(double azimuth, double elevation = 0.0) const;
    //! Derivative of a with respect to the wavelength, per metre, N (geometry in
    //! wavelengths: per unit of a relative change of all wavelengths).
    Eigen::VectorXcd wavelength_derivative(double azimuth, double elevation = 0.0) const;
    //! Derivative of a with respect to the position of each element along \p axis
    //! (0, 1, 2 = x, y, z): N x N, column l belongs to element l; per metre, or per
    //! wavelength when the geometry is in wavelengths.
    Eigen::MatrixXcd
    position_derivative(int axis, double azimuth, double elevation = 0.0) const;

    /*!
     * \brief Derivative with respect to azimuth of the phase at the elements' centroid,
     * in radians per radian.
     *
     * azimuth_derivative() - j * this * steering() is the derivative referenced to the
     * centre of the array, the reference that accuracy formulas need.
     */
    double centroid_phase_derivative(double azimuth, double elevation = 0.0) const;

    /*!
     * \brief Steering vector of a point source, N.
     *
     *     a_l = C diag(g) exp(-j 2 pi (r_l - r) / lambda), r_l = |r u - (p_l + delta_l)|
     *
     * The distance r counts from the origin and so does the direction; 1 / r -> 0 is
     * steering(). How levels fall with distance is not part of it.
     *
     * \param azimuth in radians
     * \param elevation in radians
     * \param inverse_range 1 / r, one over the array's unit
     * \throws std::invalid_argument naming the range unless r > reach() (1 / r < 0, a wave
     * that contracts, mathematics' continuation beyond infinity: |r| likewise)
     */
    Eigen::VectorXcd
    near_field_steering(double azimuth, double elevation, double inverse_range) const;
    //! The same with its derivatives; those by azimuth and elevation become those of
    //! steering() as 1 / r -> 0.
    near_field_point
    near_field(double azimuth, double elevation, double inverse_range) const;
    //! Largest distance of an element from the origin, as calibrated, in the array's unit.
    double reach() const;

    //! 2 pi (p + delta) / lambda, N x 3: element l's phase in a plane wave is row l times
    //! u.
    const Eigen::MatrixXd& wave_positions() const { return d_wave_positions; }

private:
    antenna_array(Eigen::MatrixXd positions,
                  std::optional<double> wavelength,
                  calibration_state calibration);

    Eigen::VectorXcd respond(const Eigen::VectorXcd& element_phasors) const;
    Eigen::VectorXcd phasors(double azimuth, double elevation) const;
    double wave_number() const;
    void require_outside(double inverse_range) const;

    Eigen::MatrixXd d_positions;
    std::optional<double> d_wavelength;
    calibration_state d_calibration;

    // Derived: wave vectors 2 pi (p + delta) / lambda, N x 3.
    Eigen::MatrixXd d_wave_positions;
    bool d_is_front_only = false;
    std::optional<double> d_uniform_spacing;
    double d_aperture = 0.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_ARRAY_ANTENNA_ARRAY_H */
