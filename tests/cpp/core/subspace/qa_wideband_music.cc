/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE wideband_music
#include "refusals.h"
#include "scenes.h"
#include "uncalibrated_arrays.h"
#include "wideband_scene.h"
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/subspace/cramer_rao.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/wideband_music.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <ostream>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace gr {
namespace bearing {
namespace core {
std::ostream& operator<<(std::ostream& out, subband_combination combination)
{
    return out << (combination == subband_combination::coherent ? "coherent"
                                                                : "incoherent");
}
} // namespace core
} // namespace bearing
} // namespace gr

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const auto both =
    data::make({ subband_combination::incoherent, subband_combination::coherent });

// A quarter of the centre frequency is sampled, a fifth of it is used.
constexpr double relative_rate = 0.25;
const subband_config subbands{ 16, 0.8 };

Eigen::VectorXd frequencies(double center = 1.0)
{
    return center * (1.0 + subband_frequencies(subbands, relative_rate).array()).matrix();
}

wideband_music_estimator
estimator(const antenna_array& array,
          int num_sources,
          subband_combination combination = subband_combination::incoherent,
          std::vector<double> correlation = wideband_music_config::default_correlation())
{
    wideband_music_config config;
    config.num_sources = num_sources;
    config.combination = combination;
    config.correlation = std::move(correlation);
    return { array, 1.0, frequencies(), angle_grid::whole_range(array), config };
}

// Responses by definition: gains times the phase that a travel time makes.
Eigen::VectorXcd response(const antenna_array& array, double azimuth, double frequency)
{
    const Eigen::Vector3d u(std::sin(azimuth), std::cos(azimuth), 0.0);
    Eigen::MatrixXd p = array.positions();
    const calibration_state& calibration = array.calibration();
    if (calibration.positions.size() > 0) {
        p += calibration.positions;
    }
    const Eigen::VectorXd phase =
        2.0 * M_PI * frequency / array.wavelength().value_or(1.0) * (p * u);
    Eigen::VectorXcd a(p.rows());
    for (Eigen::Index l = 0; l < a.size(); ++l) {
        a(l) = std::polar(1.0, phase(l));
    }
    if (calibration.gains.size() > 0) {
        a = calibration.gains.cwiseProduct(a);
    }
    return a;
}

// Exact covariances of uncorrelated sources, each sub-band with noise of power 1.
Eigen::MatrixXcd exact_covariances(const antenna_array& array,
                                   const Eigen::VectorXd& azimuth,
                                   double snr_db)
{
    const int n = array.num_elements();
    const Eigen::VectorXd f = frequencies();
    Eigen::MatrixXcd all(n, n * f.size());
    for (Eigen::Index m = 0; m < f.size(); ++m) {
        Eigen::MatrixXcd r = Eigen::MatrixXcd::Identity(n, n);
        for (const double direction : azimuth) {
            const Eigen::VectorXcd a = response(array, direction, f(m));
            r += std::pow(10.0, snr_db / 10.0) * a * a.adjoint();
        }
        all.middleCols(m * n, n) = r;
    }
    return all;
}

double error_of(double azimuth, const Eigen::VectorXd& truth)
{
    double best = M_PI;
    for (const double direction : truth) {
        const double error = std::remainder(azimuth - direction, 2.0 * M_PI);
        best = std::abs(error) < std::abs(best) ? error : best;
    }
    return best;
}

double largest_error(const bearing_estimate& estimate, const Eigen::VectorXd& truth)
{
    double largest = 0.0;
    for (Eigen::Index k = 0; k < truth.size(); ++k) {
        double nearest = M_PI;
        for (const double found : estimate.azimuth) {
            nearest =
                std::min(nearest, std::abs(std::remainder(found - truth(k), 2.0 * M_PI)));
        }
        largest = std::max(largest, nearest);
    }
    return largest;
}

// The Fisher information of the sub-bands adds up: independent snapshots of one bin each.
double bound(const antenna_array& array,
             const Eigen::VectorXd& azimuth,
             double snr_db,
             int length)
{
    double information = 0.0;
    for (const double f : frequencies()) {
        const antenna_array own = antenna_array::custom(array.positions() * f);
        const double one = cramer_rao_deviation(
            own, azimuth, Eigen::VectorXd::Constant(1, snr_db), 1)(0);
        information +=
            static_cast<double>(length) / subband_frame_length(subbands) / (one * one);
    }
    return 1.0 / std::sqrt(information);
}

