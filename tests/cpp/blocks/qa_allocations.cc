/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * What general_work() asks of the heap. A call that allocates may wait for another thread's
 * lock or for the kernel, which a stream at the rate of its samples has no time for.
 */

#define BOOST_TEST_MODULE allocations
#include "allocation_counter.h"
#include "block_driver.h"
#include "dispersive_line.h"
#include "scenes.h"
#include <gnuradio/bearing/apply_calibration.h>
#include <gnuradio/bearing/array_simulator.h>
#include <gnuradio/bearing/beamscan.h>
#include <gnuradio/bearing/channel_tags.h>
#include <gnuradio/bearing/coupling.h>
#include <gnuradio/bearing/covariance.h>
#include <gnuradio/bearing/diffmusic.h>
#include <gnuradio/bearing/music.h>
#include <gnuradio/bearing/propagator_ls.h>
#include <gnuradio/bearing/root_music.h>
#include <gnuradio/bearing/subband_covariance.h>
#include <gnuradio/bearing/subspace_fit.h>
#include <gnuradio/bearing/wideband_music.h>
#include <malloc.h>
#include <volk/volk.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <chrono>
#include <complex>
#include <cstdlib>
#include <limits>
#include <new>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace data = boost::unit_test::data;
using namespace gr::bearing;
using gr::bearing::core::antenna_array;

