/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_REAL_COLUMNS_H
#define INCLUDED_BEARING_CORE_COUPLING_REAL_COLUMNS_H

#include <Eigen/Dense>

namespace gr {
namespace bearing {
namespace core {

//! Complex columns as real ones of twice the length: products of Hermitian matrices,
//! tr(X Y), become those of real vectors. A view: \p columns must outlive it.
inline Eigen::Map<const Eigen::MatrixXd> real_columns(const Eigen::MatrixXcd& columns)
{
    return { reinterpret_cast<const double*>(columns.data()),
             2 * columns.rows(),
             columns.cols() };
}

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_REAL_COLUMNS_H */
