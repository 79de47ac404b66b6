/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE propagator_stream
#include "dispersive_line.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/propagation/propagator_ls.h>
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <type_traits>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <vector>

using namespace gr::bearing::core;

// Every allocation, Eigen's and operator new's, ends in malloc.
extern "C" void* __libc_malloc(std::size_t size);
namespace {
std::atomic<long> num_allocations{ 0 };
} // namespace
extern "C" void* malloc(std::size_t size)
{
    ++num_allocations;
    return __libc_malloc(size);
}

namespace {

constexpr double rate = 1000.0;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
// Samples from which on an adaptive stream is judged, and which of a record's circle the
// stream does not see: delays of up to 1800 samples, at both ends.
constexpr Eigen::Index settled = 40000;
constexpr Eigen::Index circle = 4000;

template <class Sample>
using wide =
    std::conditional_t<std::is_same<Sample, float>::value, double, std::complex<double>>;
template <class Scalar>
using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

template <class Sample>
struct estimates {
    matrix<Sample> signal; // T x N
    matrix<Sample> source; // T x K
};

// Writes and reads in random portions of up to so many samples, and ends the stream.
template <class Sample>
estimates<Sample> run(propagator_stream<Sample>& stream,
                      const matrix<wide<Sample>>& data,
                      unsigned seed = 1,
                      int largest = 9000)
{
    const matrix<Sample> samples = data.template cast<Sample>();
    const Eigen::Index total = samples.rows();
    estimates<Sample> result{ matrix<Sample>::Zero(total, stream.num_sensors()),
                              matrix<Sample>::Zero(total, stream.num_sources()) };
    std::mt19937 random(seed);
    Eigen::Index written = 0;
    Eigen::Index read = 0;
    bool is_finished = false;
    std::vector<const Sample*> in(stream.num_sensors());
    std::vector<Sample*> out(stream.num_sensors());
    std::vector<Sample*> sources(stream.num_sources());
    while (!is_finished || stream.available() > 0) {
        for (std::size_t i = 0; i < in.size(); ++i) {
            in[i] = samples.col(i).data() + written;
        }
        const std::size_t waiting = stream.available();
        const std::size_t portion =
            std::min<std::size_t>(random() % largest, total - written);
        const std::size_t taken = stream.write(in.data(), portion);
        if (!is_finished && portion > 0 && taken == 0) {
            BOOST_TEST_REQUIRE(waiting >= static_cast<std::size_t>(stream.hop()));
        }
        written += taken;
        if (!is_finished && written == total) {
            stream.finish();
            is_finished = true;
            BOOST_TEST_REQUIRE(static_cast<Eigen::Index>(stream.available()) ==
                               total - read);
        }
        if (!is_finished) {
            BOOST_TEST_REQUIRE(static_cast<Eigen::Index>(stream.available()) + read +
                                   stream.latency() >=
                               written);
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = result.signal.col(i).data() + read;
        }
        for (std::size_t k = 0; k < sources.size(); ++k) {
            sources[k] = result.source.col(k).data() + read;
        }
        read += stream.read(out.data(),
                            sources.data(),
                            std::min<std::size_t>(random() % largest, total - read));
    }
    BOOST_TEST_REQUIRE(read == total);
    return result;
}

// dB, between samples from and total - circle.
template <class A, class B>
double error_db(const A& estimate, const B& truth, Eigen::Index from = circle)
{
    const Eigen::Index count = truth.rows() - circle - from;
    return nmse_db(
        estimate.template cast<typename B::Scalar>().middleRows(from, count).eval(),
        truth.middleRows(from, count));
}

propagator_stream_config blocks_of(int block_length, int support = 0)
{
    propagator_stream_config config;
    config.block_length = block_length;
    config.support = support;
    return config;
}

constexpr Eigen::Index long_record = 200000;

const line_record<double>& reference()
{
    static const line_record<double> record = dispersive_line().simulate(long_record, 1);
    return record;
}

propagator_ls_config knowing(const line_record<double>& record)
{
    propagator_ls_config config;
    config.source_psd = record.source_psd;
    config.noise_psd = record.noise_psd;
    return config;
}

bool complains(const std::string& word, const std::invalid_argument& error)
{
    return std::string(error.what()).find(word) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_CASE(fixed_filters_give_what_the_whole_record_gives)
{
    const dispersive_line line;
    const line_record<double>& record = reference();
    propagator_ls_config ls;
    ls.mode = ls_mode::ls;
    const Eigen::MatrixXd batch =
        propagator_ls(record.data, rate, { line.propagator() }, ls).signal;

    propagator_stream_config config = blocks_of(8192, 1900);
    config.align = false;
    config.estimate = ls;
    propagator_stream<float> wide(rate, { line.propagator() }, config);
    BOOST_TEST(wide.support() == 1900);
    BOOST_TEST(wide.hop() == 8192 - 2 * 1900);
    const double wide_error = error_db(run(wide, record.data).signal, batch);
    BOOST_TEST_MESSAGE("M 8192, L 1900: " << wide_error << " dB");
    BOOST_TEST(wide_error < -80.0);

    // Delays of up to 1800 samples do not fit into 1024: what is cut off shows.
    config.block_length = 4096;
    config.support = 1024;
    propagator_stream<float> narrow(rate, { line.propagator() }, config);
    const double narrow_error = error_db(run(narrow, record.data).signal, batch);
    BOOST_TEST_MESSAGE("M 4096, L 1024: " << narrow_error << " dB");
    BOOST_TEST(narrow_error > -25.0);

    // They do after alignment.
    config.align = true;
    config.support = 0;
    propagator_stream<float> aligned(rate, { line.propagator() }, config);
    BOOST_TEST(aligned.support() < 1024);
    const double aligned_error = error_db(run(aligned, record.data).signal, batch);
    BOOST_TEST_MESSAGE("M 4096, aligned, L " << aligned.support() << ": " << aligned_error
                                             << " dB");
    BOOST_TEST(aligned_error < -80.0);
}

BOOST_AUTO_TEST_CASE(adaptive_filters_come_near_the_oracle_and_the_whole_record)
{
    const dispersive_line line;
    const line_record<double>& record = reference();
    const std::vector<propagator> p{ line.propagator() };
    const Eigen::MatrixXd batch = propagator_ls(record.data, rate, p).signal;
    const Eigen::MatrixXd oracle =
        propagator_ls(record.data, rate, p, knowing(record)).signal;

    propagator_stream<float> stream(rate, p, blocks_of(8192));
    BOOST_CHECK(stream.status() == status::learning);
    const estimates<float> found = run(stream, record.data);
    BOOST_CHECK(stream.status() == status::ok);
    const double gap = error_db(found.signal, record.signal, settled) -
                       error_db(oracle, record.signal, settled);
    BOOST_TEST_MESSAGE("above the oracle: " << gap << " dB");
    BOOST_TEST(gap < 0.1);
    // s0 is what the first sensor would have, and has the same bits.
    BOOST_TEST((found.source.array() == found.signal.col(0).array()).all());

    propagator_stream_config slow = blocks_of(8192);
    slow.averaging = 16.0;
    propagator_stream<float> average(rate, p, slow);
    const matrix<float> signal = run(average, record.data).signal;
    const double all = error_db(signal, batch, settled);
    const double first = error_db(signal.col(0).eval(), batch.col(0).eval(), settled);
    BOOST_TEST_MESSAGE("from the whole record: " << all << ", first sensor " << first
                                                 << " dB");
    BOOST_TEST(all < -45.0);
    BOOST_TEST(first < -40.0);

    // Densities as they are: noise white, source Butterworth. Averages of 16 blocks over
    // boxes of 21 bins and more, five of which are alike, are within 0.3 of the truth by
    // four deviations or more.
    const stream_spectra spectra = average.spectra();
    const Eigen::VectorXd truth = line.source_density(spectra.frequency);
    for (const Eigen::Index k : { 20, 60, 100 }) {
        BOOST_TEST(std::abs(spectra.source_psd(k, 0) / truth(k) - 1.0) < 0.3);
    }
    const double noise = std::pow(line.noise_deviation, 2) / rate;
    BOOST_TEST(std::abs(spectra.noise_psd.mean() / noise - 1.0) < 0.05);
}

BOOST_AUTO_TEST_CASE(any_split_gives_the_same_bits)
{
    const dispersive_line line;
    const Eigen::MatrixXd data = reference().data.topRows(50000);
    propagator_stream_config config = blocks_of(4096);
    config.estimate.noise = sensor_noise::per_sensor;
    propagator_stream<float> one(rate, { line.propagator() }, config);
    const estimates<float> expected = run(one, data, 1, 60000);
    for (const int largest : { 37, 3000 }) {
        propagator_stream<float> other(rate, { line.propagator() }, config);
        const estimates<float> found = run(other, data, 2, largest);
        BOOST_TEST((found.signal.array() == expected.signal.array()).all());
        BOOST_TEST((found.source.array() == expected.source.array()).all());
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_loses_nothing_and_starts_anew)
{
    const dispersive_line line;
    const Eigen::MatrixXd data = reference().data;
    const std::vector<propagator> p{ line.propagator() };
    propagator_stream_config config = blocks_of(4096);
    config.estimate.mode = ls_mode::ls;
    // Zeros before and after: a record of which the stream sees all.
    for (const Eigen::Index total : { 1, 2, 1000, 3022, 9001 }) {
        propagator_stream<float> stream(rate, p, config);
        const Eigen::MatrixXd piece = data.middleRows(500, total);
        const matrix<float> first = run(stream, piece).signal;
        Eigen::MatrixXd padded = Eigen::MatrixXd::Zero(total + 8000, data.cols());
        padded.middleRows(4000, total) = piece;
        const Eigen::MatrixXd batch =
            propagator_ls(padded, rate, p, config.estimate).signal;
        // What wraps around a block is 90 dB down, and the estimate of a piece as short as
        // one sample is mostly outside it.
        BOOST_TEST((first.cast<double>() - batch.middleRows(4000, total)).norm() <
                   1e-3 * piece.norm());
        // What came before the break is forgotten.
        const matrix<float> again = run(stream, piece, 5).signal;
        BOOST_TEST((again.array() == first.array()).all());
    }
    propagator_stream<float> empty(rate, p, config);
    empty.finish();
    BOOST_TEST(empty.available() == 0u);
    run(empty, data.topRows(10));
    empty.finish();
    BOOST_TEST(empty.available() == 0u);
}

BOOST_AUTO_TEST_CASE(densities_that_are_given_give_what_the_whole_record_gives)
{
    const dispersive_line line;
    const line_record<double>& record = reference();
    const std::vector<propagator> p{ line.propagator() };
    propagator_stream_config config = blocks_of(8192);
    const Eigen::VectorXd frequency = line.bins(8192, true);
    config.estimate.source_psd = line.source_density(frequency);
    config.estimate.noise_psd = Eigen::MatrixXd::Constant(
        frequency.size(), 1, std::pow(line.noise_deviation, 2) / rate);
    propagator_ls_config whole = knowing(record);
    whole.noise_psd = record.noise_psd.leftCols(1);
    for (const double mu : { 1.0, 3.0 }) {
        config.estimate.mu = mu;
        whole.mu = mu;
        propagator_stream<float> stream(rate, p, config);
        const double error = error_db(run(stream, record.data).signal,
                                      propagator_ls(record.data, rate, p, whole).signal);
        BOOST_TEST_MESSAGE("mu " << mu << ": " << error << " dB");
        // The Wiener filter reaches further than group delays say.
        BOOST_TEST(error < -60.0);
    }
    // Every sensor's own noise, of another shape each.
    whole = knowing(record);
    for (int i = 0; i < line.num_sensors; ++i) {
        const auto tilted = [i](double f) { return 1.0 + 0.5 * i * f / rate; };
        whole.noise_psd.col(i).array() *=
            line.bins(long_record, true).unaryExpr(tilted).array();
    }
    config.estimate.mu = 1.0;
    config.estimate.noise_psd.resize(frequency.size(), line.num_sensors);
    for (int i = 0; i < line.num_sensors; ++i) {
        config.estimate.noise_psd.col(i) = frequency.unaryExpr([&](double f) {
            return std::pow(line.noise_deviation, 2) / rate * (1.0 + 0.5 * i * f / rate);
        });
    }
    propagator_stream<float> stream(rate, p, config);
    BOOST_TEST(error_db(run(stream, record.data).signal,
                        propagator_ls(record.data, rate, p, whole).signal) < -60.0);
    BOOST_TEST((stream.spectra().noise_psd - config.estimate.noise_psd).norm() <
               1e-9 * config.estimate.noise_psd.norm());
}

BOOST_AUTO_TEST_CASE(sensors_of_unequal_noise_are_weighed)
{
    dispersive_line line;
    line.sensor_factor = Eigen::VectorXd::Ones(10);
    line.sensor_factor(3) = 10.0;
    const line_record<double> record = line.simulate(long_record, 3);
    const std::vector<propagator> p{ line.propagator() };
    const double oracle =
        error_db(propagator_ls(record.data, rate, p, knowing(record)).signal,
                 record.signal,
                 settled);
    propagator_stream_config config = blocks_of(8192);
    propagator_stream<float> common(rate, p, config);
    const double without =
        error_db(run(common, record.data).signal, record.signal, settled);
    config.estimate.noise = sensor_noise::per_sensor;
    propagator_stream<float> weighed(rate, p, config);
    const double with =
        error_db(run(weighed, record.data).signal, record.signal, settled);
    BOOST_TEST_MESSAGE("above the oracle: per sensor " << with - oracle << ", common "
                                                       << without - oracle << " dB");
    BOOST_TEST(with - oracle < 0.5);
    BOOST_TEST(without - oracle > 5.0);
    // Powers, by their geometric mean; residuals of 16 blocks tell them to percents.
    const Eigen::VectorXd gamma = weighed.sensor_noise();
    BOOST_TEST(std::abs(gamma(3) / gamma(5) / 100.0 - 1.0) < 0.1);
    BOOST_TEST(std::abs(gamma.array().log().mean()) < 1e-9);
}

BOOST_AUTO_TEST_CASE(two_sources_from_both_ends_are_told_apart)
{
    dispersive_line line;
    line.has_second_source = true;
    // An oracle of two sources takes its time.
    const Eigen::Index length = num_records(120000, 200000);
    const line_record<double> record = line.simulate(length, 4);
    constexpr int block = 16384;
    const std::vector<propagator> at_bins{ line.propagator(),
                                           line.reverse_propagator(length, true) };
    const matrix<double> oracle =
        propagator_ls(record.data, rate, at_bins, knowing(record)).source;
    // Straight lines between as many frequencies turn by less than 0.1 rad.
    const std::vector<propagator> p{ line.propagator(),
                                     line.reverse_propagator(1 << 17, true) };
    propagator_stream<float> stream(rate, p, blocks_of(block));
    const estimates<float> found = run(stream, record.data);
    BOOST_CHECK(stream.status() == status::ok);
    for (int k = 0; k < 2; ++k) {
        const Eigen::MatrixXd truth = record.source.col(k);
        const double gap = error_db(found.source.col(k).eval(), truth, settled) -
                           error_db(oracle.col(k).eval(), truth, settled);
        BOOST_TEST_MESSAGE("source " << k << " above its oracle: " << gap << " dB");
        BOOST_TEST(gap < 0.3);
    }
}

BOOST_AUTO_TEST_CASE(sources_that_look_alike_do_not_cost_the_filters_gain)
{
    const line_record<double>& record = reference();
    const Eigen::Index length = num_records(50000, 100000);
    const Eigen::MatrixXd data = record.data.topRows(length);
    const Eigen::MatrixXd signal = record.signal.topRows(length);
    const propagator p = dispersive_line().propagator();
    for (const double scale : { 1.0, 1.001, 1.03 }) {
        const std::vector<propagator> pair{ p,
                                            scale == 1.0 ? p
                                                         : p.with_velocity_scale(scale) };
        propagator_stream<float> stream(rate, pair, blocks_of(4096));
        const estimates<float> found = run(stream, data);
        BOOST_TEST(found.signal.allFinite());
        BOOST_TEST(found.source.allFinite());
        BOOST_CHECK(stream.status() == status::ok);
        // Whole records of two sources take their time.
        if (scale == 1.03 || num_records(0, 1) == 1) {
            const Eigen::MatrixXd batch = propagator_ls(data, rate, pair).signal;
            const double gap = error_db(found.signal, signal, length / 2) -
                               error_db(batch, signal, length / 2);
            BOOST_TEST_MESSAGE("scale " << scale << ": " << gap
                                        << " dB above the whole record's");
            // Floors by the noise of least squares cost 2 dB and more.
            BOOST_TEST(gap < 0.3);
        }

        const Eigen::MatrixXd noise = (data - signal).topRows(30000);
        propagator_stream<float> quiet(rate, pair, blocks_of(4096));
        run(quiet, noise);
        BOOST_CHECK(quiet.status() == status::no_source);
    }
}

BOOST_AUTO_TEST_CASE(complex_streams_come_near_the_oracle)
{
    dispersive_line line;
    line.center_frequency = 20.0;
    const line_record<std::complex<double>> record =
        line.simulate<std::complex<double>>(long_record, 5);
    const std::vector<propagator> p{ line.propagator() };
    propagator_ls_config known;
    known.source_psd = record.source_psd;
    known.noise_psd = record.noise_psd;
    known.center_frequency = line.center_frequency;
    const Eigen::MatrixXcd oracle = propagator_ls(record.data, rate, p, known).signal;
    propagator_stream_config config = blocks_of(8192);
    config.estimate.center_frequency = line.center_frequency;
    propagator_stream<std::complex<float>> stream(rate, p, config);
    const double gap = error_db(run(stream, record.data).signal, record.signal, settled) -
                       error_db(oracle, record.signal, settled);
    BOOST_TEST_MESSAGE("above the oracle: " << gap << " dB");
    BOOST_TEST(gap < 0.25);
    BOOST_CHECK(stream.status() == status::ok);
}

BOOST_AUTO_TEST_CASE(one_block_tells_the_velocity)
{
    for (const double truth : { 1.0, 0.97 }) {
        dispersive_line line;
        line.velocity_scale = truth;
        const Eigen::MatrixXd data = line.simulate(20000, 6).data;
        propagator_stream<float> stream(rate, { line.propagator() }, blocks_of(8192));
        BOOST_TEST(std::isnan(stream.velocity_scale()));
        const matrix<float> samples = data.cast<float>();
        std::vector<const float*> channels;
        for (int i = 0; i < line.num_sensors; ++i) {
            channels.push_back(samples.col(i).data());
        }
        // The first block that is filled.
        stream.write(channels.data(), 8192 + stream.latency() - stream.hop());
        BOOST_TEST_REQUIRE(stream.available() > 0u);
        BOOST_TEST_MESSAGE("velocity: " << stream.velocity_scale() - truth);
        BOOST_TEST(std::abs(stream.velocity_scale() - truth) < 1e-3);
    }
}

BOOST_AUTO_TEST_CASE(bad_channels_are_left_out_and_come_back)
{
    const dispersive_line line;
    const Eigen::MatrixXd clean = reference().data.topRows(100000);
    const Eigen::MatrixXd truth = reference().signal.topRows(100000);
    const std::vector<propagator> p{ line.propagator() };
    propagator_stream<float> good(rate, p, blocks_of(8192));
    const matrix<float> expected = run(good, clean).signal;
    const auto judge = [&](const Eigen::MatrixXd& data, status last) {
        propagator_stream<float> stream(rate, p, blocks_of(8192));
        const matrix<float> signal = run(stream, data).signal;
        BOOST_TEST(signal.allFinite());
        BOOST_CHECK(stream.status() == last);
        BOOST_TEST(stream.spectra().noise_psd.allFinite());
        BOOST_TEST(stream.spectra().source_psd.allFinite());
        return signal;
    };

    // One sample: only the blocks that hold it differ.
    for (const double bad :
         { not_a_number, std::numeric_limits<double>::infinity(), 1e30 }) {
        Eigen::MatrixXd data = clean;
        data(50000, 4) = bad;
        const matrix<float> signal = judge(data, status::ok);
        BOOST_TEST((signal.topRows(50000 - 8192) == expected.topRows(50000 - 8192)));
        // Nine sensors are nearly as good as ten.
        BOOST_TEST(error_db(signal, truth) < error_db(expected, truth) + 0.5);
    }
    // To the end: dead, or no number. It is estimated from the others.
    for (const double bad : { not_a_number, 0.0 }) {
        Eigen::MatrixXd data = clean;
        data.col(0).tail(80000).setConstant(bad);
        const matrix<float> signal = judge(data, status::bad_data);
        BOOST_TEST(error_db(signal, truth) < -10.0);
    }
    // All but one, and all.
    Eigen::MatrixXd data = clean;
    data.rightCols(9).setConstant(not_a_number);
    judge(data, status::not_identifiable);
    data.setConstant(not_a_number);
    BOOST_TEST(judge(data, status::not_identifiable).isZero(0.0f));
    data.setZero();
    BOOST_TEST(judge(data, status::no_source).isZero(0.0f));
}

BOOST_AUTO_TEST_CASE(noise_alone_is_no_source)
{
    const dispersive_line line;
    const Eigen::MatrixXd noise = reference().data - reference().signal;
    propagator_stream<float> stream(rate, { line.propagator() }, blocks_of(8192));
    const matrix<float> signal = run(stream, noise).signal;
    BOOST_CHECK(stream.status() == status::no_source);
    // Plain least squares would keep a tenth of the noise's power, and all of it where only
    // one sensor hears.
    propagator_stream_config config = blocks_of(8192);
    config.estimate.mode = ls_mode::ls;
    propagator_stream<float> ls(rate, { line.propagator() }, config);
    const matrix<float> kept = run(ls, noise).signal;
    BOOST_TEST(signal.bottomRows(100000).squaredNorm() <
               0.1 * kept.bottomRows(100000).squaredNorm());

    // S = 0 by the user.
    config.estimate.mode = ls_mode::wiener;
    config.estimate.source_psd = Eigen::MatrixXd::Zero(4097, 1);
    propagator_stream<float> none(rate, { line.propagator() }, config);
    BOOST_TEST(run(none, reference().data.topRows(30000)).signal.isZero(0.0f));
    BOOST_CHECK(none.status() == status::no_source);
}

BOOST_AUTO_TEST_CASE(changes_fade_over_one_block)
{
    const dispersive_line line;
    const Eigen::MatrixXd data = reference().data.topRows(80000);
    const std::vector<propagator> p{ line.propagator() };
    const auto feed = [&](propagator_stream<float>& stream, const auto& change) {
        const matrix<float> samples = data.cast<float>();
        matrix<float> result = matrix<float>::Zero(data.rows(), data.cols());
        Eigen::Index read = 0;
        bool is_changed = false;
        Eigen::Index changed_at = 0;
        for (Eigen::Index written = 0; written < data.rows();) {
            std::vector<const float*> in;
            std::vector<float*> out;
            for (int i = 0; i < line.num_sensors; ++i) {
                in.push_back(samples.col(i).data() + written);
                out.push_back(result.col(i).data() + read);
            }
            written += stream.write(in.data(),
                                    std::min<Eigen::Index>(1000, data.rows() - written));
            const Eigen::Index ready = read + stream.available();
            if (!is_changed && written > 40000) {
                change(stream);
                is_changed = true;
                changed_at = ready;
            }
            read += stream.read(out.data(), nullptr, 100000);
        }
        result.conservativeResize(read, Eigen::NoChange);
        return std::make_pair(result, changed_at);
    };
    const auto nothing = [](propagator_stream<float>&) {};

    propagator_stream_config config = blocks_of(8192);
    propagator_stream<float> wiener(rate, p, config);
    const matrix<float> before = feed(wiener, nothing).first;

    struct change {
        std::function<void(propagator_stream<float>&)> make;
        ls_mode mode;
        double mu;
        double velocity;
    };
    const std::vector<propagator> faster{ line.propagator().with_velocity_scale(1.02) };
    for (const change& c : {
             change{ [](auto& s) { s.set_mode(ls_mode::ls); }, ls_mode::ls, 1.0, 1.0 },
             change{ [](auto& s) { s.set_mu(4.0); }, ls_mode::wiener, 4.0, 1.0 },
             change{ [&](auto& s) { s.set_propagators(faster); },
                     ls_mode::wiener,
                     1.0,
                     1.02 },
         }) {
        config.estimate.mode = c.mode;
        config.estimate.mu = c.mu;
        propagator_stream<float> other(
            rate, { p.front().with_velocity_scale(c.velocity) }, config);
        const matrix<float> after = feed(other, nothing).first;
        propagator_stream<float> stream(rate, p, blocks_of(8192));
        const auto [signal, at] = feed(stream, c.make);
        const Eigen::Index hop = stream.hop();
        // Before, nothing has changed; channels that are delayed are ahead by at most that.
        BOOST_TEST((signal.topRows(at) == before.topRows(at)));
        BOOST_TEST(!(signal.middleRows(at, hop) == before.middleRows(at, hop)));
        // In the middle both count for half. The first sensor has no alignment; what the
        // other stream has learnt by the other propagators is a bit different.
        const Eigen::Index middle = at + hop / 2;
        const auto half = [&](const matrix<float>& m) {
            return m.col(0).segment(middle - 50, 100).template cast<double>().eval();
        };
        const Eigen::VectorXd mean = 0.5 * (half(before) + half(after));
        const double between = (half(before) - half(after)).norm();
        BOOST_TEST((half(signal) - mean).norm() < 0.2 * between + 0.01 * mean.norm());
        // After it, all is as if it had always been so, but for what spectra remember.
        const auto rest = [&](const matrix<float>& m) {
            return m.middleRows(60000, 5000).template cast<double>().eval();
        };
        BOOST_TEST(nmse_db(rest(signal), rest(after)) < -30.0);
        if (c.mode == ls_mode::ls) {
            BOOST_TEST((signal.middleRows(60000, 5000) == after.middleRows(60000, 5000)));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_plane_wave_is_followed)
{
    // Sound on a line of microphones.
    const antenna_array array = antenna_array::uniform_line(8, 0.5, 343.0 / 100.0);
    const double sample_rate = 2000.0;
    const auto wave = [&](double degrees) {
        return propagator::plane_wave(array, degrees * M_PI / 180.0, 0.0, 343.0);
    };
    propagator_stream_config config = blocks_of(1024);
    config.taper = 0.05;
    config.support = 200;
    propagator_stream<float> stream(sample_rate, { wave(0.0) }, config);
    stream.set_propagators({ wave(40.0) });
    // A tone of 200 Hz from 40 degrees, by the formula.
    Eigen::MatrixXd tone(40000, 8);
    for (Eigen::Index t = 0; t < tone.rows(); ++t) {
        for (int l = 0; l < 8; ++l) {
            const double lead =
                l * 0.5 * std::sin(40.0 * M_PI / 180.0) / 343.0; // metres over velocity
            tone(t, l) = std::sin(2.0 * M_PI * 200.0 * (t / sample_rate + lead));
        }
    }
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    const Eigen::MatrixXd data =
        tone + Eigen::MatrixXd::NullaryExpr(40000, 8, [&] { return normal(random); });
    const matrix<float> signal = run(stream, data).signal;
    const double error = error_db(signal, tone);
    BOOST_TEST_MESSAGE("tone: " << error << " dB");
    // 8 sensors, and a filter of some 20 of 513 bins.
    BOOST_TEST(error < -15.0);
    stream.set_propagators({ wave(0.0) });
    BOOST_TEST(error_db(run(stream, data).signal, tone) > -10.0);
}

BOOST_AUTO_TEST_CASE(what_was_learnt_is_forgotten_on_demand)
{
    const dispersive_line line;
    const Eigen::MatrixXd data = reference().data.topRows(30000);
    propagator_stream<float> stream(rate, { line.propagator() }, blocks_of(8192));
    const matrix<float> first = run(stream, data).signal;
    const matrix<float> second = run(stream, data).signal;
    BOOST_TEST(!(first == second));
    stream.forget();
    BOOST_TEST((run(stream, data).signal == first));
}

BOOST_AUTO_TEST_CASE(a_stream_in_short_pieces_is_followed)
{
    const dispersive_line line;
    const line_record<double>& record = reference();
    const std::vector<propagator> p{ line.propagator() };
    constexpr double louder = 30.0;
    constexpr Eigen::Index short_piece = 3000; // of blocks of 4096
    constexpr Eigen::Index end = settled + 60000;
    const auto level = [&](const propagator_stream<float>& stream) {
        return stream.spectra().noise_psd.mean() * rate /
               std::pow(line.noise_deviation, 2);
    };
    for (const bool has_whole : { true, false }) {
        propagator_stream<float> stream(rate, p, blocks_of(4096));
        if (has_whole) {
            run(stream, record.data.topRows(settled).eval());
            BOOST_TEST(std::abs(level(stream) - 1.0) < 0.1);
        }
        for (Eigen::Index at = settled; at < end; at += short_piece) {
            run(stream, (louder * record.data.middleRows(at, short_piece)).eval());
        }
        const double ratio = level(stream) / (louder * louder);
        BOOST_TEST_MESSAGE("noise over the truth: " << ratio);
        // What is cut off within a block is noise, too.
        BOOST_TEST(ratio > 0.5);
        BOOST_TEST(ratio < 2.0);
        BOOST_CHECK(stream.status() == status::ok);
        // Whole blocks are better still, and take over: at once if they are the first.
        run(stream,
            (louder * record.data.middleRows(end, has_whole ? 80000 : 12000)).eval());
        BOOST_TEST(std::abs(level(stream) / (louder * louder) - 1.0) < 0.1);
    }
    // Pieces that make one block each.
    propagator_stream<float> stream(rate, p, blocks_of(4096));
    run(stream, record.data.topRows(settled).eval());
    for (Eigen::Index at = settled; at < end; at += 1000) {
        run(stream, (louder * record.data.middleRows(at, 1000)).eval());
    }
    BOOST_TEST(level(stream) > 0.5 * louder * louder);

    // One short piece between long ones does not count.
    const auto learns = [&](bool has_short) {
        propagator_stream<float> broken(rate, p, blocks_of(4096));
        run(broken, record.data.topRows(settled).eval());
        if (has_short) {
            run(broken, (louder * record.data.middleRows(settled, short_piece)).eval());
        }
        run(broken, record.data.middleRows(end, 20000).eval());
        return broken.spectra().noise_psd;
    };
    BOOST_TEST((learns(true).array() == learns(false).array()).all());
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_while_it_runs)
{
    dispersive_line line;
    line.has_second_source = true;
    const matrix<float> data = reference().data.cast<float>();
    for (const int num_sources : { 1, 2 }) {
        std::vector<propagator> p{ line.propagator() };
        if (num_sources == 2) {
            p.push_back(line.reverse_propagator(1 << 17, true));
        }
        propagator_stream_config config = blocks_of(16384);
        config.estimate.noise = sensor_noise::per_sensor;
        propagator_stream<float> stream(rate, p, config);
        matrix<float> signal(10000, line.num_sensors);
        std::vector<const float*> in(line.num_sensors);
        std::vector<float*> out(line.num_sensors);
        const long before = num_allocations;
        for (Eigen::Index written = 0; written < 60000;) {
            for (int i = 0; i < line.num_sensors; ++i) {
                in[i] = data.col(i).data() + written;
                out[i] = signal.col(i).data();
            }
            written += stream.write(in.data(), 3000);
            stream.read(out.data(), nullptr, 10000);
            stream.status();
        }
        stream.finish();
        while (stream.read(out.data(), nullptr, 10000) > 0) {
        }
        const long after = num_allocations;
        BOOST_TEST(after == before);
    }
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_named)
{
    const dispersive_line line;
    const std::vector<propagator> p{ line.propagator() };
    const auto refuses = [&](const std::string& word, const auto& call) {
        BOOST_CHECK_EXCEPTION(
            call(), std::invalid_argument, [&word](const std::invalid_argument& error) {
                return complains(word, error);
            });
    };
    const auto with = [&](const auto& change) {
        return [&p, change] {
            propagator_stream_config config = blocks_of(8192);
            change(config);
            propagator_stream<float>(rate, p, config);
        };
    };
    refuses("averaging", with([](auto& c) { c.averaging = 0.5; }));
    refuses("averaging", with([](auto& c) { c.averaging = not_a_number; }));
    refuses("support", with([](auto& c) { c.support = -1; }));
    refuses("taper", with([](auto& c) { c.taper = 1.5; }));
    refuses("block_length is 8191", with([](auto& c) { c.block_length = 8191; }));
    refuses("block_length is -2", with([](auto& c) { c.block_length = -2; }));
    refuses("at least 3974", with([](auto& c) {
                c.align = false;
                c.block_length = 3970;
            }));
    refuses("source_psd",
            with([](auto& c) { c.estimate.source_psd = Eigen::MatrixXd::Ones(10, 1); }));
    refuses("noise_psd",
            with([](auto& c) { c.estimate.noise_psd = Eigen::MatrixXd::Ones(4097, 3); }));
    refuses("mu", with([](auto& c) { c.estimate.mu = -1.0; }));
    refuses("ridge", with([](auto& c) { c.estimate.mode = ls_mode::ridge; }));
    refuses("center_frequency",
            with([](auto& c) { c.estimate.center_frequency = 10.0; }));
    refuses("sample_rate", [&] { propagator_stream<float>(0.0, p); });
    refuses("p is empty", [&] { propagator_stream<float>(rate, {}); });
    // Tables up to 750 Hz.
    refuses("frequency", [&] { propagator_stream<float>(2000.0, p); });

    propagator_stream<float> stream(rate, p, blocks_of(8192));
    refuses("ridge", [&] { stream.set_mode(ls_mode::ridge); });
    refuses("mu", [&] { stream.set_mu(not_a_number); });
    refuses("propagators", [&] { stream.set_propagators({ p[0], p[0] }); });
    refuses("source", [&] { stream.velocity_scale(1); });
    // Half the velocity, twice the delays.
    refuses("block_length of at least",
            [&] { stream.set_propagators({ p[0].with_velocity_scale(0.5) }); });
}
