/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE diffmusic_endurance
#include "drifting_station.h"
#include "uncalibrated_arrays.h"
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <malloc.h>
#include <boost/test/unit_test.hpp>

// Five minutes of an unattended receiver at ten covariances a second; an hour with
// BEARING_TEST_FULL=1.

using namespace gr::bearing::core;

namespace {

// Bytes in use on the heap.
long long heap() { return static_cast<long long>(mallinfo2().uordblks); }

double error_of(const antenna_array& array, const arrival& what)
{
    const music_estimator music(array, angle_grid::whole_range(array), music_config{ 1 });
    return permuted_error(
        array,
        music.estimate(what.covariance, uncalibrated_world::snapshots).azimuth,
        what.label);
}

} // namespace

BOOST_AUTO_TEST_CASE(drift_bad_input_and_few_labels_do_no_harm_in_the_long_run)
{
    uncalibrated_world world(1);
    const antenna_array line = antenna_array::uniform_line(16, 0.5);
    station where(world, line, 10.0);
    diffmusic_online calibrator(line);
    const int num_arrivals = num_arrays(3000, 36000);
    const int settled = 200;
    collected fitted, truth;
    long long heap_when_settled = 0;
    for (int k = 1; k <= num_arrivals; ++k) {
        const bool is_labelled = k % 10 == 0;
        const double beacon = (k % 20 == 0 ? 55.0 : -55.0) * degree;
        arrival one = is_labelled ? where.next(beacon) : where.next();
        const bool is_scored = k > settled && k % 5 == 1;
        if (is_scored) {
            fitted.add(error_of(line.calibrated(calibrator.calibration()), one));
            truth.add(error_of(where.truth(), one));
        }
        if (world.uniform(0.0, 1.0) < 0.2) {
            spoil(world, where, one);
        }
        calibrator.update(one.covariance,
                          uncalibrated_world::snapshots,
                          is_labelled ? one.label : Eigen::VectorXd());
        if (k == settled) {
            fitted.values.reserve(num_arrivals);
            truth.values.reserve(num_arrivals);
            heap_when_settled = heap();
        }
    }
    const double ratio = fitted.mean() / truth.mean();
    const long long growth = heap() - heap_when_settled;
    BOOST_TEST_MESSAGE("ratio " << ratio << " over " << num_arrivals << " arrivals, "
                                << calibrator.restarts() << " restarts, "
                                << calibrator.rollbacks() << " rollbacks, heap grew by "
                                << growth << " bytes");
    BOOST_TEST(ratio <= 1.5);
    BOOST_TEST(to_string(calibrator.orientation()) == "known");
    // A covariance or two of 4 KiB may be in other hands; 8 bytes an arrival that stayed would
    // be more than that after 5 minutes.
    BOOST_TEST(growth < 16384);
}
