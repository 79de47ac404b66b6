/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_ESTIMATION_STEPS_H
#define INCLUDED_BEARING_CORE_SUBSPACE_ESTIMATION_STEPS_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <vector>

// The steps that every subspace estimator takes before and after its search.

namespace gr {
namespace bearing {
namespace core {

//! Powers below this count as this in to_db(): -200 dB.
constexpr double lowest_power = 1e-20;

//! \throws std::invalid_argument unless N >= 2 and 0 <= num_sources < N
void require_num_sources(const antenna_array& array, int num_sources);
//! \throws std::invalid_argument unless R is N x N
void require_covariance_size(const antenna_array& array,
                             const Eigen::Ref<const Eigen::MatrixXcd>& covariance);

//! What the covariance tells before any direction is looked for.
struct covariance_analysis {
    core::status status = core::status::ok; //!< ok: go on and search
    int num_sources = 0;                    //!< K, given or counted
    eigendecomposition eigen;               //!< in the frame; empty when the data is bad
    double noise_power = 0.0;               //!< E|n|^2 at an element, > 0
};
covariance_analysis analyse(const variant_frame& frame,
                            const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                            int num_sources,
                            count_method counting,
                            std::size_t snapshots);

//! An estimate of num_sources values that are all NaN.
bearing_estimate nothing_found(const antenna_array& array, int num_sources, status why);

//! What stands for a fitted power that is not positive, 100 dB below the mean power.
double lowest_reported_power(const Eigen::Ref<const Eigen::MatrixXcd>& covariance);
//! Sets power_db and snr_db of source \p k; power per element, > 0.
void set_power(double power,
               double noise_power,
               Eigen::Index k,
               bearing_estimate& estimate);

//! Source powers per element by least squares on R - s2 I, into power_db and snr_db, of the
//! sources whose columns of \p steering (N x K) are finite.
void fill_powers(const Eigen::MatrixXcd& steering,
                 const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                 double noise_power,
                 bearing_estimate& estimate);
//! The same on the horizon, far away.
void fill_powers(const antenna_array& array,
                 const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                 double noise_power,
                 bearing_estimate& estimate);

//! Deviations and status of MUSIC-type estimates, once the azimuths are there.
void fill_accuracy(const variant_frame& frame,
                   const covariance_analysis& analysis,
                   std::size_t snapshots,
                   bool is_ambiguous,
                   bearing_estimate& estimate);

//! Strongest source first, NaN last.
void sort_by_power(bearing_estimate& estimate);

/*!
 * \brief Indices at which \p values has a local minimum, lowest value first.
 *
 * The ends count when \p is_circle is set (they are neighbours), else an end counts when
 * its only neighbour is higher.
 */
std::vector<int> local_minima(const Eigen::VectorXd& values, bool is_circle);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_ESTIMATION_STEPS_H */
