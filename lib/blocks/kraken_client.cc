/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_v1.h"
#include "heimdall_v2.h"
#include "kraken_client.h"
#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace gr {
namespace bearing {

namespace {

using seconds = std::chrono::duration<double>;

// A v2 server sends 146 packets a second, whatever its state: one that says nothing for so
// long is none. A v1 server may take longer than that for its first frame.
constexpr seconds detection_time{ 2.0 };

// Bytes of a payload that must come within each timeout: a server that falls silent is noticed
// as soon within a long frame as before it.
constexpr std::size_t size_of_part = std::size_t(1) << 18;

// Calibration frames come in between: nothing is wrong before this time without data.
constexpr seconds patience{ 1.0 };

constexpr std::size_t size_of_unused = 65536;

stream_time now()
{
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(since_1970);
    return stream_time(static_cast<std::uint64_t>(whole.count()),
                       seconds(since_1970 - whole).count());
}

} // namespace

kraken_client::kraken_client(const kraken_server& server, gr::logger_ptr logger)
    : d_server(server),
      d_logger(logger),
      d_control(server, d_counters, logger),
      d_unused(size_of_unused)
{
}

kraken_client::~kraken_client() { stop(); }

void kraken_client::start(std::function<void()> on_change)
{
    stop();
    d_on_change = std::move(on_change);
    d_socket.resume();
    d_has_dropped = false;
    d_is_reason_known = false;
    d_control.start();
    d_thread = std::thread([this] { run(); });
}

void kraken_client::stop()
{
    if (!d_thread.joinable()) {
        return;
    }
    d_socket.interrupt();
    d_control.stop();
    d_thread.join();
    d_socket.close();
    d_counters.frames_dropped += d_queue.clear();
    d_is_receiving = false;
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_state = "stopped";
}

void kraken_client::give_back(queued_frame&& frame, bool is_delivered)
{
    ++(is_delivered ? d_counters.frames_delivered : d_counters.frames_dropped);
    d_queue.give_back(std::move(frame));
}

std::map<std::string, std::uint64_t> kraken_client::all_counters() const
{
    std::map<std::string, std::uint64_t> values = d_counters.all();
    values["queue_bytes"] = d_queue.bytes();
    values["frames_queued"] = d_queue.size();
    return values;
}

std::string kraken_client::state() const
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    return d_state;
}

void kraken_client::log_state(const std::string& text, news kind)
{
    if (!d_log_limit.admits(clock::now())) {
        return;
    }
    if (kind == news::bad) {
        d_logger->warn("{}", text);
    } else {
        d_logger->info("{}", text);
    }
}

// A line in the log for each change, unless they come too often; in that case one for the
// state that is left when they may come again, changed or not.
void kraken_client::set_state(const std::string& text, news kind)
{
    bool is_new = false;
    {
        const std::lock_guard<std::mutex> lock(d_mutex);
        d_is_receiving = kind == news::good;
        is_new = text != d_state;
        d_state = text;
    }
    const int left_out = d_log_limit.take_left_out(clock::now());
    if (left_out > 0) {
        d_logger->warn("{} changes of state were not logged", left_out);
    }
    if (is_new || left_out > 0) {
        log_state(text, kind);
    }
    if (is_new) {
        d_on_change();
    }
}

std::uint16_t kraken_client::data_port(kraken_protocol protocol) const
{
    if (d_server.data_port != 0) {
        return d_server.data_port;
    }
    return protocol == kraken_protocol::v1 ? heimdall_v1::data_port
                                           : heimdall_v2::data_port;
}

std::string kraken_client::address(kraken_protocol protocol) const
{
    return d_server.host + ":" + std::to_string(data_port(protocol)) + " (" +
           name_of(protocol) + ")";
}

std::vector<kraken_protocol> kraken_client::protocols_to_try() const
{
    using protocol = kraken_protocol;
    if (d_server.protocol != "auto") {
        return { d_server.protocol == "v1" ? protocol::v1 : protocol::v2 };
    }
    // A v2 server speaks first, so it is known sooner that there is none.
    if (d_found == protocol::v1) {
        return { protocol::v1, protocol::v2 };
    }
    return { protocol::v2, protocol::v1 };
}

