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
 * \brief Sample covariance of N coherent channels, one item per hop of snapshots.
 * \ingroup bearing
 *
 * Inputs: N streams of complex float, one an element.
 *
 * Output: items of N * N complex float, R = (1/T) sum x x^H, column-major (NumPy:
 * item.reshape(N, N, order='F')), Hermitian to the bit. Element (i, j) is the mean of
 * x_i conj(x_j). With `hop` < T, windows of T snapshots overlap and an item comes every
 * `hop` snapshots; with `forgetting` b > 0 an item is the mean of all windows so far, each
 * with b times the weight of the next. See core::sliding_covariance.
 *
 * Tags, each once at the item they belong to: `rx_time` (a tuple of uint64 seconds and
 * double fraction, advanced to the first of the newest T samples of the item), `rx_freq`
 * and `rx_rate` as they came, `snapshots` (uint64: T; with forgetting the number of equally
 * weighted snapshots that the item is worth, up to 2^31 - 1), `window` and `hop` (uint64:
 * T, and snapshots to the next item) where they differ from it, and `gap` (uint64 lost
 * samples, 0 = unknown) on the first item after samples were lost. Any other tag comes out
 * once, at the first item that its sample went into.
 *
 * No item spans a gap or two tunings of an input: a `gap` tag on any input, an `rx_time`
 * more than half a sample from the predicted one, an `rx_freq` or an `rx_rate` that
 * differs from the one in force on its own input restarts the accumulation: nothing from
 * before goes into later items, and the next one comes T samples later. Samples of an item
 * that was not finished when that happens, or when the stream ends, are not used.
 *
 * An input that has not told its `rx_freq` or `rx_rate` is taken to have the first one
 * that any input told. Where inputs stay at different ones, items carry one: of the
 * inputs that changed last, at one sample, the lowest one's.
 *
 * NaN or Inf in a channel makes that channel's row and column of the item NaN; with
 * forgetting, later items leave the window of such a sample out.
 */
class BEARING_API covariance : virtual public gr::block
{
public:
    typedef std::shared_ptr<covariance> sptr;

    /*!
     * \param num_elements N, 1 .. 64
     * \param snapshots T >= 1, samples of each channel in a window
     * \param sample_rate in Hz, for `rx_time` arithmetic until an `rx_rate` tag tells
     * better; 0: unknown
     * \param hop snapshots from one item to the next; divides T, at most 1024 of them in
     * T; 0: T
     * \param forgetting b, 0 <= b < 1: weight of a window against that of the next; above
     * 0 only without overlap
     * \throws std::invalid_argument naming the parameter, or both that do not go together
     */
    static sptr make(int num_elements,
                     int snapshots,
                     double sample_rate = 0.0,
                     int hop = 0,
                     double forgetting = 0.0);

    /*!
     * \brief T, hop and forgetting at once, where one after the other would not go together.
     *
     * All four setters take effect with the next item. Samples of the unfinished hop are
     * kept if they fit, and with forgetting what is remembered; an overlapping window
     * starts anew.
     *
     * \throws std::invalid_argument as make() does; nothing is changed then
     */
    virtual void set_window(int snapshots, int hop = 0, double forgetting = 0.0) = 0;
    virtual void set_snapshots(int snapshots) = 0;
    virtual void set_hop(int hop) = 0;
    virtual void set_forgetting(double forgetting) = 0;

    virtual int snapshots() const = 0;
    //! As it was set: 0 stands for T.
    virtual int hop() const = 0;
    virtual double forgetting() const = 0;
    virtual int num_elements() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_COVARIANCE_H */
