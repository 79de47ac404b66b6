/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H

#include "stream_time.h"
#include <Eigen/Dense>
#include <condition_variable>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace gr {
namespace bearing {

//! A covariance on its way to a calibrator.
struct arrival {
    Eigen::MatrixXcd covariance;
    std::size_t snapshots = 0;
    std::optional<double> rx_freq;
    std::optional<stream_time> start; //!< of its first sample
    Eigen::VectorXd azimuth;          //!< known ones, radians
    Eigen::VectorXd range;            //!< of these; empty: far away
};

/*!
 * \brief A thread that does what a scheduler's thread must not wait for: updates of a
 * calibrator that take long, and saving, every so often and when it ends.
 *
 * At most max_waiting arrivals wait; their memory is used again.
 */
class calibration_worker
{
public:
    static constexpr std::size_t max_waiting = 8;

    //! \param update, save what the thread calls, one at a time; they do not throw
    calibration_worker(std::function<void(const arrival&)> update,
                       std::function<void()> save);
    ~calibration_worker();
    calibration_worker(const calibration_worker&) = delete;
    calibration_worker& operator=(const calibration_worker&) = delete;

    void start();
    //! Finishes what waits, saves and ends the thread.
    void stop();

    //! From any thread; \p seconds > 0 from the last saving to the next.
    void set_save_interval(double seconds);

    //! False when the oldest arrival that waited was thrown away for this one.
    bool push(const arrival& one);
    //! Whether no arrival waits or is being worked on.
    bool is_idle() const;

private:
    using clock = std::chrono::steady_clock;

    void run();
    bool is_due() const;

    const std::function<void(const arrival&)> d_update;
    const std::function<void()> d_save;

    mutable std::mutex d_mutex; // guards all below but d_current
    std::condition_variable d_changed;
    std::array<arrival, max_waiting> d_ring;
    std::size_t d_first = 0;
    std::size_t d_waiting = 0;
    bool d_is_busy = false;
    bool d_is_stopping = false;
    std::chrono::duration<double> d_save_interval{ 60.0 };
    clock::time_point d_last_save;

    arrival d_current;
    std::thread d_thread;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H */
