/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_RUNNER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_RUNNER_H

#include "background_worker.h"
#include "item_tags.h"
#include "tuned_calibrations.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/gr_complex.h>
#include <gnuradio/io_signature.h>
#include <gnuradio/logger.h>
#include <gnuradio/sync_block.h>
#include <Eigen/Dense>
#include <condition_variable>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

//! What an estimator is built from.
struct estimator_settings {
    //! with the calibration to begin with; an estimator is built from the one in force
    core::antenna_array array;
    //! also the symbol `method` in messages
    std::string method;
    int num_sources;
    core::count_method counting;
    //! of the spectrum; absent for estimators without one
    std::optional<core::angle_grid> grid;
    //! empty for estimators without any
    std::string variant = {};
    //! N x N each, side by side in an item and in what the estimator is given
    int num_covariances = 1;
    //! filled by the runner, from the array
    tuned_calibrations calibrations = tuned_calibrations();
};

//! An estimator at work: covariance and number of snapshots (0: unknown) in, bearings
//! out.
using bearing_estimator = std::function<core::bearing_estimate(
    const Eigen::MatrixXcd& covariance, std::size_t snapshots)>;

//! Builds the estimator; throws std::invalid_argument for settings that do not fit.
using estimator_builder = std::function<bearing_estimator(const estimator_settings&)>;

//! Throws std::invalid_argument for settings that the estimator cannot be built from.
using settings_check = std::function<void(const estimator_settings&)>;

//! Items of N * N complex float.
gr::io_signature::sptr covariance_signature(const core::antenna_array& array);

//! Items of \p num_points float that may stay unconnected.
//! \throws std::invalid_argument unless num_points >= 2
gr::io_signature::sptr spectrum_signature(int num_points);

//! \throws std::invalid_argument naming counting
core::count_method counting_from_string(const std::string& counting);

//! \throws std::invalid_argument unless heading_deg is finite
double checked_heading(double heading_deg);

//! \throws std::invalid_argument unless snapshots >= 0
std::size_t checked_snapshots(int snapshots);

//! All NaN, status bad_data.
core::bearing_estimate failed_estimate(int num_sources);

//! The grid of \p num_points azimuths within \p limits_deg; empty: the whole range.
//! \throws std::invalid_argument naming limits_deg
core::angle_grid spectrum_grid(const core::antenna_array& array,
                               int num_points,
                               const std::vector<double>& limits_deg);

/*!
 * \brief What all estimator blocks do around their estimator.
 *
 * Owns the message ports `calibration` and `bearings` of its block, follows the stream's
 * tags, takes changes of parameters from any thread and runs the estimator, one PDU an
 * item.
 *
 * A setter copies the settings, changes and checks the copy and puts it in the place of
 * the old ones. Setters wait for one another; work() waits for the last step only.
 *
 * Estimators are built on a thread of their own, because their tables take up to
 * milliseconds, and the latest are kept, so that a receiver which hops between tunings
 * builds them once.
 * - New settings: the old estimator serves until the new one is ready, unless no item has
 *   been estimated since start(): what was set before that holds from the first item on.
 * - A new tuning: its items wait, in the buffer, for an estimator of that tuning; none of
 *   them ever meets another one's manifold.
 *
 * A calibration that names its frequency is applied to items tuned to it only: see
 * tuned_calibrations.
 */
class estimator_runner
{
public:
    /*!
     * \param owner the block, fully constructed; outlives the runner
     * \param logger its logger
     * \param settings to begin with
     * \param build makes the estimator
     * \param snapshots behind each item while no tag tells; 0: unknown
     * \param heading_deg direction of the array's +y axis, clockwise from north
     * \param check refuses changes of settings; without one, what does not fit shows when
     * the estimator is rebuilt, as status bad_data
     * \throws std::invalid_argument naming the parameter
     */
    estimator_runner(gr::sync_block& owner,
                     gr::logger_ptr logger,
                     estimator_settings settings,
                     estimator_builder build,
                     int snapshots,
                     double heading_deg,
                     settings_check check = {});
    estimator_runner(const estimator_runner&) = delete;
    estimator_runner& operator=(const estimator_runner&) = delete;

