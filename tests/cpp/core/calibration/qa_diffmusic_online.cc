/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE diffmusic_online
#include "drifting_station.h"
#include "uncalibrated_arrays.h"
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <gnuradio/bearing/core/calibration/diffmusic_online.h>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <limits>

// Statistical tests use a few random arrays of each kind, more with BEARING_TEST_FULL=1.
// Ten covariances arrive a second.

using namespace gr::bearing::core;

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr int snapshots = uncalibrated_world::snapshots;

const antenna_array line16 = antenna_array::uniform_line(16, 0.5);
const antenna_array circle5 = antenna_array::uniform_circle(5, 0.383);

update_outcome update(diffmusic_online& calibrator, const arrival& what, bool is_labelled)
{
    return calibrator.update(
        what.covariance, snapshots, is_labelled ? what.label : Eigen::VectorXd());
}

struct scenario {
    const antenna_array& drawn;
    int arrivals;
    double drift_deg = 0.0;
    double bad_share = 0.0;
    // whether arrival k (1, 2, ..) has a label, and where its source is then: NaN anywhere
    std::function<bool(int)> is_labelled = [](int) { return false; };
    std::function<double(int)> bearing = [](int) { return unknown; };
};

bool every_tenth(int k) { return k % 10 == 0; }

double two_bearings(int k)
{
    return every_tenth(k) ? (k % 20 == 0 ? 55.0 : -55.0) * degree : unknown;
}

struct campaign {
    collected ratio;
    collected aligned_ratio;
    collected raw;
};

campaign run(unsigned seed, const scenario& what, int by_default = 8, int full = 40)
{
    uncalibrated_world world(seed);
    campaign result;
    for (int k = 0; k < num_arrays(by_default, full); ++k) {
        station where(world, what.drawn, what.drift_deg);
        diffmusic_online calibrator(what.drawn);
        for (int i = 1; i <= what.arrivals; ++i) {
            arrival one = where.next(what.bearing(i));
            if (world.uniform(0.0, 1.0) < what.bad_share) {
                spoil(world, where, one);
            }
            update(calibrator, one, what.is_labelled(i));
        }
        BOOST_TEST(to_string(calibrator.status()) == "tracking");
        const uncalibrated_world::scores scores = world.score(
            what.drawn, where.truth(), what.drawn.calibrated(calibrator.calibration()));
        result.ratio.add(scores.ratio());
        result.aligned_ratio.add(scores.aligned_ratio());
        result.raw.add(scores.fitted);
    }
    BOOST_TEST_MESSAGE("ratio mean " << result.ratio.mean() << " worst "
                                     << result.ratio.worst() << ", aligned mean "
                                     << result.aligned_ratio.mean() << " worst "
                                     << result.aligned_ratio.worst() << ", raw median "
                                     << result.raw.median());
    return result;
}

bool always(int) { return true; }

// A calibrator that has converged on labels at every arrival.
diffmusic_online converged(station& where, int arrivals = 100)
{
    diffmusic_online calibrator(where.drawn());
    for (int k = 0; k < arrivals; ++k) {
        update(calibrator, where.next(), k % 2 == 0);
    }
    BOOST_TEST(to_string(calibrator.status()) == "tracking");
    BOOST_TEST(to_string(calibrator.orientation()) == "known");
    return calibrator;
}

} // namespace

BOOST_AUTO_TEST_CASE(fifty_labelled_arrivals_calibrate)
{
    scenario what{ line16, 50 };
    what.is_labelled = always;
    BOOST_TEST(run(1, what).ratio.mean() <= 1.10);
}

BOOST_AUTO_TEST_CASE(a_beacon_at_two_bearings_calibrates_with_one_label_in_ten)
{
    scenario what{ line16, 100 };
    what.is_labelled = every_tenth;
    what.bearing = two_bearings;
    BOOST_TEST(run(2, what, 20).ratio.mean() <= 1.15);
}

BOOST_AUTO_TEST_CASE(labels_follow_drifting_phases)
{
    scenario what{ line16, 300, 10.0 };
    what.is_labelled = always;
    BOOST_TEST(run(3, what, 16).ratio.mean() <= 1.15);
}

