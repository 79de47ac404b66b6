/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_v2.h"
#include "kraken_control.h"
#include <nlohmann/json.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

namespace gr {
namespace bearing {

namespace {

// How long a change of settings may wait while the v2 server is being read.
constexpr std::chrono::milliseconds poll_interval{ 50 };

// A line of the v2 server has some hundred bytes.
constexpr std::size_t longest_line = 65536;

// Gains are told in tenths of dB.
constexpr double gain_tolerance = 0.05;

// Hz between a 32-bit float and the next.
double step_of_float(double frequency)
{
    const float rounded = static_cast<float>(frequency);
    return std::nextafter(rounded, std::numeric_limits<float>::max()) - rounded;
}

bool is_same_frequency(double asked, double told, kraken_protocol protocol)
{
    const double step = protocol == kraken_protocol::v1 ? 0.5 : step_of_float(told);
    return std::abs(asked - told) <= step;
}

bool is_same_gain(double asked, float told)
{
    return std::abs(nearest_gain_db(asked) - told) <= gain_tolerance;
}

} // namespace

kraken_control::kraken_control(const kraken_server& server,
                               kraken_counters& counters,
                               gr::logger_ptr logger)
    : d_server(server),
      d_counters(counters),
      d_logger(std::move(logger)),
      d_sample_rate(heimdall_v2::usual_sample_rate)
{
}

kraken_control::~kraken_control() { stop(); }

void kraken_control::start()
{
    stop();
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_is_stopping = false;
        d_changes = {};
        d_protocol.reset();
        if (d_server.protocol != "auto") {
            d_protocol =
                d_server.protocol == "v1" ? kraken_protocol::v1 : kraken_protocol::v2;
        }
    }
    d_socket.resume();
    d_thread = std::thread([this] { run(); });
}

void kraken_control::stop()
{
    if (!d_thread.joinable()) {
        return;
    }
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_is_stopping = true;
        d_connected.reset();
        d_protocol.reset();
    }
    d_changed.notify_one();
    d_socket.interrupt();
    d_thread.join();
    d_socket.close();
}

void kraken_control::set_frequency(double frequency)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_frequency = frequency;
        d_changes.frequency.reset();
        if (frequency > 0.0 && d_protocol) {
            d_changes.frequency = frequency;
        }
    }
    d_changed.notify_one();
}

void kraken_control::set_gains(const std::vector<double>& gains)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_gains = gains;
        d_changes.gains.reset();
        if (!gains.empty() && d_protocol) {
            d_changes.gains = gains;
        }
    }
    d_changed.notify_one();
}

void kraken_control::connected(kraken_protocol protocol, const heimdall_frame& frame)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_connected = d_protocol = protocol;
        d_changes = {};
        if (d_frequency > 0.0 &&
            !is_same_frequency(d_frequency, frame.frequency, protocol)) {
            d_changes.frequency = d_frequency;
        }
        bool is_same = true;
        for (std::uint32_t m = 0; m < frame.num_channels && !d_gains.empty(); ++m) {
            // v2 has one gain for all.
            const bool is_single = d_gains.size() == 1 || protocol == kraken_protocol::v2;
            const double gain = is_single ? d_gains.front() : d_gains[m];
            is_same = is_same && is_same_gain(gain, frame.gain_db[m]);
        }
        if (!is_same) {
            d_changes.gains = d_gains;
        }
    }
    d_changed.notify_one();
}

void kraken_control::disconnected()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_connected.reset();
}

double kraken_control::exact_frequency(double told) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    for (const double exact : { d_frequency, d_told_frequency }) {
        if (exact > 0.0 && is_same_frequency(exact, told, kraken_protocol::v2)) {
            return exact;
        }
    }
    return told;
}

double kraken_control::sample_rate() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_sample_rate;
}

bool kraken_control::is_wanted(kraken_protocol protocol) const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    // Without data a connection is there for what is to be sent.
    return !d_is_stopping && d_protocol == protocol &&
           (d_connected || d_changes.is_any());
}

bool kraken_control::is_stopping() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_is_stopping;
}

