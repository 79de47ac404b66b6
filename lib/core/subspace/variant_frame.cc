/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include <gnuradio/bearing/core/covariance/smoothing.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <complex>
#include <stdexcept>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr std::complex<double> imaginary_unit{ 0.0, 1.0 };
// Gains and coupling worse conditioned than this (a dead element, 80 dB down) cannot be
// taken out of a covariance.
constexpr double worst_condition = 1e-4;

// Averaging puts the noise of a weak element upon its mirror image; at -20 dB that costs 2 %
// of accuracy, at -40 dB the bearing.
constexpr double least_gain_ratio = 0.1;

// T of a = T v: what the calibration does to the elements' exponentials; empty: nothing.
Eigen::MatrixXcd calibrated_response(const antenna_array& array)
{
    const calibration_state& calibration = array.calibration();
    Eigen::MatrixXcd response = calibration.coupling;
    if (calibration.gains.size() > 0) {
        response = response.size() > 0
                       ? Eigen::MatrixXcd(response * calibration.gains.asDiagonal())
                       : Eigen::MatrixXcd(calibration.gains.asDiagonal());
    }
    return response;
}

// Q^H R Q, whose real part is that of the forward-backward averaged R: with Q from pairs
// of elements l and N-1-l as (sum, difference / j) / sqrt(2), vectors that are equal to
// their reversed conjugate become real (K.-C. Huarng, C.-C. Yeh, "A unitary
// transformation method for angle-of-arrival estimation", IEEE Trans. SP 39(4), 1991).
Eigen::MatrixXd unitary_transform(Eigen::MatrixXcd r)
{
    const Eigen::Index n = r.rows();
    for (Eigen::Index l = 0; l < n / 2; ++l) {
        const Eigen::RowVectorXcd sum = (r.row(l) + r.row(n - 1 - l)) * M_SQRT1_2;
        r.row(n - 1 - l) = (r.row(l) - r.row(n - 1 - l)) * (-imaginary_unit * M_SQRT1_2);
        r.row(l) = sum;
    }
    for (Eigen::Index l = 0; l < n / 2; ++l) {
        const Eigen::VectorXcd sum = (r.col(l) + r.col(n - 1 - l)) * M_SQRT1_2;
        r.col(n - 1 - l) = (r.col(l) - r.col(n - 1 - l)) * (imaginary_unit * M_SQRT1_2);
        r.col(l) = sum;
    }
    return r.real();
}

// Q times real vectors.
Eigen::MatrixXcd from_unitary(const Eigen::MatrixXd& vectors)
{
    const Eigen::Index n = vectors.rows();
    Eigen::MatrixXcd result = vectors.cast<std::complex<double>>();
    for (Eigen::Index l = 0; l < n / 2; ++l) {
        result.row(l).real() = vectors.row(l) * M_SQRT1_2;
        result.row(l).imag() = vectors.row(n - 1 - l) * M_SQRT1_2;
        result.row(n - 1 - l) = result.row(l).conjugate();
    }
    return result;
}

Eigen::MatrixXcd average(subspace_variant variant, const Eigen::MatrixXcd& r)
{
    return variant == subspace_variant::unitary
               ? forward_backward(r)
               : Eigen::MatrixXcd(r.real().cast<std::complex<double>>());
}

} // namespace

subspace_variant subspace_variant_from_string(const std::string& name)
{
    if (name == "complex") {
        return subspace_variant::complex;
    }
    if (name == "unitary") {
        return subspace_variant::unitary;
    }
    if (name == "real") {
        return subspace_variant::real;
    }
    throw std::invalid_argument("variant is '" + name +
                                "'; it must be 'complex', 'unitary' or 'real'");
}

