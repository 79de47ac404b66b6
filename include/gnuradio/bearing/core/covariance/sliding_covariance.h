/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SLIDING_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SLIDING_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <Eigen/Core>
#include <complex>
#include <cstddef>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! Which snapshots a covariance of a stream is made of.
struct sliding_covariance_config {
    //! T, snapshots in a window, >= 1
    std::size_t snapshots = 4096;
    //! H, snapshots from one covariance to the next; divides T, at most 1024 of them in T;
    //! 0: T, windows side by side
    std::size_t hop = 0;
    //! b, 0 <= b < 1: weight of a window against that of the next; above 0 only without
    //! overlap
    double forgetting = 0.0;
};

/*!
 * \brief Sample covariances of a stream of snapshots: side by side, overlapping, or with
 * exponential forgetting. No sample is multiplied twice.
 *
 * With S_k the sum of x x^H over the k-th hop of H snapshots:
 * - overlap (H < T): R_k = (1/T) (S_(k-T/H+1) + ... + S_k), the newest T snapshots; the
 *   first one is complete after T snapshots;
 * - forgetting (b > 0, H = T): R_k = sum_j b^j S_(k-j) / (T sum_j b^j), the first one after
 *   T snapshots.
 *
 * Number of snapshots. A weighted mean varies as much as a plain one of
 * (sum_t w_t)^2 / sum_t w_t^2 snapshots (L. Kish, Survey Sampling, 1965, section 11.7); for
 * forgetting that is T (sum_j b^j)^2 / sum_j b^(2j), which tends to T (1 + b) / (1 - b).
 * num_snapshots() is that number: predicted deviations need it. Covariances that share
 * snapshots err alike, so a mean of their bearings is not better by the root of how many
 * they are.
 *
 * Guarantees
 * - Entries, rounding and Hermitian symmetry are those of covariance_accumulator; hops are
 *   added in double. An overlapping window is a sum of its own hops and of nothing else:
 *   no error lasts longer than the samples that made it, however long the stream.
 * - A NaN or infinite sample shows in the windows that it is part of. With forgetting it
 *   shows in its own covariance and is then left out with all of its window, or nothing
 *   after it would be finite.
 * - update() and resume() neither allocate nor throw. One object belongs to one thread at
 *   a time.
 *
 * Cost: that of covariance_accumulator, and N^2 complex additions a hop, three on average,
 * at most T/H + 2; with overlap memory of 16 N^2 T/H bytes.
 *
 * Method of the overlap: a queue of two stacks, sums from each hop to the newest one of
 * the last T snapshots, and one running sum of those after (K. Tangwongsan, M. Hirzel,
 * S. Schneider, "Low-latency sliding-window aggregation in worst-case constant time",
 * DEBS 2017).
 */
class BEARING_API sliding_covariance
{
public:
    //! \param num_elements number of channels N, 1..64
    //! \throws std::invalid_argument naming the parameter
    explicit sliding_covariance(int num_elements, sliding_covariance_config config = {});

    /*!
     * \brief Takes snapshots up to the end of the present hop.
     *
     * \param channels N pointers, one per channel, each at num_snapshots samples
     * \param num_snapshots samples that there are, zero or more
     * \returns how many of them it took: fewer only when the hop is complete
     */
    std::size_t update(const std::complex<float>* const* channels,
                       std::size_t num_snapshots);

    //! The last snapshot completed a covariance. No longer so after the next update().
    bool is_complete() const { return d_is_complete; }

    //! The number of snapshots that the complete covariance is worth; T without forgetting.
    double num_snapshots() const;

    //! Forgets all snapshots.
    void reset();

    /*!
     * \brief Goes on in place of an object with another configuration, as if after reset()
     * it had seen what fits of the snapshots that \p earlier has.
     *
     * What fits are the samples of an unfinished hop, if this one's hop is not shorter, and
     * with forgetting all earlier windows. May complete a covariance at once.
     *
     * \param earlier of the same number of channels
     */
    void resume(const sliding_covariance& earlier);

    /*!
     * \brief Writes the complete R, rounded once to float, without allocating.
     * \param out room for N*N values; R_ij goes to out[i + j*N] (column-major).
     */
    void covariance(std::complex<float>* out) const;

    //! The complete R in double, N x N.
    Eigen::MatrixXcd covariance() const;

    int num_elements() const { return d_hop_sum.num_elements(); }
    //! As given, but with H instead of a hop of 0.
    const sliding_covariance_config& config() const { return d_config; }

private:
    // Sums as covariance_accumulator::upper_sum() has them.
    using upper_sum = std::vector<double>;

    void end_hop();
    void slide();
    void forget();
    const double* complete_sum() const;
    double divisor() const;

    sliding_covariance_config d_config;
    covariance_accumulator
        d_hop_sum; // complete at the end of a hop, until the next update
    bool d_hop_is_over = false;
    bool d_is_complete = false;
    upper_sum d_total; // of the complete covariance; unused where that is one hop

    // Overlap. Hops of the present round of T snapshots lie in d_hops[0 .. d_slot-1], and
    // d_back is their sum; d_hops[d_slot ..] are sums to the end of the round before.
    std::size_t d_num_slots;
    std::vector<double> d_hops;
    upper_sum d_back;
    std::size_t d_slot = 0;
    bool d_has_round = false; // a round before the present one

    // Forgetting: the weighted sum of what came before, of its weights and their squares;
    // the same of the complete covariance, 0 without forgetting.
    upper_sum d_memory;
    double d_memory_weight = 0.0;
    double d_memory_square = 0.0;
    double d_weight = 0.0;
    double d_square = 0.0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COVARIANCE_SLIDING_COVARIANCE_H */
