/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE coupling_tracker
#include "coupled_arrays.h"
#include "refusals.h"
#include <gnuradio/bearing/core/coupling/coupling_tracker.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

constexpr int snapshots = 100;

coupling_config config_for(const coupled_setting& setting)
{
    coupling_config config;
    config.num_sources = 2;
    config.coefficients = setting.model.num_weights() / 2 + 1;
    return config;
}

// Sources somewhere else, the same coupling.
coupled_setting moved(const coupled_setting& setting, std::mt19937_64& random)
{
    coupled_setting result = random_setting(setting.array,
                                            setting.model.num_weights() / 2 + 1,
                                            2,
                                            setting.array.is_front_only() ? 12.0 : 50.0,
                                            random)
                                 .at(10.0);
    result.truth.weights = setting.truth.weights;
    return result;
}

// The same with other coupling.
coupled_setting changed(coupled_setting setting)
{
    setting.truth.weights = -setting.truth.weights.reverse();
    return setting;
}

double coupling_error(const coupling_tracker& tracker, const coupled_setting& setting)
{
    return (tracker.coupling() - setting.coupling()).norm();
}

const std::vector<coupled_setting> settings{ strong_line(), strong_circle() };

} // namespace

BOOST_DATA_TEST_CASE(errors_fall_with_the_root_of_the_scenes,
                     data::make(settings),
                     setting)
{
    // Squared errors after 1, 4, 16 and 64 scenes, means over arrays.
    std::mt19937_64 random(1);
    const std::vector<int> stops{ 1, 4, 16, 64 };
    std::vector<double> squares(stops.size(), 0.0);
    const int num_trackers = num_arrays(12, 100);
    for (int k = 0; k < num_trackers; ++k) {
        coupling_tracker tracker(setting.array, config_for(setting), { 1e6, 3 });
        for (std::size_t stop = 0; stop < stops.size(); ++stop) {
            while (tracker.scenes() < static_cast<std::uint64_t>(stops[stop])) {
                tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
            }
            squares[stop] += std::pow(coupling_error(tracker, setting), 2);
        }
        BOOST_TEST(tracker.restarts() == 0);
    }
    for (std::size_t stop = 1; stop < stops.size(); ++stop) {
        const double gain = std::sqrt(squares[stop - 1] / squares[stop]);
        BOOST_TEST_MESSAGE(stops[stop] << " scenes: " << gain);
        // 2 each time; scenes differ in what they tell, and twelve trackers of four weights
        // scatter by an eighth. The first scene may be a poor one.
        BOOST_TEST(gain > 1.4);
        BOOST_TEST(gain < (stop == 1 ? 6.0 : 3.0));
    }
}

BOOST_DATA_TEST_CASE(bearings_after_many_scenes_are_those_of_a_calibrated_array,
                     data::make(settings),
                     setting)
{
    std::mt19937_64 random(2);
    coupling_tracker tracker(setting.array, config_for(setting));
    for (int scene = 0; scene < 60; ++scene) {
        tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
    }
    BOOST_TEST((tracker.status() == status::tracking));
    const antenna_array calibrated = coupled(setting.array, setting.coupling());
    const music_estimator knowing(
        calibrated, angle_grid::whole_range(calibrated, 2), { 2 });
    const coupling_estimator alone(setting.array, config_for(setting));
    coupled_score tracked;
    coupled_score known;
    coupled_score single;
    int inside = 0;
    int told = 0;
    const int num_scenes = num_arrays(120, 2000);
    for (int scene = 0; scene < num_scenes; ++scene) {
        const coupled_setting now = moved(setting, random);
        const Eigen::MatrixXcd r = now.draw(snapshots, random);
        const coupling_estimate found = tracker.update(r, snapshots);
        if (found.bearings.status != status::ok) {
            continue;
        }
        const Eigen::VectorXd distance =
            distance_to_nearest(found.bearings.azimuth, now.truth.azimuth);
        tracked.squares += distance.squaredNorm();
        known.squares +=
            distance_to_nearest(knowing.estimate(r, snapshots).azimuth, now.truth.azimuth)
                .squaredNorm();
        single.squares +=
            distance_to_nearest(alone.estimate(r, snapshots).bearings.azimuth,
                                now.truth.azimuth)
                .squaredNorm();
        inside += static_cast<int>(
            (distance.array() < 1.96 * found.bearings.deviation.array()).count());
        told += 2;
    }
    const double coverage = double(inside) / told;
    BOOST_TEST_MESSAGE("coverage " << coverage << " of " << told
                                   << "; over known coupling "
                                   << std::sqrt(tracked.squares / known.squares)
                                   << ", over single scenes "
                                   << std::sqrt(tracked.squares / single.squares));
    BOOST_TEST(told > 1.9 * num_scenes);
    // Four deviations of the draws, and a percent for what first order leaves out.
    BOOST_TEST(std::abs(coverage - 0.95) < 0.01 + 4.0 * std::sqrt(0.0475 / told));
    // MUSIC is a little worse than likelihood with the same coupling.
    BOOST_TEST(tracked.squares < 1.1 * 1.1 * known.squares);
    BOOST_TEST(tracked.squares < single.squares);
}

