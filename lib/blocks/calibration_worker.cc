/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_worker.h"
#include <algorithm>
#include <utility>

namespace gr {
namespace bearing {

namespace {

// A sleep of at most this long: what would take longer wakes up in between.
constexpr std::chrono::duration<double> longest_sleep{ 3600.0 };

} // namespace

calibration_worker::calibration_worker(std::function<void(const arrival&)> update,
                                       std::function<void()> save)
    : d_update(std::move(update)), d_save(std::move(save))
{
}

calibration_worker::~calibration_worker() { stop(); }

void calibration_worker::start()
{
    stop();
    d_is_stopping = false;
    d_last_save = clock::now();
    d_thread = std::thread([this] { run(); });
}

void calibration_worker::stop()
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

void calibration_worker::set_save_interval(double seconds)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_save_interval = std::chrono::duration<double>(seconds);
    }
    d_changed.notify_one();
}

bool calibration_worker::push(const arrival& one)
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

bool calibration_worker::is_idle() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_waiting == 0 && !d_is_busy;
}

bool calibration_worker::is_due() const
{
    return clock::now() - d_last_save >= d_save_interval;
}

void calibration_worker::run()
{
    std::unique_lock<std::mutex> lock(d_mutex);
    while (true) {
        if (d_waiting == 0 && !d_is_stopping && !is_due()) {
            const std::chrono::duration<double> left =
                d_save_interval - (clock::now() - d_last_save);
            d_changed.wait_for(lock, std::min(left, longest_sleep));
        }
        if (d_waiting > 0) {
            std::swap(d_current, d_ring[d_first]);
            d_first = (d_first + 1) % max_waiting;
            --d_waiting;
            d_is_busy = true;
            lock.unlock();
            d_update(d_current);
            lock.lock();
            d_is_busy = false;
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
    d_save();
}

} // namespace bearing
} // namespace gr
