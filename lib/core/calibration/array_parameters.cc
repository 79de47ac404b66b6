/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <cmath>
#include <complex>

namespace gr {
namespace bearing {
namespace core {

namespace {

int living_reference(const array_parameters& parameters, const antenna_array& drawn)
{
    const int reference = drawn.calibration().reference.value_or(0);
    int strongest = 0;
    const double peak = parameters.gains.cwiseAbs().maxCoeff(&strongest);
    return std::abs(parameters.gains(reference)) < dead_gain * peak ? strongest
                                                                    : reference;
}

} // namespace

const char* to_string(orientation o)
{
    switch (o) {
    case orientation::unknown:
        return "unknown";
    case orientation::partly_known:
        return "partly_known";
    case orientation::known:
        break;
    }
    return "known";
}

array_parameters array_parameters::of(const antenna_array& array)
{
    const calibration_state& calibration = array.calibration();
    array_parameters result;
    result.gains = calibration.gains;
    if (result.gains.size() == 0) {
        result.gains = Eigen::VectorXcd::Ones(array.num_elements());
    }
    result.positions = array.positions();
    if (calibration.positions.size() > 0) {
        result.positions += calibration.positions;
    }
    result.positions /= array.wavelength().value_or(1.0);
    return result;
}

void array_parameters::impose_gauge(const antenna_array& drawn)
{
    const std::complex<double> sum = gains.sum();
    const double magnitude = std::abs(sum);
    // Where the gains cancel, their common phase is as good as any other.
    const std::complex<double> turn = magnitude > 0.0 ? std::conj(sum) / magnitude : 1.0;
    gains *= turn * std::sqrt(num_elements() / gains.squaredNorm());
    const int reference = living_reference(*this, drawn);
    const Eigen::RowVector3d shift =
        drawn.positions().row(reference) / drawn.wavelength().value_or(1.0) -
        positions.row(reference);
    positions.rowwise() += shift;
}

calibration_state array_parameters::calibration(const antenna_array& drawn) const
{
    const int reference = living_reference(*this, drawn);
    calibration_state result;
    result.reference = reference;
    result.gains = gains / gains(reference);
    result.gains(reference) = 1.0;
    result.positions = positions * drawn.wavelength().value_or(1.0) - drawn.positions();
    const Eigen::RowVectorXd shift = result.positions.row(reference);
    result.positions.rowwise() -= shift;
    result.coupling = drawn.calibration().coupling;
    result.frequency = drawn.calibration().frequency;
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