BOOST_AUTO_TEST_CASE(one_label_in_ten_follows_drifting_phases)
{
    scenario what{ line16, 300, 10.0 };
    what.is_labelled = every_tenth;
    what.bearing = two_bearings;
    BOOST_TEST(run(4, what, 16).ratio.mean() <= 1.5);
}

BOOST_AUTO_TEST_CASE(the_shape_follows_drifting_phases_without_labels)
{
    BOOST_TEST(run(5, { line16, 300, 10.0 }, 6).aligned_ratio.worst() <= 1.02);
}

// Without knowing the rates the calibrator would tell what was true half a buffer ago.
BOOST_AUTO_TEST_CASE(steady_drift_leaves_no_lag)
{
    uncalibrated_world world(12);
    collected lag;
    for (int k = 0; k < num_arrays(8, 40); ++k) {
        station where(world, circle5, 30.0);
        diffmusic_online calibrator(circle5);
        for (int i = 0; i < 300; ++i) {
            update(calibrator, where.next(), i % 2 == 0);
        }
        const Eigen::VectorXd ahead =
            (calibrator.calibration().gains.array() /
             array_parameters::of(where.truth()).calibration(circle5).gains.array())
                .arg();
        const Eigen::VectorXd rate = where.rate().array() - where.rate().mean();
        if (rate.norm() > 0.0) { // they do not all drift alike
            const double by = (ahead.array() - ahead.mean()).matrix().dot(rate);
            lag.add(-by / rate.squaredNorm()); // arrivals
        }
    }
    BOOST_TEST_MESSAGE("lag: mean " << lag.mean() << " worst " << lag.worst());
    BOOST_TEST(std::abs(lag.mean()) < 2.0);
}

BOOST_AUTO_TEST_CASE(one_bad_arrival_in_five_does_little_harm)
{
    scenario all_labelled{ line16, 300, 0.0, 0.2 };
    all_labelled.is_labelled = always;
    BOOST_TEST(run(6, all_labelled, 6).ratio.mean() <= 1.3);
    scenario few_labels{ line16, 300, 0.0, 0.2 };
    few_labels.is_labelled = every_tenth;
    few_labels.bearing = two_bearings;
    BOOST_TEST(run(7, few_labels, 6).ratio.mean() <= 1.3);
}

// Of 100 arrays 95 are within 1.25 by then, drifting or not. No calibrator that allows for
// such drift can do better: by the Cramer-Rao bound 98 of 100 are, and 95 when they drift.
BOOST_AUTO_TEST_CASE(a_circle_calibrates_itself_by_arrival_forty)
{
    const auto num_good = [](const campaign& result) {
        const std::vector<double>& ratios = result.aligned_ratio.values;
        const long number = std::count_if(
            ratios.begin(), ratios.end(), [](double ratio) { return ratio <= 1.25; });
        BOOST_TEST_MESSAGE(number << " of " << ratios.size() << " within 1.25");
        return static_cast<double>(number) / static_cast<double>(ratios.size());
    };
    campaign standing = run(8, { circle5, 40 }, 16, 100);
    BOOST_TEST(num_good(standing) >= 0.85);
    BOOST_TEST(standing.aligned_ratio.median() <= 1.10);
    campaign drifting = run(9, { circle5, 40, 10.0 }, 16, 100);
    BOOST_TEST(num_good(drifting) >= 0.85);
    BOOST_TEST(drifting.aligned_ratio.median() <= 1.15);
    campaign followed = run(9, { circle5, 150, 10.0 }, 16, 100);
    BOOST_TEST(num_good(followed) >= 0.85);
}

BOOST_AUTO_TEST_CASE(every_circle_calibrates_itself_in_the_end)
{
    BOOST_TEST(run(10, { circle5, 200 }, 16, 100).aligned_ratio.worst() <= 1.4);
}

BOOST_AUTO_TEST_CASE(two_labels_turn_the_circle_onto_north)
{
    scenario what{ circle5, 60 };
    what.is_labelled = [](int k) { return k == 20 || k == 40; };
    campaign result = run(11, what, 9, 41);
    BOOST_TEST(result.raw.median() <= 0.45);
}

