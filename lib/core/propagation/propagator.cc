/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/propagation/propagator.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double two_pi = 2.0 * M_PI;
constexpr double speed_of_light = 299792458.0;
constexpr double infinity = std::numeric_limits<double>::infinity();
// Bins and tables that mean the same frequency differ by rounding.
constexpr double same_frequency = 1e-9;

std::string text(double value)
{
    std::ostringstream stream;
    stream.precision(12);
    stream << value;
    return stream.str();
}

[[noreturn]] void refuse(const std::string& why)
{
    throw std::invalid_argument("propagator: " + why);
}

void require_ascending(const Eigen::VectorXd& frequency)
{
    for (Eigen::Index k = 0; k < frequency.size(); ++k) {
        if (!std::isfinite(frequency(k)) ||
            (k > 0 && !(frequency(k) > frequency(k - 1)))) {
            refuse("frequency is " + text(frequency(k)) + " at index " +
                   std::to_string(k) + "; frequencies must be finite and ascend");
        }
    }
}

void require_positive_table(const char* name,
                            const Eigen::VectorXd& values,
                            Eigen::Index size)
{
    if (values.size() != size) {
        refuse(std::string(name) + " has " + std::to_string(values.size()) +
               " values; it needs one for each of " + std::to_string(size) +
               " frequencies");
    }
    for (Eigen::Index k = 0; k < size; ++k) {
        if (!(values(k) > 0.0) || !std::isfinite(values(k))) {
            refuse(std::string(name) + " is " + text(values(k)) + " at index " +
                   std::to_string(k) + "; it must be positive and finite");
        }
    }
}

// Where a frequency lies in a table: between entries `below` and `below + 1`.
struct table_place {
    Eigen::Index below;
    double weight; // of below + 1
};

// Frequencies in Hz at which something is known, F >= 1; one: everywhere.
class frequency_axis
{
public:
    explicit frequency_axis(Eigen::VectorXd frequency) : d_frequency(std::move(frequency))
    {
    }

    double lowest() const { return is_everywhere() ? -infinity : d_frequency(0); }
    double highest() const
    {
        return is_everywhere() ? infinity : d_frequency(d_frequency.size() - 1);
    }

    table_place find(double frequency) const
    {
        if (is_everywhere()) {
            return { 0, 0.0 };
        }
        const double tolerance =
            same_frequency * std::max(std::abs(lowest()), std::abs(highest()));
        if (!(frequency >= lowest() - tolerance && frequency <= highest() + tolerance)) {
            refuse("frequency is " + text(frequency) + " Hz; the tables cover " +
                   text(lowest()) + " to " + text(highest()) +
                   " Hz, and nothing is extrapolated");
        }
        const double* const begin = d_frequency.data();
        const double* const end = begin + d_frequency.size();
        const Eigen::Index below =
            std::clamp<Eigen::Index>(std::upper_bound(begin, end, frequency) - begin - 1,
                                     0,
                                     d_frequency.size() - 2);
        const double weight = (frequency - d_frequency(below)) /
                              (d_frequency(below + 1) - d_frequency(below));
        return { below, std::clamp(weight, 0.0, 1.0) };
    }

    // Values at the table's frequencies, interpolated linearly.
    double interpolate(const Eigen::VectorXd& values, table_place place) const
    {
        return place.weight == 0.0 ? values(place.below)
                                   : (1.0 - place.weight) * values(place.below) +
                                         place.weight * values(place.below + 1);
    }

private:
    bool is_everywhere() const { return d_frequency.size() == 1; }

    Eigen::VectorXd d_frequency;
};

} // namespace

class propagator::model
{
public:
    virtual ~model() = default;
    virtual int num_sensors() const = 0;
    virtual double lowest_frequency() const { return -infinity; }
    virtual double highest_frequency() const { return infinity; }
    virtual std::optional<double> own_center_frequency() const { return {}; }
    // At absolute frequencies.
    virtual Eigen::MatrixXcd response(const Eigen::VectorXd& frequency,
                                      double center_frequency,
                                      bool is_real) const = 0;
    // Null where there is no velocity, or no direction.
    virtual std::shared_ptr<const model> with_velocity_scale(double) const { return {}; }
    virtual std::shared_ptr<const model> towards(double, double) const { return {}; }
};