void kraken_client::run()
{
    backoff wait;
    while (true) {
        std::string reasons;
        for (const kraken_protocol protocol : protocols_to_try()) {
            if (!d_is_reason_known) { // else that is what there is to tell
                set_state("connecting to " + address(protocol), news::none);
            }
            std::string why;
            end ended = end::not_found;
            const std::uint64_t received = d_counters.frames_received;
            try {
                ended = serve(protocol, why);
            } catch (const std::exception& error) { // no memory
                why = error.what();
            }
            d_control.disconnected();
            d_socket.close();
            if (ended == end::interrupted) {
                return;
            }
            if (d_counters.frames_received != received) {
                wait.reset();
            }
            reasons += (reasons.empty() ? "" : "; ") + address(protocol) + ": " + why;
            if (ended == end::found) {
                d_found = protocol;
                break;
            }
        }
        d_is_reason_known = true;
        set_state("no data: " + reasons, news::bad);
        if (d_socket.sleep_until(clock::now() + wait.next()) == result::interrupted) {
            return;
        }
    }
}

// Reads, and says why not.
bool kraken_client::receive(void* data,
                            std::size_t size,
                            clock::time_point deadline,
                            std::string& why)
{
    const result ended = d_socket.read(data, size, deadline);
    d_is_within_frame = d_is_within_frame || d_socket.transferred() > 0;
    if (ended == result::ok) {
        return true;
    }
    if (ended == result::interrupted) { // not the server's fault
        return false;
    }
    const char* const where = d_is_within_frame ? " within a frame" : "";
    if (ended == result::timeout) {
        ++d_counters.timeouts;
        why = std::string("the server fell silent") + where;
    } else {
        why = d_socket.error() + where;
    }
    d_counters.partial_frames += d_is_within_frame ? 1 : 0;
    return false;
}

// All in front of a frame's samples.
bool kraken_client::receive_header(kraken_protocol protocol,
                                   clock::time_point deadline,
                                   heimdall_frame& frame,
                                   std::string& why)
{
    std::array<std::uint8_t, heimdall_v1::header_size> bytes;
    static_assert(bytes.size() >= heimdall_v2::header_size &&
                  bytes.size() >= most_channels * heimdall_v2::bytes_of_tuning);
    const bool is_v1 = protocol == kraken_protocol::v1;
    d_is_within_frame = false;
    const std::size_t size = is_v1 ? heimdall_v1::header_size : heimdall_v2::header_size;
    if (!receive(bytes.data(), size, deadline, why)) {
        return false;
    }
    const heimdall_header header =
        is_v1 ? heimdall_v1::decode(bytes.data()) : heimdall_v2::decode(bytes.data());
    frame = header.frame;
    header_fault fault = header.fault;
    if (fault == header_fault::none && frame.num_channels != d_server.num_channels) {
        ++d_counters.channel_count;
        why = "the server has " + std::to_string(frame.num_channels) +
              " channels, num_elements is " + std::to_string(d_server.num_channels);
        return false;
    }
    if (fault == header_fault::none && !is_v1) {
        if (!receive(bytes.data(),
                     frame.num_channels * heimdall_v2::bytes_of_tuning,
                     deadline,
                     why)) {
            return false;
        }
        fault = heimdall_v2::decode_tuning(bytes.data(), frame);
    }
    if (fault != header_fault::none) {
        ++d_counters.bad_header;
        why = std::string("a header is refused: ") + name_of(fault);
        return false;
    }
    return true;
}

bool kraken_client::receive_payload(const heimdall_frame& frame,
                                    std::optional<queued_frame>& slot,
                                    std::string& why)
{
    for (std::size_t done = 0; done < frame.payload_size;) {
        const std::size_t size =
            std::min(frame.payload_size - done, slot ? size_of_part : d_unused.size());
        std::uint8_t* const to = slot ? slot->samples.get() + done : d_unused.data();
        const clock::time_point deadline =
            clock::now() + std::chrono::duration_cast<clock::duration>(d_server.timeout);
        if (!receive(to, size, deadline, why)) {
            return false;
        }
        done += size;
    }
    return true;
}

// What a v2 packet does not tell itself.
void kraken_client::complete(kraken_protocol protocol, heimdall_frame& frame) const
{
    if (protocol == kraken_protocol::v2) {
        frame.frequency = d_control.exact_frequency(frame.frequency);
        frame.sample_rate = d_control.sample_rate();
        // It has just come, so its last sample is just over: the network's delay is unknown.
        frame.time = now().advanced(-static_cast<std::int64_t>(frame.num_samples),
                                    frame.sample_rate);
    }
}

