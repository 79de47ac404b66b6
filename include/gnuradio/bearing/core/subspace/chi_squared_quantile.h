/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CHI_SQUARED_QUANTILE_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CHI_SQUARED_QUANTILE_H

#include <gnuradio/bearing/api.h>

namespace gr {
namespace bearing {
namespace core {

//! Quantile of chi-squared with \p freedom > 0 degrees of freedom at so many deviations of a
//! Gaussian, one-sided. E. B. Wilson, M. M. Hilferty 1931: its cube root is nearly Gaussian.
BEARING_API double chi_squared_quantile(double freedom, double deviations);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_CHI_SQUARED_QUANTILE_H */
