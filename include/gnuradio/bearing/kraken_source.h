/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_H
#define INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/sync_block.h>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Samples of a KrakenSDR, or of another coherent receiver with the Heimdall server,
 * over the network. \ingroup bearing
 *
 * Outputs: N coherent streams of complex float, one an antenna, full scale 1. Only samples
 * of the antennas from channels that are aligned come out; all else is left out and
 * counted by name.
 *
 * Protocols: "v1", of heimdall_daq_fw (TCP 5000 and 5001), and "v2", of heimdall_v2 (TCP 8091
 * and 8092); "auto" tries them in turn. A server that is gone, silent or talks nonsense is
 * tried again after 0.1 to 5 s; the flowgraph goes on, without samples, and can be stopped
 * at any time. Lengths that a server announces are checked before memory is used: at most
 * 32 channels, 2^22 (v1) or 2^20 (v2) samples of each, and 256 MiB a frame; frames wait in
 * at most 256 MiB or, if these are larger, in two frames. When the flowgraph is too slow
 * whole frames are dropped.
 *
 * Tags, on all streams: `rx_freq` and `rx_rate` (double, Hz), `sync_state` (long; v2: its
 * phase_state), `noise_source` (bool) and `overdrive` (long; v1: bit m for channel m) on
 * the first sample and where they change; `rx_time` on the first sample, after a gap and
 * where clocks have parted by more than 0.1 s; `gap` (uint64) where samples are missing
 * since the one before: how many, 0: an unknown number.
 *
 * Message ports: `command` takes a dict, or a pair, of `freq` (Hz) and `gain` (dB, a
 * number or a vector) as GNU Radio's UHD blocks do; `status` tells, when it changes, a dict
 * of `state` (symbol), `receiving` (bool), `frequency`, `sample_rate` (double) and
 * `counters` (dict of uint64).
 */
class BEARING_API kraken_source : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<kraken_source> sptr;

    /*!
     * \param num_elements N, 1 to 32; a server with another number of channels is refused,
     * and asked again
     * \param frequency Hz, 1e6 to 6e9; 0: whatever the server is tuned to
     * \param gain_db of all channels, or of each: 0 to 49.6, the nearest one of the tuner
     * is taken; v2 has one for all, the first. Empty: the server's own
     * \param host name or address of the server
     * \param protocol "auto", "v1" or "v2"
     * \param data_port 0: the protocol's
     * \param control_port 0: the protocol's
     * \param timeout_s seconds, > 0, to wait for a connection, for the next frame and for
     * an answer to a setting
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements = 5,
                     double frequency = 433.92e6,
                     const std::vector<double>& gain_db = { 28.0 },
                     const std::string& host = "127.0.0.1",
                     const std::string& protocol = "auto",
                     int data_port = 0,
                     int control_port = 0,
                     double timeout_s = 10.0);

    //! Hz, at any time from any thread; kept, and sent again to a server that comes back
    //! with another one. 0: no longer any. \throws std::invalid_argument
    virtual void set_frequency(double frequency) = 0;
    //! dB, one or N; as set_frequency(). \throws std::invalid_argument
    virtual void set_gain(const std::vector<double>& gain_db) = 0;

    virtual int num_elements() const = 0;
    //! Hz, of the last frame that could be used; 0: none yet.
    virtual double frequency() const = 0;
    //! As frequency().
    virtual double sample_rate() const = 0;
    //! In one line, why data flow or do not.
    virtual std::string state() const = 0;
    //! Whether the last frames could be used.
    virtual bool is_receiving() const = 0;
    //! What became of frames and connections, by name; frames_received = frames_delivered
    //! + frames_dropped + frames_queued + those of no use, by reason.
    virtual std::map<std::string, std::uint64_t> counters() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_KRAKEN_SOURCE_H */