struct trials {
    int num_predicted = 0;
    int num_inside = 0;
    int num_ok = 0;
    double squares = 0.0; // of the first source's errors
    int count = 0;

    void add(const bearing_estimate& estimate, const Eigen::VectorXd& truth)
    {
        ++count;
        num_ok += estimate.status == status::ok ? 1 : 0;
        for (int k = 0; k < estimate.num_sources; ++k) {
            const double error = error_of(estimate.azimuth(k), truth);
            if (std::isfinite(estimate.deviation(k))) {
                ++num_predicted;
                num_inside += std::abs(error) <= 1.96 * estimate.deviation(k) ? 1 : 0;
            }
        }
        double first = M_PI;
        for (const double found : estimate.azimuth) {
            const double error = std::remainder(found - truth(0), 2.0 * M_PI);
            first = std::abs(error) < std::abs(first) ? error : first;
        }
        squares += first * first;
    }
    double coverage() const { return static_cast<double>(num_inside) / num_predicted; }
    double rmse() const { return std::sqrt(squares / count); }
};

struct scene {
    const char* name;
    antenna_array array;
    std::vector<double> azimuth_deg;
    double snr_db;
};
std::ostream& operator<<(std::ostream& out, const scene& s) { return out << s.name; }

const antenna_array line = antenna_array::uniform_line(8, 0.5);
const antenna_array circle = antenna_array::uniform_circle(7, 1.0);
const std::vector<scene> scenes{
    { "one on a line", line, { 40.0 }, 10.0 },
    { "one on a circle", circle, { 100.0 }, 5.0 },
    { "two on a line", line, { 10.0, 35.0 }, 10.0 },
    { "two on a circle", circle, { 100.0, 160.0 }, 10.0 },
};

} // namespace

BOOST_DATA_TEST_CASE(exact_covariances_give_exact_bearings, both, combination)
{
    calibration_state gains;
    gains.gains = random_calibration(7, 4).gains;
    calibration_state moved = gains;
    moved.positions = 0.03 * Eigen::MatrixXd::Ones(7, 3);
    moved.positions.row(0).setZero();
    for (const antenna_array& array :
         { line, circle, circle.calibrated(gains), circle.calibrated(moved) }) {
        for (const double first : { -20.0, 14.0, 33.3 }) {
            const Eigen::VectorXd azimuth = degrees({ first });
            const bearing_estimate estimate =
                estimator(array, 1, combination)
                    .estimate(exact_covariances(array, azimuth, 20.0), 1000);
            // Focusing leaves what three rounds of it leave: a thousandth of the deviation.
            const double exact =
                combination == subband_combination::incoherent ? 1e-9 : 1e-6;
            BOOST_TEST(std::abs(error_of(estimate.azimuth(0), azimuth)) < exact);
            BOOST_CHECK(estimate.status == status::ok);
        }
    }
    const Eigen::VectorXd two = degrees({ 100.0, 150.0 });
    const bearing_estimate estimate =
        estimator(circle, 2).estimate(exact_covariances(circle, two, 15.0), 1000);
    BOOST_TEST(largest_error(estimate, two) < 1e-9);
}

BOOST_DATA_TEST_CASE(metres_and_wavelengths_give_the_same, both, combination)
{
    wideband_scene scene(circle, relative_rate, 2000, 5);
    scene.add(scene.white_spectrum(), 70.0 * degree, 5.0);
    const subband_record record(scene.received(), subbands);
    const bearing_estimate reference =
        estimator(circle, 1, combination).estimate(record.covariances, record.snapshots);

    const antenna_array metric = antenna_array::uniform_circle(7, 2.5, 2.5);
    wideband_music_config config;
    config.num_sources = 1;
    config.combination = combination;
    const wideband_music_estimator same(
        metric, 120e6, frequencies(120e6), angle_grid::whole_range(metric), config);
    const bearing_estimate estimate = same.estimate(record.covariances, record.snapshots);
    // Rounding.
    BOOST_TEST(std::abs(estimate.azimuth(0) - reference.azimuth(0)) < 1e-9);
    BOOST_TEST(std::abs(estimate.deviation(0) / reference.deviation(0) - 1.0) < 1e-6);
}

