/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE subband_covariance
#include "refusals.h"
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing::core;
using cfloat = std::complex<float>;
using cdouble = std::complex<double>;
using samples = Eigen::Matrix<cfloat, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace {

samples noise(int n, int length, unsigned seed)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0f, std::sqrt(0.5f));
    samples x(n, length);
    for (int t = 0; t < length; ++t) {
        for (int i = 0; i < n; ++i) {
            x(i, t) = cfloat(normal(generator), normal(generator));
        }
    }
    return x;
}

void update(subband_accumulator& r, const samples& x, int first, int count)
{
    std::vector<const cfloat*> channels(x.rows());
    for (int i = 0; i < x.rows(); ++i) {
        channels[i] = x.row(i).data() + first;
    }
    r.update(channels.data(), count);
}

// R_m by its definition: every frame's Fourier integral at the sub-band's frequency, term
// by term, in double.
Eigen::MatrixXcd
by_definition(const samples& x, const subband_config& config, int subband)
{
    const int length = subband_frame_length(config);
    const double frequency = subband_frequencies(config, 1.0)(subband);
    Eigen::VectorXcd kernel(length);
    for (int k = 0; k < length; ++k) {
        const double sine = std::sin(M_PI * k / length);
        kernel(k) = std::polar(sine * sine, -2.0 * M_PI * frequency * k);
    }
    kernel /= kernel.norm() * std::sqrt(length);
    Eigen::MatrixXcd r = Eigen::MatrixXcd::Zero(x.rows(), x.rows());
    int frames = 0;
    for (int start = 0; start + length <= x.cols(); start += length / 2, ++frames) {
        const Eigen::VectorXcd bin = x.middleCols(start, length).cast<cdouble>() * kernel;
        r += bin * bin.adjoint();
    }
    return r / frames;
}

// Transforms of a few hundred floats and products of them, each good to 6e-8.
constexpr double rounding = 1e-6;

} // namespace

BOOST_DATA_TEST_CASE(matches_its_definition,
                     data::make({ 3, 8, 15, 16 }) * data::make({ 100, 2000, 5001 }),
                     num_subbands,
                     length)
{
    const subband_config config{ num_subbands, 0.8 };
    const samples x = noise(3, length, 7);
    subband_accumulator r(3, config);
    update(r, x, 0, length);
    const Eigen::MatrixXcd all = r.covariance();
    BOOST_REQUIRE(all.cols() == 3 * num_subbands);
    std::vector<cfloat> item(all.size());
    r.covariance(item.data());
    for (int m = 0; m < num_subbands; ++m) {
        const Eigen::MatrixXcd own = all.middleCols(3 * m, 3);
        const Eigen::MatrixXcd oracle = by_definition(x, config, m);
        BOOST_TEST((own - oracle).norm() <= rounding * oracle.norm());
        BOOST_TEST((own == own.adjoint()));
        const Eigen::Map<const Eigen::MatrixXcf> written(item.data() + 9 * m, 3, 3);
        BOOST_TEST((written.cast<cdouble>() - own).norm() <= rounding * own.norm());
    }
}

BOOST_AUTO_TEST_CASE(how_samples_are_split_into_calls_makes_no_difference)
{
    const samples x = noise(2, 30000, 8);
    subband_accumulator whole(2, {});
    subband_accumulator pieces(2, {});
    update(whole, x, 0, 30000);
    std::mt19937 generator(9);
    for (int first = 0; first < 30000;) {
        const int count =
            std::min<int>(30000 - first, generator() % 3 == 0 ? 1 : generator() % 4000);
        update(pieces, x, first, count);
        first += count;
    }
    BOOST_TEST(pieces.num_frames() == whole.num_frames());
    BOOST_TEST((pieces.covariance() - whole.covariance()).norm() <=
               rounding * whole.covariance().norm());
}

BOOST_AUTO_TEST_CASE(after_a_reset_nothing_is_left_of_what_was)
{
    const samples x = noise(2, 3000, 10);
    subband_accumulator fresh(2, {});
    subband_accumulator used(2, {});
    update(used, x, 0, 1234);
    used.reset();
    BOOST_TEST(used.num_frames() == 0u);
    BOOST_TEST(used.covariance().isZero(0.0));
    update(used, x, 1000, 2000);
    update(fresh, x, 1000, 2000);
    BOOST_TEST((used.covariance() == fresh.covariance()));
}