namespace {

const pmt::pmt_t bearings_port = pmt::mp("bearings");

constexpr int num_elements = 5;
constexpr int num_sources = 2;
constexpr double sample_rate = 1e6;
// Sizes of what the scheduler hands over differ from call to call, and so do places within
// an item; the largest comes early, as a first call that is small promises nothing.
const std::vector<int> call_sizes = { 4096, 1, 700, 4095, 64, 2048, 333 };
constexpr int num_rounds = 20;

antenna_array circle() { return antenna_array::uniform_circle(num_elements, 0.4); }

template <class T>
std::vector<T> noise(int size)
{
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<T> samples(size);
    for (T& sample : samples) {
        sample = T(normal(generator));
    }
    return samples;
}

std::vector<gr_complex> scene_item(const antenna_array& array)
{
    const Eigen::VectorXd azimuth = degrees({ 10.0, 50.0 });
    const Eigen::MatrixXcf r =
        population_covariance(array, azimuth, 10.0).cast<gr_complex>();
    return { r.data(), r.data() + r.size() };
}

boost::test_tools::assertion_result can_count(boost::unit_test::test_unit_id)
{
    boost::test_tools::assertion_result result(bool(BEARING_COUNTS_ALLOCATIONS));
    result.message() << "this C library's allocation functions cannot be replaced";
    return result;
}

// GNU Radio makes a tuple of time of a number of each kind (two allocations each), itself
// (two) and its elements (one).
constexpr std::uint64_t of_time = 7;

// Calls a block with packets of samples on all inputs, each with its time and its
// frequency, and returns the most allocations that a packet takes. The first few may make
// room for it.
std::uint64_t allocations_of_packets(gr::block_sptr block, int inputs, int outputs)
{
    constexpr int size = 1024;
    constexpr int num_packets = 60;
    constexpr int num_first = 10;
    block_driver driver(block, inputs, outputs, 8192);
    const std::vector<gr_complex> samples = noise<gr_complex>(size);
    const pmt::pmt_t frequency = pmt::from_double(433e6);
    std::uint64_t most = 0;
    for (int packet = 0; packet < num_packets; ++packet) {
        const pmt::pmt_t time = pmt::make_tuple(
            pmt::from_uint64(1000), pmt::from_double(packet * size / sample_rate));
        for (int k = 0; k < inputs; ++k) {
            driver.tag(k, pmt::mp("rx_time"), time);
            driver.tag(k, pmt::mp("rx_freq"), frequency);
            driver.feed(k, samples.data(), size);
        }
        std::uint64_t count = 0;
        for (int done = 0; done < size;) {
            done += driver.work(4096);
            count += driver.allocations();
        }
        most = packet < num_first ? most : std::max(most, count);
    }
    return most;
}

// Calls a block with samples on all inputs (or none, if it is a source) and returns the
// allocations of all calls but the first.
template <class T>
std::uint64_t allocations_of_stream(gr::block_sptr block, int inputs, int outputs)
{
    block_driver driver(block, inputs, outputs, 8192);
    const std::vector<T> samples = noise<T>(call_sizes.front());
    std::uint64_t total = 0;
    bool is_first = true;
    for (int round = 0; round < num_rounds; ++round) {
        for (int size : call_sizes) {
            for (int k = 0; k < inputs; ++k) {
                driver.feed(k, samples.data(), size);
            }
            for (int done = 0; done < size; is_first = false) {
                done += driver.work(inputs > 0 ? 4096 : size - done);
                total += is_first ? 0 : driver.allocations();
            }
        }
    }
    return total;
}

struct named_block {
    std::string name;
    gr::block_sptr block;
};

// Allocations of the calls of a block for items that come one at a time.
std::vector<std::uint64_t>
allocations_of_items(gr::block_sptr block, int outputs, int number)
{
    block_driver driver(block, 1, outputs, 64);
    std::vector<gr_complex> item = scene_item(circle());
    // Some blocks take several covariances.
    const std::size_t length =
        block->input_signature()->sizeof_stream_item(0) / sizeof(gr_complex);
    while (item.size() < length) {
        item.push_back(item[item.size() - num_elements * num_elements]);
    }
    // As the block covariance does.
    const pmt::pmt_t snapshots = pmt::from_uint64(100);
    std::vector<std::uint64_t> counts;
    for (int k = 0; k < number; ++k) {
        driver.tag(0, pmt::mp("snapshots"), snapshots);
        driver.feed(0, item.data(), 1);
        std::uint64_t count = 0;
        for (int done = 0; done < 1;) {
            done += driver.work(1);
            count += driver.allocations();
        }
        counts.push_back(count);
    }
    return counts;
}

// Keeps the last message of another block's port.
class listener : public gr::block
{
public:
    listener()
        : gr::block("listener",
                    gr::io_signature::make(0, 0, 0),
                    gr::io_signature::make(0, 0, 0))
    {
        message_port_register_in(bearings_port);
    }
    pmt::pmt_t last()
    {
        pmt::pmt_t message = pmt::PMT_NIL;
        while (pmt::pmt_t next = delete_head_nowait(bearings_port)) {
            message = next;
        }
        return message;
    }
};

// The same message made anew, of what such messages hold.
pmt::pmt_t copied(const pmt::pmt_t& value)
{
    if (pmt::is_pair(value)) {
        return pmt::cons(copied(pmt::car(value)), copied(pmt::cdr(value)));
    }
    if (pmt::is_f32vector(value)) {
        return pmt::init_f32vector(pmt::length(value), pmt::f32vector_elements(value));
    }
    if (pmt::is_uint64(value)) {
        return pmt::from_uint64(pmt::to_uint64(value));
    }
    if (pmt::is_real(value)) {
        return pmt::from_double(pmt::to_double(value));
    }
    return value; // symbols are shared
}

std::uint64_t allocations_of_message(gr::block_sptr block)
{
    const auto ear = gnuradio::make_block_sptr<listener>();
    block->message_port_sub(bearings_port, pmt::cons(ear->alias_pmt(), bearings_port));
    allocations_of_items(block, block->output_signature()->min_streams(), 1);
    const pmt::pmt_t message = ear->last();
    block->message_port_unsub(bearings_port, pmt::cons(ear->alias_pmt(), bearings_port));
    BOOST_TEST_REQUIRE(pmt::is_pair(message));
    const std::uint64_t before = allocation_counter::count;
    copied(message);
    return allocation_counter::count - before;
}

// Reports once, at the start.
propagator_ls<gr_complex>::sptr plane_wave_filter(double center_frequency)
{
    const antenna_array array = antenna_array::uniform_circle(num_elements, 0.3, 0.7);
    return propagator_ls<gr_complex>::make({ core::propagator::plane_wave(array, 0.3) },
                                           sample_rate,
                                           "wiener",
                                           "common",
                                           1.0,
                                           std::nullopt,
                                           0,
                                           4.0,
                                           true,
                                           0.0,
                                           Eigen::MatrixXd(),
                                           Eigen::MatrixXd(),
                                           center_frequency,
                                           1e9);
}

} // namespace

BOOST_AUTO_TEST_SUITE(general_work, *boost::unit_test::precondition(can_count))

// Otherwise nothing below says anything.
BOOST_AUTO_TEST_CASE(the_counter_sees_every_way_to_allocate)
{
    const auto allocates = [](auto use) {
        const std::uint64_t before = allocation_counter::count;
        use();
        return allocation_counter::count > before;
    };
    // Through a volatile pointer, or compilers leave what nobody uses out.
    void* volatile memory = nullptr;
    const auto sees = [&](auto get) {
        const bool is_seen = allocates([&] { memory = get(); });
        std::free(memory);
        return is_seen;
    };
    BOOST_TEST(sees([] { return std::malloc(64); }));
    BOOST_TEST(sees([] { return std::calloc(8, 8); }));
    BOOST_TEST(sees([] { return std::realloc(nullptr, 64); }));
    BOOST_TEST(sees([] { return std::aligned_alloc(64, 128); }));
    BOOST_TEST(sees([] { return memalign(64, 128); }));
    BOOST_TEST(sees([] {
        void* aligned = nullptr;
        return posix_memalign(&aligned, 64, 128) == 0 ? aligned : nullptr;
    }));
    BOOST_TEST(allocates([&] { memory = volk_malloc(64, volk_get_alignment()); }));
    volk_free(memory);
    BOOST_TEST(allocates([&] { memory = ::operator new(64, std::align_val_t(64)); }));
    ::operator delete(memory, std::align_val_t(64));
    std::vector<double> kept;
    BOOST_TEST(allocates([&kept] { kept.resize(3); }));
    BOOST_TEST(allocates([] {
        Eigen::MatrixXd m(3, 3);
        m.setZero();
        volatile double x = m(0, 0);
        (void)x;
    }));
    BOOST_TEST(allocates([] { pmt::from_double(1.0); }));
    BOOST_TEST(!allocates([] {
        volatile double x = 1.0;
        (void)x;
    }));
}

