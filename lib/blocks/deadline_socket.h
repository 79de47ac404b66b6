/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_DEADLINE_SOCKET_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_DEADLINE_SOCKET_H

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief A TCP connection for one thread, every call of which ends: when it is done, at a
 * deadline, or at once when another thread interrupts it.
 */
class deadline_socket
{
public:
    using clock = std::chrono::steady_clock;

    enum class result { ok, timeout, closed, failed, interrupted };

    deadline_socket();
    ~deadline_socket();
    deadline_socket(const deadline_socket&) = delete;
    deadline_socket& operator=(const deadline_socket&) = delete;

    //! From any thread: the call in progress, and all further ones, end as interrupted.
    void interrupt();
    //! From now on calls are not interrupted.
    void resume() { d_is_interrupted = false; }

    //! Connects to the first address of a host that answers. A name is looked up in a
    //! thread of its own, as that cannot be ended; it is there until it has its answer.
    result
    connect(const std::string& host, std::uint16_t port, clock::time_point deadline);
    //! All of \p size bytes.
    result read(void* data, std::size_t size, clock::time_point deadline);
    //! At least 1 and at most \p size bytes: transferred() of them.
    result read_some(void* data, std::size_t size, clock::time_point deadline);
    //! Until there is something to read. After a timeout the connection is still there.
    result wait_for_data(clock::time_point deadline);
    //! All of \p size bytes.
    result write(const void* data, std::size_t size, clock::time_point deadline);
    //! Writes what can be written at once, interrupted or not.
    void try_write(const void* data, std::size_t size);
    //! Closes the connection, if there is one.
    void close();
    //! Waits; interrupted or timeout.
    result sleep_until(clock::time_point deadline);

    //! Bytes that the last call read or wrote, before it failed if it did.
    std::size_t transferred() const { return d_transferred; }
    //! What the system said of the last call that failed.
    const std::string& error() const { return d_error; }

private:
    struct lookup;

    //! What becomes of the connection when an operation does not end by itself.
    enum class unfinished { close, close_if_late, keep };

    template <typename Start>
    result finish(Start start, clock::time_point deadline, unfinished then);
    result run(const bool& is_done, clock::time_point deadline);
    result look_up(const std::string& host, clock::time_point deadline);

    // Shared with the thread that looks up a name.
    const std::shared_ptr<boost::asio::io_context> d_context;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> d_work;
    boost::asio::ip::tcp::socket d_socket;
    std::atomic<bool> d_is_interrupted{ false };
    std::shared_ptr<lookup> d_lookup;
    std::vector<boost::asio::ip::address> d_addresses;
    std::size_t d_transferred = 0;
    std::string d_error;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_DEADLINE_SOCKET_H */
