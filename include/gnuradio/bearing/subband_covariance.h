/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_H
#define INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/block.h>
#include <memory>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief Covariances of N coherent channels in M sub-bands, for signals too wide for one.
 * \ingroup bearing
 *
 * Inputs: N streams of complex float, one an element.
 *
 * Output: items of M * N * N complex float, sub-band by sub-band, lowest frequency first,
 * each column-major (NumPy: item.reshape(M, N, N).transpose(0, 2, 1)), Hermitian to the
 * bit. R_m is the mean of X X^H over windowed frames of the item's T samples, half
 * overlapped, X their Fourier coefficients at the sub-band; its unit is power inside the
 * sub-band (core::subband_accumulator).
 *
 * Tags, each once at the item they belong to: `rx_time` (a tuple of uint64 seconds and
 * double fraction, advanced to the first sample of the item), `rx_freq` as it came,
 * `rx_rate` (sample_rate) on the first item, `snapshots` (uint64: how many independent
 * ones each R_m is worth) and `gap` (uint64 lost samples, 0 = unknown) on the first item
 * after samples were lost. Any other tag comes out once, at the item that its sample went
 * into.
 *
 * No item spans a gap or two tunings: a `gap` tag on any input, an `rx_time` more than half
 * a sample from the predicted one, or another `rx_freq` restarts the item. Samples of an
 * item that was not finished when that happens, or when the stream ends, are not used. An
 * `rx_rate` that differs from sample_rate is reported once and has no effect.
 *
 * NaN or Inf in a channel makes that channel's rows and columns of the item NaN.
 */
class BEARING_API subband_covariance : virtual public gr::block
{
public:
    typedef std::shared_ptr<subband_covariance> sptr;

    /*!
     * \param num_elements N, 1 .. 64
     * \param snapshots T, samples of each channel that go into one item; at least a frame,
     * 2 ceil(num_subbands / (2 bandwidth))
     * \param num_subbands M, 3 .. 1024
     * \param sample_rate Hz, > 0
     * \param bandwidth share of the sample rate that the sub-bands fill, about the centre,
     * in (0, 1]; best no more than the signal fills: those at its edge or beyond tell
     * nothing
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(int num_elements,
                     int snapshots,
                     int num_subbands,
                     double sample_rate,
                     double bandwidth = 0.8);

    //! Takes effect with the next item. \throws std::invalid_argument as make()
    virtual void set_snapshots(int snapshots) = 0;
    virtual int snapshots() const = 0;
    virtual int num_elements() const = 0;
    virtual int num_subbands() const = 0;
    //! Centres of the sub-bands in Hz from the centre of the band, M, ascending.
    virtual std::vector<double> frequencies() const = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_SUBBAND_COVARIANCE_H */