// GNU Radio keeps each tag in a node of its own. Every item carries `snapshots`, one that
// overlaps others `window` and `hop`, too; their values are made once, of two allocations
// each.
BOOST_DATA_TEST_CASE(covariance_allocates_only_the_tags_of_an_item,
                     data::make({ 100, 1000, 10000 }) ^ // items within calls, and across
                         data::make({ 0, 250, 2500 }),
                     snapshots,
                     hop)
{
    const int samples =
        num_rounds * std::accumulate(call_sizes.begin(), call_sizes.end(), 0);
    const std::uint64_t items = samples / (hop > 0 ? hop : snapshots);
    const std::uint64_t tags = hop > 0 ? 3 : 1;
    BOOST_TEST(allocations_of_stream<gr_complex>(
                   covariance::make(num_elements, snapshots, 0.0, hop),
                   num_elements,
                   1) <= tags * (items + 2));
}

// The tag's node and its value of two allocations.
BOOST_AUTO_TEST_CASE(subband_covariance_allocates_only_the_tag_of_an_item)
{
    constexpr int snapshots = 64;
    constexpr int num_subbands = 16;
    const std::uint64_t items =
        num_rounds * std::accumulate(call_sizes.begin(), call_sizes.end(), 0) / snapshots;
    BOOST_TEST(
        allocations_of_stream<gr_complex>(
            subband_covariance::make(num_elements, snapshots, num_subbands, sample_rate),
            num_elements,
            1) <= 3 * items);
}

BOOST_AUTO_TEST_CASE(channel_tags_allocates_nothing_after_the_first_call)
{
    BOOST_TEST(
        allocations_of_stream<gr_complex>(
            // The first calls leave samples out, and what is allocated then counts.
            channel_tags::make(num_elements, { -1e5, 2e5 }, 4, 10.5, 5000),
            2 * num_elements,
            2 * num_elements) == 0);
}

// GNU Radio keeps each tag in a node of its own; a number is of two allocations.
BOOST_AUTO_TEST_CASE(tags_of_packets_allocate_only_the_tags_that_come_out)
{
    const std::uint64_t n = num_elements;
    // Each stream has a time and a frequency of its channel.
    BOOST_TEST(allocations_of_packets(
                   channel_tags::make(num_elements, { 0.0 }, 1, 10.5, 6, sample_rate),
                   num_elements,
                   num_elements) <= n + of_time + n * (1 + 2));
    // An item has a time, the frequency that came, and `snapshots`.
    BOOST_TEST(allocations_of_packets(covariance::make(num_elements, 1024, sample_rate),
                                      num_elements,
                                      1) <= 1 + of_time + 1 + 1);
    // The frequency only when it changes; the number of snapshots is made for each item.
    BOOST_TEST(allocations_of_packets(
                   subband_covariance::make(num_elements, 1024, 16, sample_rate),
                   num_elements,
                   1) <= 1 + of_time + 1 + 2);
    // Each output has what came.
    BOOST_TEST(allocations_of_packets(plane_wave_filter(433e6),
                                      num_elements,
                                      num_elements + 1) <= 2 * (n + 1));
}

BOOST_AUTO_TEST_CASE(apply_calibration_allocates_nothing_after_the_first_call)
{
    BOOST_TEST(allocations_of_stream<gr_complex>(apply_calibration::make(num_elements),
                                                 num_elements,
                                                 num_elements) == 0);
    const core::calibration_state calibration = random_calibration(num_elements, 1);
    BOOST_TEST(allocations_of_stream<gr_complex>(
                   apply_calibration::make(num_elements, calibration),
                   num_elements,
                   num_elements) == 0);
}

