/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE sliding_covariance
#include "allocation_counter.h"
#include "refusals.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/covariance/sliding_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using gr::bearing::core::covariance_accumulator;
using gr::bearing::core::sliding_covariance;
using gr::bearing::core::sliding_covariance_config;
using cfloat = std::complex<float>;
using cdouble = std::complex<double>;

namespace {

// One channel a column, so that each is contiguous.
using samples = Eigen::MatrixXcf;

// Noise of channels that have a part in common, at a level that changes along the stream by
// 40 dB: windows differ from each other.
samples noise(int n, int size, unsigned seed = 1)
{
    samples x(size, n);
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    for (int t = 0; t < size; ++t) {
        const double level = std::pow(10.0, std::sin(0.01 * t));
        const cdouble common(normal(generator), normal(generator));
        for (int i = 0; i < n; ++i) {
            const cdouble own(normal(generator), normal(generator));
            x(t, i) = cfloat(level * (std::polar(1.0, 2.0 * i) * common + own));
        }
    }
    return x;
}

// sum_t weight(t) x x^H / sum_t weight(t) over samples [first, last), by the definition.
Eigen::MatrixXcd direct(
    const samples& x,
    int first,
    int last,
    const std::function<double(int)>& weight = [](int) { return 1.0; })
{
    const int n = static_cast<int>(x.cols());
    Eigen::MatrixXcd r = Eigen::MatrixXcd::Zero(n, n);
    double total = 0.0;
    for (int t = first; t < last; ++t) {
        const Eigen::VectorXcd v = x.row(t).transpose().cast<cdouble>();
        r += weight(t) * (v * v.adjoint());
        total += weight(t);
    }
    return r / total;
}

// A covariance, and how many samples had been given when it was complete.
struct found {
    int end;
    Eigen::MatrixXcd covariance;
    double num_snapshots;
};

// Gives samples [first, last) in pieces of these sizes, over and over.
std::vector<found> run(sliding_covariance& sums,
                       const samples& x,
                       int first,
                       int last,
                       const std::vector<int>& pieces = { 1 << 20 })
{
    std::vector<found> results;
    std::vector<const cfloat*> channels(x.cols());
    std::size_t piece = 0;
    while (first < last) {
        int left = std::min(pieces[piece++ % pieces.size()], last - first);
        do {
            for (int i = 0; i < x.cols(); ++i)
                channels[i] = x.data() + i * x.rows() + first;
            const int taken = static_cast<int>(sums.update(channels.data(), left));
            left -= taken;
            first += taken;
            if (sums.is_complete())
                results.push_back({ first, sums.covariance(), sums.num_snapshots() });
        } while (left > 0);
    }
    return results;
}

std::vector<found> run(int n,
                       const sliding_covariance_config& config,
                       const samples& x,
                       const std::vector<int>& pieces = { 1 << 20 })
{
    sliding_covariance sums(n, config);
    return run(sums, x, 0, static_cast<int>(x.rows()), pieces);
}

// Largest |a_ij - b_ij| / sqrt(b_ii b_jj); infinite for a NaN.
double relative_error(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& b)
{
    double worst = 0.0;
    for (int i = 0; i < b.rows(); ++i)
        for (int j = 0; j < b.cols(); ++j) {
            const double scale = std::sqrt(b(i, i).real() * b(j, j).real());
            const double error = std::abs(a(i, j) - b(i, j)) / scale;
            worst = std::isnan(error) ? INFINITY : std::max(worst, error);
        }
    return worst;
}

template <typename T>
bool hermitian_to_the_bit(const std::complex<T>* r, int n)
{
    for (int j = 0; j < n; ++j)
        for (int i = 0; i <= j; ++i) {
            const std::complex<T> upper = r[i + j * n];
            std::complex<T> expected = std::conj(upper);
            if (i == j)
                expected.imag(T(0));
            if (std::memcmp(&expected, &r[j + i * n], sizeof(expected)) != 0)
                return false;
        }
    return true;
}

// What covariance_accumulator promises for any signal; hops are added in double.
constexpr double stated_error = 3e-6;

const std::vector<std::vector<int>> splits = {
    { 1 << 20 }, { 1 }, { 7, 1, 64, 0, 33 }, { 100 }, { 101, 99 }
};

struct window {
    int snapshots, hop;
};
std::ostream& operator<<(std::ostream& out, const window& w)
{
    return out << w.snapshots << "/" << w.hop;
}
const window windows[] = { { 100, 100 }, { 100, 50 }, { 100, 20 }, { 96, 1 },
                           { 7, 1 },     { 1, 1 },    { 2, 1 },    { 129, 43 } };

} // namespace

