/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_COUPLINGS_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_COUPLINGS_H

#include "tuned_calibrations.h"
#include "tuning_list.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/coupling/coupling_estimator.h>
#include <gnuradio/bearing/core/coupling/coupling_tracker.h>
#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace gr {
namespace bearing {

//! What the coupling of an array is learnt with.
struct coupling_settings {
    //! for the array as drawn
    core::coupling_estimator estimator;
    core::coupling_tracking tracking;
    tuned_calibrations calibrations; //!< of gains and positions
};

//! What is known of the coupling at one tuning.
struct tuned_coupling {
    std::optional<double> frequency; //!< Hz; absent: unknown
    //! absent: it cannot work there
    std::optional<core::coupling_tracker> tracker = std::nullopt;
    //! C, N x N; empty: nothing is known yet
    Eigen::MatrixXcd coupling = {};
    //! of the latest item
    double glrt = 0.0;
    //! of the latest item that taught something, seconds
    std::optional<double> time = std::nullopt;
    //! from the latest item
    bool has_learnt = false;
    //! something to tell since it was told about
    bool has_news = true;

    // What the tracker was built from, and at which frequency.
    std::shared_ptr<const coupling_settings> settings = nullptr;
    std::optional<double> built_for = std::nullopt;
    // Why it could not be built.
    core::status fault = core::status::ok;
    std::string reason = {};

    core::status status() const
    {
        return tracker ? tracker->status() : core::status::learning;
    }
    std::uint64_t scenes() const { return tracker ? tracker->scenes() : 0; }
    std::uint64_t restarts() const { return tracker ? tracker->restarts() : 0; }
};

/*!
 * \brief The coupling at each tuning.
 *
 * A frequency belongs to the first tuning that is within tuning_tolerance of it. An array
 * that was built with a wavelength gets that of the item's own frequency.
 */
class tuned_couplings
{
public:
    using shared_settings = std::shared_ptr<const coupling_settings>;

    //! The tuning of \p frequency, which becomes the latest, working with \p settings.
    tuned_coupling& at(std::optional<double> frequency, const shared_settings& settings);

    //! Bearings in an item, and what it tells of the coupling. Never throws: what goes
    //! wrong is a status with its reason.
    static core::coupling_estimate update(tuned_coupling& tuning,
                                          const Eigen::MatrixXcd& covariance,
                                          std::size_t snapshots);

private:
    tuning_list<tuned_coupling> d_tunings;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TUNED_COUPLINGS_H */
