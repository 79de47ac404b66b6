/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H
#define INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H

#include <gnuradio/bearing/apply_calibration.h>
#include <mutex>
#include <vector>

namespace gr {
namespace bearing {

class apply_calibration_impl : public apply_calibration
{
public:
    apply_calibration_impl(int num_elements, const core::calibration_state& calibration);

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override;

    void set_calibration(const core::calibration_state& calibration) override;

private:
    void stage(std::vector<gr_complex> factors);
    void handle_calibration(const pmt::pmt_t& message);
    std::vector<gr_complex>
    inverse_gains(const core::calibration_state& calibration) const;

    const int d_num_elements;

    std::mutex d_mutex; // guards the staged factors
    std::vector<gr_complex> d_staged_factors;
    bool d_is_staged = false;

    std::vector<gr_complex> d_factors; // 1 / g; empty: nothing to undo
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H */