BOOST_DATA_TEST_CASE(intervals_hold_what_they_promise_near_the_bound,
                     both* data::make(scenes),
                     combination,
                     scene)
{
    const int num_trials = num_arrays(250, 3000);
    constexpr int length = 2000;
    const Eigen::VectorXd truth = degrees(scene.azimuth_deg);
    const int num_sources = static_cast<int>(truth.size());
    const wideband_music_estimator wide =
        estimator(scene.array, num_sources, combination);
    const music_estimator narrow(
        scene.array, angle_grid::whole_range(scene.array), { num_sources });
    trials of_wide;
    trials of_narrow;
    for (int trial = 0; trial < num_trials; ++trial) {
        wideband_scene waves(scene.array, relative_rate, length, 100 + trial);
        for (const double direction : truth) {
            waves.add(waves.white_spectrum(), direction, scene.snr_db);
        }
        const auto x = waves.received();
        const subband_record record(x, subbands);
        of_wide.add(wide.estimate(record.covariances, record.snapshots), truth);
        of_narrow.add(narrow.estimate(sample_covariance(x), length), truth);
    }
    BOOST_TEST(of_wide.num_ok >= 0.99 * num_trials);
    // 95 %: four deviations of so many trials, and half a percent for second-order terms.
    const double four = 4.0 * std::sqrt(0.95 * 0.05 / of_wide.num_predicted);
    BOOST_TEST(std::abs(of_wide.coverage() - 0.95) < four + 0.005);
    // No better than the bound by chance, and within a quarter of it: a Hann window's
    // overlapped frames use nine tenths of the information.
    const double ratio = of_wide.rmse() / bound(scene.array, truth, scene.snr_db, length);
    BOOST_TEST_MESSAGE("RMSE / bound "
                       << ratio << ", narrow-band "
                       << of_narrow.rmse() /
                              bound(scene.array, truth, scene.snr_db, length)
                       << ", coverage " << of_wide.coverage());
    const double chance = 3.0 / std::sqrt(2.0 * num_trials);
    BOOST_TEST(ratio > 1.0 - chance);
    BOOST_TEST(ratio < 1.2 + chance);
    // The narrow-band model does not hold: MUSIC sees that, or errs.
    BOOST_TEST(of_narrow.num_ok <= 0.1 * num_trials);
}

BOOST_AUTO_TEST_CASE(echoes_are_resolved_by_focusing_and_by_nothing_else)
{
    // The echo is late by the inverse bandwidth: in a sub-band hardly at all.
    const Eigen::VectorXd truth = degrees({ 10.0, 35.0 });
    const wideband_music_estimator focused =
        estimator(line, 2, subband_combination::coherent);
    const wideband_music_estimator added = estimator(line, 2);
    const music_estimator narrow(line, angle_grid::whole_range(line), { 2 });
    for (int trial = 0; trial < 50; ++trial) {
        wideband_scene scene(line, relative_rate, 2000, 300 + trial);
        const Eigen::VectorXcd signal = scene.white_spectrum();
        scene.add(signal, truth(0), 0.0);
        scene.add(signal, truth(1), 0.0, 1.25);
        const auto x = scene.received();
        const subband_record record(x, subbands);
        const bearing_estimate estimate =
            focused.estimate(record.covariances, record.snapshots);
        // Five deviations that uncorrelated sources would have.
        BOOST_TEST(largest_error(estimate, truth) < 5.0 * bound(line, truth, 0.0, 2000));
        BOOST_CHECK(estimate.status == status::not_identifiable);
        BOOST_TEST(!estimate.deviation.array().isFinite().any());
        BOOST_CHECK(added.estimate(record.covariances, record.snapshots).status !=
                    status::ok);
        BOOST_CHECK(narrow.estimate(sample_covariance(x), 2000).status != status::ok);
    }
}

BOOST_AUTO_TEST_CASE(a_wide_band_has_no_grating_lobes)
{
    const antenna_array sparse = antenna_array::uniform_line(6, 1.5);
    const Eigen::VectorXd truth = degrees({ 12.0 });
    wideband_scene scene(sparse, relative_rate, 4000, 6);
    scene.add(scene.white_spectrum(), truth(0), 15.0);
    const auto x = scene.received();
    const subband_record record(x, subbands);
    const bearing_estimate estimate =
        estimator(sparse, 1).estimate(record.covariances, record.snapshots);
    BOOST_CHECK(estimate.status == status::ok);
    BOOST_TEST(std::abs(estimate.azimuth(0) - truth(0)) < 4.0 * estimate.deviation(0));
    const music_estimator narrow(sparse, angle_grid::whole_range(sparse), { 1 });
    BOOST_CHECK(
        narrow.estimate(record.covariances.leftCols(6), record.snapshots).status ==
        status::not_identifiable);
}

