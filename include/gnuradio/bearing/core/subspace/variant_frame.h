/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_VARIANT_FRAME_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_VARIANT_FRAME_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! Which covariance the eigendecomposition of a subspace method is taken of.
enum class subspace_variant {
    complex, //!< R itself; any array
    unitary, //!< the forward-backward averaged R of a uniform line, by a real
             //!< eigendecomposition
    real     //!< the real part of R of a uniform line
};

//! \throws std::invalid_argument naming variant and the allowed "complex", "unitary",
//! "real"
BEARING_API subspace_variant subspace_variant_from_string(const std::string& name);

/*!
 * \brief The frame in which a variant of a subspace method works: which covariance is
 * decomposed, and the manifold that belongs to it.
 *
 * The complex variant decomposes R, and its manifold is the array's. The others average
 * the covariance of an ideal uniform line v(theta), forward and backward or with its
 * conjugate. What a calibration says of the line, a = T v with T = C diag(g), is taken
 * out first: T^-1 R T^-H has noise s2 T^-1 T^-H, which averaging makes s2 Q, and with
 * B = Q^-1/2 it is white again. In the frame the covariance is the average of
 * (B T^-1) R (B T^-1)^H, its noise s2 I and its manifold B v(theta). B shares the
 * symmetry that the average makes, so the average commutes with it.
 */
class BEARING_API variant_frame
{
public:
    /*!
     * \throws std::invalid_argument for unitary and real unless the array is a uniform
     * line without position offsets, with gains and coupling that can be taken out
     */
    variant_frame(antenna_array array,
                  subspace_variant variant = subspace_variant::complex);

    //! True for a uniform line whose calibration has nothing but gains, the weakest not more
    //! than 20 dB below the strongest: there the unitary variant costs 2 % of accuracy at
    //! most, and copes with coherent pairs.
    static bool suits_unitary(const antenna_array& array);

    subspace_variant variant() const { return d_variant; }
    const antenna_array& array() const { return d_array; }

    //! D, the dimension of the signal subspace of K sources: K, or 2 K for real (every
    //! source has its mirror image).
    int signal_dimension(int num_sources) const;
    //! n, the independent snapshots that M amount to in the eigenvalues' statistics: M, or
    //! 2 M for real.
    double looks(std::size_t snapshots) const;

    //! Eigendecomposition of the frame's covariance. The vectors of the real variant are
    //! real.
    eigendecomposition
    decompose(const Eigen::Ref<const Eigen::MatrixXcd>& covariance) const;

    //! The frame's manifold, its phase zero at the elements' centroid (real: at element
    //! 0), the reference that accuracy formulas need.
    manifold_point manifold(double azimuth) const;

    //! The part of the manifold that mixes elements (C, or B), a = mixing * e with e each
    //! element's own response; empty: a = e.
    const Eigen::MatrixXcd& mixing() const { return d_mixing; }
    //! What the exponentials of the line, or of the array's elements, are multiplied by to
    //! become the manifold, N x N; empty: nothing.
    const Eigen::MatrixXcd& response() const { return d_response; }

private:
    antenna_array d_array;
    subspace_variant d_variant;
    antenna_array d_line;        // v, for unitary and real; else the array
    Eigen::MatrixXcd d_to_frame; // B T^-1; empty: nothing to take out
    Eigen::MatrixXcd d_mixing;
    Eigen::MatrixXcd d_response;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_VARIANT_FRAME_H */