BOOST_DATA_TEST_CASE(another_coupling_is_learnt_anew, data::make(settings), setting)
{
    std::mt19937_64 random(3);
    coupling_tracker tracker(setting.array, config_for(setting));
    BOOST_TEST((tracker.status() == status::learning));
    BOOST_TEST((tracker.coupling() == setting.model.mean()));
    for (int scene = 0; scene < 30; ++scene) {
        tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
    }
    BOOST_TEST(tracker.restarts() == 0);
    BOOST_TEST(tracker.scenes() >= 28);
    const coupled_setting other = changed(setting);
    for (int scene = 0; scene < 2; ++scene) {
        const coupled_setting now = moved(other, random);
        const coupling_estimate found =
            tracker.update(now.draw(snapshots, random), snapshots);
        // Contradicting scenes stand for themselves: their bearings are right already.
        if (found.bearings.status == status::ok) {
            BOOST_TEST(
                (distance_to_nearest(found.bearings.azimuth, now.truth.azimuth).array() <
                 6.0 * found.bearings.deviation.array())
                    .all());
        }
    }
    BOOST_TEST(tracker.restarts() == 0);
    BOOST_TEST(coupling_error(tracker, setting) < 0.1);
    for (int scene = 0; scene < 12; ++scene) {
        tracker.update(moved(other, random).draw(snapshots, random), snapshots);
    }
    BOOST_TEST(tracker.restarts() == 1);
    BOOST_TEST(coupling_error(tracker, other) < 0.2);
    BOOST_TEST((tracker.status() == status::tracking));
}

BOOST_DATA_TEST_CASE(a_small_change_that_every_scene_denies_is_noticed,
                     data::make(settings),
                     setting)
{
    // Five to eight deviations of what one scene tells: most scenes' likelihood ratios still
    // pass, the distance from what was learnt does not.
    std::mt19937_64 random(8);
    coupling_tracker tracker(setting.array, config_for(setting), { 1e6, 3 });
    for (int scene = 0; scene < 200; ++scene) {
        tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
    }
    coupled_setting other = setting;
    other.truth.weights.array() += setting.array.is_front_only() ? 0.07 : 0.1;
    for (int scene = 0; scene < 40; ++scene) {
        tracker.update(moved(other, random).draw(snapshots, random), snapshots);
    }
    BOOST_TEST(tracker.restarts() >= 1);
    // The 200 scenes before would have left most of the difference.
    BOOST_TEST(coupling_error(tracker, other) <
               0.5 * (setting.coupling() - other.coupling()).norm());
}

BOOST_DATA_TEST_CASE(a_few_bad_scenes_change_nothing, data::make(settings), setting)
{
    std::mt19937_64 random(4);
    coupling_tracker tracker(setting.array, config_for(setting), { 100.0, 3 });
    for (int scene = 0; scene < 30; ++scene) {
        tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
    }
    const Eigen::MatrixXcd before = tracker.coupling();
    const std::uint64_t scenes = tracker.scenes();
    const Eigen::Index n = setting.array.num_elements();
    // Of another array, without sources, broken, and with too many of them.
    const coupled_setting other = changed(setting);
    tracker.update(moved(other, random).draw(snapshots, random), snapshots);
    tracker.update(Eigen::MatrixXcd::Identity(n, n), snapshots);
    tracker.update(Eigen::MatrixXcd::Zero(n, n), snapshots);
    coupled_setting three = moved(setting, random);
    three.truth.azimuth.conservativeResize(3);
    three.truth.azimuth(2) = three.truth.azimuth(0) + 0.7;
    three.truth.power = Eigen::Vector3d::Constant(30.0);
    tracker.update(three.draw(snapshots, random), snapshots);
    BOOST_TEST((tracker.coupling() == before));
    BOOST_TEST(tracker.scenes() == scenes);
    BOOST_TEST(tracker.restarts() == 0);
}

BOOST_AUTO_TEST_CASE(memory_fades)
{
    // With a memory of M scenes the information settles at M of them.
    const coupled_setting setting = strong_circle();
    std::mt19937_64 random(5);
    const auto error_with = [&](double memory) {
        double squares = 0.0;
        coupling_tracker tracker(setting.array, config_for(setting), { memory, 3 });
        for (int scene = 0; scene < 150; ++scene) {
            tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
            squares += scene < 50 ? 0.0 : std::pow(coupling_error(tracker, setting), 2);
        }
        return std::sqrt(squares);
    };
    // Errors go with 1 / sqrt(memory): a factor of 3.2 between 4 and 40, which the few
    // independent stretches of memory in 100 scenes blur.
    BOOST_TEST(error_with(4.0) > 1.8 * error_with(40.0));
}