BOOST_DATA_TEST_CASE(windows_are_those_of_the_definition,
                     data::make(windows) * data::make({ 1, 2, 5, 8, 17, 64 }),
                     w,
                     n)
{
    // Several rounds of the queue of hops, and a rest.
    const int size = n > 8 ? 333 : 777;
    const samples x = noise(n, size);
    sliding_covariance_config config;
    config.snapshots = w.snapshots;
    config.hop = w.hop;
    for (const auto& pieces : splits) {
        const std::vector<found> results = run(n, config, x, pieces);
        BOOST_REQUIRE(static_cast<int>(results.size()) ==
                      (size - w.snapshots) / w.hop + 1);
        int end = w.snapshots;
        double worst = 0.0;
        for (const found& result : results) {
            BOOST_REQUIRE(result.end == end);
            worst = std::max(
                worst,
                relative_error(result.covariance, direct(x, end - w.snapshots, end)));
            BOOST_REQUIRE(hermitian_to_the_bit(result.covariance.data(), n));
            BOOST_REQUIRE(result.num_snapshots == w.snapshots);
            end += w.hop;
        }
        BOOST_TEST(worst < stated_error);
        if (n > 8)
            break; // how calls are split matters to no size in particular
    }
}

BOOST_AUTO_TEST_CASE(a_hop_of_0_is_windows_side_by_side_as_the_accumulator_makes_them)
{
    const samples x = noise(5, 1000);
    sliding_covariance_config config;
    config.snapshots = 300;
    const std::vector<found> results = run(5, config, x);
    BOOST_REQUIRE(results.size() == 3u);
    for (int k = 0; k < 3; ++k) {
        covariance_accumulator accumulator(5);
        std::vector<const cfloat*> channels(5);
        for (int i = 0; i < 5; ++i)
            channels[i] = x.data() + i * x.rows() + 300 * k;
        accumulator.update(channels.data(), 300);
        BOOST_TEST((results[k].covariance == accumulator.covariance()));
    }
    sliding_covariance sums(5, config);
    BOOST_TEST(sums.config().hop == 300u);
}

BOOST_AUTO_TEST_CASE(single_precision_is_the_same_matrix_rounded_once)
{
    for (const double forgetting : { 0.0, 0.7 }) {
        sliding_covariance_config config;
        config.snapshots = 50;
        config.hop = forgetting > 0.0 ? 0 : 10;
        config.forgetting = forgetting;
        sliding_covariance sums(5, config);
        const samples x = noise(5, 500);
        run(sums, x, 0, 500);
        BOOST_REQUIRE(sums.is_complete());
        Eigen::MatrixXcf r(5, 5);
        sums.covariance(r.data());
        BOOST_TEST((r == sums.covariance().cast<cfloat>()));
        BOOST_TEST(hermitian_to_the_bit(r.data(), 5));
    }
}

BOOST_DATA_TEST_CASE(bad_samples_leave_with_their_hop,
                     data::make({ std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity(),
                                  // finite, and 10^30 of the power around it
                                  1e15f }) *
                         data::make({ 0, 95, 160, 199 }),
                     bad_value,
                     position)
{
    constexpr int n = 4, snapshots = 100, hop = 10, bad = 2;
    samples x = noise(n, 600);
    x(position, bad) = bad_value;
    sliding_covariance_config config;
    config.snapshots = snapshots;
    config.hop = hop;
    for (const found& result : run(n, config, x)) {
        const bool holds = result.end - snapshots <= position && position < result.end;
        const Eigen::MatrixXcd expected = direct(x, result.end - snapshots, result.end);
        if (!holds) {
            // A sum from which the sample had been subtracted would have lost it all.
            BOOST_TEST(relative_error(result.covariance, expected) < stated_error);
            continue;
        }
        if (std::isfinite(bad_value)) {
            BOOST_TEST(std::abs(result.covariance(bad, bad) / expected(bad, bad) - 1.0) <
                       stated_error);
            continue;
        }
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j) {
                const cdouble r = result.covariance(i, j);
                BOOST_TEST((std::isfinite(r.real()) && std::isfinite(r.imag())) ==
                           (i != bad && j != bad));
            }
    }
}

