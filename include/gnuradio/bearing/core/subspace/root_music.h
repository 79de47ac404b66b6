/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/nearest_roots.h>
#include <gnuradio/bearing/core/subspace/null_polynomial.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! How the real variant tells a direction from its mirror image.
enum class mirror_rejection {
    least_squares, //!< powers >= 0 of all 2 K candidates fitted to R, the K largest
    beamformer     //!< pair by pair the higher output of the conventional beamformer, the
                   //!< paper's: fails next to a strong source, and on a mirrored pair
};

//! \throws std::invalid_argument naming mirror and the allowed "least_squares", "cbf"
BEARING_API mirror_rejection mirror_rejection_from_string(const std::string& name);

//! The variant that \p name stands for; absent for "auto".
//! \throws std::invalid_argument naming variant and the allowed "auto", "complex",
//! "unitary", "real"
BEARING_API std::optional<subspace_variant>
root_music_variant_from_string(const std::string& name);

//! What a root_music_estimator looks for.
struct root_music_config {
    //! K, 1 .. N-1 (real: 2 K < N); 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
    //! absent: unitary on an ideal or gain-calibrated uniform line, else complex
    std::optional<subspace_variant> variant = subspace_variant::complex;
    //! of the real variant
    mirror_rejection mirror = mirror_rejection::least_squares;
    //! whether estimates hold all roots, to be looked at; else they may hold no more than
    //! directions need, which is faster. Directions, deviations and status are the same
    bool all_roots = true;
};

/*!
 * \brief Root-MUSIC: MUSIC without a grid.
 *
 * The null function is a polynomial on the unit circle (null_polynomial); the K roots
 * inside it and nearest to it give the directions.
 *
 * - On a uniform line it is one in z = exp(j 2 pi (d / lambda) sin theta). Gains and
 *   coupling of a calibrated line enter exactly; small position offsets are accounted for
 *   by taking each root to the root of the true null function. A root outside the visible
 *   region (|sin theta| > 1) is reported as +-90 degrees with status unresolved.
 * - On any other array, and on lines with large offsets, it is the Fourier series of the
 *   null function, in z = exp(j theta).
 *
 * Variants (subspace_variant), the last two for uniform lines:
 *
 * - complex: Barabell's.
 * - unitary: forward-backward averaged, by a real eigendecomposition (M. Pesavento, A. B.
 *   Gershman, M. Haardt, "Unitary root-MUSIC with a real-valued eigendecomposition", IEEE
 *   Trans. SP 48(5), 2000). Resolves coherent pairs too, unless their phase difference at
 *   the array's centre is 0 or 180 degrees.
 * - real: RV-root-MUSIC (arXiv 2509.01999). The real part of R has every source and its
 *   mirror image, D = 2 K, and its polynomial is real: half the degree. Mirror images are
 *   rejected by a fit of powers. When a pair falls together (a real root: broadside or
 *   endfire) the status is collapsed and the directions are the complex variant's, without
 *   deviations. Worse where one source is near the mirror image of another, lost on
 *   coherent pairs.
 *
 * Reference: A. J. Barabell, "Improving the resolution performance of
 * eigenstructure-based direction-finding algorithms", ICASSP 1983.
 */
class BEARING_API root_music_estimator
{
public:
    //! \throws std::invalid_argument for num_sources outside its range, fewer than 2
    //! elements, and arrays that do not suit the variant (variant_frame) or are too large
    //! (fourier_null_polynomial)
    explicit root_music_estimator(antenna_array array, root_music_config config = {});

    /*!
     * \param covariance R, N x N
     * \param snapshots number behind R; 0: unknown (deviations are then NaN, and
     * num_sources = 0 cannot be counted: not_identifiable)
     * \throws std::invalid_argument when R is not N x N
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_frame.array(); }
    //! The one given, or chosen.
    subspace_variant variant() const { return d_frame.variant(); }

private:
    struct directions;
    directions search(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                      const Eigen::MatrixXcd& signal_subspace,
                      int num_sources) const;
    directions search_line(const Eigen::MatrixXcd& signal_subspace) const;
    directions search_circle(const Eigen::MatrixXcd& signal_subspace) const;
    bool has_further_nulls() const;
    void add_others(directions& found, const Eigen::VectorXd& known) const;
    directions search_mirrored_line(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                                    const Eigen::MatrixXcd& signal_subspace,
                                    int num_sources) const;

    root_music_config d_config;
    variant_frame d_frame;
    // Immutable, so copies share them.
    std::shared_ptr<const line_null_polynomial> d_line;       // of a uniform line
    std::shared_ptr<const fourier_null_polynomial> d_fourier; // of all others
    std::optional<nearest_roots> d_nearest;                // where no others are needed
    std::shared_ptr<const root_music_estimator> d_complex; // for collapsed pairs
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_ROOT_MUSIC_H */
