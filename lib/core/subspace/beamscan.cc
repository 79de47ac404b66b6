/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include <gnuradio/bearing/core/subspace/beamscan.h>
#include <gnuradio/bearing/core/subspace/decibels.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Eigenvalues below this share of the mean count as this large when R is inverted, so
// that a rank-deficient covariance (fewer snapshots than elements) has a Capon spectrum.
constexpr double capon_loading = 1e-6;
// Below this, in radians, a maximum is as flat as rounding: the square root of 2^-52.
constexpr double flat_top = 1.5e-8;
// A peak this near to the edge of a sector, as a share of the step, is the edge itself:
// the power goes on rising outside.
constexpr double edge_share = 1e-3;
// A level that a spectrum without data takes.
constexpr double no_power = 0.0;

// Power per element over the table's grid. Both spectra are weighted sums of |v_k^H a|^2.
class power_form
{
public:
    power_form(beamscan_method method, const eigendecomposition& eigen)
        : d_method(method), d_vectors(eigen.vectors), d_weights(eigen.values)
    {
        if (method == beamscan_method::capon) {
            const double floor = capon_loading * eigen.values.mean();
            d_weights = eigen.values.cwiseMax(floor).cwiseInverse();
        }
    }

    Eigen::VectorXd over(const spectrum_table& table) const
    {
        Eigen::VectorXd power;
        if (d_method == beamscan_method::capon) {
            table.quadratic_form(d_vectors, d_weights, power);
            return power.cwiseInverse();
        }
        table.beam_power(d_vectors, d_weights, power);
        return power;
    }

    double at(const antenna_array& array, double azimuth) const
    {
        const Eigen::VectorXcd a = array.steering(azimuth);
        const double form =
            ((d_vectors.adjoint() * a).cwiseAbs2().array() * d_weights.array()).sum();
        return d_method == beamscan_method::capon ? 1.0 / form
                                                  : form / std::pow(a.squaredNorm(), 2);
    }

private:
    beamscan_method d_method;
    Eigen::MatrixXcd d_vectors;
    Eigen::VectorXd d_weights;
};

// The maximum of a function with a single one between \p lower and \p upper, by
// golden-section search.
template <typename Function>
double maximum(Function function, double lower, double upper)
{
    const double share = 0.5 * (std::sqrt(5.0) - 1.0);
    double left = upper - share * (upper - lower);
    double right = lower + share * (upper - lower);
    double at_left = function(left);
    double at_right = function(right);
    while (upper - lower > flat_top) {
        if (at_left > at_right) {
            upper = right;
            right = left;
            at_right = at_left;
            left = upper - share * (upper - lower);
            at_left = function(left);
        } else {
            lower = left;
            left = right;
            at_left = at_right;
            right = lower + share * (upper - lower);
            at_right = function(right);
        }
    }
    return 0.5 * (lower + upper);
}

} // namespace

beamscan_method beamscan_method_from_string(const std::string& name)
{
    if (name == "bartlett") {
        return beamscan_method::bartlett;
    }
    if (name == "capon") {
        return beamscan_method::capon;
    }
    throw std::invalid_argument("method is '" + name +
                                "'; it must be 'bartlett' or 'capon'");
}

beamscan_estimator::beamscan_estimator(antenna_array array,
                                       angle_grid grid,
                                       beamscan_config config)
    : d_frame(std::move(array)),
      d_config(config),
      d_search(d_frame.array(), std::move(grid))
{
    require_num_sources(d_frame.array(), d_config.num_sources);
}

bearing_estimate
beamscan_estimator::estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariance,
                             std::size_t snapshots) const
{
    require_covariance_size(array(), covariance);
    const covariance_analysis analysis =
        analyse(d_frame, covariance, d_config.num_sources, d_config.counting, snapshots);
    bearing_estimate estimate =
        nothing_found(array(), analysis.num_sources, analysis.status);
    estimate.grid = grid().azimuth();
    estimate.spectrum_db.setConstant(grid().size(), to_db(no_power));
    if (analysis.eigen.values.size() == 0) {
        return estimate;
    }
    const power_form power(d_config.method, analysis.eigen);
    estimate.spectrum_db = power.over(d_search.shown_table());
    to_decibels(estimate.spectrum_db, lowest_power, std::numeric_limits<double>::max());
    if (analysis.status != status::ok) {
        return estimate;
    }

    const angle_grid& searched = d_search.searched();
    const Eigen::VectorXd negative = -power.over(d_search.searched_table());
    int found = 0;
    bool is_stronger_outside = false;
    for (const int g : local_minima(negative, searched.is_circle())) {
        if (found == analysis.num_sources) {
            break;
        }
        const double before = searched.at(g - 1);
        const double after = searched.at(g + 1);
        const double peak =
            maximum([&](double x) { return power.at(array(), x); }, before, after);
        if (searched.is_open_edge(g, array()) &&
            std::abs(peak - searched.at(g)) < edge_share * (after - before)) {
            is_stronger_outside = true;
            continue;
        }
        const double peak_power = power.at(array(), peak);
        estimate.azimuth(found) = reported_azimuth(array(), peak);
        estimate.power_db(found) = to_db(peak_power);
        estimate.snr_db(found) = 10.0 * std::log10(peak_power / analysis.noise_power);
        ++found;
    }
    if (found < analysis.num_sources || is_stronger_outside) {
        estimate.status = status::unresolved;
    } else if (array().is_ambiguous(grid().first(), grid().last())) {
        estimate.status = status::not_identifiable;
    }
    sort_by_power(estimate);
    return estimate;
}

} // namespace core
} // namespace bearing
} // namespace gr
