/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "hermitian_matrix.h"
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
    write_hermitian(d_sum.data(), d_num_elements, divisor(), out);
}

Eigen::MatrixXcd covariance_accumulator::covariance() const
{
    Eigen::MatrixXcd r(d_num_elements, d_num_elements);
    write_hermitian(d_sum.data(), d_num_elements, divisor(), r.data());
    return r;
}

double covariance_accumulator::divisor() const
{
    return d_num_snapshots > 0 ? static_cast<double>(d_num_snapshots) : 1.0;
}

const char* covariance_kernel_name() { return default_covariance_kernel()->name; }

} // namespace core
} // namespace bearing
} // namespace gr