BOOST_DATA_TEST_CASE(array_simulator_allocates_nothing_after_the_first_call,
                     data::make({ "noise", "tone" }) * data::make({ false, true }),
                     modulation,
                     has_impairments)
{
    // Turning sources and drifting phases build the manifold anew as they go.
    const array_simulator::sptr block = array_simulator::make(
        circle(),
        { 30.0, 120.0 },
        { 10.0 },
        sample_rate,
        has_impairments ? random_calibration(num_elements, 1) : core::calibration_state(),
        { has_impairments ? 90.0 : 0.0 },
        { 1e3, -2e3 },
        modulation,
        false,
        has_impairments ? 5.0 : 0.0);
    BOOST_TEST(allocations_of_stream<gr_complex>(block, 0, num_elements) == 0);
}

BOOST_DATA_TEST_CASE(propagator_ls_of_real_streams_allocates_nothing_after_the_first_call,
                     data::make({ "off", "report", "apply" }),
                     velocity)
{
    dispersive_line line;
    line.num_sensors = num_elements;
    const auto block = propagator_ls<float>::make(
        { line.propagator() },
        line.sample_rate,
        "wiener",
        "common",
        1.0,
        std::nullopt,
        0,
        4.0,
        true,
        0.0,
        Eigen::MatrixXd(),
        Eigen::MatrixXd(),
        0.0,
        // One report and one fit of the velocity, at the start:
        // both are made of what is allocated.
        1e9,
        velocity);
    // The first block of the core tells, and the averages begin.
    BOOST_TEST(allocations_of_stream<float>(block, num_elements, num_elements + 1) == 0);
}

BOOST_AUTO_TEST_CASE(
    propagator_ls_of_complex_streams_allocates_nothing_after_the_first_call)
{
    const auto block = plane_wave_filter(430e6);
    BOOST_TEST(allocations_of_stream<gr_complex>(block, num_elements, num_elements + 1) ==
               0);
}

// What waits for a worker is copied into places that are used again. Each is filled once,
// and how soon all are is the worker's affair: its thread may be late.
BOOST_AUTO_TEST_CASE(blocks_with_a_worker_allocate_nothing_once_their_places_are_filled)
{
    const std::vector<named_block> blocks = {
        { "diffmusic",
          diffmusic::make(circle(),
                          num_sources,
                          100,
                          "",
                          1e9,
                          1e9,
                          20,
                          32,
                          600,
                          true,
                          1e-3,
                          "worker") },
        { "coupling", coupling::make(circle(), num_sources, 2, "none", 100) },
    };
    constexpr int batch = 12;
    constexpr int most_batches = 30;
    for (const named_block& one : blocks) {
        const std::vector<std::uint64_t> counts =
            allocations_of_items(one.block, 0, batch * most_batches);
        const std::uint64_t late =
            std::accumulate(counts.end() - 3 * batch, counts.end(), std::uint64_t(0));
        BOOST_TEST(late == 0u, one.name << " allocates " << late << " times");
    }
}

struct estimator_limit {
    std::string name;
    gr::block_sptr block;
    std::uint64_t most;
};

/*
 * Messages and decompositions are made anew for each item; nothing else may pile up. Each
 * limit is half as much again as was counted, for other versions of Eigen and of the C++
 * library. That leaves no room for an allocation for each of the 512 points of a spectrum,
 * or of each sub-band's.
 */
BOOST_AUTO_TEST_CASE(
    estimators_allocate_the_same_for_every_item_and_not_more_than_counted)
{
    const antenna_array array = circle();
    const std::vector<estimator_limit> blocks = {
        { "music", music::make(array, num_sources, 100), 220 },
        { "root_music", root_music::make(array, num_sources, "auto", 100), 500 },
        { "beamscan bartlett", beamscan::make(array, num_sources, "bartlett", 100), 350 },
        { "beamscan capon", beamscan::make(array, num_sources, "capon", 100), 350 },
        // It projects anew in each step of its search.
        { "subspace_fit", subspace_fit::make(array, num_sources, "wsf", 100), 9800 },
        // Sixteen decompositions.
        { "wideband_music",
          wideband_music::make(array, num_sources, 16, sample_rate, 0.8, 433e6),
          3350 },
    };
    for (const estimator_limit& one : blocks) {
        const int outputs = one.block->output_signature()->min_streams();
        std::vector<std::uint64_t> counts = allocations_of_items(one.block, outputs, 50);
        // The first ones may find their estimator and vectors being built.
        counts.erase(counts.begin(), counts.begin() + 10);
        const std::set<std::uint64_t> different(counts.begin(), counts.end());
        BOOST_TEST(different.size() == 1u, one.name << " differs from item to item");
        const std::uint64_t of_message = allocations_of_message(one.block);
        BOOST_TEST_MESSAGE(one.name << ": " << counts.front()
                                    << " allocations an item, of which its message has "
                                    << of_message);
        BOOST_TEST(of_message < counts.front());
        BOOST_TEST(counts.front() <= one.most, one.name << " allocates too often");
    }
}

BOOST_AUTO_TEST_SUITE_END()
