/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_SPECTRA_MESSAGE_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_SPECTRA_MESSAGE_H

#include "stream_time.h"
#include <gnuradio/bearing/core/array/status.h>
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <Eigen/Dense>
#include <pmt/pmt.h>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace gr {
namespace bearing {

//! What a running estimator of propagating signals tells.
struct spectra_report {
    core::stream_spectra spectra;
    Eigen::VectorXd sensor_noise;   //!< N
    Eigen::VectorXd velocity_scale; //!< K, NaN: unknown
    core::status status = core::status::learning;
    std::optional<stream_time> time;
    std::uint64_t restarts = 0;
    std::map<std::string, std::uint64_t> counts;
};

//! The message for the port `spectra`, as bearing::propagator_ls describes it.
pmt::pmt_t spectra_message(const spectra_report& report);

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_SPECTRA_MESSAGE_H */
