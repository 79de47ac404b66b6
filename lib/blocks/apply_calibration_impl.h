/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H
#define INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H

#include "tuned_calibrations.h"
#include <gnuradio/bearing/apply_calibration.h>
#include <gnuradio/tags.h>
#include <mutex>
#include <optional>
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
    void handle_calibration(const pmt::pmt_t& message);
    void take_staged();
    void divide(gr_vector_const_void_star& input_items,
                gr_vector_void_star& output_items,
                int first,
                int last) const;
    std::vector<gr_complex>
    inverse_gains(const core::calibration_state& calibration) const;

    const int d_num_elements;

    std::mutex d_mutex; // guards the staged calibrations
    tuned_calibrations d_staged;
    bool d_is_staged = false;

    // The rest belongs to the thread that calls work().
    tuned_calibrations d_calibrations;
    std::optional<double> d_frequency; // as the first input's tags told it last
    std::vector<gr_complex> d_factors; // 1 / g; empty: nothing to undo
    std::vector<gr::tag_t> d_tags;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_APPLY_CALIBRATION_IMPL_H */