namespace {

class dispersive_model : public propagator::model
{
public:
    dispersive_model(Eigen::VectorXd distance,
                     frequency_axis axis,
                     Eigen::VectorXd log_gain,
                     Eigen::VectorXd velocity)
        : d_distance(std::move(distance)),
          d_axis(std::move(axis)),
          d_log_gain(std::move(log_gain)),
          d_velocity(std::move(velocity))
    {
    }

    int num_sensors() const override { return static_cast<int>(d_distance.size()); }
    double lowest_frequency() const override { return d_axis.lowest(); }
    double highest_frequency() const override { return d_axis.highest(); }

    Eigen::MatrixXcd
    response(const Eigen::VectorXd& frequency, double, bool) const override
    {
        Eigen::MatrixXcd result(frequency.size(), d_distance.size());
        for (Eigen::Index k = 0; k < frequency.size(); ++k) {
            // A real medium does to -f the conjugate of what it does to f.
            const table_place place = d_axis.find(std::abs(frequency(k)));
            const double log_gain = d_axis.interpolate(d_log_gain, place);
            const double wave_number =
                two_pi * frequency(k) / d_axis.interpolate(d_velocity, place);
            for (Eigen::Index i = 0; i < d_distance.size(); ++i) {
                result(k, i) = std::polar(std::exp(log_gain * d_distance(i)),
                                          -wave_number * d_distance(i));
            }
        }
        if (!result.allFinite()) {
            refuse("gain leaves the range of floating point over the distance of the "
                   "sensors; gains and gain_distance must fit the positions");
        }
        return result;
    }

    std::shared_ptr<const model> with_velocity_scale(double scale) const override
    {
        return std::make_shared<dispersive_model>(
            d_distance, d_axis, d_log_gain, scale * d_velocity);
    }

private:
    Eigen::VectorXd d_distance; // x - x_0, metres
    frequency_axis d_axis;
    Eigen::VectorXd d_log_gain; // per metre
    Eigen::VectorXd d_velocity;
};

class plane_wave_model : public propagator::model
{
public:
    plane_wave_model(antenna_array array,
                     double azimuth,
                     double elevation,
                     std::optional<double> velocity,
                     double scale)
        : d_array(std::move(array)),
          d_azimuth(azimuth),
          d_elevation(elevation),
          d_velocity(velocity),
          d_scale(scale)
    {
        const Eigen::Vector3d u(std::sin(azimuth) * std::cos(elevation),
                                std::cos(azimuth) * std::cos(elevation),
                                std::sin(elevation));
        d_lead = d_array.wave_positions() * u;
    }

    int num_sensors() const override { return d_array.num_elements(); }

    std::optional<double> own_center_frequency() const override
    {
        if (!d_array.wavelength()) {
            return {};
        }
        return d_velocity.value_or(speed_of_light) / *d_array.wavelength();
    }

    Eigen::MatrixXcd response(const Eigen::VectorXd& frequency,
                              double center_frequency,
                              bool is_real) const override
    {
        if (is_real && !d_velocity) {
            refuse("velocity is not given; a plane wave in real samples needs one, on an "
                   "array in metres (with a wavelength)");
        }
        const std::optional<double> own = own_center_frequency();
        if (!own && !(center_frequency > 0.0)) {
            refuse("center_frequency is " + text(center_frequency) +
                   "; for an array in wavelengths it must be positive");
        }
        // The lead is in radians where a wave is as long as the array says.
        const double unit = d_scale * own.value_or(center_frequency);
        const calibration_state& calibration = d_array.calibration();
        Eigen::MatrixXcd result(frequency.size(), d_lead.size());
        Eigen::VectorXcd a(d_lead.size());
        for (Eigen::Index k = 0; k < frequency.size(); ++k) {
            for (Eigen::Index l = 0; l < d_lead.size(); ++l) {
                a(l) = std::polar(1.0, frequency(k) / unit * (d_lead(l) - d_lead(0)));
            }
            if (calibration.gains.size() > 0) {
                a.array() *= calibration.gains.array();
            }
            if (calibration.coupling.size() > 0) {
                a = (calibration.coupling * a).eval();
            }
            if (a(0) != 1.0) {
                a /= std::complex<double>(a(0));
            }
            result.row(k) = a.transpose();
        }
        if (!result.allFinite()) {
            refuse("array has no response at element 0, which the others are relative "
                   "to; its gain must not be 0");
        }
        return result;
    }