kraken_control::clock::time_point kraken_control::deadline() const
{
    return clock::now() + std::chrono::duration_cast<clock::duration>(d_server.timeout);
}

// Once for each sentence, as attempts go on, and not too often.
void kraken_control::complain(const std::string& sentence)
{
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        if (d_is_stopping) { // what was interrupted is not the server's fault
            return;
        }
    }
    const int left_out = d_log_limit.take_left_out(clock::now());
    if (left_out > 0) {
        d_logger->warn("control port: {} lines were left out", left_out);
    }
    if (sentence != d_complaint || left_out > 0) {
        d_complaint = sentence;
        if (d_log_limit.admits(clock::now())) {
            d_logger->warn("control port: {}", sentence);
        }
    }
}

kraken_control::changes kraken_control::take_changes()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return std::exchange(d_changes, {});
}

// What could not be sent is sent later, unless something else was asked for meanwhile.
void kraken_control::put_back(const changes& unsent)
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (!d_protocol) {
        return;
    }
    if (unsent.frequency && *unsent.frequency == d_frequency) {
        d_changes.frequency = unsent.frequency;
    }
    if (unsent.gains && *unsent.gains == d_gains) {
        d_changes.gains = unsent.gains;
    }
}

void kraken_control::run()
{
    backoff wait;
    while (true) {
        kraken_protocol protocol;
        {
            std::unique_lock<std::mutex> lock(d_mutex);
            d_changed.wait(lock, [this] {
                return d_is_stopping || d_connected == kraken_protocol::v2 ||
                       (d_protocol && d_changes.is_any());
            });
            if (d_is_stopping) {
                return;
            }
            protocol = *d_protocol;
        }
        bool is_well = false;
        try {
            is_well = protocol == kraken_protocol::v1 ? talk_v1() : talk_v2();
        } catch (const std::exception& error) {
            complain(error.what());
        }
        d_socket.close();
        if (is_well) {
            wait.reset();
            continue;
        }
        if (is_wanted(protocol)) {
            ++d_counters.control_failures;
        }
        d_socket.sleep_until(clock::now() + wait.next());
    }
}

bool kraken_control::connect(std::uint16_t usual_port)
{
    const std::uint16_t port =
        d_server.control_port != 0 ? d_server.control_port : usual_port;
    if (d_socket.connect(d_server.host, port, deadline()) == result::ok) {
        return true;
    }
    complain(d_server.host + ":" + std::to_string(port) + ": " + d_socket.error());
    return false;
}

// A message, and whether the server did what it says; absent: there is no answer.
std::optional<bool> kraken_control::send_v1(const heimdall_v1::message& message)
{
    heimdall_v1::message answer;
    if (d_socket.write(message.data(), message.size(), deadline()) != result::ok ||
        d_socket.read(answer.data(), answer.size(), deadline()) != result::ok) {
        complain("the server does not answer: " + d_socket.error());
        return std::nullopt;
    }
    const bool is_done =
        std::string_view(answer.data(), heimdall_v1::done.size()) == heimdall_v1::done;
    if (!is_done) {
        complain("the server refused " + std::string(message.data(), 4));
    }
    return is_done;
}

// Sends what there is to be sent. False when the server did not answer.
bool kraken_control::talk_v1()
{
    // The order of the server's own clients.
    if (!connect(heimdall_v1::control_port) || !send_v1(heimdall_v1::command("INIT"))) {
        return false;
    }
    for (changes unsent; (unsent = take_changes()).is_any();) {
        std::vector<heimdall_v1::message> messages;
        if (unsent.frequency) {
            messages.push_back(heimdall_v1::frequency_command(*unsent.frequency));
        }
        if (unsent.gains) {
            std::vector<double> gains = *unsent.gains;
            if (gains.size() == 1) {
                gains.resize(d_server.num_channels, gains.front());
            }
            messages.push_back(heimdall_v1::gain_command(gains));
        }
        for (const heimdall_v1::message& message : messages) {
            const std::optional<bool> is_done = send_v1(message);
            if (!is_done) {
                put_back(unsent);
                return false;
            }
            ++(*is_done ? d_counters.control_sent : d_counters.control_refused);
        }
    }
    const heimdall_v1::message exit = heimdall_v1::command("EXIT");
    d_socket.write(exit.data(), exit.size(), deadline());
    d_complaint.clear();
    return true;
}

