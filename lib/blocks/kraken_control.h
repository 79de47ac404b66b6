/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CONTROL_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CONTROL_H

#include "backoff.h"
#include "deadline_socket.h"
#include "heimdall_frame.h"
#include "heimdall_v1.h"
#include "kraken_counters.h"
#include "kraken_server.h"
#include "log_limit.h"
#include <gnuradio/logger.h>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Sends frequency and gains to a server's control port, in a thread of its own, so
 * that a control port which never answers does not hold up the data.
 *
 * What was asked for is kept. When a data connection is made, it is sent again unless the
 * first header says that it is in force: each change makes the server calibrate anew. What is
 * asked for later is sent whether data come or not, as soon as the protocol is known: it may be
 * what is needed for data to come.
 *
 * v1: a connection for each change, as that server has one client at a time. v2: one
 * connection that stays; what the server reports over it is read all the time.
 */
class kraken_control
{
public:
    kraken_control(const kraken_server& server,
                   kraken_counters& counters,
                   gr::logger_ptr logger);
    ~kraken_control();

    void start();
    //! Ends within milliseconds.
    void stop();

    //! From any thread. Hz; 0: whatever the server is tuned to.
    void set_frequency(double frequency);
    //! From any thread. dB, one or one for each channel; empty: the server's own.
    void set_gains(const std::vector<double>& gains);

    //! A data connection is there, and this is its first header.
    void connected(kraken_protocol protocol, const heimdall_frame& frame);
    //! The data connection has ended.
    void disconnected();

    //! v2 tells frequencies as floats, in steps of 32 Hz and more: the exact one that was
    //! asked for or that the control port told, if it is within such a step of \p told.
    double exact_frequency(double told) const;
    //! v2: what the control port told, or the usual one, Hz.
    double sample_rate() const;

private:
    using clock = deadline_socket::clock;
    using result = deadline_socket::result;

    //! What is still to be sent.
    struct changes {
        std::optional<double> frequency;
        std::optional<std::vector<double>> gains;
        bool is_any() const { return frequency || gains; }
    };

    void run();
    bool is_wanted(kraken_protocol protocol) const;
    bool is_stopping() const;
    clock::time_point deadline() const;
    bool connect(std::uint16_t usual_port);
    bool talk_v1();
    std::optional<bool> send_v1(const heimdall_v1::message& message);
    bool talk_v2();
    std::optional<bool> take_v2(const std::string& line);
    changes take_changes();
    void put_back(const changes& unsent);
    void complain(const std::string& sentence);

    const kraken_server d_server;
    kraken_counters& d_counters;
    const gr::logger_ptr d_logger;

    mutable std::mutex d_mutex; // guards what setters and the data's thread use:
    std::condition_variable d_changed;
    bool d_is_stopping = false;
    std::optional<kraken_protocol> d_connected; // while there is a data connection
    std::optional<kraken_protocol> d_protocol; // of the last one, or as it was configured
    double d_frequency = 0.0;
    std::vector<double> d_gains;
    changes d_changes;
    double d_told_frequency = 0.0;
    double d_sample_rate;

    deadline_socket d_socket;
    std::string d_complaint;
    log_limit d_log_limit;
    std::thread d_thread;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_KRAKEN_CONTROL_H */
