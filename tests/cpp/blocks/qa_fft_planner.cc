/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * FFTW makes and destroys plans in one thread at a time, and GNU Radio has a mutex for all of
 * a process. Here the test holds it, as another block does that measures a long plan.
 */

#define BOOST_TEST_MODULE fft_planner
#include "block_driver.h"
#include "dispersive_line.h"
#include <gnuradio/bearing/propagator_ls.h>
#include <gnuradio/bearing/subband_covariance.h>
#include <gnuradio/fft/fft.h>
#include <boost/test/unit_test.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

using namespace gr::bearing;
using gr::fft::planner;

namespace {

// Whoever has not answered by then never does: seconds of load are none.
constexpr std::chrono::seconds never{ 60 };
// What would go wrong does so within this time unless the machine is very busy; then the test
// sees less.
constexpr std::chrono::milliseconds a_while{ 200 };

} // namespace

BOOST_AUTO_TEST_CASE(a_subband_covariance_ends_while_nobody_plans)
{
    subband_covariance::sptr block = subband_covariance::make(2, 64, 8, 1e6);
    std::unique_lock<std::mutex> planning(planner::mutex());
    std::future<void> end = std::async(std::launch::async, [&block] { block.reset(); });
    BOOST_TEST((end.wait_for(a_while) == std::future_status::timeout));
    planning.unlock();
    BOOST_TEST((end.wait_for(never) == std::future_status::ready));
}

// The fit of a velocity plans, so it lasts as long as the test holds the mutex.
BOOST_AUTO_TEST_CASE(who_asks_a_propagator_ls_does_not_wait_for_its_fit)
{
    dispersive_line line;
    const auto block = propagator_ls<float>::make({ line.propagator() },
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
                                                  // Made use of one block later.
                                                  1e-6,
                                                  "report");
    block_driver driver(block, line.num_sensors, line.num_sensors, 8192);
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<float> samples(1024);
    for (float& sample : samples) {
        sample = normal(generator);
    }
    const int num_blocks = 8;
    const int num_calls = 1 + num_blocks * block->block_length() / 1024;
    std::atomic<bool> has_ended{ false };

    std::unique_lock<std::mutex> planning(planner::mutex());
    std::thread stream([&] {
        for (int call = 0; call < num_calls; ++call) {
            for (int k = 0; k < line.num_sensors; ++k) {
                driver.feed(k, samples.data(), 1024);
            }
            for (int done = 0; done < 1024;) {
                done += driver.work(8192);
            }
        }
        has_ended = true;
    });
    std::future<void> questions = std::async(std::launch::async, [&block] {
        const auto end = std::chrono::steady_clock::now() + a_while;
        while (std::chrono::steady_clock::now() < end) {
            block->counts();
            block->set_mu(1.0);
        }
    });
    BOOST_TEST((questions.wait_for(never) == std::future_status::ready));
    // The stream itself waits: what comes out does not depend on how long a fit takes.
    BOOST_TEST(!has_ended);
    planning.unlock();
    stream.join();
    BOOST_TEST(has_ended);
}
