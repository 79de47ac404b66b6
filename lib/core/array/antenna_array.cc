/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/near_field.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double two_pi = 2.0 * M_PI;
constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };

// Two elements nearer to each other than this, in wavelengths, are a slip of the pen.
constexpr double smallest_distance = 1e-4;
// And nothing farther apart than this, in wavelengths, sees a signal as narrowband; grids
// grow with the aperture.
constexpr double largest_aperture = 1000.0;
// Relative accuracy to which drawn positions count as collinear or as equally spaced.
constexpr double drawing_tolerance = 1e-6;

void require_positive(const char* name, double value)
{
    if (!(std::isfinite(value) && value > 0.0)) {
        throw std::invalid_argument("array: " + std::string(name) + " is " +
                                    std::to_string(value) +
                                    "; it must be finite and > 0");
    }
}

void require_elements(int num_elements)
{
    if (num_elements < 1) {
        throw std::invalid_argument("array: n is " + std::to_string(num_elements) +
                                    "; an array needs at least 1 element");
    }
}

void require_distinct(const Eigen::MatrixXd& positions, double wavelength)
{
    for (Eigen::Index i = 0; i < positions.rows(); ++i) {
        for (Eigen::Index k = 0; k < i; ++k) {
            const double distance = (positions.row(i) - positions.row(k)).norm();
            if (distance < smallest_distance * wavelength) {
                throw std::invalid_argument(
                    "array: positions of elements " + std::to_string(k) + " and " +
                    std::to_string(i) + " coincide; they must be at least " +
                    std::to_string(smallest_distance) +
                    " wavelengths apart, and a wavelength is " +
                    std::to_string(wavelength));
            }
        }
    }
}

// Whether the elements stand on one line seen from above; throws when they do in a way in
// which azimuth from +y cannot be observed.
bool stands_on_x_line(const Eigen::MatrixXd& positions)
{
    if (positions.rows() < 2) {
        return true;
    }
    const Eigen::MatrixXd plan =
        positions.leftCols(2).rowwise() - positions.leftCols(2).colwise().mean();
    const double size =
        (positions.rowwise() - positions.colwise().mean()).rowwise().norm().maxCoeff();
    const Eigen::VectorXd extent = plan.jacobiSvd().singularValues();
    if (extent(0) <= drawing_tolerance * size) {
        throw std::invalid_argument(
            "array: positions all have the same x and y; azimuth cannot be observed, "
            "spread the elements in the x-y plane");
    }
    if (extent(1) > drawing_tolerance * extent(0)) {
        return false;
    }
    if (plan.col(1).cwiseAbs().maxCoeff() > drawing_tolerance * extent(0)) {
        throw std::invalid_argument(
            "array: positions lie on one line, seen from above, that is not parallel to "
            "x; "
            "bearings of such an array count from its broadside +y, so draw it along x "
            "and put its orientation into the heading");
    }
    return true;
}

Eigen::Vector3d direction(double azimuth, double elevation)
{
    return { std::sin(azimuth) * std::cos(elevation),
             std::cos(azimuth) * std::cos(elevation),
             std::sin(elevation) };
}

std::complex<double> unit_phasor(double phase)
{
    return { std::cos(phase), std::sin(phase) };
}

Eigen::Vector3d direction_by_azimuth(double azimuth, double elevation)
{
    return { std::cos(azimuth) * std::cos(elevation),
             -std::sin(azimuth) * std::cos(elevation),
             0.0 };
}

Eigen::Vector3d direction_by_elevation(double azimuth, double elevation)
{
    return { -std::sin(azimuth) * std::sin(elevation),
             -std::cos(azimuth) * std::sin(elevation),
             std::cos(elevation) };
}

} // namespace

antenna_array antenna_array::uniform_line(int num_elements,
                                          double spacing,
                                          std::optional<double> wavelength)
{
    require_elements(num_elements);
    require_positive("spacing", spacing);
    Eigen::MatrixXd positions = Eigen::MatrixXd::Zero(num_elements, 3);
    for (int l = 0; l < num_elements; ++l) {
        positions(l, 0) = l * spacing;
    }
    return { std::move(positions), wavelength, {} };
}