// What a line of the v2 server says of a command: done or refused; absent: nothing.
std::optional<bool> kraken_control::take_v2(const std::string& line)
{
    const nlohmann::json told = nlohmann::json::parse(line, nullptr, false);
    if (!told.is_object()) {
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            complain("the server sent a line that is no JSON object");
        }
        return std::nullopt;
    }
    const auto settings = told.find("settings");
    if (settings != told.end() && settings->is_object()) {
        const auto number = [&settings](const char* name, double largest) {
            const auto found = settings->find(name);
            const double value = found != settings->end() && found->is_number()
                                     ? found->get<double>()
                                     : 0.0;
            return value > 0.0 && value <= largest ? value : 0.0;
        };
        const double frequency = number("center_freq", largest_frequency);
        const double sample_rate = number("sample_rate", largest_sample_rate);
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_told_frequency = frequency > 0.0 ? frequency : d_told_frequency;
        d_sample_rate = sample_rate > 0.0 ? sample_rate : d_sample_rate;
        return std::nullopt;
    }
    const auto status = told.find("status");
    if (status == told.end()) {
        return std::nullopt;
    }
    return *status == "success";
}

// Sends what there is to be sent and reads what comes, as long as data flow.
bool kraken_control::talk_v2()
{
    if (!connect(heimdall_v2::control_port)) {
        return false;
    }
    std::array<char, 4096> bytes;
    std::string text;
    changes waiting; // to be sent, one after the other; the first is being answered
    bool is_sent = false;
    clock::time_point answer_by;

    const auto give_up = [&](const std::string& why) {
        put_back(waiting);
        if (!is_wanted(kraken_protocol::v2)) {
            return true;
        }
        complain(why);
        return false;
    };
    while (is_wanted(kraken_protocol::v2) || (waiting.is_any() && !is_stopping())) {
        if (!waiting.is_any()) {
            waiting = take_changes();
        }
        if (waiting.is_any() && !is_sent) {
            if (waiting.gains && !std::equal(waiting.gains->begin() + 1,
                                             waiting.gains->end(),
                                             waiting.gains->begin())) {
                complain(
                    "this server has one gain for all channels: the first one given");
            }
            const std::string command =
                waiting.frequency
                    ? heimdall_v2::frequency_command(*waiting.frequency)
                    : heimdall_v2::gain_command(nearest_gain_db(waiting.gains->front()));
            if (d_socket.write(command.data(), command.size(), deadline()) !=
                result::ok) {
                return give_up("a setting could not be sent: " + d_socket.error());
            }
            is_sent = true;
            answer_by = deadline();
        }
        const result arrived = d_socket.wait_for_data(clock::now() + poll_interval);
        if (arrived == result::timeout) {
            if (is_sent && clock::now() > answer_by) {
                return give_up("the server does not answer");
            }
            continue;
        }
        if (arrived != result::ok ||
            d_socket.read_some(bytes.data(), bytes.size(), deadline()) != result::ok) {
            return give_up("the connection ended: " + d_socket.error());
        }
        text.append(bytes.data(), d_socket.transferred());
        for (std::size_t end; (end = text.find('\n')) != std::string::npos;) {
            const std::optional<bool> answer = take_v2(text.substr(0, end));
            text.erase(0, end + 1);
            if (!answer || !is_sent) {
                continue;
            }
            ++(*answer ? d_counters.control_sent : d_counters.control_refused);
            if (!*answer) {
                complain("the server refused a setting");
            }
            is_sent = false;
            if (waiting.frequency) {
                waiting.frequency.reset();
            } else {
                waiting.gains.reset();
            }
        }
        if (text.size() > longest_line) {
            return give_up("the server sent a line without an end");
        }
    }
    return true;
}

} // namespace bearing
} // namespace gr