BOOST_AUTO_TEST_CASE(without_memory_every_covariance_stands_for_itself)
{
    const coupled_setting setting = strong_circle();
    std::mt19937_64 random(6);
    coupling_tracker tracker(setting.array, config_for(setting), { 0.0, 3 });
    const coupling_estimator alone(setting.array, config_for(setting));
    for (int scene = 0; scene < 5; ++scene) {
        const Eigen::MatrixXcd r = moved(setting, random).draw(snapshots, random);
        BOOST_TEST((tracker.update(r, snapshots).bearings.azimuth ==
                    alone.estimate(r, snapshots).bearings.azimuth));
    }
    BOOST_TEST((tracker.status() == status::learning));
    BOOST_TEST(tracker.scenes() == 0);
}

BOOST_AUTO_TEST_CASE(what_is_known_beforehand_is_part_of_the_average)
{
    const coupled_setting setting = strong_circle();
    std::mt19937_64 random(7);
    coupling_config config = config_for(setting);
    const Eigen::VectorXd expected = Eigen::VectorXd::Constant(4, 0.1);
    config.known_weights =
        weight_prior{ expected, 0.09 * Eigen::MatrixXd::Identity(4, 4) };
    coupling_tracker tracker(setting.array, config);
    BOOST_TEST((tracker.coupling() - setting.model.coupling(expected)).norm() < 1e-12);
    for (int scene = 0; scene < 20; ++scene) {
        tracker.update(moved(setting, random).draw(snapshots, random), snapshots);
    }
    // Counted once and not with every scene, it is soon outweighed.
    BOOST_TEST(coupling_error(tracker, setting) < 0.1);
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_named)
{
    const antenna_array array = line_of(8);
    BOOST_TEST(refuses([&] { coupling_tracker(array, {}, { -1.0, 3 }); }, "memory"));
    BOOST_TEST(refuses([&] { coupling_tracker(array, {}, { 10.0, 0 }); }, "patience"));
    coupling_config config;
    config.criterion = coupling_criterion::frobenius;
    BOOST_TEST(refuses(
        [&] {
            coupling_tracker(array, config, { 10.0, 3 });
        },
        "criterion ml"));
    coupling_tracker(array, config, { 0.0, 3 });
}

// One source on few elements tells less of the weights than there are: what is known beforehand
// has to carry the rest, for as many scenes as come.
BOOST_DATA_TEST_CASE(scenes_that_tell_little_add_to_what_was_known,
                     data::make({ 3, 4, 5 }),
                     num_elements)
{
    std::mt19937_64 random(11);
    std::normal_distribution<double> normal;
    const antenna_array array = line_of(num_elements);
    // Six directions at random of any symmetric C but C(0, 0).
    std::vector<Eigen::MatrixXcd> basis;
    for (int j = 0; j < 6; ++j) {
        Eigen::MatrixXcd direction(num_elements, num_elements);
        for (int row = 0; row < num_elements; ++row) {
            for (int column = 0; column <= row; ++column) {
                direction(row, column) =
                    0.05 * std::complex<double>(normal(random), normal(random));
                direction(column, row) = direction(row, column);
            }
        }
        direction(0, 0) = 0.0;
        basis.push_back(direction);
    }
    coupling_config config;
    config.num_sources = 1;
    config.model = coupling_model::general(
        Eigen::MatrixXcd::Identity(num_elements, num_elements), basis);
    config.known_weights =
        weight_prior{ Eigen::VectorXd::Zero(6), Eigen::MatrixXd::Identity(6, 6) };
    int inside = 0;
    int told = 0;
    std::uint64_t restarts = 0;
    const int num_trackers = num_arrays(20, 200);
    for (int k = 0; k < num_trackers; ++k) {
        coupling_tracker tracker(array, config);
        coupled_setting setting{ "few elements", array, *config.model, {} };
        setting.truth.weights =
            Eigen::VectorXd::NullaryExpr(6, [&] { return normal(random); });
        setting.truth.noise_power = 1.0;
        setting.truth.power = Eigen::VectorXd::Constant(1, 100.0);
        for (int scene = 0; scene < 20; ++scene) {
            setting.truth.azimuth =
                degrees({ std::uniform_real_distribution<double>(-50.0, 50.0)(random) });
            const coupling_estimate found =
                tracker.update(setting.draw(snapshots, random), snapshots);
            BOOST_TEST(tracker.coupling().allFinite());
            if (found.bearings.status == status::ok) {
                ++told;
                inside += std::abs(found.bearings.azimuth(0) - setting.truth.azimuth(0)) <
                          1.96 * found.bearings.deviation(0);
            }
        }
        restarts += tracker.restarts();
    }
    BOOST_TEST_MESSAGE("coverage " << double(inside) / told << " of " << told << ", "
                                   << restarts << " restarts");
    BOOST_TEST(told > 15 * num_trackers);
    // Three elements tell so little that errors are far from Gaussian: four are asked for.
    if (num_elements > 3) {
        // The twenty scenes of a tracker share its weights and their error: as if there were
        // no more than two of each.
        BOOST_TEST(std::abs(double(inside) / told - 0.95) <
                   4.0 * std::sqrt(0.0475 / (2.0 * num_trackers)));
        // Measured: 11 of 200 on four elements, 1 of 200 on five.
        BOOST_TEST(restarts <= num_trackers / 10);
    }
}