BOOST_AUTO_TEST_CASE(the_orientation_is_told_by_labels_and_held_when_they_are_old)
{
    uncalibrated_world world(20);
    collected ratio;
    for (int array = 0; array < num_arrays(10, 40); ++array) {
        station where(world, line16, 0.0);
        online_config config;
        config.label_lifetime = 30;
        diffmusic_online calibrator(line16, config);
        for (int k = 0; k < 40; ++k) {
            update(calibrator, where.next(), false);
        }
        BOOST_TEST(to_string(calibrator.orientation()) == "unknown");
        update(calibrator, where.next(-40.0 * degree), true);
        BOOST_TEST(to_string(calibrator.orientation()) == "partly_known");
        for (int k = 0; k < 10; ++k) {
            update(calibrator, where.next((k % 2 ? 50.0 : -40.0) * degree), true);
        }
        BOOST_TEST(to_string(calibrator.orientation()) == "known");
        for (int k = 0; k < 300; ++k) {
            update(calibrator, where.next(), false);
        }
        BOOST_TEST(to_string(calibrator.orientation()) == "known");
        ratio.add(
            world
                .score(line16, where.truth(), line16.calibrated(calibrator.calibration()))
                .ratio());
    }
    BOOST_TEST_MESSAGE("held: ratio mean " << ratio.mean() << " worst " << ratio.worst());
    // Eleven labels, and 300 arrivals that could have carried the tilt away: it would be
    // tens of times the truth.
    BOOST_TEST(ratio.mean() < 1.6);
}

BOOST_AUTO_TEST_CASE(an_element_moved_by_hand_is_noticed_and_learnt_anew)
{
    uncalibrated_world world(21);
    station where(world, circle5, 0.0);
    diffmusic_online calibrator = converged(where);
    where.change([](calibration_state& state) {
        // A weak one would hardly be missed.
        Eigen::Index strongest = 0;
        state.gains.cwiseAbs().maxCoeff(&strongest);
        state.positions(strongest, 0) += 0.05;
        state.gains(strongest) *= std::polar(1.0, 1.2);
    });
    bool was_frozen = false;
    const calibration_state before = calibrator.calibration();
    for (int k = 0; k < 100; ++k) {
        update(calibrator, where.next(), k % 5 == 0);
        if (to_string(calibrator.status()) == std::string("frozen")) {
            was_frozen = true;
            // What is told meanwhile is the last good state.
            BOOST_TEST((calibrator.calibration().gains - before.gains).norm() < 0.2);
        }
    }
    BOOST_TEST(was_frozen);
    BOOST_TEST(calibrator.restarts() == 1u);
    BOOST_TEST(to_string(calibrator.status()) == "tracking");
    const uncalibrated_world::scores scores =
        world.score(circle5, where.truth(), circle5.calibrated(calibrator.calibration()));
    BOOST_TEST(scores.ratio() < 1.5);
}

// A transmitter that hardly moves shows the array from one side only, while its phases
// drift: two degrees a minute.
BOOST_AUTO_TEST_CASE(a_slow_source_leads_nobody_astray)
{
    uncalibrated_world world(26);
    collected ratio;
    for (int k = 0; k < num_arrays(5, 20); ++k) {
        station where(world, circle5, 2.0);
        diffmusic_online calibrator = converged(where);
        double bearing = 0.0;
        for (int i = 0; i < 300; ++i) {
            bearing += 0.6 * degree;
            update(calibrator, where.next(bearing), i % 10 == 0);
        }
        BOOST_TEST(to_string(calibrator.orientation()) == "known");
        BOOST_TEST(calibrator.rollbacks() + calibrator.restarts() == 0u);
        ratio.add(world
                      .score(circle5,
                             where.truth(),
                             circle5.calibrated(calibrator.calibration()))
                      .ratio());
    }
    BOOST_TEST_MESSAGE("slow source: ratio mean " << ratio.mean() << " worst "
                                                  << ratio.worst());
    BOOST_TEST(ratio.mean() < 2.0);
}

