/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_BACKGROUND_WORKER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_BACKGROUND_WORKER_H

#include <condition_variable>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace gr {
namespace bearing {

/*!
 * \brief A thread that does what a scheduler's thread must not wait for: jobs that take
 * long, one at a time in their order, and, where there is something to save, saving, every
 * so often and when it ends.
 *
 * At most max_waiting jobs wait; their memory is used again.
 */
template <class Job>
class background_worker
{
public:
    static constexpr std::size_t max_waiting = 8;

    //! \param work, save what the thread calls, one at a time; they do not throw
    explicit background_worker(std::function<void(const Job&)> work,
                               std::function<void()> save = {})
        : d_work(std::move(work)), d_save(std::move(save))
    {
    }
    ~background_worker() { stop(); }
    background_worker(const background_worker&) = delete;
    background_worker& operator=(const background_worker&) = delete;

    void start()
    {
        stop();
        d_is_stopping = false;
        d_last_save = clock::now();
        d_thread = std::thread([this] { run(); });
    }

    //! Finishes what waits, saves and ends the thread.
    void stop()
    {
        if (!d_thread.joinable()) {
            return;
        }
        {
            const std::lock_guard<std::mutex> lock(d_mutex);
            d_is_stopping = true;
        }
        d_changed.notify_one();
        d_thread.join();
    }

    //! From any thread; \p seconds > 0 from the last saving to the next.
    void set_save_interval(double seconds)
    {
        {
            const std::lock_guard<std::mutex> lock(d_mutex);
            d_save_interval = std::chrono::duration<double>(seconds);
        }
        d_changed.notify_one();
    }

    //! False when the oldest job that waited was thrown away for this one.
    bool push(const Job& one)
    {
        bool has_room = true;
        {
            const std::lock_guard<std::mutex> lock(d_mutex);
            if (d_waiting == max_waiting) {
                d_first = (d_first + 1) % max_waiting;
                --d_waiting;
                has_room = false;
            }
            d_ring[(d_first + d_waiting) % max_waiting] = one;
            ++d_waiting;
        }
        d_changed.notify_one();
        return has_room;
    }

    //! Whether no job waits or is being worked on.
    bool is_idle() const
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        return has_nothing_to_do();
    }

    //! The same, once it is so, or at \p deadline.
    bool is_idle_by(std::chrono::steady_clock::time_point deadline)
    {
        std::unique_lock<std::mutex> lock(d_mutex);
        return d_finished.wait_until(
            lock, deadline, [this] { return has_nothing_to_do(); });
    }

private:
    using clock = std::chrono::steady_clock;

    // A sleep of at most this long: what would take longer wakes up in between.
    static constexpr std::chrono::duration<double> longest_sleep{ 3600.0 };

    bool has_nothing_to_do() const { return d_waiting == 0 && !d_is_busy; }

    bool is_due() const
    {
        return d_save && clock::now() - d_last_save >= d_save_interval;
    }

    void run()
    {
        std::unique_lock<std::mutex> lock(d_mutex);
        while (true) {
            if (d_waiting == 0 && !d_is_stopping && !is_due()) {
                std::chrono::duration<double> left = longest_sleep;
                if (d_save) {
                    left = d_save_interval - (clock::now() - d_last_save);
                }
                d_changed.wait_for(lock, std::min(left, longest_sleep));
            }
            if (d_waiting > 0) {
                std::swap(d_current, d_ring[d_first]);
                d_first = (d_first + 1) % max_waiting;
                --d_waiting;
                d_is_busy = true;
                lock.unlock();
                d_work(d_current);
                lock.lock();
                d_is_busy = false;
                d_finished.notify_all();
            } else if (d_is_stopping) {
                break;
            }
            if (is_due()) {
                lock.unlock();
                d_save();
                lock.lock();
                d_last_save = clock::now();
            }
        }
        lock.unlock();
        if (d_save) {
            d_save();
        }
    }

    const std::function<void(const Job&)> d_work;
    const std::function<void()> d_save;

    mutable std::mutex d_mutex;         // guards all below but d_current
    std::condition_variable d_changed;  // something to do
    std::condition_variable d_finished; // a job
    std::array<Job, max_waiting> d_ring;
    std::size_t d_first = 0;
    std::size_t d_waiting = 0;
    bool d_is_busy = false;
    bool d_is_stopping = false;
    std::chrono::duration<double> d_save_interval{ 60.0 };
    clock::time_point d_last_save;

    Job d_current;
    std::thread d_thread;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_BACKGROUND_WORKER_H */
