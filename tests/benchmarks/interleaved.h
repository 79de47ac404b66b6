/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BENCHMARKS_INTERLEAVED_H
#define INCLUDED_BEARING_BENCHMARKS_INTERLEAVED_H

#include <initializer_list>
#include <algorithm>
#include <ctime>
#include <functional>
#include <utility>
#include <vector>

/*
 * Absolute times on shared machines mean little. Contenders are therefore timed in turn
 * within one run, by thread CPU time, and compared by ratios of their medians.
 */

inline double thread_seconds()
{
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

//! A function and the seconds per call of each of its rounds.
class contender
{
public:
    // Calls per round are such that a round takes half a millisecond: that dwarfs the
    // cost of reading the clock, and is short enough for all to see the same state of the
    // machine.
    explicit contender(std::function<void()> function) : d_function(std::move(function))
    {
        double elapsed = 0.0;
        while (elapsed < 5e-4) {
            d_calls *= 2;
            elapsed = run();
        }
    }

    void round() { d_seconds.push_back(run() / d_calls); }

    //! Median seconds per call.
    double seconds() const
    {
        std::vector<double> sorted = d_seconds;
        std::nth_element(
            sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
        return sorted[sorted.size() / 2];
    }

private:
    double run() const
    {
        const double start = thread_seconds();
        for (int k = 0; k < d_calls; ++k) {
            d_function();
        }
        return thread_seconds() - start;
    }

    std::function<void()> d_function;
    int d_calls = 1;
    std::vector<double> d_seconds;
};

inline void time_interleaved(std::initializer_list<contender*> contenders)
{
    // A median over fewer than fifteen would still move from run to run.
    constexpr int num_rounds = 31;
    for (int k = 0; k < num_rounds; ++k) {
        for (contender* c : contenders) {
            c->round();
        }
    }
}

#endif /* INCLUDED_BEARING_BENCHMARKS_INTERLEAVED_H */
