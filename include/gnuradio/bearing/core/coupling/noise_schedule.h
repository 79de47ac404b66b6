/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_SCHEDULE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_SCHEDULE_H

#include <gnuradio/bearing/api.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Variance-preserving schedule of a diffusion model: x_t = sqrt(abar_t) x_0 +
 * sqrt(1 - abar_t) e, with beta_t linear from \p beta_first to \p beta_last over T steps
 * and abar_t the running product of 1 - beta_t, t = 0 .. T-1.
 *
 * Reference: J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", 2020.
 */
class BEARING_API noise_schedule
{
public:
    //! \throws std::invalid_argument unless steps >= 2 and 0 < beta_first <= beta_last < 1
    explicit noise_schedule(int steps = 200,
                            double beta_first = 5e-4,
                            double beta_last = 0.1);

    //! T
    int steps() const { return static_cast<int>(d_alpha_bar.size()); }
    double beta(int t) const { return d_beta(t); }
    //! abar_t; t = -1: 1, no noise
    double alpha_bar(int t) const { return t < 0 ? 1.0 : d_alpha_bar(t); }
    //! \p count steps from T-1 down to 0, equally spaced and rounded.
    //! \throws std::invalid_argument unless 2 <= count <= T
    std::vector<int> descent(int count) const;

private:
    Eigen::VectorXd d_beta;
    Eigen::VectorXd d_alpha_bar;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_SCHEDULE_H */
