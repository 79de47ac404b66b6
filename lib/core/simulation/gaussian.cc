/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "gaussian.h"
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr unsigned num_layers = 256;

double density(double x) { return std::exp(-0.5 * x * x); }

// Layers of equal area under exp(-x^2 / 2): layer i spans x up to edge[i], and everything
// up to edge[i + 1] lies below the curve. Layer 0 is the bottom one with the tail.
struct ziggurat {
    // Where the tail begins when there are 256 layers (Marsaglia and Tsang, 2000).
    static constexpr double tail_edge = 3.6541528853610087963519472518;

    double edge[num_layers + 1];
    double height[num_layers + 1];

    ziggurat()
    {
        const double area = tail_edge * density(tail_edge) +
                            std::sqrt(M_PI_2) * std::erfc(tail_edge * M_SQRT1_2);
        edge[0] = area / density(tail_edge);
        edge[1] = tail_edge;
        for (unsigned i = 1; i + 1 < num_layers; ++i) {
            edge[i + 1] = std::sqrt(-2.0 * std::log(area / edge[i] + density(edge[i])));
        }
        edge[num_layers] = 0.0;
        for (unsigned i = 0; i <= num_layers; ++i) {
            height[i] = density(edge[i]);
        }
    }
};

const ziggurat table;

std::uint64_t rotate_left(std::uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

std::uint64_t splitmix64(std::uint64_t& state)
{
    state += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

} // namespace

gaussian_source::gaussian_source(std::uint64_t seed, std::uint64_t stream)
{
    // Hash the seed before the stream is added: neighbouring seeds and streams must not
    // lead to the same state.
    std::uint64_t state = seed;
    state = splitmix64(state) + stream;
    for (std::uint64_t& word : d_state) {
        word = splitmix64(state);
    }
}

inline std::uint64_t gaussian_source::next_bits()
{
    const std::uint64_t result = rotate_left(d_state[0] + d_state[3], 23) + d_state[0];
    const std::uint64_t shifted = d_state[1] << 17;
    d_state[2] ^= d_state[0];
    d_state[3] ^= d_state[1];
    d_state[1] ^= d_state[2];
    d_state[0] ^= d_state[3];
    d_state[2] ^= shifted;
    d_state[3] = rotate_left(d_state[3], 45);
    return result;
}

// In (0, 1): its logarithm is finite.
double gaussian_source::next_uniform()
{
    return (static_cast<double>(next_bits() >> 12) + 0.5) * 0x1p-52;
}

inline double gaussian_source::draw()
{
    while (true) {
        const std::uint64_t bits = next_bits();
        const unsigned layer = bits & (num_layers - 1);
        const double magnitude =
            static_cast<double>(static_cast<std::int64_t>(bits >> 11)) * 0x1p-53 *
            table.edge[layer];
        const double accepted = magnitude < table.edge[layer + 1]
                                    ? magnitude
                                    : next_outside(layer, magnitude);
        if (accepted >= 0.0) {
            return (bits & num_layers) ? -accepted : accepted;
        }
    }
}

// The 1 % of cases beyond a layer's rectangle; negative: try again.
double gaussian_source::next_outside(unsigned layer, double magnitude)
{
    if (layer == 0) {
        double beyond;
        double limit;
        do {
            beyond = -std::log(next_uniform()) / ziggurat::tail_edge;
            limit = -2.0 * std::log(next_uniform());
        } while (limit < beyond * beyond);
        return ziggurat::tail_edge + beyond;
    }
    const double height =
        table.height[layer] +
        next_uniform() * (table.height[layer + 1] - table.height[layer]);
    return height < density(magnitude) ? magnitude : -1.0;
}

double gaussian_source::next() { return draw(); }

void gaussian_source::fill(std::complex<float>* values, std::size_t size, double power)
{
    const double scale = std::sqrt(0.5 * power);
    for (std::size_t i = 0; i < size; ++i) {
        // Two statements: the order of evaluation of arguments is not defined.
        const double re = scale * draw();
        const double im = scale * draw();
        values[i] = { static_cast<float>(re), static_cast<float>(im) };
    }
}

std::complex<double> gaussian_source::next_complex()
{
    const double re = M_SQRT1_2 * draw();
    const double im = M_SQRT1_2 * draw();
    return { re, im };
}

} // namespace core
} // namespace bearing
} // namespace gr