    // From any thread; they throw as the block's public setters say.
    void set_num_sources(int num_sources);
    void set_method(const std::string& method);
    void set_variant(const std::string& variant);
    void set_heading_deg(double heading_deg);
    void set_limits_deg(const std::vector<double>& limits_deg);
    void set_calibration(const core::calibration_state& calibration);
    std::vector<double> grid_deg() const;

    // Of the block's own, from the scheduler's thread.
    void start();
    void stop();

    /*!
     * \brief Estimates, publishes and never throws: an estimator that fails ends in
     * status bad_data.
     *
     * It waits for an estimator that is being built when the first item needs it, and
     * comes back early when a later one does.
     *
     * \param items \p num_items covariances, column-major
     * \param tags those of the items
     * \param spectra one an item; may be null
     * \returns number of items that are done, >= 1
     */
    int work(const gr_complex* items,
             int num_items,
             std::vector<gr::tag_t>& tags,
             float* spectra);

private:
    using shared_settings = std::shared_ptr<const estimator_settings>;

    template <class Change>
    void change_settings(Change change);
    shared_settings latest_settings() const;

    void check(const estimator_settings& settings) const;
    void on_calibration(const pmt::pmt_t& message);
    // An estimator as it came out of its settings at a tuning.
    struct tuned_estimator {
        shared_settings settings;
        std::optional<double> frequency;
        bearing_estimator estimate; // empty: cannot be built
        std::string error;          // why
    };
    using shared_estimator = std::shared_ptr<const tuned_estimator>;

    // What is to be built.
    struct build_request {
        shared_settings settings;
        std::optional<double> frequency;

        bool operator==(const build_request& other) const
        {
            return settings == other.settings && frequency == other.frequency;
        }
    };

    // As many tunings as are kept; a table of a large array takes a megabyte.
    static constexpr std::size_t max_estimators = 16;

    static bool is_same_tuning(const estimator_settings& settings,
                               std::optional<double> one,
                               std::optional<double> other);
    // Null: there is none. Any settings' one serves where \p settings is null.
    shared_estimator find(const estimator_settings* settings,
                          std::optional<double> frequency);
    void build_if_wanted(const build_request& request);
    void add(shared_estimator built);
    // Of the latest settings, or of older ones while these are built; null when there is
    // none for this tuning yet and \p may_wait is false.
    shared_estimator serving(const shared_settings& latest, bool may_wait);
    void warn_if_uncalibrated(const estimator_settings& settings);
    core::bearing_estimate estimate(const tuned_estimator& estimator,
                                    const gr_complex* item,
                                    const item_info& info);

    gr::sync_block& d_owner;
    const gr::logger_ptr d_logger;
    const estimator_builder d_build;
    const settings_check d_check;
    std::atomic<double> d_heading_deg;

    std::mutex d_change_mutex;  // of those who change the settings, one at a time
    mutable std::mutex d_mutex; // guards d_latest
    shared_settings d_latest;

    std::mutex d_built_mutex; // guards d_built and d_wanted
    std::condition_variable d_has_built;
    std::vector<shared_estimator> d_built; // in use last comes last
    build_request d_wanted; // what is built next, whatever was asked for before

    // The rest belongs to the thread that calls work().
    std::optional<double> d_frequency; // of the latest item that told it
    shared_estimator d_serving;        // at d_serving_frequency
    std::optional<double> d_serving_frequency;
    bool d_has_begun = false; // an item has been estimated since start()
    item_tags d_tags;
    Eigen::MatrixXcd d_covariance;
    bool d_has_warned = false;
    bool d_has_warned_of_tuning = false;

    background_worker<build_request> d_builder; // last: its thread uses the others
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_RUNNER_H */