BOOST_AUTO_TEST_CASE(nothing_drifts_in_a_long_stream)
{
    // A hundred thousand windows of a signal whose level falls by 200 dB half-way: whatever
    // were left over of the loud part would show.
    constexpr int n = 2, snapshots = 64, hop = 4, size = 400000;
    samples x = noise(n, size);
    x.bottomRows(size / 2) *= 1e-10f;
    sliding_covariance_config config;
    config.snapshots = snapshots;
    config.hop = hop;
    const std::vector<found> results = run(n, config, x, { 4096 });
    BOOST_REQUIRE(results.size() == (size - snapshots) / hop + 1u);
    double worst = 0.0;
    for (std::size_t k = 0; k < results.size(); k += 501) {
        const int end = results[k].end;
        worst = std::max(
            worst,
            relative_error(results[k].covariance, direct(x, end - snapshots, end)));
    }
    BOOST_TEST(worst < stated_error);
}

BOOST_DATA_TEST_CASE(forgetting_is_that_of_the_definition,
                     data::make({ 0.1, 0.5, 0.9, 0.99 }) * data::make({ 1, 5, 8, 33 }),
                     b,
                     n)
{
    constexpr int snapshots = 20;
    const int size = n > 8 ? 410 : 1010;
    const samples x = noise(n, size);
    sliding_covariance_config config;
    config.snapshots = snapshots;
    config.forgetting = b;
    for (const auto& pieces : splits) {
        const std::vector<found> results = run(n, config, x, pieces);
        BOOST_REQUIRE(static_cast<int>(results.size()) == size / snapshots);
        double worst = 0.0;
        for (std::size_t k = 0; k < results.size(); ++k) {
            const int end = snapshots * static_cast<int>(k + 1);
            BOOST_REQUIRE(results[k].end == end);
            const Eigen::MatrixXcd expected = direct(x, 0, end, [&](int t) {
                return std::pow(b, static_cast<double>(k) - t / snapshots);
            });
            worst = std::max(worst, relative_error(results[k].covariance, expected));
            BOOST_REQUIRE(hermitian_to_the_bit(results[k].covariance.data(), n));
            // Both sums of the definition are geometric.
            const double past = std::pow(b, k + 1.0);
            const double closed =
                snapshots * (1.0 + b) * (1.0 - past) / ((1.0 - b) * (1.0 + past));
            // A recursion of k steps of a few roundings each, and 1 - b amplifies.
            BOOST_TEST(std::abs(results[k].num_snapshots / closed - 1.0) < 1e-12);
        }
        BOOST_TEST(worst < stated_error);
        if (n > 8)
            break;
    }
}

BOOST_DATA_TEST_CASE(forgetting_leaves_windows_with_bad_samples_out,
                     data::make({ std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity(),
                                  // its square is beyond float
                                  3e19f }),
                     bad_value)
{
    constexpr int n = 3, snapshots = 10, bad = 1, bad_window = 4;
    constexpr double b = 0.8;
    samples x = noise(n, 200);
    samples clean = x;
    x(bad_window * snapshots + 3, bad) = bad_value;
    clean.middleRows(bad_window * snapshots, snapshots).setZero();
    sliding_covariance_config config;
    config.snapshots = snapshots;
    config.forgetting = b;
    const std::vector<found> results = run(n, config, x);
    for (int k = 0; k < 20; ++k) {
        const Eigen::MatrixXcd& r = results[k].covariance;
        double sum = 0.0, square = 0.0;
        const auto weight = [&](int t) {
            const int window = t / snapshots;
            // It counts in its own covariance only.
            return window == bad_window && k != bad_window ? 0.0
                                                           : std::pow(b, k - window);
        };
        for (int t = 0; t < (k + 1) * snapshots; ++t) {
            sum += weight(t);
            square += weight(t) * weight(t);
        }
        BOOST_TEST(std::abs(results[k].num_snapshots / (sum * sum / square) - 1.0) <
                   1e-12);
        if (k == bad_window) {
            BOOST_TEST(!std::isfinite(r(bad, bad).real()));
            BOOST_TEST(std::isfinite(r(0, 0).real()));
            BOOST_TEST(std::isfinite(std::abs(r(0, 2))));
        } else {
            BOOST_TEST(relative_error(r, direct(clean, 0, (k + 1) * snapshots, weight)) <
                       stated_error);
        }
    }
}

BOOST_AUTO_TEST_CASE(forgetting_goes_on_around_a_channel_that_is_always_bad)
{
    samples x = noise(3, 200);
    x.col(0).setConstant(cfloat(std::numeric_limits<float>::quiet_NaN(), 0.0f));
    sliding_covariance_config config;
    config.snapshots = 10;
    config.forgetting = 0.8;
    for (const found& result : run(3, config, x)) {
        BOOST_TEST(relative_error(result.covariance.bottomRightCorner(2, 2),
                                  direct(x.rightCols(2), result.end - 10, result.end)) <
                   stated_error);
        BOOST_TEST(result.num_snapshots == 10.0);
    }
}