// What one or two sides show of an array says nothing of the others: no bearing may become
// worse by it.
BOOST_AUTO_TEST_CASE(transmitters_that_stand_still_change_nothing)
{
    uncalibrated_world world(27);
    for (const std::vector<double>& places :
         { std::vector<double>{ 75.0 }, { 75.0, 200.0 } }) {
        diffmusic_online calibrator(circle5);
        for (std::size_t k = 0; k < 300; ++k) {
            calibrator.update(
                world.covariance(circle5, degrees({ places[k % places.size()] })),
                snapshots);
        }
        BOOST_TEST(to_string(calibrator.status()) == "learning");
        BOOST_TEST(calibrator.calibration().gains.isOnes());
        BOOST_TEST(calibrator.calibration().positions.isZero());
    }
}

BOOST_AUTO_TEST_CASE(each_kind_of_bad_covariance_is_told_apart_and_changes_nothing)
{
    uncalibrated_world world(22);
    station where(world, line16, 0.0);
    diffmusic_online calibrator = converged(where);
    const calibration_state before = calibrator.calibration();
    const Eigen::VectorXd somewhere = Eigen::VectorXd::Constant(1, 0.3);
    const auto outcome = [&](const Eigen::MatrixXcd& covariance,
                             const Eigen::VectorXd& label = {}) {
        return std::string(to_string(calibrator.update(covariance, snapshots, label)));
    };
    BOOST_TEST(outcome(Eigen::MatrixXcd::Zero(16, 16)) == "bad_data");
    BOOST_TEST(outcome(Eigen::MatrixXcd::Constant(16, 16, unknown)) == "bad_data");
    Eigen::MatrixXcd dead = world.covariance(where.truth(), somewhere);
    dead.row(7).setZero();
    dead.col(7).setZero();
    BOOST_TEST(outcome(dead) == "bad_data");
    BOOST_TEST(outcome(world.covariance(where.truth(), somewhere, -15.0)) == "weak");
    BOOST_TEST(outcome(world.covariance(where.truth(), Eigen::Vector2d(0.3, -0.5))) ==
               "too_many_sources");
    BOOST_TEST(outcome(world.covariance(where.truth(),
                                        Eigen::VectorXd::Constant(1, 88.0 * degree))) ==
               "close_sources");
    Eigen::VectorXcd wave(16);
    for (std::complex<double>& value : wave) {
        value = world.circular(30.0);
    }
    BOOST_TEST(outcome(wave * wave.adjoint() + Eigen::MatrixXcd::Identity(16, 16)) ==
               "off_model");
    BOOST_TEST(outcome(world.covariance(where.truth(), somewhere),
                       Eigen::VectorXd::Constant(1, 0.5)) == "bad_label");
    BOOST_TEST((calibrator.calibration().gains - before.gains).norm() == 0.0);
    BOOST_TEST(calibrator.count(update_outcome::bad_data) == 3u);
    BOOST_TEST(calibrator.count(update_outcome::bad_label) == 1u);
    BOOST_TEST(calibrator.count(update_outcome::accepted) == 100u);
}

BOOST_AUTO_TEST_CASE(labels_that_were_wrong_from_the_start_give_way_to_right_ones)
{
    uncalibrated_world world(23);
    station where(world, line16, 0.0);
    diffmusic_online calibrator(line16);
    for (int k = 0; k < 260; ++k) {
        const bool is_labelled = k % 3 == 0;
        arrival one = where.next(is_labelled ? (k % 2 ? 40.0 : -40.0) * degree : unknown);
        one.label(0) += k < 60 ? 5.0 * degree : 0.0;
        update(calibrator, one, is_labelled);
    }
    const uncalibrated_world::scores scores =
        world.score(line16, where.truth(), line16.calibrated(calibrator.calibration()));
    BOOST_TEST(scores.ratio() < 1.5);
    // The majority counts: 20 were wrong.
    BOOST_TEST(calibrator.count(update_outcome::bad_label) >= 10u);
    BOOST_TEST(calibrator.count(update_outcome::bad_label) <= 25u);
}

BOOST_AUTO_TEST_CASE(a_calibrator_resumes_where_another_ended)
{
    uncalibrated_world world(24);
    station where(world, circle5, 0.0);
    const diffmusic_online ended = converged(where);
    diffmusic_online resumed(circle5);
    resumed.resume(ended.calibration(), ended.orientation());
    BOOST_TEST((resumed.calibration().gains - ended.calibration().gains).norm() < 1e-9);
    BOOST_TEST((resumed.calibration().positions - ended.calibration().positions).norm() <
               1e-9);
    for (int k = 0; k < 60; ++k) {
        update(resumed, where.next(), false);
    }
    BOOST_TEST(to_string(resumed.orientation()) == "known");
    const uncalibrated_world::scores scores =
        world.score(circle5, where.truth(), circle5.calibrated(resumed.calibration()));
    BOOST_TEST(scores.ratio() < 1.5);
}