BOOST_DATA_TEST_CASE(subbands_without_signal_or_with_bad_data_are_left_out,
                     both,
                     combination)
{
    const Eigen::VectorXd truth = degrees({ 40.0 });
    wideband_scene scene(line, relative_rate, 4000, 7);
    Eigen::VectorXcd half = scene.white_spectrum();
    for (Eigen::Index k = 0; k < half.size(); ++k) {
        half(k) *= scene.frequency(k) > 0.0 ? 1.0 : 0.0;
    }
    scene.add(half, truth(0), 10.0);
    const subband_record record(scene.received(), subbands);
    const wideband_music_estimator wide = estimator(line, 1, combination);
    Eigen::MatrixXcd covariances = record.covariances;
    const bearing_estimate whole = wide.estimate(covariances, record.snapshots);
    BOOST_CHECK(whole.status == status::ok);
    BOOST_TEST(std::abs(whole.azimuth(0) - truth(0)) < 4.0 * whole.deviation(0));
    // Half the band, half the information, as far as the data says.
    const double full = bound(line, truth, 10.0, 4000);
    BOOST_TEST(std::abs(whole.deviation(0) / (std::sqrt(2.0) * full) - 1.0) < 0.2);

    covariances.middleCols(3, 1).setConstant(
        not_a_number); // in a sub-band without signal
    const bearing_estimate without = wide.estimate(covariances, record.snapshots);
    BOOST_CHECK(without.status == status::ok);
    BOOST_TEST(std::abs(without.azimuth(0) - whole.azimuth(0)) < whole.deviation(0));
    covariances.col(8 * 12 + 1).setConstant(not_a_number); // and in one with it
    const bearing_estimate fewer = wide.estimate(covariances, record.snapshots);
    BOOST_CHECK(fewer.status == status::ok);
    BOOST_TEST(fewer.deviation(0) > without.deviation(0));

    covariances.setConstant(not_a_number);
    BOOST_CHECK(wide.estimate(covariances, record.snapshots).status == status::bad_data);
    BOOST_TEST(std::isnan(wide.estimate(covariances, 100).azimuth(0)));
}

BOOST_DATA_TEST_CASE(the_edges_of_a_signal_do_not_contradict_the_model,
                     data::make({ 0.5, 0.62, 0.8 }),
                     share)
{
    // They are somewhere in a sub-band, or at the end of the last one: what is in it is not
    // about its centre. With those sub-bands every one of these is model_mismatch.
    const Eigen::VectorXd truth = degrees({ 40.0 });
    const wideband_music_estimator wide = estimator(line, 1);
    const double snr_db = share < 0.7 ? 14.0 : 16.0;
    const int length = share < 0.7 ? 8000 : 24000;
    const int num_trials = num_arrays(30, 1000);
    trials results;
    for (int trial = 0; trial < num_trials; ++trial) {
        wideband_scene scene(line, relative_rate, length, 500 + trial);
        Eigen::VectorXcd inner = scene.white_spectrum();
        for (Eigen::Index k = 0; k < inner.size(); ++k) {
            inner(k) *= std::abs(scene.frequency(k)) < 0.5 * share ? 1.0 : 0.0;
        }
        scene.add(inner, truth(0), snr_db);
        const subband_record record(scene.received(), subbands);
        results.add(wide.estimate(record.covariances, record.snapshots), truth);
    }
    BOOST_TEST(results.num_ok >= 0.95 * num_trials);
    // As above; what is left of the edges is one percent more.
    const double four = 4.0 * std::sqrt(0.95 * 0.05 / results.num_predicted);
    BOOST_TEST(std::abs(results.coverage() - 0.95) < four + 0.015);
}

BOOST_AUTO_TEST_CASE(a_wrong_array_is_a_mismatch_whatever_is_left_out)
{
    // A tenth of a radian at one element: a hundredth of a^H a outside the signal's
    // subspace, where sampling leaves a tenth of that in a sub-band.
    calibration_state wrong;
    wrong.gains = Eigen::VectorXcd::Ones(8);
    wrong.gains(3) = std::polar(1.0, 0.1);
    const wideband_music_estimator wide = estimator(line.calibrated(wrong), 1);
    for (int trial = 0; trial < 20; ++trial) {
        wideband_scene scene(line, relative_rate, 8000, 700 + trial);
        scene.add(scene.white_spectrum(), 40.0 * degree, 14.0);
        const subband_record record(scene.received(), subbands);
        const bearing_estimate estimate =
            wide.estimate(record.covariances, record.snapshots);
        BOOST_CHECK(estimate.status == status::model_mismatch);
        BOOST_TEST(std::isnan(estimate.deviation(0)));
    }
}

