/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "kernel.h"
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <algorithm>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int max_elements = 64;

std::size_t checked_square(int num_elements)
{
    if (num_elements < 1 || num_elements > max_elements) {
        throw std::invalid_argument("num_elements is " + std::to_string(num_elements) +
                                    ", allowed are 1 to " + std::to_string(max_elements));
    }
    return static_cast<std::size_t>(num_elements) * num_elements;
}

// Calls store(row, column, value) for all of R.
template <typename Store>
void scale(const std::vector<double>& sum, int n, std::size_t num_snapshots, Store store)
{
    const double divisor = num_snapshots > 0 ? static_cast<double>(num_snapshots) : 1.0;
    for (int j = 0; j < n; ++j) {
        for (int i = 0; i <= j; ++i) {
            const std::size_t k = 2 * (i + static_cast<std::size_t>(j) * n);
            store(i, j, sum[k] / divisor, i == j ? 0.0 : sum[k + 1] / divisor);
        }
    }
}

} // namespace

covariance_accumulator::covariance_accumulator(int num_elements)
    : d_num_elements(num_elements),
      d_kernel(default_covariance_kernel()),
      d_num_snapshots(0),
      d_sum(2 * checked_square(num_elements), 0.0)
{
}

covariance_accumulator::covariance_accumulator(int num_elements,
                                               const std::string& kernel_name)
    : d_num_elements(num_elements),
      d_kernel(find_covariance_kernel(kernel_name.c_str())),
      d_num_snapshots(0),
      d_sum(2 * checked_square(num_elements), 0.0)
{
    if (!d_kernel) {
        throw std::invalid_argument("kernel_name is \"" + kernel_name +
                                    "\", allowed are \"generic\" and, where the "
                                    "processor has them, \"avx2\" and \"avx512\"");
    }
}

void covariance_accumulator::update(const std::complex<float>* const* channels,
                                    std::size_t num_snapshots)
{
    // std::complex<float> may be read as two floats by [complex.numbers].
    const float* pointers[max_elements];
    for (int i = 0; i < d_num_elements; ++i)
        pointers[i] = reinterpret_cast<const float*>(channels[i]);
    d_kernel->accumulate(pointers, d_num_elements, num_snapshots, d_sum.data());
    d_num_snapshots += num_snapshots;
}

void covariance_accumulator::reset()
{
    std::fill(d_sum.begin(), d_sum.end(), 0.0);
    d_num_snapshots = 0;
}

void covariance_accumulator::covariance(std::complex<float>* out) const
{
    const std::size_t n = d_num_elements;
    scale(
        d_sum, d_num_elements, d_num_snapshots, [&](int i, int j, double re, double im) {
            const std::complex<float> value(static_cast<float>(re),
                                            static_cast<float>(im));
            out[j + i * n] = std::conj(value);
            out[i + j * n] = value;
        });
}

Eigen::MatrixXcd covariance_accumulator::covariance() const
{
    Eigen::MatrixXcd r(d_num_elements, d_num_elements);
    scale(
        d_sum, d_num_elements, d_num_snapshots, [&](int i, int j, double re, double im) {
            const std::complex<double> value(re, im);
            r(j, i) = std::conj(value);
            r(i, j) = value;
        });
    return r;
}

const char* covariance_kernel_name() { return default_covariance_kernel()->name; }

} // namespace core
} // namespace bearing
} // namespace gr
