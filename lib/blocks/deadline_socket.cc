/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "deadline_socket.h"
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace asio = boost::asio;
using boost::system::error_code;

namespace gr {
namespace bearing {

namespace {

// Of a host with many addresses only some are tried, as all of them share the time.
constexpr std::size_t most_addresses = 8;

} // namespace

// What a thread that looks up a name leaves behind.
struct deadline_socket::lookup {
    std::mutex mutex; // guards all below
    bool is_done = false;
    error_code error;
    std::vector<asio::ip::address> addresses;
};

deadline_socket::deadline_socket()
    : d_context(std::make_shared<asio::io_context>(1)),
      d_work(d_context->get_executor()),
      d_socket(*d_context)
{
}

deadline_socket::~deadline_socket() { close(); }

void deadline_socket::interrupt()
{
    d_is_interrupted = true;
    // Wakes up whoever waits in run().
    asio::post(*d_context, [] {});
}

deadline_socket::result deadline_socket::run(const bool& is_done,
                                             clock::time_point deadline)
{
    while (!is_done) {
        if (d_is_interrupted) {
            return result::interrupted;
        }
        if (d_context->run_one_until(deadline) == 0 && clock::now() >= deadline) {
            return is_done ? result::ok : result::timeout;
        }
    }
    return result::ok;
}

// Starts an operation on the socket and waits for it. Half of what was to be read or written
// is of no use.
template <typename Start>
deadline_socket::result
deadline_socket::finish(Start start, clock::time_point deadline, unfinished then)
{
    bool is_done = false;
    error_code error;
    d_transferred = 0;
    start([this, &is_done, &error](const error_code& told, std::size_t count = 0) {
        error = told;
        d_transferred = count;
        is_done = true;
    });
    const result ended = run(is_done, deadline);
    if (ended != result::ok) {
        const bool is_late = ended == result::timeout;
        if (then == unfinished::close || (then == unfinished::close_if_late && is_late)) {
            close();
        } else {
            error_code ignored;
            d_socket.cancel(ignored);
        }
        while (!is_done) {
            d_context->run_one();
        }
        d_error = ended == result::timeout ? "no answer in time" : "interrupted";
        return ended;
    }
    if (!error) {
        return result::ok;
    }
    d_error = error.message();
    close();
    const bool is_end = error == asio::error::eof ||
                        error == asio::error::connection_reset ||
                        error == asio::error::broken_pipe;
    if (error == asio::error::eof) {
        d_error = "closed by the server";
    }
    return is_end ? result::closed : result::failed;
}

deadline_socket::result deadline_socket::look_up(const std::string& host,
                                                 clock::time_point deadline)
{
    error_code error;
    const asio::ip::address address = asio::ip::make_address(host, error);
    if (!error) {
        d_addresses = { address };
        return result::ok;
    }
    // An earlier one that is still at it is waited for: there is never more than one.
    if (!d_lookup) {
        d_lookup = std::make_shared<lookup>();
        try {
            std::thread([host, found = d_lookup, context = d_context] {
                error_code error;
                asio::io_context own;
                asio::ip::tcp::resolver resolver(own);
                const auto results = resolver.resolve(host, "", error);
                {
                    const std::lock_guard<std::mutex> lock(found->mutex);
                    found->error = error;
                    for (const auto& one : results) {
                        if (found->addresses.size() < most_addresses) {
                            found->addresses.push_back(one.endpoint().address());
                        }
                    }
                    found->is_done = true;
                }
                asio::post(*context, [] {});
            }).detach();
        } catch (const std::exception& thrown) { // no thread
            d_lookup.reset();
            d_error = thrown.what();
            return result::failed;
        }
    }
    while (true) {
        {
            const std::lock_guard<std::mutex> lock(d_lookup->mutex);
            if (d_lookup->is_done) {
                d_addresses = d_lookup->addresses;
                error = d_lookup->error;
                break;
            }
        }
        if (d_is_interrupted) {
            return result::interrupted;
        }
        if (d_context->run_one_until(deadline) == 0 && clock::now() >= deadline) {
            d_error = "the name was not looked up in time";
            return result::timeout;
        }
    }
    d_lookup.reset();
    if (d_addresses.empty()) {
        d_error = error ? error.message() : "the name has no address";
        return result::failed;
    }
    return result::ok;
}

deadline_socket::result deadline_socket::connect(const std::string& host,
                                                 std::uint16_t port,
                                                 clock::time_point deadline)
{
    close();
    const result found = look_up(host, deadline);
    if (found != result::ok) {
        return found;
    }
    result connected = result::failed;
    for (std::size_t i = 0; i < d_addresses.size(); ++i) {
        // An address that does not answer leaves the others their share of the time.
        const clock::time_point start = clock::now();
        const clock::duration share =
            (deadline - start) / static_cast<int>(d_addresses.size() - i);
        connected = finish(
            [&](auto done) {
                d_socket.async_connect(asio::ip::tcp::endpoint(d_addresses[i], port),
                                       done);
            },
            start + share,
            unfinished::close);
        if (connected == result::ok || connected == result::interrupted) {
            break;
        }
    }
    if (connected == result::ok) {
        // Requests are short and waited for.
        error_code ignored;
        d_socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    return connected;
}

deadline_socket::result
deadline_socket::read(void* data, std::size_t size, clock::time_point deadline)
{
    return finish(
        [&](auto done) { asio::async_read(d_socket, asio::buffer(data, size), done); },
        deadline,
        unfinished::close_if_late);
}

deadline_socket::result
deadline_socket::read_some(void* data, std::size_t size, clock::time_point deadline)
{
    return finish(
        [&](auto done) { d_socket.async_read_some(asio::buffer(data, size), done); },
        deadline,
        unfinished::close_if_late);
}

deadline_socket::result deadline_socket::wait_for_data(clock::time_point deadline)
{
    return finish(
        [&](auto done) { d_socket.async_wait(asio::ip::tcp::socket::wait_read, done); },
        deadline,
        unfinished::keep);
}

deadline_socket::result
deadline_socket::write(const void* data, std::size_t size, clock::time_point deadline)
{
    return finish(
        [&](auto done) { asio::async_write(d_socket, asio::buffer(data, size), done); },
        deadline,
        unfinished::close_if_late);
}

void deadline_socket::try_write(const void* data, std::size_t size)
{
    error_code ignored;
    d_socket.non_blocking(true, ignored);
    d_socket.write_some(asio::buffer(data, size), ignored);
}

void deadline_socket::close()
{
    error_code ignored;
    d_socket.close(ignored);
}

deadline_socket::result deadline_socket::sleep_until(clock::time_point deadline)
{
    const bool is_done = false;
    return run(is_done, deadline);
}

} // namespace bearing
} // namespace gr