BOOST_DATA_TEST_CASE(a_tone_is_in_its_own_subband, data::make({ 9, 16 }), num_subbands)
{
    // At a bin's centre a Hann window's spectrum is 1, 1/2 and 0 at distances of 0, 1 and
    // more, over an energy of 3/2 bins.
    const subband_config config{ num_subbands, 0.8 };
    const Eigen::VectorXd frequency = subband_frequencies(config, 1.0);
    const int tone = num_subbands / 2 + 2;
    samples x(1, 4000);
    for (int t = 0; t < x.cols(); ++t) {
        x(0, t) = cfloat(std::polar(2.0, 2.0 * M_PI * frequency(tone) * t));
    }
    subband_accumulator r(1, config);
    update(r, x, 0, x.cols());
    const Eigen::MatrixXcd power = r.covariance();
    for (int m = 0; m < num_subbands; ++m) {
        const int distance = std::abs(m - tone);
        const double share = distance == 0 ? 1.0 : distance == 1 ? 0.25 : 0.0;
        BOOST_TEST(std::abs(power(0, m).real() - 4.0 * share / 1.5) < 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(frequencies_lie_evenly_about_the_centre_within_the_bandwidth)
{
    for (const int m : { 3, 4, 7, 16, 100 }) {
        for (const double bandwidth : { 0.1, 0.5, 0.8, 1.0 }) {
            const subband_config config{ m, bandwidth };
            const Eigen::VectorXd f = subband_frequencies(config, 2e6);
            const double step = 2e6 / subband_frame_length(config);
            BOOST_TEST((f + f.reverse()).cwiseAbs().maxCoeff() < 1e-6);
            BOOST_TEST(std::abs(f(1) - f(0) - step) < 1e-6);
            // Edges of the outer sub-bands.
            BOOST_TEST(f(m - 1) + step / 2.0 <= bandwidth * 1e6 * (1.0 + 1e-9));
        }
    }
    BOOST_TEST(subband_frame_length({ 16, 0.8 }) == 20);
}

BOOST_AUTO_TEST_CASE(subbands_of_the_whole_band_add_up_to_its_covariance)
{
    const samples x = noise(2, 40000, 11);
    subband_accumulator r(2, { 16, 1.0 });
    update(r, x, 0, x.cols());
    const Eigen::MatrixXcd all = r.covariance();
    Eigen::Matrix2cd sum = Eigen::Matrix2cd::Zero();
    for (int m = 0; m < 16; ++m) {
        sum += all.middleCols(2 * m, 2);
    }
    const Eigen::MatrixXcd whole =
        x.cast<cdouble>() * x.cast<cdouble>().adjoint() / x.cols();
    // The Hann windows of half overlapped frames weight all samples alike but those of the
    // first and last half frame; their squares, between 1/2 and 1 of that: five deviations
    // of 1/sqrt(40000).
    BOOST_TEST((sum - whole).cwiseAbs().maxCoeff() < 0.025);
}

BOOST_AUTO_TEST_CASE(frames_amount_to_as_many_snapshots_and_subbands_correlate_as_stated)
{
    // The mean of |X|^2 of K independent snapshots has relative variance 1/K. 4000 trials
    // give it to sqrt(2/4000) = 2.2 %, a correlation of 0 to 1.6 %, averaged over 16
    // sub-bands to a half of that at least: bounds of four deviations.
    const subband_config config{ 16, 0.8 };
    constexpr int trials = 4000;
    constexpr int frames = 12;
    const int length = (frames + 1) * subband_frame_length(config) / 2;
    const samples x = noise(1, length * trials, 12);
    Eigen::MatrixXd power(trials, 16);
    subband_accumulator r(1, config);
    for (int trial = 0; trial < trials; ++trial) {
        r.reset();
        update(r, x, trial * length, length);
        BOOST_REQUIRE(r.num_frames() == static_cast<std::size_t>(frames));
        power.row(trial) = r.covariance().real();
    }
    const Eigen::RowVectorXd mean = power.colwise().mean();
    const Eigen::MatrixXd relative =
        (power.rowwise() - mean).array().rowwise() / mean.array();
    const Eigen::MatrixXd errors = relative.transpose() * relative / (trials - 1);
    const double variance = errors.diagonal().mean();
    BOOST_TEST(std::abs(variance * subband_snapshots(frames) - 1.0) < 0.045);
    // What is stated holds for many frames; the first and last of twelve lack a neighbour.
    for (int distance = 1; distance < 6; ++distance) {
        const double correlation = errors.diagonal(distance).mean() / variance;
        BOOST_TEST(std::abs(correlation - subband_correlation(distance)) < 0.03);
    }
}

BOOST_AUTO_TEST_CASE(bad_samples_stay_in_their_channel)
{
    samples x = noise(3, 4000, 13);
    x(1, 777) = cfloat(std::numeric_limits<float>::quiet_NaN(), 0.0f);
    subband_accumulator r(3, {});
    update(r, x, 0, x.cols());
    const Eigen::MatrixXcd all = r.covariance();
    for (int j = 0; j < all.cols(); ++j) {
        for (int i = 0; i < 3; ++i) {
            const bool is_bad = i == 1 || j % 3 == 1;
            BOOST_TEST(std::isnan(all(i, j).real()) == is_bad);
        }
    }
    // Gone with the samples.
    r.reset();
    update(r, x, 1000, 3000);
    BOOST_TEST(r.covariance().allFinite());
}

BOOST_AUTO_TEST_CASE(wrong_parameters_are_refused_by_name)
{
    BOOST_TEST(refuses([] { subband_accumulator(0, {}); }, "num_elements"));
    BOOST_TEST(refuses([] { subband_accumulator(65, {}); }, "num_elements"));
    BOOST_TEST(refuses([] { subband_accumulator(2, { 2, 0.8 }); }, "num_subbands"));
    BOOST_TEST(refuses([] { subband_accumulator(2, { 1025, 0.8 }); }, "num_subbands"));
    for (const double bandwidth : { 0.0, -0.1, 1.01, std::nan(""), 1e-6 }) {
        BOOST_TEST(refuses(
            [=] {
                subband_accumulator(2, { 16, bandwidth });
            },
            "bandwidth"));
    }
    BOOST_TEST(refuses([] { subband_frequencies({}, 0.0); }, "sample_rate"));
}