variant_frame::variant_frame(antenna_array array, subspace_variant variant)
    : d_array(std::move(array)), d_variant(variant), d_line(d_array)
{
    const Eigen::MatrixXcd response = calibrated_response(d_array);
    if (d_variant == subspace_variant::complex) {
        d_mixing = d_array.calibration().coupling;
        d_response = response;
        return;
    }
    const std::string name = d_variant == subspace_variant::unitary ? "unitary" : "real";
    if (!d_array.uniform_spacing()) {
        throw std::invalid_argument(
            "array: variant '" + name +
            "' needs a uniform line, its elements in the order of increasing x; use "
            "'complex' for other arrays");
    }
    if (d_array.has_position_offsets()) {
        throw std::invalid_argument("array: variant '" + name +
                                    "' needs a uniform line, and the calibration moves "
                                    "its elements; use 'complex'");
    }
    d_line =
        antenna_array::uniform_line(d_array.num_elements(), *d_array.uniform_spacing());
    if (response.size() == 0) {
        return;
    }
    const Eigen::VectorXd squared_values = eigenvalues(response.adjoint() * response);
    if (!(squared_values.minCoeff() >
          worst_condition * worst_condition * squared_values.maxCoeff())) {
        throw std::invalid_argument("array: variant '" + name +
                                    "' takes gains and coupling out of the covariance, "
                                    "and these cannot be (an element is dead); use "
                                    "'complex'");
    }
    const Eigen::MatrixXcd inverse = response.inverse();
    const Eigen::MatrixXcd noise = average(d_variant, inverse * inverse.adjoint());
    d_mixing =
        Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd>(noise).operatorInverseSqrt();
    d_response = d_mixing;
    d_to_frame = d_mixing * inverse;
}

bool variant_frame::suits_unitary(const antenna_array& array)
{
    const calibration_state& calibration = array.calibration();
    if (!array.uniform_spacing() || array.has_position_offsets() ||
        !(calibration.coupling.size() == 0 || calibration.coupling.isIdentity(0.0))) {
        return false;
    }
    const Eigen::VectorXd level = calibration.gains.cwiseAbs();
    return level.size() == 0 || level.minCoeff() >= least_gain_ratio * level.maxCoeff();
}

int variant_frame::signal_dimension(int num_sources) const
{
    return d_variant == subspace_variant::real ? 2 * num_sources : num_sources;
}

double variant_frame::looks(std::size_t snapshots) const
{
    return static_cast<double>(snapshots) *
           (d_variant == subspace_variant::real ? 2.0 : 1.0);
}

eigendecomposition
variant_frame::decompose(const Eigen::Ref<const Eigen::MatrixXcd>& covariance) const
{
    if (d_variant == subspace_variant::complex) {
        return core::decompose(covariance);
    }
    const bool is_unitary = d_variant == subspace_variant::unitary;
    Eigen::MatrixXd real;
    if (d_to_frame.size() > 0) {
        const Eigen::MatrixXcd r = d_to_frame * covariance * d_to_frame.adjoint();
        real = is_unitary ? unitary_transform(r) : Eigen::MatrixXd(r.real());
    } else {
        real = is_unitary ? unitary_transform(covariance)
                          : Eigen::MatrixXd(covariance.real());
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
        0.5 * (real + real.transpose()));
    const Eigen::MatrixXd vectors = solver.eigenvectors().rowwise().reverse();
    return { solver.eigenvalues().reverse(),
             is_unitary ? from_unitary(vectors)
                        : Eigen::MatrixXcd(vectors.cast<std::complex<double>>()) };
}

manifold_point variant_frame::manifold(double azimuth) const
{
    manifold_point point = d_line.manifold(azimuth);
    if (d_variant != subspace_variant::real) {
        point.d -= imaginary_unit * d_line.centroid_phase_derivative(azimuth) * point.a;
    }
    if (d_variant != subspace_variant::complex && d_mixing.size() > 0) {
        point.a = d_mixing * point.a;
        point.d = d_mixing * point.d;
    }
    return point;
}

} // namespace core
} // namespace bearing
} // namespace gr