// Receivers that lock their phases anew at each start leave nothing of the orientation.
BOOST_AUTO_TEST_CASE(resuming_with_another_array_does_not_keep_its_orientation)
{
    uncalibrated_world world(27);
    station where(world, circle5, 0.0);
    const diffmusic_online ended = converged(where);
    BOOST_TEST(to_string(ended.orientation()) == "known");
    where.change([&world](calibration_state& state) {
        for (std::complex<double>& gain : state.gains) {
            gain *= std::polar(1.0, world.uniform(-M_PI, M_PI));
        }
    });
    diffmusic_online resumed(circle5);
    resumed.resume(ended.calibration(), ended.orientation());
    for (int k = 0; k < 100; ++k) {
        update(resumed, where.next(), false);
    }
    BOOST_TEST(to_string(resumed.orientation()) == "unknown");
    // One known bearing brings it back.
    update(resumed, where.next(), true);
    BOOST_TEST(to_string(resumed.orientation()) == "known");
}

BOOST_AUTO_TEST_CASE(partly_labelled_covariances_of_two_sources_are_used)
{
    uncalibrated_world world(25);
    station where(world, line16, 0.0);
    online_config config;
    config.num_sources = 2;
    diffmusic_online calibrator(line16, config);
    for (int k = 0; k < 80; ++k) {
        const Eigen::VectorXd azimuth = world.directions(line16, 2, 15.0 * degree);
        Eigen::VectorXd label = azimuth;
        label(1) = unknown;
        calibrator.update(world.covariance(where.truth(), azimuth), snapshots, label);
    }
    BOOST_TEST(to_string(calibrator.orientation()) == "known");
    const uncalibrated_world::scores scores =
        world.score(line16, where.truth(), line16.calibrated(calibrator.calibration()));
    BOOST_TEST(scores.ratio() < 1.3);
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_refused_and_change_nothing)
{
    online_config config;
    config.num_sources = 5;
    BOOST_CHECK_THROW(diffmusic_online(circle5, config), std::invalid_argument);
    config = {};
    config.labelled_buffer = 0;
    BOOST_CHECK_THROW(diffmusic_online(circle5, config), std::invalid_argument);
    config = {};
    config.label_lifetime = 0;
    BOOST_CHECK_THROW(diffmusic_online(circle5, config), std::invalid_argument);
    BOOST_CHECK_THROW(diffmusic_online(antenna_array::uniform_line(2, 0.5)),
                      std::invalid_argument);

    diffmusic_online calibrator(line16);
    const Eigen::MatrixXcd r = Eigen::MatrixXcd::Identity(16, 16);
    const auto refused = [&](const Eigen::MatrixXcd& covariance,
                             int count,
                             const Eigen::VectorXd& label = {},
                             const Eigen::VectorXd& range = {}) {
        BOOST_CHECK_THROW(calibrator.update(covariance, count, label, range),
                          std::invalid_argument);
    };
    refused(Eigen::MatrixXcd::Identity(5, 5), 100);
    refused(r, 0);
    refused(r, 100, Eigen::Vector2d(0.1, 0.2));
    refused(r, 100, Eigen::VectorXd::Constant(1, 95.0 * degree));
    refused(r, 100, Eigen::VectorXd::Constant(1, 0.1), Eigen::Vector2d(20.0, 20.0));
    refused(r, 100, Eigen::VectorXd::Constant(1, 0.1), Eigen::VectorXd::Ones(1));
    for (int k = 0; k < static_cast<int>(update_outcome::num_outcomes); ++k) {
        BOOST_TEST(calibrator.count(static_cast<update_outcome>(k)) == 0u);
    }
    BOOST_TEST(std::isnan(calibrator.loss()));
    calibration_state other;
    other.gains = Eigen::VectorXcd::Ones(5);
    BOOST_CHECK_THROW(calibrator.resume(other, orientation::known),
                      std::invalid_argument);
}
