/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CLIENT_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CLIENT_H

#include "backoff.h"
#include "deadline_socket.h"
#include "frame_queue.h"
#include "frame_sequence.h"
#include "kraken_control.h"
#include "kraken_counters.h"
#include "kraken_server.h"
#include "log_limit.h"
#include "stream_clock.h"
#include <gnuradio/logger.h>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Receives frames of a Heimdall server in a thread of its own: finds the server,
 * comes back when it is gone, and keeps what can be used in a bounded queue.
 *
 * Every length is checked against its bound before memory is allocated for it, and every
 * wait has a deadline, so a broken or hostile server costs a connection and nothing else.
 */
class kraken_client
{
public:
    kraken_client(const kraken_server& server, gr::logger_ptr logger);
    ~kraken_client();

    //! \param on_change is called by the client's thread when state() has changed
    void start(std::function<void()> on_change);
    //! Ends within milliseconds, whatever the server does; frames that wait are dropped.
    void stop();

    //! The next frame, waiting at most that long; to be given back.
    std::optional<queued_frame> pop(std::chrono::milliseconds wait)
    {
        return d_queue.pop(wait);
    }
    //! A frame whose samples were all delivered, or that is thrown away.
    void give_back(queued_frame&& frame, bool is_delivered);

    kraken_control& control() { return d_control; }
    kraken_counters& counters() { return d_counters; }
    std::map<std::string, std::uint64_t> all_counters() const;

    //! Why data flow or do not.
    std::string state() const;
    bool is_receiving() const { return d_is_receiving; }
    //! Hz, of the last frame that could be used; 0: none yet.
    double frequency() const { return d_frequency; }
    double sample_rate() const { return d_sample_rate; }

private:
    using clock = deadline_socket::clock;
    using result = deadline_socket::result;
    enum class end { not_found, found, interrupted };

    void run();
    std::vector<kraken_protocol> protocols_to_try() const;
    end serve(kraken_protocol protocol, std::string& why);
    bool receive_header(kraken_protocol protocol,
                        clock::time_point deadline,
                        heimdall_frame& frame,
                        std::string& why);
    bool receive_payload(const heimdall_frame& frame,
                         std::optional<queued_frame>& slot,
                         std::string& why);
    bool
    receive(void* data, std::size_t size, clock::time_point deadline, std::string& why);
    void take(const heimdall_frame& frame, std::optional<queued_frame>& slot);
    void complete(kraken_protocol protocol, heimdall_frame& frame) const;
    enum class news { good, bad, none };
    void set_state(const std::string& text, news kind);
    void log_state(const std::string& text, news kind);
    std::uint16_t data_port(kraken_protocol protocol) const;
    std::string address(kraken_protocol protocol) const;

    const kraken_server d_server;
    const gr::logger_ptr d_logger;
    kraken_counters d_counters;
    kraken_control d_control;
    frame_queue d_queue;
    std::atomic<bool> d_is_receiving{ false };
    std::atomic<double> d_frequency{ 0.0 };
    std::atomic<double> d_sample_rate{ 0.0 };
    std::function<void()> d_on_change;

    mutable std::mutex d_mutex; // guards:
    std::string d_state = "not started";

    // Of the thread only:
    deadline_socket d_socket;
    std::optional<kraken_protocol> d_found;
    frame_sequence d_sequence;
    stream_clock d_clock;
    bool d_is_within_frame = false;
    bool d_has_dropped = false;
    clock::time_point d_last_usable;
    std::vector<std::uint8_t> d_unused; // what is read and thrown away
    log_limit d_log_limit;
    bool d_is_reason_known = false; // why there are no data
    std::thread d_thread;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CLIENT_H */