    std::shared_ptr<const model> with_velocity_scale(double scale) const override
    {
        return std::make_shared<plane_wave_model>(
            d_array, d_azimuth, d_elevation, d_velocity, scale * d_scale);
    }

    std::shared_ptr<const model> towards(double azimuth, double elevation) const override
    {
        return std::make_shared<plane_wave_model>(
            d_array, azimuth, elevation, d_velocity, d_scale);
    }

private:
    antenna_array d_array;
    double d_azimuth;
    double d_elevation;
    std::optional<double> d_velocity;
    // Of the velocity; the centre frequency is the receiver's and does not change with it.
    double d_scale;
    Eigen::VectorXd d_lead;
};

class table_model : public propagator::model
{
public:
    table_model(frequency_axis axis, Eigen::MatrixXcd response)
        : d_axis(std::move(axis)), d_response(std::move(response))
    {
    }

    int num_sensors() const override { return static_cast<int>(d_response.cols()); }
    double lowest_frequency() const override { return d_axis.lowest(); }
    double highest_frequency() const override { return d_axis.highest(); }

    Eigen::MatrixXcd
    response(const Eigen::VectorXd& frequency, double, bool) const override
    {
        Eigen::MatrixXcd result(frequency.size(), d_response.cols());
        for (Eigen::Index k = 0; k < frequency.size(); ++k) {
            const table_place place = d_axis.find(frequency(k));
            result.row(k) = (1.0 - place.weight) * d_response.row(place.below) +
                            place.weight * d_response.row(place.below + 1);
        }
        return result;
    }

private:
    frequency_axis d_axis;
    Eigen::MatrixXcd d_response;
};

void require_direction(double azimuth, double elevation)
{
    if (!std::isfinite(azimuth)) {
        refuse("azimuth is " + text(azimuth) + "; it must be finite");
    }
    if (!std::isfinite(elevation)) {
        refuse("elevation is " + text(elevation) + "; it must be finite");
    }
}

} // namespace

propagator::propagator(std::shared_ptr<const model> model) : d_model(std::move(model)) {}

propagator propagator::dispersive(const Eigen::VectorXd& positions,
                                  const Eigen::VectorXd& frequency,
                                  const Eigen::VectorXd& gain,
                                  const Eigen::VectorXd& velocity,
                                  std::optional<double> gain_distance)
{
    if (positions.size() < 1) {
        refuse("positions is empty; at least one sensor is needed");
    }
    if (!positions.allFinite()) {
        refuse("positions holds NaN or Inf; every one must be finite");
    }
    for (Eigen::Index i = 0; i < positions.size(); ++i) {
        for (Eigen::Index j = 0; j < i; ++j) {
            if (positions(i) == positions(j)) {
                refuse("positions has " + text(positions(i)) +
                       " twice; no two sensors may be in one place");
            }
        }
    }
    if (frequency.size() < 1) {
        refuse("frequency is empty; tables need at least one");
    }
    require_ascending(frequency);
    if (frequency(0) < 0.0) {
        refuse("frequency is " + text(frequency(0)) +
               "; those of a dispersive line must not be negative");
    }
    require_positive_table("gain", gain, frequency.size());
    require_positive_table("velocity", velocity, frequency.size());
    double distance = positions.size() > 1 ? std::abs(positions(1) - positions(0)) : 1.0;
    if (gain_distance) {
        distance = *gain_distance;
        if (!(distance > 0.0) || !std::isfinite(distance)) {
            refuse("gain_distance is " + text(distance) +
                   "; it must be positive and finite");
        }
    }
    return propagator(
        std::make_shared<dispersive_model>((positions.array() - positions(0)).matrix(),
                                           frequency_axis(frequency),
                                           (gain.array().log() / distance).matrix(),
                                           velocity));
}

