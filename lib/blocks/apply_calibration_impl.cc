/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "apply_calibration_impl.h"
#include "calibration_message.h"
#include "pmt_number.h"
#include <gnuradio/io_signature.h>
#include <volk/volk.h>
#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {

namespace {

constexpr int max_elements = 64;

const pmt::pmt_t calibration_port = pmt::intern("calibration");
const pmt::pmt_t frequency_key = pmt::intern("rx_freq");

void require_elements(int num_elements)
{
    if (num_elements < 1 || num_elements > max_elements) {
        throw std::invalid_argument(
            "apply_calibration: num_elements is " + std::to_string(num_elements) +
            "; it must be from 1 to " + std::to_string(max_elements));
    }
}

} // namespace

apply_calibration::sptr
apply_calibration::make(int num_elements, const core::calibration_state& calibration)
{
    // Here, because the signatures of the block would reject a size of 0 in other words.
    require_elements(num_elements);
    return gnuradio::make_block_sptr<apply_calibration_impl>(num_elements, calibration);
}

apply_calibration_impl::apply_calibration_impl(int num_elements,
                                               const core::calibration_state& calibration)
    : gr::sync_block(
          "apply_calibration",
          gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex)),
          gr::io_signature::make(num_elements, num_elements, sizeof(gr_complex))),
      d_num_elements(num_elements),
      d_staged(calibration),
      d_calibrations(calibration),
      d_factors(inverse_gains(calibration))
{
    set_tag_propagation_policy(TPP_ONE_TO_ONE);
    message_port_register_in(calibration_port);
    set_msg_handler(calibration_port,
                    [this](const pmt::pmt_t& message) { handle_calibration(message); });
}

// Empty when the calibration has no gains.
std::vector<gr_complex>
apply_calibration_impl::inverse_gains(const core::calibration_state& calibration) const
{
    calibration.validate(d_num_elements);
    std::vector<gr_complex> factors;
    for (Eigen::Index k = 0; k < calibration.gains.size(); ++k) {
        const gr_complex factor = static_cast<gr_complex>(1.0 / calibration.gains(k));
        const float size = std::abs(factor);
        if (!(size > 0.0f && std::isfinite(size))) {
            std::ostringstream message;
            message << "apply_calibration: gains: that of element " << k
                    << " has the magnitude " << std::abs(calibration.gains(k))
                    << "; samples are divided by it, so its inverse must be neither "
                       "infinite nor zero in single precision";
            throw std::invalid_argument(message.str());
        }
        factors.push_back(factor);
    }
    return factors;
}

void apply_calibration_impl::set_calibration(const core::calibration_state& calibration)
{
    inverse_gains(calibration); // throws when it does not fit
    const std::lock_guard<std::mutex> lock(d_mutex);
    d_staged = tuned_calibrations(calibration);
    d_is_staged = true;
}

void apply_calibration_impl::handle_calibration(const pmt::pmt_t& message)
{
    try {
        // Gains are all that counts here: other parts may be for an array elsewhere.
        const core::calibration_state newer = from_pmt(message);
        if (!inverse_gains(newer).empty()) {
            const std::lock_guard<std::mutex> lock(d_mutex);
            d_staged.update(newer);
            d_is_staged = true;
        }
    } catch (const std::exception& error) {
        d_logger->warn("calibration message ignored: {}", error.what());
    }
}

void apply_calibration_impl::take_staged()
{
    const std::lock_guard<std::mutex> lock(d_mutex);
    if (d_is_staged) {
        d_calibrations = d_staged;
        d_factors = inverse_gains(d_calibrations.at(d_frequency));
        d_is_staged = false;
    }
}

// Samples [first, last) of what is being worked on.
void apply_calibration_impl::divide(gr_vector_const_void_star& input_items,
                                    gr_vector_void_star& output_items,
                                    int first,
                                    int last) const
{
    for (int k = 0; k < d_num_elements; ++k) {
        const gr_complex* in = static_cast<const gr_complex*>(input_items[k]) + first;
        gr_complex* out = static_cast<gr_complex*>(output_items[k]) + first;
        if (d_factors.empty()) {
            std::copy(in, in + (last - first), out);
        } else {
            volk_32fc_s32fc_multiply_32fc(out, in, d_factors[k], last - first);
        }
    }
}

int apply_calibration_impl::work(int noutput_items,
                                 gr_vector_const_void_star& input_items,
                                 gr_vector_void_star& output_items)
{
    take_staged();
    get_tags_in_window(d_tags, 0, 0, noutput_items, frequency_key);
    std::sort(d_tags.begin(), d_tags.end(), gr::tag_t::offset_compare);
    int first = 0;
    for (const gr::tag_t& tag : d_tags) {
        const std::optional<double> frequency = real_from_pmt(tag.value);
        if (frequency && *frequency > 0.0 && frequency != d_frequency) {
            const int last = static_cast<int>(tag.offset - nitems_read(0));
            divide(input_items, output_items, first, last);
            first = last;
            d_frequency = frequency;
            d_factors = inverse_gains(d_calibrations.at(d_frequency));
        }
    }
    divide(input_items, output_items, first, noutput_items);
    return noutput_items;
}

} // namespace bearing
} // namespace gr
