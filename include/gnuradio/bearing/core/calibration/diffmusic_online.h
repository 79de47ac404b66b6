/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_ONLINE_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_ONLINE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/array/calibration_state.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace gr {
namespace bearing {
namespace core {

//! How a running calibrator works.
struct online_config {
    //! M, 1 .. N-1
    int num_sources = 1;
    //! labelled and unlabelled covariances remembered, the newest ones. For an array that
    //! drifts they fade: a labelled one counts half after 1.5 times as many arrivals as the
    //! buffer holds, another after 3 times as many
    int labelled_buffer = 20;
    int unlabelled_buffer = 32;
    //! a label is forgotten after this many arrivals; the orientation it gave is held
    int label_lifetime = 600;
    bool fit_positions = true;
};

//! What became of one covariance.
enum class update_outcome {
    accepted,         //!< used, and its label if it had one
    bad_data,         //!< NaN, zero, a dead channel, not a covariance
    weak,             //!< a source too weak against the noise, or fewer sources
    too_many_sources, //!< more signal eigenvalues than sources
    close_sources,    //!< unlabelled sources too close, or too near a line's endfire
    off_model,        //!< the null function is far above what it was lately
    bad_label,        //!< the label contradicts the data: not used at all
    num_outcomes
};
//! "accepted", "bad_data", ...
BEARING_API const char* to_string(update_outcome outcome);

/*!
 * \brief Calibrates an array while it runs: one robust Gauss-Newton step for each
 * covariance that arrives.
 *
 * Keeps the latest labelled and unlabelled covariances and minimises the MUSIC null
 * function over them, as diffmusic_fit() does over a batch. Covariances that do not fit
 * are counted and left out; after a step change (an element moved by hand) it starts
 * again from what it sees and counts a restart. It freezes rather than diverges: when the
 * running loss rises without reason it goes back to its last good state.
 *
 * Without labels the affine freedom of a line, the rotation of any other array, is held
 * where it is: see orientation().
 *
 * Not thread-safe. While tracking the steps allocate nothing; the eigendecomposition of
 * what arrives does.
 */
class BEARING_API diffmusic_online
{
public:
    /*!
     * \param array drawn, with the calibration to start from
     * \throws std::invalid_argument naming the parameter
     */
    explicit diffmusic_online(antenna_array array, online_config config = {});
    ~diffmusic_online();
    diffmusic_online(diffmusic_online&&) noexcept;
    diffmusic_online& operator=(diffmusic_online&&) noexcept;

    /*!
     * \brief Takes one covariance and steps.
     * \param covariance R, N x N
     * \param snapshots T behind it, >= 1
     * \param azimuth known directions in radians, up to M of them; NaN ones count as
     * unknown; empty: none known
     * \param range of the known sources in the array's unit, as many; empty: far away
     * \throws std::invalid_argument for sizes that disagree, more labels than sources,
     * labels outside the field of view, snapshots = 0
     */
    update_outcome update(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                          std::size_t snapshots,
                          const Eigen::VectorXd& azimuth = {},
                          const Eigen::VectorXd& range = {});

    const online_config& config() const;
    //! as drawn, with the calibration it started from
    const antenna_array& array() const;

    //! The present calibration, with deviations, in the gauge of calibration_state.
    calibration_state calibration() const;
    //! standard deviations of its position offsets, in the array's unit, N x 3
    Eigen::MatrixXd sigma_positions() const;
    //! learning: too little was heard, or from too few sides, to know the shape, and
    //! calibration() is what it started from; tracking; frozen: holds its last good state because
    //! what arrives does not fit
    core::status status() const;
    //! of what is tracked: held when labels get old, and told anew by present labels after
    //! a restart or a rollback
    core::orientation orientation() const;
    //! running median of the null function at the sources over its expectation: about 1 when
    //! the array is calibrated; NaN before the first accepted covariance
    double loss() const;
    //! how often \p outcome came
    std::uint64_t count(update_outcome outcome) const;
    //! step changes after which it started again
    std::uint64_t restarts() const;
    //! how often it went back to its last good state
    std::uint64_t rollbacks() const;

    //! Goes on from a calibration that an earlier run ended with.
    //! \throws std::invalid_argument when it does not fit the array
    void resume(const calibration_state& calibration, core::orientation orientation);

private:
    struct state;
    std::unique_ptr<state> d_state;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_ONLINE_H */