BOOST_DATA_TEST_CASE(two_sources_in_half_the_band_are_no_echoes, both, combination)
{
    const Eigen::VectorXd truth = degrees({ 40.0, -15.0 });
    wideband_scene scene(line, relative_rate, 4000, 17);
    for (const double direction : truth) {
        Eigen::VectorXcd half = scene.white_spectrum();
        for (Eigen::Index k = 0; k < half.size(); ++k) {
            half(k) *= std::abs(scene.frequency(k)) < 0.25 ? 1.0 : 0.0;
        }
        scene.add(half, direction, 6.0);
    }
    const subband_record record(scene.received(), subbands);
    const bearing_estimate estimate =
        estimator(line, 2, combination).estimate(record.covariances, record.snapshots);
    BOOST_CHECK(estimate.status == status::ok);
    BOOST_TEST_REQUIRE(estimate.deviation.allFinite());
    BOOST_TEST(largest_error(estimate, truth) < 4.0 * estimate.deviation.maxCoeff());
}

BOOST_DATA_TEST_CASE(powers_add_up_over_unequal_noise, both, combination)
{
    const Eigen::VectorXd truth = degrees({ 20.0 });
    Eigen::MatrixXcd r = exact_covariances(line, truth, 10.0); // noise 1 in each
    const int n = line.num_elements();
    const Eigen::Index half = r.cols() / n / 2;
    for (Eigen::Index m = 0; m < half; ++m) {
        r.middleCols(m * n, n) += 3.0 * Eigen::MatrixXcd::Identity(n, n);
    }
    const bearing_estimate estimate = estimator(line, 1, combination).estimate(r, 100000);
    // Exact covariances: what is left out, if anything, would be half the power, 3 dB.
    const double total = 10.0 * static_cast<double>(r.cols() / n);
    const double noise = 2.5 * static_cast<double>(r.cols() / n); // the mean of 1 and 4
    BOOST_TEST(std::abs(estimate.power_db(0) - 10.0 * std::log10(total)) < 0.05);
    BOOST_TEST(std::abs(estimate.snr_db(0) - 10.0 * std::log10(total / noise)) < 0.05);
}

BOOST_DATA_TEST_CASE(noise_alone_is_no_source, both, combination)
{
    wideband_scene scene(line, relative_rate, 4000, 8);
    const subband_record record(scene.received(), subbands);
    const bearing_estimate one =
        estimator(line, 1, combination).estimate(record.covariances, record.snapshots);
    BOOST_CHECK(one.status == status::low_snr);
    BOOST_TEST(std::isnan(one.deviation(0)));
    const bearing_estimate counted =
        estimator(line, 0, combination).estimate(record.covariances, record.snapshots);
    BOOST_TEST(counted.num_sources == 0);
    BOOST_CHECK(counted.status == status::no_source);
}

BOOST_DATA_TEST_CASE(sources_are_counted, both* data::xrange(1, 4), combination, count)
{
    Eigen::VectorXd truth = degrees({ 10.0, 100.0, 220.0 }).head(count);
    wideband_scene scene(circle, relative_rate, 4000, 9);
    for (const double direction : truth) {
        scene.add(scene.white_spectrum(), direction, 8.0);
    }
    const subband_record record(scene.received(), subbands);
    const bearing_estimate estimate =
        estimator(circle, 0, combination).estimate(record.covariances, record.snapshots);
    BOOST_TEST(estimate.num_sources == count);
    BOOST_CHECK(estimate.status == status::ok);
    BOOST_TEST(largest_error(estimate, truth) < 0.5 * degree);
}

