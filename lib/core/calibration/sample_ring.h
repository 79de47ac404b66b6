/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_RING_H
#define INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_RING_H

#include "calibration_sample.h"
#include "median.h"
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! A sample and the number of its arrival.
struct timed_sample {
    timed_sample(int num_elements, int num_sources)
    {
        sample.signal_subspace.setZero(num_elements, num_sources);
        sample.null_weights.setZero(num_sources);
        sample.azimuth.setZero(num_sources);
        sample.range.setZero(num_sources);
        sample.depth.setZero(num_sources);
    }

    calibration_sample sample;
    std::uint64_t arrival = 0;
};

//! The latest samples, oldest first. Allocates nothing after construction.
class sample_ring
{
public:
    sample_ring(int capacity, int num_elements, int num_sources)
        : d_samples(capacity, timed_sample(num_elements, num_sources))
    {
    }

    int size() const { return d_size; }
    timed_sample& operator[](int k) { return d_samples[index(k)]; }

    const timed_sample& newest() const { return d_samples[index(d_size - 1)]; }

    //! In place of the oldest one when it is full.
    void push(const timed_sample& sample)
    {
        if (d_size == capacity()) {
            drop_first();
        }
        d_samples[index(d_size)] = sample;
        ++d_size;
    }
    //! Drops those that came more than \p lifetime arrivals ago.
    void drop_before(std::uint64_t arrivals, std::uint64_t lifetime)
    {
        while (d_size > 0 && d_samples[d_first].arrival + lifetime < arrivals) {
            drop_first();
        }
    }
    template <class Condition>
    void drop_if(Condition condition)
    {
        int kept = 0;
        for (int k = 0; k < d_size; ++k) {
            if (!condition((*this)[k])) {
                std::swap((*this)[kept++], (*this)[k]);
            }
        }
        d_size = kept;
    }
    void clear() { d_size = 0; }

private:
    int capacity() const { return static_cast<int>(d_samples.size()); }
    int index(int k) const { return (d_first + k) % capacity(); }
    void drop_first()
    {
        d_first = index(1);
        --d_size;
    }

    std::vector<timed_sample> d_samples;
    int d_first = 0;
    int d_size = 0;
};

//! The median of the latest values; NaN before the first. Allocates nothing after
//! construction.
class recent_median
{
public:
    static constexpr std::size_t capacity = 15;

    recent_median()
    {
        d_values.reserve(capacity);
        d_sorted.reserve(capacity);
    }
    void add(double value)
    {
        if (is_full()) {
            d_values[d_next] = value;
        } else {
            d_values.push_back(value);
        }
        d_next = (d_next + 1) % capacity;
        d_sorted = d_values;
        d_median = median(d_sorted);
    }
    void clear()
    {
        d_values.clear();
        d_next = 0;
        d_median = std::numeric_limits<double>::quiet_NaN();
    }
    bool is_full() const { return d_values.size() == capacity; }
    double value() const { return d_median; }

private:
    std::vector<double> d_values;
    std::vector<double> d_sorted;
    std::size_t d_next = 0;
    double d_median = std::numeric_limits<double>::quiet_NaN();
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_SAMPLE_RING_H */
