/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_CALIBRATION_LABEL_CONSENSUS_H
#define INCLUDED_BEARING_CORE_CALIBRATION_LABEL_CONSENSUS_H

#include "bearing_map.h"
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <Eigen/Dense>
#include <optional>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! That of \p azimuths which is nearest to \p target on the circle.
double nearest_azimuth(const Eigen::VectorXd& azimuths, double target);

/*!
 * \brief Which map most of the latest labels agree on.
 *
 * A single wrong label among the first, taken for true, makes all right ones that follow
 * look wrong; so the latest labels are remembered with the bearings that were found in
 * their place, whether they were used or not, and counted. Allocates nothing after
 * construction.
 */
class label_consensus
{
public:
    //! \param may_stretch whether a line's map may have a slope
    label_consensus(const antenna_array& drawn, bool may_stretch);

    //! A label in radians and the bearing that was found in its place.
    void add(double label, double found);
    void clear() { d_pairs.clear(); }

    //! The map that most labels agree on; without any labels no change.
    bearing_map best_map() const;
    //! The map that clearly more labels agree on than on the bearings as they are found;
    //! absent when there is none.
    std::optional<bearing_map> better_map() const;
    //! After the parameters were changed by the map.
    void apply(const bearing_map& map);

private:
    struct pair {
        double label;
        double found;
    };

    int support(const bearing_map& map) const;

    bool d_is_line;
    bool d_may_stretch;
    double d_tolerance;
    std::vector<pair> d_pairs; // oldest first
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_CALIBRATION_LABEL_CONSENSUS_H */
