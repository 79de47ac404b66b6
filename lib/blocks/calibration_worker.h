/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H

#include "background_worker.h"
#include "stream_time.h"
#include <Eigen/Dense>
#include <cstddef>
#include <optional>

namespace gr {
namespace bearing {

//! A covariance on its way to a calibrator.
struct arrival {
    Eigen::MatrixXcd covariance;
    std::size_t snapshots = 0;
    std::optional<double> rx_freq;
    std::optional<stream_time> start; //!< of its first sample
    Eigen::VectorXd azimuth;          //!< known ones, radians
    Eigen::VectorXd range;            //!< of these; empty: far away
};

//! Updates calibrators and saves what they learnt.
using calibration_worker = background_worker<arrival>;

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_CALIBRATION_WORKER_H */
