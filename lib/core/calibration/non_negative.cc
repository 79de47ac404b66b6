/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "non_negative.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double rounding = 1e-12;

// Variables enter one by one where the slope is steepest, and leave where the minimum over
// those that entered would turn them negative.
class active_set
{
public:
    active_set(const Eigen::MatrixXd& gram, const Eigen::VectorXd& target)
        : d_gram(gram), d_target(target), d_x(Eigen::VectorXd::Zero(target.size()))
    {
    }

    Eigen::VectorXd solve()
    {
        // Each entry ends in a lower minimum, so the method ends; rounding might not.
        const Eigen::Index most = 3 * d_x.size();
        for (Eigen::Index entered = 0; entered < most && enter_steepest(); ++entered) {
            while (!minimise_over_free()) {
            }
        }
        return d_x;
    }

private:
    bool enter_steepest()
    {
        Eigen::VectorXd slope = d_target - d_gram * d_x;
        for (const Eigen::Index k : d_free) {
            slope(k) = 0.0;
        }
        Eigen::Index steepest = 0;
        if (slope.maxCoeff(&steepest) <= rounding * d_target.cwiseAbs().maxCoeff()) {
            return false;
        }
        d_free.push_back(steepest);
        return true;
    }

    // False when variables had to leave before the minimum was reached.
    bool minimise_over_free()
    {
        const Eigen::MatrixXd gram = d_gram(d_free, d_free);
        const Eigen::VectorXd target = d_target(d_free);
        const Eigen::VectorXd present = d_x(d_free);
        const Eigen::VectorXd wanted = gram.ldlt().solve(target);
        double step = 1.0;
        for (Eigen::Index i = 0; i < wanted.size(); ++i) {
            if (wanted(i) <= 0.0) {
                step = std::min(step, present(i) / (present(i) - wanted(i)));
            }
        }
        const Eigen::VectorXd next = present + step * (wanted - present);
        std::vector<Eigen::Index> still_free;
        for (Eigen::Index i = 0; i < wanted.size(); ++i) {
            const bool leaves = wanted(i) <= 0.0 &&
                                next(i) <= rounding * std::abs(present(i) - wanted(i));
            d_x(d_free[i]) = leaves ? 0.0 : next(i);
            if (!leaves) {
                still_free.push_back(d_free[i]);
            }
        }
        const bool is_minimum = still_free.size() == d_free.size();
        d_free = still_free;
        return is_minimum;
    }

    const Eigen::MatrixXd& d_gram;
    const Eigen::VectorXd& d_target;
    Eigen::VectorXd d_x;
    std::vector<Eigen::Index> d_free;
};

} // namespace

Eigen::VectorXd non_negative_minimum(const Eigen::MatrixXd& gram,
                                     const Eigen::VectorXd& target)
{
    return active_set(gram, target).solve();
}

} // namespace core
} // namespace bearing
} // namespace gr
