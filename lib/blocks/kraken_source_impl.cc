/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_v1.h"
#include "kraken_source_impl.h"
#include "pmt_number.h"
#include <gnuradio/io_signature.h>
#include <volk/volk.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "floats of the v1 protocol are copied as they come, little-endian"
#endif

namespace gr {
namespace bearing {

namespace {

// Of a flowgraph that stops, and of what is done between two calls, while nothing comes.
constexpr std::chrono::milliseconds longest_wait{ 50 };

constexpr int largest_port = 65535;
constexpr double largest_timeout = 3600.0; // seconds

// A byte b stands for (b - 128) / 127: the server writes round(127 x + 128). Half a step less
// would be the same constant in all channels, which is a coherent signal. Subtracting each
// packet's own mean would take away a signal at the centre, differently in each channel and
// packet.
constexpr float byte_scale = 127.0f;
constexpr std::uint8_t sign_of_byte = 0x80; // b - 128 as a signed byte

// Hz that a server can be asked for: wider than any tuner with it has, so that a slip of the
// unit is refused and no tuner is.
constexpr double lowest_tuning = 1e6;
constexpr double highest_tuning = 6e9;

const pmt::pmt_t time_key = pmt::intern("rx_time");
const pmt::pmt_t freq_key = pmt::intern("rx_freq");
const pmt::pmt_t rate_key = pmt::intern("rx_rate");
const pmt::pmt_t gap_key = pmt::intern("gap");
const pmt::pmt_t sync_state_key = pmt::intern("sync_state");
const pmt::pmt_t noise_source_key = pmt::intern("noise_source");
const pmt::pmt_t overdrive_key = pmt::intern("overdrive");
const pmt::pmt_t command_port = pmt::intern("command");
const pmt::pmt_t status_port = pmt::intern("status");
const pmt::pmt_t freq_command = pmt::intern("freq");
const pmt::pmt_t gain_command = pmt::intern("gain");

[[noreturn]] void
reject(const std::string& name, const std::string& value, const std::string& allowed)
{
    throw std::invalid_argument("kraken_source: " + name + " is " + value +
                                "; it must be " + allowed);
}

void require_frequency(double frequency)
{
    const bool is_tuning = frequency >= lowest_tuning && frequency <= highest_tuning;
    if (!is_tuning && frequency != 0.0) {
        reject("frequency",
               std::to_string(frequency),
               "from 1e6 (1 MHz) to 6e9 Hz (6 GHz), or 0 for the server's own");
    }
}

void require_gains(const std::vector<double>& gains, int num_elements)
{
    const int count = static_cast<int>(gains.size());
    if (count > 1 && count != num_elements) {
        reject("gain_db",
               "a list of " + std::to_string(count),
               "one number, one for each of " + std::to_string(num_elements) +
                   " channels, or none");
    }
    for (const double gain : gains) {
        if (!(gain >= 0.0 && gain <= largest_gain_db)) {
            reject("gain_db", std::to_string(gain), "from 0 to 49.6 dB");
        }
    }
}

std::uint16_t checked_port(const std::string& name, int port)
{
    if (port < 0 || port > largest_port) {
        reject(
            name, std::to_string(port), "from 1 to 65535, or 0 for the protocol's own");
    }
    return static_cast<std::uint16_t>(port);
}

// A number or a vector of them.
std::optional<std::vector<double>> numbers_from_pmt(const pmt::pmt_t& value)
{
    if (const std::optional<double> number = real_from_pmt(value)) {
        return std::vector<double>{ *number };
    }
    if (pmt::is_f64vector(value)) {
        return pmt::f64vector_elements(value);
    }
    if (pmt::is_f32vector(value)) {
        const std::vector<float> numbers = pmt::f32vector_elements(value);
        return std::vector<double>(numbers.begin(), numbers.end());
    }
    return std::nullopt;
}

} // namespace

kraken_source::sptr kraken_source::make(int num_elements,
                                        double frequency,
                                        const std::vector<double>& gain_db,
                                        const std::string& host,
                                        const std::string& protocol,
                                        int data_port,
                                        int control_port,
                                        double timeout_s)
{
    if (num_elements < 1 || num_elements > static_cast<int>(most_channels)) {
        reject("num_elements", std::to_string(num_elements), "from 1 to 32");
    }
    require_frequency(frequency);
    require_gains(gain_db, num_elements);
    if (host.empty() || host.find('\0') != std::string::npos) {
        reject("host", "\"" + host + "\"", "a name or an address");
    }
    if (protocol != "auto" && protocol != "v1" && protocol != "v2") {
        reject("protocol", "\"" + protocol + "\"", "\"auto\", \"v1\" or \"v2\"");
    }
    if (!(timeout_s > 0.0 && timeout_s <= largest_timeout)) {
        reject("timeout_s", std::to_string(timeout_s), "> 0 and at most 3600 seconds");
    }
    kraken_server server;
    server.num_channels = static_cast<std::uint32_t>(num_elements);
    server.host = host;
    server.protocol = protocol;
    server.data_port = checked_port("data_port", data_port);
    server.control_port = checked_port("control_port", control_port);
    server.timeout = std::chrono::duration<double>(timeout_s);
    return gnuradio::make_block_sptr<kraken_source_impl>(server, frequency, gain_db);
}

kraken_source_impl::kraken_source_impl(const kraken_server& server,
                                       double frequency,
                                       const std::vector<double>& gain_db)
    : gr::sync_block("kraken_source",
                     gr::io_signature::make(0, 0, 0),
                     gr::io_signature::make(
                         server.num_channels, server.num_channels, sizeof(gr_complex))),
      d_num_elements(static_cast<int>(server.num_channels)),
      d_client(server, d_logger)
{
    d_client.control().set_frequency(frequency);
    d_client.control().set_gains(gain_db);
    message_port_register_in(command_port);
    set_msg_handler(command_port,
                    [this](const pmt::pmt_t& message) { take_command(message); });
    message_port_register_out(status_port);
}

// The client's thread uses this block.
kraken_source_impl::~kraken_source_impl() { d_client.stop(); }

bool kraken_source_impl::start()
{
    d_tagged.reset();
    d_source = alias_pmt();
    d_client.start([this] { tell_status(); });
    return sync_block::start();
}

bool kraken_source_impl::stop()
{
    d_client.stop();
    if (d_frame) {
        d_client.give_back(std::move(*d_frame), false);
        d_frame.reset();
        d_has_frame = false;
    }
    return sync_block::stop();
}

void kraken_source_impl::set_frequency(double frequency)
{
    require_frequency(frequency);
    d_client.control().set_frequency(frequency);
}

void kraken_source_impl::set_gain(const std::vector<double>& gain_db)
{
    require_gains(gain_db, d_num_elements);
    d_client.control().set_gains(gain_db);
}

std::map<std::string, std::uint64_t> kraken_source_impl::counters() const
{
    std::map<std::string, std::uint64_t> values = d_client.all_counters();
    values["frames_queued"] += d_has_frame ? 1 : 0;
    return values;
}

void kraken_source_impl::take_setting(const pmt::pmt_t& key, const pmt::pmt_t& value)
{
    const std::optional<std::vector<double>> numbers = numbers_from_pmt(value);
    try {
        if (pmt::eq(key, freq_command) && numbers && numbers->size() == 1) {
            set_frequency(numbers->front());
            return;
        }
        if (pmt::eq(key, gain_command) && numbers) {
            set_gain(*numbers);
            return;
        }
    } catch (const std::invalid_argument&) {
        // It is counted, as what is of another type.
    }
    if (d_client.counters().bad_commands++ == 0) {
        d_logger->warn(
            "a command with the key {} makes no sense; it and all further such "
            "commands are ignored and counted",
            pmt::write_string(key));
    }
}

void kraken_source_impl::take_command(const pmt::pmt_t& message)
{
    if (pmt::is_dict(message)) {
        for (pmt::pmt_t left = pmt::dict_items(message); pmt::is_pair(left);
             left = pmt::cdr(left)) {
            take_setting(pmt::caar(left), pmt::cdar(left));
        }
    } else if (pmt::is_pair(message)) {
        take_setting(pmt::car(message), pmt::cdr(message));
    } else {
        take_setting(message, pmt::PMT_NIL);
    }
}

// In the client's thread.
void kraken_source_impl::tell_status()
{
    pmt::pmt_t counted = pmt::make_dict();
    for (const auto& [name, count] : counters()) {
        counted = pmt::dict_add(counted, pmt::intern(name), pmt::from_uint64(count));
    }
    pmt::pmt_t status = pmt::make_dict();
    const auto add = [&status](const char* key, const pmt::pmt_t& value) {
        status = pmt::dict_add(status, pmt::intern(key), value);
    };
    add("state", pmt::string_to_symbol(state()));
    add("receiving", pmt::from_bool(is_receiving()));
    add("frequency", pmt::from_double(frequency()));
    add("sample_rate", pmt::from_double(sample_rate()));
    add("counters", counted);
    message_port_pub(status_port, status);
}

void kraken_source_impl::tag(std::uint64_t offset,
                             const pmt::pmt_t& key,
                             const pmt::pmt_t& value)
{
    for (int k = 0; k < d_num_elements; ++k) {
        add_item_tag(k, offset, key, value, d_source);
    }
}

// What is new with the frame that starts at this sample.
void kraken_source_impl::tag_frame(std::uint64_t offset)
{
    const heimdall_frame& now = d_frame->header;
    const bool is_first = !d_tagged;
    if (d_frame->lost) {
        tag(offset, gap_key, pmt::from_uint64(*d_frame->lost));
    }
    if (d_frame->time) {
        tag(offset, time_key, d_frame->time->to_pmt());
    }
    if (is_first || now.sample_rate != d_tagged->sample_rate) {
        tag(offset, rate_key, pmt::from_double(now.sample_rate));
    }
    if (now.frequency > 0.0 && (is_first || now.frequency != d_tagged->frequency)) {
        tag(offset, freq_key, pmt::from_double(now.frequency));
    }
    if (is_first || now.sync_state != d_tagged->sync_state) {
        tag(offset, sync_state_key, pmt::from_long(now.sync_state));
    }
    if (is_first || now.noise_source != d_tagged->noise_source) {
        tag(offset, noise_source_key, pmt::from_bool(now.noise_source));
    }
    // Only v1 tells.
    if (now.is_float && (is_first || now.overdrive != d_tagged->overdrive)) {
        tag(offset, overdrive_key, pmt::from_long(now.overdrive));
    }
    d_tagged = now;
}

// Delivers the next samples of the frame, behind \p done of this call.
void kraken_source_impl::copy(int num_samples,
                              int done,
                              gr_vector_void_star& output_items)
{
    const std::size_t size = 2 * static_cast<std::size_t>(num_samples); // I and Q
    for (int k = 0; k < d_num_elements; ++k) {
        float* out = static_cast<float*>(output_items[k]) + 2 * done;
        const std::size_t first =
            2 * (std::size_t(d_frame->header.num_samples) * k + d_position);
        if (d_frame->header.is_float) {
            std::memcpy(out,
                        d_frame->samples.get() + first * sizeof(float),
                        size * sizeof(float));
            continue;
        }
        std::uint8_t* bytes = d_frame->samples.get() + first;
        for (std::size_t i = 0; i < size; ++i) { // each byte is used once
            bytes[i] ^= sign_of_byte;
        }
        volk_8i_s32f_convert_32f(out, reinterpret_cast<int8_t*>(bytes), byte_scale, size);
    }
}

int kraken_source_impl::work(int noutput_items,
                             gr_vector_const_void_star&,
                             gr_vector_void_star& output_items)
{
    int done = 0;
    while (done < noutput_items) {
        if (!d_frame) {
            // Waits only when there is nothing to deliver.
            d_frame =
                d_client.pop(done > 0 ? std::chrono::milliseconds(0) : longest_wait);
            if (!d_frame) {
                break;
            }
            d_has_frame = true;
            d_position = 0;
            tag_frame(nitems_written(0) + done);
        }
        const std::uint32_t left = d_frame->header.num_samples - d_position;
        const int count = static_cast<int>(std::min<std::uint32_t>(
            left, static_cast<std::uint32_t>(noutput_items - done)));
        copy(count, done, output_items);
        done += count;
        d_position += static_cast<std::uint32_t>(count);
        d_client.counters().samples_delivered += static_cast<std::uint64_t>(count);
        if (d_position == d_frame->header.num_samples) {
            d_has_frame = false;
            d_client.give_back(std::move(*d_frame), true);
            d_frame.reset();
        }
    }
    return done;
}

} // namespace bearing
} // namespace gr