// A whole frame has come.
void kraken_client::take(const heimdall_frame& frame, std::optional<queued_frame>& slot)
{
    ++d_counters.frames_received;
    if (!slot) {
        d_sequence.skip(frame);
        if (frame.use != frame_use::usable) {
            ++d_counters.frames_of_use[static_cast<std::size_t>(frame.use)];
            return;
        }
        ++d_counters.frames_dropped;
        if (!d_has_dropped) {
            d_has_dropped = true;
            d_logger->warn("the flowgraph is too slow: whole frames are dropped, which "
                           "is counted and not told again");
        }
        return;
    }
    slot->header = frame;
    slot->lost = d_sequence.deliver(frame);
    if (slot->lost) {
        ++d_counters.gaps;
        d_counters.samples_lost += *slot->lost;
        d_clock.restart();
    }
    slot->time.reset();
    if (frame.time) {
        slot->time = d_clock.follow(*frame.time, frame.num_samples, frame.sample_rate);
        d_counters.clock_corrections += d_clock.was_corrected() ? 1 : 0;
    }
    d_queue.push(std::move(*slot));
}

// Connects and receives until something is wrong. Found: it is a server of that protocol.
kraken_client::end kraken_client::serve(kraken_protocol protocol, std::string& why)
{
    const bool is_v1 = protocol == kraken_protocol::v1;
    const auto within = [](seconds time) {
        return clock::now() + std::chrono::duration_cast<clock::duration>(time);
    };
    const auto ended = [&](bool is_found) {
        const bool is_interrupted =
            d_socket.sleep_until(clock::now()) == result::interrupted;
        return is_interrupted ? end::interrupted
                              : (is_found ? end::found : end::not_found);
    };
    const auto send = [&](std::string_view text) {
        const result sent =
            d_socket.write(text.data(), text.size(), within(d_server.timeout));
        why = sent == result::ok ? "" : d_socket.error();
        return sent == result::ok;
    };

    const result connected =
        d_socket.connect(d_server.host, data_port(protocol), within(d_server.timeout));
    if (connected != result::ok) {
        why = d_socket.error();
        const end is_over = ended(false);
        d_counters.connection_failures += is_over == end::interrupted ? 0 : 1;
        return is_over;
    }
    ++d_counters.connections;
    d_sequence.reconnect();

    const bool is_detecting = d_server.protocol == "auto" && d_found != protocol;
    bool is_found = false;
    if (!is_v1 || send(heimdall_v1::first_request)) {
        while (true) {
            const seconds time = is_detecting && !is_v1 && !is_found
                                     ? std::min(d_server.timeout, detection_time)
                                     : d_server.timeout;
            heimdall_frame frame;
            if (!receive_header(protocol, within(time), frame, why)) {
                is_found = is_found || frame.num_channels > 0;
                break;
            }
            if (!is_found) {
                is_found = true;
                d_last_usable = clock::now();
                d_control.connected(protocol, frame);
            }
            std::optional<queued_frame> slot;
            if (frame.use == frame_use::usable) {
                slot = d_queue.take_empty(frame.payload_size);
            }
            if (!receive_payload(frame, slot, why)) {
                if (slot) {
                    d_queue.give_back(std::move(*slot));
                }
                break;
            }
            complete(protocol, frame);
            if (frame.use == frame_use::usable) {
                d_frequency = frame.frequency;
                d_sample_rate = frame.sample_rate;
            }
            take(frame, slot);
            if (frame.use == frame_use::usable) {
                d_last_usable = clock::now();
                d_is_reason_known = true;
                set_state("receiving from " + address(protocol), news::good);
            } else if (clock::now() - d_last_usable > patience) {
                set_state("no usable data from " + address(protocol) + ": " +
                              words_for(frame.use) + " (" + name_of(frame.use) + ")",
                          news::bad);
            }
            if (is_v1 && !send(heimdall_v1::next_request)) {
                break;
            }
        }
    }
    const end is_over = ended(is_found);
    if (is_v1) {
        d_socket.try_write(heimdall_v1::goodbye.data(), heimdall_v1::goodbye.size());
    }
    if (is_over == end::interrupted) {
        return is_over;
    }
    ++d_counters.connections_lost;
    return is_over;
}

} // namespace bearing
} // namespace gr
