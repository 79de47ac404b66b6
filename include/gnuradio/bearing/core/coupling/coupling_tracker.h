/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_TRACKER_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_TRACKER_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

//! How a coupling_tracker averages.
struct coupling_tracking {
    //! scenes after which one counts 1/e; 0: each covariance stands for itself
    double memory = 100.0;
    //! scenes in a row that contradict what was learnt before it starts again
    int patience = 3;
};

/*!
 * \brief Coupling over many scenes: coupling stays while sources move, so what one covariance
 * tells of it is known beforehand for the next.
 *
 * Keeps the information sum of w (Gaussian) of all scenes whose fit holds (status ok, not
 * gated, within 99.9 % of what was learnt) and gives it to the next fit as its prior. Scenes
 * that contradict are not averaged; after `patience` of them in a row all is learnt anew.
 */
class BEARING_API coupling_tracker
{
public:
    //! as coupling_estimator; only criterion ml and priors none, gaussian and coupling when
    //! memory > 0. Prior coupling is that of the first scene; once something is learnt the
    //! simulated antennas' part of what is known is taken as Gaussian.
    coupling_tracker(const antenna_array& array,
                     coupling_config config = {},
                     coupling_tracking tracking = {});
    //! \throws std::invalid_argument naming the parameter
    explicit coupling_tracker(coupling_estimator estimator,
                              coupling_tracking tracking = {});

    //! Bearings of this covariance under all that is known, and that is known better. A scene
    //! that contradicts what was learnt, or whose covariance does, is estimated by itself;
    //! a gated one has the bearings of MUSIC with the coupling learnt from others.
    coupling_estimate update(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             std::size_t snapshots);

    /*!
     * \brief Goes on with another calibration of the same array, or another number of
     * sources.
     * \param estimator of the same coupling model: what was learnt is kept
     */
    void set_estimator(coupling_estimator estimator)
    {
        d_estimator = std::move(estimator);
    }
    const coupling_estimator& estimator() const { return d_estimator; }

    //! learning (nothing averaged yet) or tracking
    core::status status() const;
    //! C of the average, N x N; that of the model's centre while learning
    Eigen::MatrixXcd coupling() const;
    std::uint64_t scenes() const { return d_scenes; } //!< averaged since the last start
    std::uint64_t restarts() const { return d_restarts; } //!< times it was learnt anew

private:
    void average(const coupling_estimate& scene);
    void correct(coupling_estimate& scene,
                 const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                 std::size_t snapshots) const;
    void forget();

    coupling_estimator d_estimator;
    coupling_tracking d_tracking;
    weight_evidence d_learnt;
    std::uint64_t d_scenes = 0;
    std::uint64_t d_restarts = 0;
    int d_contradictions = 0;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_COUPLING_TRACKER_H */