antenna_array antenna_array::uniform_circle(int num_elements,
                                            double radius,
                                            std::optional<double> wavelength)
{
    require_elements(num_elements);
    require_positive("radius", radius);
    if (num_elements == 2) {
        throw std::invalid_argument(
            "array: n is 2; a circle needs 1 or at least 3 elements (2 make a line)");
    }
    Eigen::MatrixXd positions = Eigen::MatrixXd::Zero(num_elements, 3);
    for (int k = 0; k < num_elements; ++k) {
        const double azimuth = two_pi * k / num_elements;
        positions(k, 0) = radius * std::sin(azimuth);
        positions(k, 1) = radius * std::cos(azimuth);
    }
    return { std::move(positions), wavelength, {} };
}

antenna_array antenna_array::custom(const Eigen::MatrixXd& positions,
                                    std::optional<double> wavelength)
{
    require_elements(static_cast<int>(positions.rows()));
    if (positions.cols() != 2 && positions.cols() != 3) {
        throw std::invalid_argument("array: positions has " +
                                    std::to_string(positions.cols()) +
                                    " columns; it must be N x 2 or N x 3");
    }
    if (!positions.allFinite()) {
        throw std::invalid_argument(
            "array: positions holds NaN or Inf; every coordinate must be finite");
    }
    Eigen::MatrixXd in_space = Eigen::MatrixXd::Zero(positions.rows(), 3);
    in_space.leftCols(positions.cols()) = positions;
    return { std::move(in_space), wavelength, {} };
}

antenna_array::antenna_array(Eigen::MatrixXd positions,
                             std::optional<double> wavelength,
                             calibration_state calibration)
    : d_positions(std::move(positions)),
      d_wavelength(wavelength),
      d_calibration(std::move(calibration))
{
    if (d_wavelength) {
        require_positive("wavelength", *d_wavelength);
    }
    const double unit = d_wavelength.value_or(1.0);
    require_distinct(d_positions, unit);
    d_is_front_only = stands_on_x_line(d_positions);

    const int n = num_elements();
    for (int i = 0; i < n; ++i) {
        for (int k = 0; k < i; ++k) {
            const double distance = (d_positions.row(i) - d_positions.row(k)).norm();
            d_aperture = std::max(d_aperture, distance / unit);
        }
    }
    if (d_aperture > largest_aperture) {
        throw std::invalid_argument(
            "array: positions span " + std::to_string(d_aperture) +
            " wavelengths; at most " + std::to_string(largest_aperture) +
            " are allowed (are positions and wavelength in the same unit?)");
    }
    if (n > 1) {
        const Eigen::RowVector3d step =
            (d_positions.row(n - 1) - d_positions.row(0)) / (n - 1);
        double deviation = std::hypot(step(1), step(2));
        for (int l = 0; l < n; ++l) {
            deviation = std::max(
                deviation, (d_positions.row(l) - d_positions.row(0) - l * step).norm());
        }
        // Never true for a negative step: such a line counts from the wrong end.
        if (deviation <= drawing_tolerance * step(0)) {
            d_uniform_spacing = step(0) / unit;
        }
    }

    d_wave_positions = d_positions;
    if (d_calibration.positions.rows() > 0) {
        d_wave_positions += d_calibration.positions;
    }
    d_wave_positions *= two_pi / unit;
}

bool antenna_array::is_ambiguous(double first, double last) const
{
    return d_uniform_spacing && *d_uniform_spacing * (std::sin(last) - std::sin(first)) >
                                    1.0 + drawing_tolerance;
}

antenna_array antenna_array::calibrated(const calibration_state& calibration) const
{
    calibration.validate(num_elements());
    return { d_positions, d_wavelength, d_calibration.updated_by(calibration) };
}

antenna_array antenna_array::with_calibration(const calibration_state& calibration) const
{
    calibration.validate(num_elements());
    return { d_positions, d_wavelength, calibration };
}

antenna_array antenna_array::with_wavelength(double wavelength) const
{
    if (!d_wavelength) {
        throw std::invalid_argument(
            "array: wavelength cannot be set, the geometry is in wavelengths; build the "
            "array in metres with a wavelength to retune it");
    }
    return { d_positions, wavelength, d_calibration };
}

