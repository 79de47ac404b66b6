/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/block.h>
#include <memory>

namespace gr {
namespace bearing {

/*!
 * \brief Sample covariance of N coherent channels, one item per block of snapshots.
 * \ingroup bearing
 *
 * Inputs: N streams of complex float, one an element.
 *
 * Output: items of N * N complex float, R = (1/T) sum x x^H, column-major (NumPy:
 * item.reshape(N, N, order='F')), Hermitian to the bit. Element (i, j) is the mean of
 * x_i conj(x_j).
 *
 * Tags, each once at the item they belong to: `rx_time` (a tuple of uint64 seconds and
 * double fraction, advanced to the first sample of the item), `rx_freq` and `rx_rate` as
 * they came, `snapshots` (uint64) and `gap` (uint64 lost samples, 0 = unknown) on the
 * first item after samples were lost. Any other tag comes out once, at the item that its
 * sample went into.
 *
 * No item spans a gap or two tunings of an input: a `gap` tag on any input, an `rx_time`
 * more than half a sample from the predicted one, an `rx_freq` or an `rx_rate` that
 * differs from the one in force on its own input restarts the accumulation. Samples of an
 * item that was not finished when that happens, or when the stream ends, are not used.
 *
 * An input that has not told its `rx_freq` or `rx_rate` is taken to have the first one
 * that any input told. Where inputs stay at different ones, items carry one: of the
 * inputs that changed last, at one sample, the lowest one's.
 *
 * NaN or Inf in a channel makes that channel's row and column of the item NaN.
 */
class BEARING_API covariance : virtual public gr::block
{
public:
    typedef std::shared_ptr<covariance> sptr;

    /*!
     * \param num_elements N, 1 .. 64
     * \param snapshots T >= 1, samples of each channel that go into one item
     * \param sample_rate in Hz, for `rx_time` arithmetic until an `rx_rate` tag tells
     * better; 0: unknown
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements, int snapshots, double sample_rate = 0.0);

    //! Takes effect with the next item; samples of the unfinished one are kept if they
    //! fit. \throws std::invalid_argument unless snapshots >= 1
    virtual void set_snapshots(int snapshots) = 0;
    virtual int snapshots() const = 0;
    virtual int num_elements() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COVARIANCE_H */
