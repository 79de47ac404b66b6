/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_TUNING_LIST_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_TUNING_LIST_H

#include "tuned_calibrations.h"
#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief What a block keeps for each tuning: things with an optional member `frequency`
 * in Hz; absent: unknown.
 *
 * Of more than max_tunings the one that was out of use longest is forgotten.
 */
template <class Tuning>
class tuning_list
{
public:
    static constexpr std::size_t max_tunings = 8;

    //! The first that is within \p tolerance of \p frequency, which becomes the latest;
    //! null: there is none.
    Tuning* find(std::optional<double> frequency, double tolerance = tuning_tolerance)
    {
        const auto is_the_one = [&](const Tuning& one) {
            if (!frequency || !one.frequency) {
                return frequency == one.frequency;
            }
            return is_tuned_to(*frequency, *one.frequency, tolerance);
        };
        const auto found = std::find_if(d_tunings.begin(), d_tunings.end(), is_the_one);
        if (found == d_tunings.end()) {
            return nullptr;
        }
        std::rotate(found, found + 1, d_tunings.end());
        return &d_tunings.back();
    }

    //! It becomes the latest.
    Tuning& add(Tuning added)
    {
        if (d_tunings.size() == max_tunings) {
            d_tunings.erase(d_tunings.begin());
        }
        d_tunings.push_back(std::move(added));
        return d_tunings.back();
    }

    //! The one that was found or added last; there must be one.
    const Tuning& latest() const { return d_tunings.back(); }

    auto begin() const { return d_tunings.begin(); }
    auto end() const { return d_tunings.end(); }

private:
    std::vector<Tuning> d_tunings; // the latest is the last one
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_TUNING_LIST_H */