Eigen::VectorXcd antenna_array::phasors(double azimuth, double elevation) const
{
    const Eigen::VectorXd phase = d_wave_positions * direction(azimuth, elevation);
    return phase.unaryExpr(&unit_phasor);
}

Eigen::VectorXcd antenna_array::respond(const Eigen::VectorXcd& element_phasors) const
{
    Eigen::VectorXcd response = element_phasors;
    if (d_calibration.gains.size() > 0) {
        response.array() *= d_calibration.gains.array();
    }
    if (d_calibration.coupling.size() > 0) {
        response = d_calibration.coupling * response;
    }
    return response;
}

Eigen::VectorXcd antenna_array::steering(double azimuth, double elevation) const
{
    Eigen::VectorXcd vector, work;
    steering(azimuth, elevation, vector, work);
    return vector;
}

void antenna_array::steering(double azimuth,
                             double elevation,
                             Eigen::VectorXcd& vector,
                             Eigen::VectorXcd& work) const
{
    const bool has_coupling = d_calibration.coupling.size() > 0;
    const Eigen::Vector3d towards = direction(azimuth, elevation);
    Eigen::VectorXcd& phasors = has_coupling ? work : vector;
    phasors = d_wave_positions.lazyProduct(towards).unaryExpr(&unit_phasor);
    if (d_calibration.gains.size() > 0) {
        phasors.array() *= d_calibration.gains.array();
    }
    if (has_coupling) {
        vector.noalias() = d_calibration.coupling * work;
    }
}

Eigen::MatrixXcd antenna_array::steering(const Eigen::VectorXd& azimuth,
                                         const Eigen::VectorXd& elevation) const
{
    if (azimuth.size() != elevation.size()) {
        throw std::invalid_argument(
            "array: elevation has " + std::to_string(elevation.size()) +
            " values and azimuth " + std::to_string(azimuth.size()) +
            "; directions are taken pairwise, so both must be equally long");
    }
    Eigen::Matrix3Xd directions(3, azimuth.size());
    for (Eigen::Index g = 0; g < azimuth.size(); ++g) {
        directions.col(g) = direction(azimuth(g), elevation(g));
    }
    Eigen::MatrixXcd manifold =
        (d_wave_positions.lazyProduct(directions)).unaryExpr(&unit_phasor);
    if (d_calibration.gains.size() > 0) {
        manifold.array().colwise() *= d_calibration.gains.array();
    }
    if (d_calibration.coupling.size() > 0) {
        manifold = d_calibration.coupling * manifold;
    }
    return manifold;
}

Eigen::VectorXcd antenna_array::azimuth_derivative(double azimuth, double elevation) const
{
    const Eigen::VectorXd rate =
        d_wave_positions * direction_by_azimuth(azimuth, elevation);
    const Eigen::VectorXcd a = phasors(azimuth, elevation);
    return respond((imaginary_unit * rate.array()) * a.array());
}

manifold_point antenna_array::manifold(double azimuth) const
{
    const Eigen::VectorXd rate = d_wave_positions * direction_by_azimuth(azimuth, 0.0);
    const Eigen::VectorXcd a = phasors(azimuth, 0.0);
    return { respond(a), respond((imaginary_unit * rate.array()) * a.array()) };
}

Eigen::VectorXcd antenna_array::azimuth_second_derivative(double azimuth,
                                                          double elevation) const
{
    const Eigen::VectorXd rate =
        d_wave_positions * direction_by_azimuth(azimuth, elevation);
    // The second derivative of u is -(u without its z component).
    Eigen::Vector3d curvature = -direction(azimuth, elevation);
    curvature(2) = 0.0;
    const Eigen::VectorXd acceleration = d_wave_positions * curvature;
    const Eigen::VectorXcd a = phasors(azimuth, elevation);
    return respond((imaginary_unit * acceleration.array() - rate.array().square()) *
                   a.array());
}

