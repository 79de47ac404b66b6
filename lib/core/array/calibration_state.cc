/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/array/calibration_state.h>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gr {
namespace bearing {
namespace core {

namespace {

// C(0,0) = 1 is a gauge; a file with rounded decimals still satisfies it this well.
constexpr double coupling_gauge_tolerance = 1e-6;

void require_size(const char* part, Eigen::Index size, int expected)
{
    if (size != expected) {
        throw std::invalid_argument(
            "calibration: " + std::string(part) + " describes " + std::to_string(size) +
            " elements, but the array has " + std::to_string(expected));
    }
}

template <typename Derived>
void require_finite(const char* part, const Eigen::MatrixBase<Derived>& values)
{
    if (!values.allFinite()) {
        throw std::invalid_argument("calibration: " + std::string(part) +
                                    " holds NaN or Inf; every value must be finite");
    }
}

void require_deviation(const char* part, const Eigen::VectorXd& values, int expected)
{
    require_size(part, values.size(), expected);
    require_finite(part, values);
    if (values.minCoeff() < 0.0) {
        throw std::invalid_argument("calibration: " + std::string(part) + " holds " +
                                    std::to_string(values.minCoeff()) +
                                    "; a standard deviation must be >= 0");
    }
}

} // namespace

int calibration_state::num_elements() const
{
    for (const Eigen::Index n : { gains.size(),
                                  positions.rows(),
                                  coupling.rows(),
                                  sigma_phase_rad.size(),
                                  sigma_log_gain.size() }) {
        if (n > 0) {
            return static_cast<int>(n);
        }
    }
    return 0;
}

void calibration_state::validate(int expected) const
{
    const int n = expected > 0 ? expected : num_elements();
    if (gains.size() > 0) {
        require_size("gains", gains.size(), n);
        require_finite("gains", gains);
        if (gains.cwiseAbs().maxCoeff() == 0.0) {
            throw std::invalid_argument(
                "calibration: gains are all zero; at least one must differ from zero");
        }
    }
    if (positions.rows() > 0) {
        require_size("positions", positions.rows(), n);
        if (positions.cols() != 3) {
            throw std::invalid_argument("calibration: positions has " +
                                        std::to_string(positions.cols()) +
                                        " columns; offsets must be N x 3 (x, y, z)");
        }
        require_finite("positions", positions);
    }
    if (coupling.rows() > 0) {
        require_size("coupling", coupling.rows(), n);
        if (coupling.cols() != coupling.rows()) {
            throw std::invalid_argument(
                "calibration: coupling is " + std::to_string(coupling.rows()) + " x " +
                std::to_string(coupling.cols()) + "; it must be square, N x N");
        }
        require_finite("coupling", coupling);
        if (std::abs(coupling(0, 0) - 1.0) > coupling_gauge_tolerance) {
            throw std::invalid_argument("calibration: coupling(0, 0) must be 1");
        }
    }
    if (sigma_phase_rad.size() > 0) {
        require_deviation("sigma_phase_rad", sigma_phase_rad, n);
    }
    if (sigma_log_gain.size() > 0) {
        require_deviation("sigma_log_gain", sigma_log_gain, n);
    }
    if (reference && (*reference < 0 || (n > 0 && *reference >= n))) {
        throw std::invalid_argument("calibration: reference is " +
                                    std::to_string(*reference) +
                                    "; it must be an element index from 0 to " +
                                    std::to_string(n > 0 ? n - 1 : 0));
    }
    if (frequency && !(std::isfinite(*frequency) && *frequency > 0.0)) {
        throw std::invalid_argument("calibration: frequency is " +
                                    std::to_string(*frequency) +
                                    "; it must be finite and > 0 Hz");
    }
    if (time && !std::isfinite(*time)) {
        throw std::invalid_argument(
            "calibration: time must be finite, in seconds since 1970-01-01 UTC");
    }
}

calibration_state calibration_state::updated_by(const calibration_state& newer) const
{
    calibration_state merged = *this;
    if (newer.gains.size() > 0) {
        merged.gains = newer.gains;
    }
    if (newer.positions.rows() > 0) {
        merged.positions = newer.positions;
    }
    if (newer.reference && (newer.gains.size() > 0 || newer.positions.rows() > 0)) {
        merged.reference = newer.reference;
    }
    if (newer.coupling.rows() > 0) {
        merged.coupling = newer.coupling;
    }
    if (newer.sigma_phase_rad.size() > 0) {
        merged.sigma_phase_rad = newer.sigma_phase_rad;
    }
    if (newer.sigma_log_gain.size() > 0) {
        merged.sigma_log_gain = newer.sigma_log_gain;
    }
    if (newer.frequency) {
        merged.frequency = newer.frequency;
    }
    if (newer.time) {
        merged.time = newer.time;
    }
    return merged;
}

calibration_state calibration_state::without_coupling() const
{
    calibration_state result = *this;
    result.coupling.resize(0, 0);
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
