/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_BINDINGS_RECENT_ESTIMATORS_H
#define INCLUDED_BEARING_BINDINGS_RECENT_ESTIMATORS_H

#include "arguments.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <pybind11/pybind11.h>
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

/*!
 * \brief The estimators of a function's latest calls.
 *
 * Their tables take longer to make than an estimate does, and scripts call with the same
 * array and grid again and again. Used with Python's lock held. Arrays do not change and are
 * told apart by the Python object, which is kept alive; grids by their values.
 *
 * \tparam Config what else an estimator is made of, comparable
 */
template <typename Estimator, typename Config>
class recent_estimators
{
public:
    //! What \p build() made for these arguments.
    template <typename Build>
    std::shared_ptr<const Estimator> get(const gr::bearing::core::antenna_array& array,
                                         const std::optional<real_array>& grid_deg,
                                         const Config& config,
                                         Build build)
    {
        key wanted{ pybind11::cast(array, pybind11::return_value_policy::reference),
                    values_of(grid_deg),
                    config };
        const auto found =
            std::find_if(d_kept.begin(), d_kept.end(), [&wanted](const entry& one) {
                return one.first.array.is(wanted.array) &&
                       one.first.grid == wanted.grid && one.first.config == wanted.config;
            });
        if (found != d_kept.end()) {
            std::rotate(d_kept.begin(), found, found + 1);
        } else {
            auto made = std::make_shared<const Estimator>(build());
            if (d_kept.size() == most) {
                d_kept.pop_back();
            }
            d_kept.insert(d_kept.begin(), { std::move(wanted), std::move(made) });
        }
        return d_kept.front().second;
    }

private:
    static constexpr std::size_t most = 4;

    struct key {
        pybind11::object array;
        std::optional<std::vector<double>> grid;
        Config config;
    };
    using entry = std::pair<key, std::shared_ptr<const Estimator>>;

    static std::optional<std::vector<double>>
    values_of(const std::optional<real_array>& grid_deg)
    {
        if (!grid_deg) {
            return std::nullopt;
        }
        const Eigen::VectorXd values = to_vector("grid_deg", *grid_deg);
        return std::vector<double>(values.begin(), values.end());
    }

    std::vector<entry> d_kept; // the latest first
};

#endif /* INCLUDED_BEARING_BINDINGS_RECENT_ESTIMATORS_H */
