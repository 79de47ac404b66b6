/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_GAUSSIAN_H
#define INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_GAUSSIAN_H

#include <complex>
#include <cstddef>
#include <cstdint>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Independent standard Gaussian numbers, the same ones on every machine.
 *
 * The standard library's engines are portable, but its normal_distribution is not: each
 * implementation returns other numbers. This one is also about ten times as fast.
 *
 * Method: xoshiro256++ (D. Blackman and S. Vigna, Scrambled Linear Pseudorandom Number
 * Generators, 2021) seeded by splitmix64; ziggurat of 256 layers (G. Marsaglia and
 * W. W. Tsang, The Ziggurat Method for Generating Random Variables, 2000) with layer,
 * sign and position taken from different bits (J. A. Doornik, 2005: sharing them shows).
 */
class gaussian_source
{
public:
    //! \param seed same seed and stream, same numbers
    //! \param stream numbers of different streams are independent of each other
    gaussian_source(std::uint64_t seed, std::uint64_t stream);

    //! One number of mean 0 and variance 1.
    double next();

    //! Writes \p size complex numbers of mean 0 and E|z|^2 = \p power.
    void fill(std::complex<float>* values, std::size_t size, double power);

    //! One complex number of mean 0 and E|z|^2 = 1.
    std::complex<double> next_complex();

private:
    std::uint64_t next_bits();
    double draw();
    double next_uniform();
    double next_outside(unsigned layer, double magnitude);

    std::uint64_t d_state[4];
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SIMULATION_GAUSSIAN_H */