BOOST_AUTO_TEST_CASE(predicted_deviations_hold_with_the_number_of_snapshots_it_tells)
{
    namespace core = gr::bearing::core;
    constexpr int snapshots = 64, num_windows = 15, trials = 3000;
    constexpr double b = 0.8, azimuth = 0.7;
    const core::antenna_array array = core::antenna_array::uniform_circle(5, 0.25);
    core::music_config music;
    music.num_sources = 1;
    const core::music_estimator estimator(
        array, core::angle_grid::whole_range(array, 64), music);
    sliding_covariance_config config;
    config.snapshots = snapshots;
    config.forgetting = b;
    sliding_covariance sums(5, config);
    int covered = 0, published = 0;
    for (int trial = 0; trial < trials; ++trial) {
        const samples x = core::simulate(array,
                                         Eigen::VectorXd::Constant(1, azimuth),
                                         Eigen::VectorXd::Constant(1, 0.0),
                                         snapshots * num_windows,
                                         trial)
                              .transpose();
        sums.reset();
        const found last = run(sums, x, 0, static_cast<int>(x.rows())).back();
        const core::bearing_estimate estimate = estimator.estimate(
            last.covariance, static_cast<std::size_t>(std::lround(last.num_snapshots)));
        if (!std::isfinite(estimate.deviation(0)))
            continue;
        ++published;
        covered += std::abs(estimate.azimuth(0) - azimuth) < 1.96 * estimate.deviation(0);
    }
    BOOST_REQUIRE(published > 0.99 * trials);
    const double coverage = static_cast<double>(covered) / published;
    BOOST_TEST_MESSAGE("coverage " << coverage);
    // The count of a binomial of 0.95 has a deviation of 0.004: five of them. Counting all
    // 960 snapshots would cover 0.86, the newest 64 all.
    BOOST_TEST(coverage > 0.93);
    BOOST_TEST(coverage < 0.97);
}

