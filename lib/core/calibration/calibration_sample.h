/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_CALIBRATION_SAMPLE_H
#define INCLUDED_BEARING_CORE_CALIBRATION_CALIBRATION_SAMPLE_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Dense>
#include <cstddef>

namespace gr {
namespace bearing {
namespace core {

//! What a calibrator keeps of one covariance.
struct calibration_sample {
    //! Es, N x M, orthonormal, with the array's coupling taken out
    Eigen::MatrixXcd signal_subspace;
    //! Sampling makes Pn a at a true direction circular Gaussian noise of variance sum_k
    //! null_weights_k |Es_k^H a|^2 in each dimension of the noise subspace: s2 / T W_kk, M
    Eigen::VectorXd null_weights;
    //! directions of the sources in radians, M: the num_known known ones, then the peaks
    Eigen::VectorXd azimuth;
    //! distance of the known sources in wavelengths, infinite when far, num_known
    Eigen::VectorXd range;
    int num_known = 0;
    //! D over its expectation at each source, when it was last looked at, M
    Eigen::VectorXd depth;
    //! what its terms are multiplied by
    double weight = 1.0;
    //! arrivals since it came
    double age = 0.0;
    //! the peaks are too few, too close or too near to endfire to be relied on
    bool is_doubtful = false;

    //! mean depth at the known sources, and at the peaks; 0 without any
    double depth_at_labels() const
    {
        return num_known > 0 ? depth.head(num_known).mean() : 0.0;
    }
    double depth_at_peaks() const
    {
        const int num_peaks = num_sources() - num_known;
        return num_peaks > 0 ? depth.tail(num_peaks).mean() : 0.0;
    }

    int num_sources() const { return static_cast<int>(signal_subspace.cols()); }
    int noise_dimension() const
    {
        return static_cast<int>(signal_subspace.rows() - signal_subspace.cols());
    }
};

//! What the eigenvalues of one covariance tell before any direction is looked for.
struct eigenvalue_margins {
    //! lambda_M and lambda_(M+1) over the noise power
    double weakest_source;
    double strongest_noise;
    //! what they must lie above and below
    double source_limit;
    double noise_limit;

    bool is_weak() const { return !(weakest_source > source_limit); }
    bool has_further_sources() const { return !(strongest_noise < noise_limit); }
};
//! \param snapshots T >= 1
eigenvalue_margins
margins(const Eigen::VectorXd& values, int num_sources, std::size_t snapshots);

/*!
 * \brief Fills \p sample from the eigendecomposition of a covariance; the directions are
 * left as they are.
 *
 * A coupling C moves the signal subspace to C A, so C^-1 takes it out of the basis.
 * \param coupling C, or empty
 */
void assign(const eigendecomposition& eigen,
            int num_sources,
            std::size_t snapshots,
            const Eigen::MatrixXcd& coupling,
            calibration_sample& sample);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_CALIBRATION_SAMPLE_H */
