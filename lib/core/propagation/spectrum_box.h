/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_PROPAGATION_SPECTRUM_BOX_H
#define INCLUDED_BEARING_CORE_PROPAGATION_SPECTRUM_BOX_H

#include <gnuradio/bearing/core/propagation/spectral_smoothing.h>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! What smooth_spectrum() does, for many spectra of one size: the boxes are laid out once, and
//! nothing is allocated after that.
class spectrum_box
{
public:
    spectrum_box(smoothing_width width, spectrum_sides sides, int num_samples);

    //! F values each; they may be the same.
    void smooth(const double* power, double* result);

private:
    std::vector<int> d_before; // bins that continue a spectrum below its first,
    std::vector<int> d_after;  // and beyond its last
    std::vector<int> d_begin;  // of each box, in d_sum
    std::vector<int> d_end;
    std::vector<double> d_share; // of each bin in its box
    std::vector<double> d_sum;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_PROPAGATION_SPECTRUM_BOX_H */
