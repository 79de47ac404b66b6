/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_H
#define INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/block.h>
#include <memory>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Behind decimating filters: tags that tell of the filters' output, and no sample
 * that a filter made of both sides of a loss. \ingroup bearing
 *
 * GNU Radio's filters hand tags on as they came: they tell the frequency, the rate and
 * the time of the samples before the filter. Put this block behind filters of one
 * decimation M and one length, one filter an element and channel.
 *
 * Inputs: C * N streams of complex float, sample-aligned, channel by channel: stream
 * c * N + k is element k in channel c. Outputs: the same streams.
 *
 * Tags: `rx_freq` + the channel's offset, `rx_rate` / M, `rx_time` - the filters' delay.
 * GNU Radio rounds a tag to the next output sample: times are right to M / 2 samples
 * before the filter, and tags of `rx_time` that differ by less from what the rate
 * predicts are taken as confirmations; times follow a clock that drifts against the
 * samples, by M / 4 a tag at most. Other tags pass as they are, copies of one at one
 * sample once.
 *
 * Where samples were lost (a `gap` tag, or an `rx_time` that is further off), and where
 * an input changes its `rx_freq` or its `rx_rate`, the filters' memory holds samples of
 * both sides. As many output samples as that takes are left out of all streams, and the
 * next one carries a `gap`: samples at the output's rate that are missing, those that were
 * left out included; 0 where an unknown number was lost. So are the first samples after a
 * start, when the filters fill; they are nobody's loss, and told by no `gap`.
 *
 * Where no input has told its `rx_freq` when the first sample comes out, and
 * \p center_frequency is known, all of them are taken to have it.
 */
class BEARING_API channel_tags : virtual public gr::block
{
public:
    typedef std::shared_ptr<channel_tags> sptr;

    /*!
     * \param num_elements N, 1 .. 64
     * \param offsets C >= 1 centre frequencies of the channels less the input's, Hz
     * \param decimation M >= 1: the rate before the filters over that behind them
     * \param delay of the filters, >= 0: output sample m shows what the input was
     * \p delay samples before sample m * M; a multiple of 0.5
     * \param memory output samples, >= 0, from the first that a sample before the filter
     * goes into to the last
     * \param sample_rate before the filters in Hz, for `rx_time` arithmetic until an
     * `rx_rate` tag tells better; 0: unknown. Offsets stay as they are, so an `rx_rate`
     * that differs is warned of
     * \param center_frequency before the filters in Hz, until an `rx_freq` tag tells
     * better; more than minus the lowest offset, or 0: unknown
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements,
                     const std::vector<double>& offsets,
                     int decimation,
                     double delay = 0.0,
                     int memory = 0,
                     double sample_rate = 0.0,
                     double center_frequency = 0.0);

    virtual int num_elements() const = 0;
    virtual std::vector<double> offsets() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CHANNEL_TAGS_H */