BOOST_DATA_TEST_CASE(powers_are_those_of_the_band, both, combination)
{
    const Eigen::VectorXd truth = degrees({ 20.0, -30.0 });
    wideband_scene scene(line, relative_rate, 40000, 10);
    scene.add(scene.white_spectrum(), truth(0), 12.0);
    scene.add(scene.white_spectrum(), truth(1), 6.0);
    const subband_record record(scene.received(), subbands);
    const bearing_estimate estimate =
        estimator(line, 2, combination).estimate(record.covariances, record.snapshots);
    BOOST_TEST(std::abs(estimate.azimuth(0) - truth(0)) < 0.01);
    const double share = 10.0 * std::log10(0.8);
    // A power is a mean of 32000 squares, 0.025 dB; leakage of the other source adds some.
    BOOST_TEST(std::abs(estimate.power_db(0) - 12.0 - share) < 0.15);
    BOOST_TEST(std::abs(estimate.power_db(1) - 6.0 - share) < 0.15);
    BOOST_TEST(std::abs(estimate.snr_db(0) - 12.0) < 0.15);
    BOOST_TEST(std::abs(estimate.snr_db(1) - 6.0) < 0.15);
}

BOOST_DATA_TEST_CASE(an_unknown_number_of_snapshots_predicts_nothing, both, combination)
{
    const Eigen::VectorXd truth = degrees({ 33.0 });
    const Eigen::MatrixXcd r = exact_covariances(line, truth, 10.0);
    const bearing_estimate estimate = estimator(line, 1, combination).estimate(r, 0);
    BOOST_CHECK(estimate.status == status::not_identifiable);
    BOOST_TEST(std::isnan(estimate.deviation(0)));
    BOOST_TEST(std::abs(estimate.azimuth(0) - truth(0)) < 1e-6);
    BOOST_CHECK(estimator(line, 0, combination).estimate(r, 0).status ==
                status::not_identifiable);
}

BOOST_DATA_TEST_CASE(correlated_subbands_tell_less, both, combination)
{
    const Eigen::VectorXd truth = degrees({ 10.0 });
    const Eigen::MatrixXcd r = exact_covariances(line, truth, 10.0);
    const double independent =
        estimator(line, 1, combination, {}).estimate(r, 500).deviation(0);
    const double whole = estimator(line, 1, combination, std::vector<double>(16, 1.0))
                             .estimate(r, 500)
                             .deviation(0);
    // 16 sub-bands, or one. They are alike but for their wavelengths, a tenth apart: the
    // square of that.
    BOOST_TEST(std::abs(whole / independent / 4.0 - 1.0) < 0.02);
}

BOOST_AUTO_TEST_CASE(bearings_at_the_edge_of_a_sector_are_not_made_up)
{
    // The source is outside: inside f falls towards the edge, and nothing is found.
    wideband_music_config config;
    config.num_sources = 1;
    const wideband_music_estimator sector(
        circle,
        1.0,
        frequencies(),
        angle_grid::sector(circle, 10.0 * degree, 60.0 * degree),
        config);
    const bearing_estimate estimate =
        sector.estimate(exact_covariances(circle, degrees({ 63.0 }), 20.0), 1000);
    for (const double azimuth : estimate.azimuth) {
        BOOST_TEST(!(std::abs(azimuth - 60.0 * degree) < 0.5 * degree));
    }
    BOOST_CHECK(estimate.status != status::ok);
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_refused_by_name)
{
    const angle_grid grid = angle_grid::whole_range(line);
    const auto make = [&](double center, const Eigen::VectorXd& f, int k = 1) {
        wideband_music_config config;
        config.num_sources = k;
        wideband_music_estimator(line, center, f, grid, config);
    };
    BOOST_TEST(refuses([&] { make(0.0, frequencies()); }, "center_frequency"));
    BOOST_TEST(refuses([&] { make(not_a_number, frequencies()); }, "center_frequency"));
    BOOST_TEST(refuses([&] { make(1.0, Eigen::VectorXd()); }, "frequencies"));
    BOOST_TEST(
        refuses([&] { make(1.0, Eigen::Vector3d(1.0, 0.9, 0.8)); }, "frequencies"));
    BOOST_TEST(
        refuses([&] { make(1.0, Eigen::Vector3d(0.8, 0.9, 1.1)); }, "frequencies"));
    BOOST_TEST(
        refuses([&] { make(1.0, Eigen::Vector3d(-0.1, 0.0, 0.1)); }, "frequencies"));
    BOOST_TEST(refuses([&] { make(1.0, frequencies(), 8); }, "num_sources"));
    BOOST_TEST(
        refuses([] { estimator(line, 1, subband_combination::incoherent, { 1.5 }); },
                "correlation"));
    BOOST_TEST(refuses([] { subband_combination_from_string("both"); }, "combination"));
    BOOST_TEST(
        refuses([] { estimator(line, 1).estimate(Eigen::MatrixXcd::Identity(8, 8), 10); },
                "covariances"));
}