BOOST_AUTO_TEST_CASE(reset_forgets_everything)
{
    const samples x = noise(3, 500);
    for (const double forgetting : { 0.0, 0.5 }) {
        for (const int given : { 35, 40, 170 }) {
            sliding_covariance_config config;
            config.snapshots = 40;
            config.hop = forgetting > 0.0 ? 0 : 10;
            config.forgetting = forgetting;
            sliding_covariance used(3, config), fresh(3, config);
            run(used, x, 0, given);
            used.reset();
            BOOST_TEST(!used.is_complete());
            const std::vector<found> a = run(used, x, 200, 500),
                                     b = run(fresh, x, 200, 500);
            BOOST_REQUIRE(a.size() == b.size());
            for (std::size_t k = 0; k < a.size(); ++k) {
                BOOST_TEST((a[k].covariance == b[k].covariance));
                BOOST_TEST(a[k].num_snapshots == b[k].num_snapshots);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(resume_keeps_the_samples_of_an_unfinished_hop_that_fit)
{
    const samples x = noise(2, 400);
    sliding_covariance_config old_config;
    old_config.snapshots = 100;
    // 150 samples: 50 of the second window.
    const struct {
        int snapshots, hop, first_end;
    } cases[] = { { 80, 80, 180 },  { 50, 50, 150 },  { 30, 30, 180 },
                  { 100, 50, 200 }, { 120, 60, 220 }, { 100, 20, 250 } };
    for (const auto& c : cases) {
        sliding_covariance_config config;
        config.snapshots = c.snapshots;
        config.hop = c.hop;
        sliding_covariance before(2, old_config), after(2, config);
        run(before, x, 0, 150);
        after.resume(before);
        std::vector<found> results;
        if (after.is_complete())
            results.push_back({ 150, after.covariance(), after.num_snapshots() });
        for (const found& result : run(after, x, 150, 400))
            results.push_back(result);
        int end = c.first_end;
        for (const found& result : results) {
            BOOST_TEST(result.end == end);
            BOOST_TEST(relative_error(result.covariance,
                                      direct(x, end - c.snapshots, end)) < stated_error);
            end += c.hop;
        }
        BOOST_TEST(end > 400);
    }
    // A window that was just completed has been told of and is not told of again.
    sliding_covariance before(2, old_config), after(2, old_config);
    run(before, x, 0, 200);
    after.resume(before);
    BOOST_TEST(!after.is_complete());
    BOOST_TEST(run(after, x, 200, 400).front().end == 300);
}

BOOST_AUTO_TEST_CASE(resume_keeps_what_forgetting_remembers)
{
    const samples x = noise(2, 400);
    sliding_covariance_config old_config;
    old_config.snapshots = 50;
    old_config.forgetting = 0.5;
    sliding_covariance_config config;
    config.snapshots = 40;
    config.forgetting = 0.9;
    sliding_covariance before(2, old_config), after(2, config);
    run(before, x, 0, 220); // four windows of 50, and 20 samples
    after.resume(before);
    const std::vector<found> results = run(after, x, 220, 400);
    BOOST_REQUIRE(results.size() == 5u);
    for (int k = 0; k < 5; ++k) {
        const auto weight = [&](int t) {
            return t >= 200 ? std::pow(0.9, k - (t - 200) / 40)
                            : std::pow(0.9, k + 1) * std::pow(0.5, 3 - t / 50);
        };
        double sum = 0.0, square = 0.0;
        for (int t = 0; t < 240 + 40 * k; ++t) {
            sum += weight(t);
            square += weight(t) * weight(t);
        }
        BOOST_TEST(results[k].end == 240 + 40 * k);
        BOOST_TEST(relative_error(results[k].covariance,
                                  direct(x, 0, 240 + 40 * k, weight)) < stated_error);
        BOOST_TEST(std::abs(results[k].num_snapshots / (sum * sum / square) - 1.0) <
                   1e-12);
    }
    // Without forgetting nothing is remembered.
    sliding_covariance_config plain;
    plain.snapshots = 40;
    sliding_covariance later(2, plain);
    later.resume(before);
    const found first = run(later, x, 220, 240).front();
    BOOST_TEST(relative_error(first.covariance, direct(x, 200, 240)) < stated_error);
    BOOST_TEST(first.num_snapshots == 40.0);
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_after_construction)
{
    const samples x = noise(5, 2000);
    std::vector<const cfloat*> channels(5);
    for (int i = 0; i < 5; ++i)
        channels[i] = x.data() + i * x.rows();
    std::vector<cfloat> out(25);
    for (const double forgetting : { 0.0, 0.5 }) {
        for (const int hop : { 0, 10 }) {
            if (hop > 0 && forgetting > 0.0)
                continue;
            sliding_covariance_config config;
            config.snapshots = 40;
            config.hop = hop;
            config.forgetting = forgetting;
            sliding_covariance sums(5, config), other(5, config);
            const std::uint64_t before = allocation_counter::count;
            std::size_t done = 0;
            while (done < 2000) {
                const std::vector<const cfloat*>& p = channels;
                done += sums.update(p.data(), std::min<std::size_t>(33, 2000 - done));
                if (sums.is_complete())
                    sums.covariance(out.data());
            }
            other.resume(sums);
            sums.reset();
            BOOST_TEST(allocation_counter::count == before);
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_what_does_not_go_together)
{
    const auto make = [](std::size_t snapshots, std::size_t hop, double forgetting) {
        return [=] {
            sliding_covariance_config config;
            config.snapshots = snapshots;
            config.hop = hop;
            config.forgetting = forgetting;
            sliding_covariance(4, config);
        };
    };
    BOOST_TEST(refuses(make(0, 0, 0.0), "snapshots is 0;"));
    BOOST_TEST(refuses(make(100, 30, 0.0), "hop is 30 and snapshots is 100;"));
    BOOST_TEST(refuses(make(100, 200, 0.0), "hop is 200 and snapshots is 100;"));
    BOOST_TEST(refuses(make(1025, 1, 0.0), "at most 1024 hops"));
    BOOST_TEST(
        refuses(make(100, 50, 0.5), "hop is 50 of 100 snapshots and forgetting is 0.5"));
    for (const double forgetting : { -0.1, 1.0, 1.5, double(NAN), double(INFINITY) })
        BOOST_TEST(refuses(make(100, 0, forgetting), "forgetting is "));
    BOOST_TEST(refuses([] { sliding_covariance(0); }, "num_elements is 0"));
    BOOST_TEST(refuses([] { sliding_covariance(65); }, "num_elements is 65"));
    BOOST_CHECK_NO_THROW(make(1024, 1, 0.0)());
    BOOST_CHECK_NO_THROW(make(100, 100, 0.5)());
    BOOST_CHECK_NO_THROW(make(100, 0, 0.999999)());
}