propagator propagator::plane_wave(const antenna_array& array,
                                  double azimuth,
                                  double elevation,
                                  std::optional<double> velocity)
{
    require_direction(azimuth, elevation);
    if (velocity) {
        if (!(*velocity > 0.0) || !std::isfinite(*velocity)) {
            refuse("velocity is " + text(*velocity) + "; it must be positive and finite");
        }
        if (!array.wavelength()) {
            refuse("velocity is " + text(*velocity) +
                   ", but the array is in wavelengths; build it in metres, with a "
                   "wavelength");
        }
    }
    return propagator(
        std::make_shared<plane_wave_model>(array, azimuth, elevation, velocity, 1.0));
}

propagator propagator::table(const Eigen::VectorXd& frequency,
                             const Eigen::MatrixXcd& response)
{
    if (frequency.size() < 2) {
        refuse("frequency has " + std::to_string(frequency.size()) +
               " values; a table needs at least 2");
    }
    require_ascending(frequency);
    if (response.rows() != frequency.size() || response.cols() < 1) {
        refuse("response is " + std::to_string(response.rows()) + " x " +
               std::to_string(response.cols()) + "; it must have one row for each of " +
               std::to_string(frequency.size()) +
               " frequencies and a column for each sensor");
    }
    if (!response.allFinite()) {
        refuse("response holds NaN or Inf; every value must be finite");
    }
    return propagator(std::make_shared<table_model>(frequency_axis(frequency), response));
}

int propagator::num_sensors() const { return d_model->num_sensors(); }

double propagator::lowest_frequency() const { return d_model->lowest_frequency(); }

double propagator::highest_frequency() const { return d_model->highest_frequency(); }

std::optional<double> propagator::own_center_frequency() const
{
    return d_model->own_center_frequency();
}

Eigen::MatrixXcd propagator::response(const Eigen::VectorXd& frequency,
                                      double center_frequency,
                                      bool is_real) const
{
    if (!std::isfinite(center_frequency)) {
        refuse("center_frequency is " + text(center_frequency) + "; it must be finite");
    }
    if (is_real && center_frequency != 0.0) {
        refuse("center_frequency is " + text(center_frequency) +
               "; of real samples it must be 0");
    }
    if (!frequency.allFinite()) {
        refuse("frequency holds NaN or Inf; every one must be finite");
    }
    return d_model->response(
        (frequency.array() + center_frequency).matrix(), center_frequency, is_real);
}

bool propagator::has_velocity() const
{
    return d_model->with_velocity_scale(1.0) != nullptr;
}

propagator propagator::with_velocity_scale(double scale) const
{
    if (!(scale > 0.0) || !std::isfinite(scale)) {
        refuse("scale is " + text(scale) + "; it must be positive and finite");
    }
    std::shared_ptr<const model> scaled = d_model->with_velocity_scale(scale);
    if (!scaled) {
        refuse("velocity cannot be scaled; a table of responses has none");
    }
    return propagator(std::move(scaled));
}

bool propagator::is_plane_wave() const { return d_model->towards(0.0, 0.0) != nullptr; }

propagator propagator::towards(double azimuth, double elevation) const
{
    require_direction(azimuth, elevation);
    std::shared_ptr<const model> turned = d_model->towards(azimuth, elevation);
    if (!turned) {
        refuse("azimuth cannot be set; only plane waves have a direction");
    }
    return propagator(std::move(turned));
}

} // namespace core
} // namespace bearing
} // namespace gr
