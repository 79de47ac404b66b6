/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_STREAM_H
#define INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_STREAM_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/propagation/propagator.h>
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <complex>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! How a stream is cut into blocks, and how its spectra are learnt.
struct propagator_stream_config {
    //! what is estimated; its densities, where given, are at the bins of a block
    propagator_ls_config estimate;
    //! M, even; 0: the shortest power of two with which FFTs cost at most a quarter more than
    //! with the one that makes them cheapest for the support
    int block_length = 0;
    //! L, samples that a filter reaches to each side; 0: by the propagators' group delays, at
    //! velocities 5 % slower and faster too and, for plane waves, from any direction
    int support = 0;
    //! delay channels by whole samples first, which shortens the support (of plane waves,
    //! which may turn: never)
    bool align = true;
    //! of the spectra, in blocks
    double averaging = 4.0;
    //! share of the band below Nyquist over which lossless delays fade out, 0 .. 1
    double taper = 0.0;
};

//! What a stream has learnt, two-sided power densities.
struct stream_spectra {
    Eigen::VectorXd frequency;  //!< Hz, F
    Eigen::MatrixXd noise_psd;  //!< F x N
    Eigen::MatrixXd source_psd; //!< F x K
};

/*!
 * \brief propagator_ls on a stream: overlap-save with filters that follow the spectra.
 *
 * Sample is float or std::complex<float>. Output sample k is the estimate for input sample
 * k; it comes out at most latency() samples later. Nothing is allocated after construction
 * but by setters, velocity_scale() and velocity_fit().
 *
 * A sensor that is dead, or has a NaN or Inf (or more than 1e10) in a block, is left out of
 * that block, and its signal comes from the others. All outputs are finite always.
 *
 * FFTW plans are made by the constructor, in about a second the first time for each length,
 * and by velocity_scale(), and destroyed by the destructor: not from two threads at once.
 */
template <class Sample>
class BEARING_API propagator_stream
{
public:
    /*!
     * \throws std::invalid_argument as propagator_ls(); naming block_length, with the
     * least that is allowed, when a block is shorter than the support asks for; naming
     * averaging (>= 1), support (>= 0) or taper
     */
    propagator_stream(double sample_rate,
                      std::vector<propagator> propagators,
                      propagator_stream_config config = {});
    ~propagator_stream();
    propagator_stream(propagator_stream&&) noexcept;
    propagator_stream& operator=(propagator_stream&&) noexcept;

    int num_sensors() const;
    int num_sources() const;
    //! M, L, and how many samples each block yields
    int block_length() const;
    int support() const;
    int hop() const;
    //! Most samples that go in after one until its estimate comes out.
    int latency() const;

    //! Takes up to \p count samples of each of N channels; how many it took. It takes none
    //! only while at least a hop of outputs waits to be read, or what finish() left.
    std::size_t write(const Sample* const* channels, std::size_t count);
    //! Outputs that are ready.
    std::size_t available() const;
    //! Gives up to \p count outputs: N channels of signal, and K of sources unless null.
    std::size_t read(Sample* const* signal, Sample* const* sources, std::size_t count);
    /*!
     * \brief The stream ends or breaks here: makes what was written come out, as if zeros
     * followed, and starts anew with the next write. Spectra are kept.
     *
     * read() until available() is 0 before the next write().
     */
    void finish();
    //! Forgets the spectra.
    void forget();

    // Changes at run time, over one block; the support stays.
    void set_mode(ls_mode mode);
    void set_mu(double mu);
    //! \throws std::invalid_argument when they need a longer support, naming block_length,
    //! or are of another size
    void set_propagators(std::vector<propagator> propagators);

    //! As they are by the last block.
    stream_spectra spectra() const;
    //! gamma, N: noise of each sensor relative to the geometric mean of the good ones
    Eigen::VectorXd sensor_noise() const;
    //! As in propagator_ls_result, by the last block that was not mostly before or after the
    //! stream; learning before the first.
    core::status status() const;
    //! The velocity scale that the last block's data and propagator k ask for, as
    //! core::velocity_scale(), which takes much longer than a block; NaN where it has none,
    //! before the first block, and where alignment is more than half of a block.
    //! \throws std::invalid_argument naming source; p: without a velocity
    double velocity_scale(int source = 0) const;
    //! The same, to be found in another thread, whatever becomes of the stream meanwhile:
    //! what is returned has its own copy of the block. FFTW makes plans when it is called.
    //! \throws std::invalid_argument as velocity_scale(), but for p
    std::function<double()> velocity_fit(int source = 0) const;

private:
    struct state;
    std::unique_ptr<state> d_state;
};

extern template class propagator_stream<float>;
extern template class propagator_stream<std::complex<float>>;

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_PROPAGATION_PROPAGATOR_STREAM_H */