Eigen::VectorXcd antenna_array::elevation_derivative(double azimuth,
                                                     double elevation) const
{
    const Eigen::VectorXd rate =
        d_wave_positions * direction_by_elevation(azimuth, elevation);
    const Eigen::VectorXcd a = phasors(azimuth, elevation);
    return respond((imaginary_unit * rate.array()) * a.array());
}

Eigen::VectorXcd antenna_array::wavelength_derivative(double azimuth,
                                                      double elevation) const
{
    const Eigen::VectorXd phase = d_wave_positions * direction(azimuth, elevation);
    const Eigen::VectorXcd a = phasors(azimuth, elevation);
    return respond((-imaginary_unit / d_wavelength.value_or(1.0) * phase.array()) *
                   a.array());
}

Eigen::MatrixXcd
antenna_array::position_derivative(int axis, double azimuth, double elevation) const
{
    if (axis < 0 || axis > 2) {
        throw std::invalid_argument("array: axis is " + std::to_string(axis) +
                                    "; it must be 0, 1 or 2 for x, y or z");
    }
    const double rate = wave_number() * direction(azimuth, elevation)(axis);
    Eigen::VectorXcd diagonal = imaginary_unit * rate * phasors(azimuth, elevation);
    if (d_calibration.gains.size() > 0) {
        diagonal.array() *= d_calibration.gains.array();
    }
    Eigen::MatrixXcd derivative = diagonal.asDiagonal();
    if (d_calibration.coupling.size() > 0) {
        derivative = d_calibration.coupling * derivative;
    }
    return derivative;
}

double antenna_array::centroid_phase_derivative(double azimuth, double elevation) const
{
    return d_wave_positions.colwise().mean() * direction_by_azimuth(azimuth, elevation);
}

double antenna_array::wave_number() const { return two_pi / d_wavelength.value_or(1.0); }

double antenna_array::reach() const
{
    return d_wave_positions.rowwise().norm().maxCoeff() / wave_number();
}

void antenna_array::require_outside(double inverse_range) const
{
    const double distance = reach();
    if (!(std::abs(inverse_range) * distance < 1.0)) {
        throw std::invalid_argument(
            "array: range is " + std::to_string(1.0 / inverse_range) +
            "; a source must be farther from the origin than every element, " +
            std::to_string(distance));
    }
}

Eigen::VectorXcd antenna_array::near_field_steering(double azimuth,
                                                    double elevation,
                                                    double inverse_range) const
{
    require_outside(inverse_range);
    const double inverse = inverse_range / wave_number();
    const Eigen::VectorXd projection = d_wave_positions * direction(azimuth, elevation);
    const Eigen::VectorXd squared_distance = d_wave_positions.rowwise().squaredNorm();
    Eigen::VectorXcd a(num_elements());
    for (int l = 0; l < num_elements(); ++l) {
        a(l) =
            unit_phasor(lead_of_path(projection(l), squared_distance(l), inverse).value);
    }
    return respond(a);
}

near_field_point
antenna_array::near_field(double azimuth, double elevation, double inverse_range) const
{
    require_outside(inverse_range);
    const double inverse = inverse_range / wave_number();
    const Eigen::VectorXd projection = d_wave_positions * direction(azimuth, elevation);
    const Eigen::VectorXd squared_distance = d_wave_positions.rowwise().squaredNorm();
    Eigen::VectorXcd a(num_elements());
    Eigen::ArrayXcd by_projection(num_elements());
    Eigen::ArrayXcd by_inverse_range(num_elements());
    for (int l = 0; l < num_elements(); ++l) {
        const path_lead lead = lead_of_path(projection(l), squared_distance(l), inverse);
        a(l) = unit_phasor(lead.value);
        by_projection(l) = imaginary_unit * lead.by_projection * a(l);
        by_inverse_range(l) =
            imaginary_unit * lead.by_inverse_range / wave_number() * a(l);
    }
    const Eigen::ArrayXd turn =
        d_wave_positions * direction_by_azimuth(azimuth, elevation);
    const Eigen::ArrayXd rise =
        d_wave_positions * direction_by_elevation(azimuth, elevation);
    return { respond(a),
             respond(turn * by_projection),
             respond(rise * by_projection),
             respond(by_inverse_range) };
}

} // namespace core
} // namespace bearing
} // namespace gr
