/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_VECTOR_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_VECTOR_H

#include <Eigen/Dense>
#include <pmt/pmt.h>
#include <cstddef>
#include <optional>

namespace gr {
namespace bearing {

//! The values of an f32vector or f64vector; absent for anything else.
inline std::optional<Eigen::VectorXd> real_vector_from_pmt(const pmt::pmt_t& value)
{
    std::size_t size = 0;
    if (pmt::is_f32vector(value)) {
        const float* data = pmt::f32vector_elements(value, size);
        return Eigen::Map<const Eigen::VectorXf>(data, size).cast<double>();
    }
    if (pmt::is_f64vector(value)) {
        const double* data = pmt::f64vector_elements(value, size);
        return Eigen::Map<const Eigen::VectorXd>(data, size);
    }
    return std::nullopt;
}

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_PMT_VECTOR_H */
