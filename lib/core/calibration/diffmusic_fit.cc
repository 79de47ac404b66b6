/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "calibration_sample.h"
#include "fit_accuracy.h"
#include "known_sources.h"
#include "label_consensus.h"
#include "sample_fit.h"
#include "source_null.h"
#include <gnuradio/bearing/core/calibration/adam_fit.h>
#include <gnuradio/bearing/core/calibration/diffmusic_fit.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int newton_steps = 60;
constexpr int adam_steps = 400;
constexpr int most_other_starts = 12;
// A step this short, relative to the longest that is allowed, ends the fit.
constexpr double converged_step = 1e-5;
// The shape is not known when an element's phase is as uncertain as this, in radians.
constexpr double unknown_phase = 0.5;
// Null functions this many times as high as sampling makes them contradict the model.
constexpr double mismatch_loss = 4.0;

void require(bool holds, const std::string& what)
{
    if (!holds) {
        throw std::invalid_argument(what);
    }
}

void check_arguments(const std::vector<Eigen::MatrixXcd>& covariances,
                     const antenna_array& array,
                     int num_sources,
                     std::size_t snapshots,
                     const known_directions& known,
                     const diffmusic_config& config)
{
    const int n = array.num_elements();
    require_calibratable(array, num_sources);
    require(!covariances.empty(), "covariances: there are none; at least 1 is needed");
    for (const Eigen::MatrixXcd& covariance : covariances) {
        require(covariance.rows() == n && covariance.cols() == n,
                "covariances: one is " + std::to_string(covariance.rows()) + " x " +
                    std::to_string(covariance.cols()) + "; the array has " +
                    std::to_string(n) + " elements, so all must be N x N");
    }
    require(snapshots >= 1, "snapshots is 0; it must be at least 1");
    require(config.iterations >= 0,
            "iterations is " + std::to_string(config.iterations) +
                "; it must be >= 0 (0: the method's own)");
    const Eigen::Index num_samples = static_cast<Eigen::Index>(covariances.size());
    for (const Eigen::MatrixXd* given : { &known.azimuth, &known.range }) {
        require(given->size() == 0 ||
                    (given->rows() == num_samples && given->cols() == num_sources),
                std::string(given == &known.range ? "range" : "labels") + " is " +
                    std::to_string(given->rows()) + " x " +
                    std::to_string(given->cols()) + "; it must have " +
                    std::to_string(num_samples) + " rows, one a covariance, of " +
                    std::to_string(num_sources) + " sources");
    }
    require(known.azimuth.size() > 0 || known.range.size() == 0,
            "range needs labels: the directions of the same sources");
    const bool is_supervised = config.method == diffmusic_method::sl_p ||
                               config.method == diffmusic_method::sl_theta;
    require(!is_supervised || known.azimuth.array().isFinite().any(),
            "labels: the supervised methods 'sl_p' and 'sl_theta' need known directions");
    require(config.method == diffmusic_method::gauss_newton ||
                !known.range.array().isFinite().any(),
            "range: only method 'gauss_newton' knows sources near by");
}

// A fit over a batch, in progress.
class batch_fit
{
public:
    batch_fit(const antenna_array& array, const diffmusic_config& config)
        : d_array(array), d_config(config), d_fit(array, config.fit_positions)
    {
    }

    // False when the covariance cannot be used.
    bool take(const Eigen::MatrixXcd& covariance,
              std::size_t snapshots,
              int num_sources,
              const Eigen::VectorXd& azimuth,
              const Eigen::VectorXd& range);

    std::vector<double> run();
    std::vector<double> run_adam(int num_sources);
    // Loss at the present parameters, with fresh peaks.
    double finish() { return d_fit.assemble(d_list, source_weighting::batch, true); }

    const array_parameters& parameters() const { return d_fit.parameters(); }
    fit_accuracy accuracy(double loss)
    {
        return { d_fit.newton(), d_fit.parameters(), d_map, d_array, loss };
    }
    core::orientation orientation() const { return d_orientation; }
    // Directions of a sample: labels in their own places, peaks in the others; NaN where a
    // peak is doubtful.
    Eigen::RowVectorXd azimuth(std::size_t index, const Eigen::VectorXd& labels) const;

private:
    void read_labels();
    void start_from_labels();
    void try_shape_first(const array_parameters& start,
                         int iterations,
                         std::vector<double>& loss);
    void move_elements(int iterations, std::vector<double>& loss);
    void descend(int iterations, std::vector<double>& loss);

    const antenna_array& d_array;
    const diffmusic_config& d_config;
    sample_fit d_fit;
    std::deque<calibration_sample> d_samples;
    sample_list d_list;
    free_map d_map;
    free_map d_unlabelled_map;
    core::orientation d_orientation = orientation::unknown;
};

bool batch_fit::take(const Eigen::MatrixXcd& covariance,
                     std::size_t snapshots,
                     int num_sources,
                     const Eigen::VectorXd& azimuth,
                     const Eigen::VectorXd& range)
{
    calibration_sample sample;
    sample.signal_subspace.setZero(d_array.num_elements(), num_sources);
    set_known(d_array, azimuth, range, sample);
    if (check_covariance(covariance) != status::ok) {
        return false;
    }
    const eigendecomposition eigen = decompose(covariance);
    if (snapshots > static_cast<std::size_t>(num_sources) &&
        margins(eigen.values, num_sources, snapshots).is_weak()) {
        return false;
    }
    assign(eigen, num_sources, snapshots, d_array.calibration().coupling, sample);
    d_samples.push_back(std::move(sample));
    d_list.push_back(&d_samples.back());
    return true;
}

// Weiss and Friedlander: with all positions as drawn, a^H Pn a over known directions is a
// quadratic form in the gains.
void batch_fit::start_from_labels()
{
    const int n = d_array.num_elements();
    array_parameters start = d_fit.parameters();
    start.gains.setOnes();
    source_null source(n);
    Eigen::MatrixXcd form = Eigen::MatrixXcd::Zero(n, n);
    Eigen::MatrixXd real, imag;
    for (const calibration_sample& sample : d_samples) {
        for (int k = 0; k < sample.num_known; ++k) {
            source.evaluate(start, sample, sample.azimuth(k), sample.range(k));
            source.fill_curvature(real, imag);
            form.real() += real;
            form.imag() += imag;
        }
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> eigen(form);
    start.gains = eigen.eigenvectors().col(0);
    d_fit.set_parameters(start);
}

void batch_fit::read_labels()
{
    known_bearings labels(d_array);
    for (const calibration_sample& sample : d_samples) {
        labels.add(sample);
    }
    d_orientation = labels.orientation();
    d_map = labels.left_free();
    d_unlabelled_map = known_bearings(d_array).left_free();
}

void batch_fit::descend(int iterations, std::vector<double>& loss)
{
    for (int iteration = 0; iteration < iterations; ++iteration) {
        const bool is_search = iteration % steps_per_search == 0;
        loss.push_back(d_fit.assemble(d_list, source_weighting::batch, is_search));
        const double length = d_fit.move(d_map);
        if (is_search && length < converged_step) {
            break;
        }
    }
}

std::vector<double> batch_fit::run()
{
    const int iterations = d_config.iterations > 0 ? d_config.iterations : newton_steps;
    read_labels();
    const bool is_all_known = std::all_of(
        d_samples.begin(), d_samples.end(), [](const calibration_sample& sample) {
            return sample.num_known == sample.num_sources();
        });
    if (is_all_known && d_array.calibration().num_elements() == 0) {
        start_from_labels();
    }
    const array_parameters start = d_fit.parameters();
    std::vector<double> loss;
    loss.reserve(3 * iterations);
    descend(iterations, loss);
    move_elements(iterations, loss);
    // Peaks of an array far from its drawing can lie where no source is, and hold the fit
    // in a wrong minimum.
    for (int k = 0; k < most_other_starts && d_fit.median_depth() > mismatch_loss; ++k) {
        d_fit.try_other_start(d_list, d_map, source_weighting::batch, start);
        if (d_fit.median_depth() <= mismatch_loss) {
            descend(iterations, loss);
        }
    }
    if (!is_all_known && d_orientation != orientation::unknown) {
        try_shape_first(start, iterations, loss);
    }
    return loss;
}

// A weak element can end in a wrong minimum of its own, from which no small step leads out.
void batch_fit::move_elements(int iterations, std::vector<double>& loss)
{
    for (int k = 0; k < d_array.num_elements(); ++k) {
        const double present_loss = finish();
        const array_parameters present = d_fit.parameters();
        if (!d_fit.move_worst_element(d_list)) {
            break;
        }
        descend(iterations, loss);
        if (!(finish() < present_loss)) {
            d_fit.set_parameters(present);
            finish();
            break;
        }
    }
}

// A few labels far from where the array as drawn sees their sources bend its shape. So it
// is also fitted without them, then turned onto them; the better of both is kept.
void batch_fit::try_shape_first(const array_parameters& start,
                                int iterations,
                                std::vector<double>& loss)
{
    const double present_loss = finish();
    const array_parameters present = d_fit.parameters();
    label_consensus consensus(d_array, d_config.fit_positions);
    d_fit.set_parameters(start);
    std::vector<double> shape_first;
    const std::deque<calibration_sample> labelled = d_samples;
    for (calibration_sample& sample : d_samples) {
        sample.num_known = 0;
    }
    std::swap(d_map, d_unlabelled_map);
    descend(iterations, shape_first);
    std::swap(d_map, d_unlabelled_map);
    for (std::size_t i = 0; i < d_samples.size(); ++i) {
        const Eigen::VectorXd peaks = d_samples[i].azimuth;
        d_samples[i] = labelled[i];
        for (int k = 0; k < labelled[i].num_known; ++k) {
            consensus.add(labelled[i].azimuth(k),
                          nearest_azimuth(peaks, labelled[i].azimuth(k)));
        }
    }
    array_parameters turned = d_fit.parameters();
    consensus.best_map().apply(turned);
    d_fit.set_parameters(turned);
    descend(iterations, shape_first);
    if (finish() < present_loss) {
        loss.insert(loss.end(), shape_first.begin(), shape_first.end());
    } else {
        d_fit.set_parameters(present);
        finish();
    }
}

// The three losses of the paper.
std::vector<double> batch_fit::run_adam(int num_sources)
{
    std::vector<Eigen::MatrixXcd> subspaces;
    Eigen::MatrixXd azimuth =
        Eigen::MatrixXd::Constant(d_samples.size(), num_sources, nan);
    for (std::size_t i = 0; i < d_samples.size(); ++i) {
        calibration_sample& sample = d_samples[i];
        subspaces.push_back(sample.signal_subspace);
        if (d_config.method == diffmusic_method::ul) {
            sample.num_known = 0;
        }
        azimuth.row(i).head(sample.num_known) =
            sample.azimuth.head(sample.num_known).transpose();
    }
    read_labels();
    const adam_result descent =
        fit_by_adam(subspaces,
                    d_array,
                    d_fit.parameters(),
                    d_config.method,
                    azimuth,
                    d_config.iterations > 0 ? d_config.iterations : adam_steps,
                    d_config.fit_positions);
    d_fit.set_parameters(descent.parameters);
    return descent.loss;
}

Eigen::RowVectorXd batch_fit::azimuth(std::size_t index,
                                      const Eigen::VectorXd& labels) const
{
    const calibration_sample& sample = d_samples[index];
    Eigen::RowVectorXd result(sample.num_sources());
    int next_known = 0;
    int next_peak = sample.num_known;
    for (int k = 0; k < sample.num_sources(); ++k) {
        const bool is_known = sample.num_known > 0 && !std::isnan(labels(k));
        if (is_known) {
            result(k) = sample.azimuth(next_known++);
        } else {
            const double peak = sample.azimuth(next_peak++);
            const double turns =
                d_array.is_front_only() ? 0.0 : std::floor(peak / (2.0 * M_PI));
            result(k) = sample.is_doubtful ? nan : peak - turns * 2.0 * M_PI;
        }
    }
    return result;
}

Eigen::VectorXd row_or_empty(const Eigen::MatrixXd& values, std::size_t row)
{
    return values.size() > 0 ? Eigen::VectorXd(values.row(row).transpose())
                             : Eigen::VectorXd();
}

} // namespace

diffmusic_method diffmusic_method_from_string(const std::string& name)
{
    if (name == "gauss_newton") {
        return diffmusic_method::gauss_newton;
    }
    if (name == "sl_p") {
        return diffmusic_method::sl_p;
    }
    if (name == "sl_theta") {
        return diffmusic_method::sl_theta;
    }
    if (name == "ul") {
        return diffmusic_method::ul;
    }
    throw std::invalid_argument(
        "method is '" + name +
        "'; it must be 'gauss_newton', 'sl_p', 'sl_theta' or 'ul'");
}

diffmusic_result diffmusic_fit(const std::vector<Eigen::MatrixXcd>& covariances,
                               const antenna_array& array,
                               int num_sources,
                               std::size_t snapshots,
                               const known_directions& known,
                               const diffmusic_config& config)
{
    check_arguments(covariances, array, num_sources, snapshots, known, config);
    batch_fit fit(array, config);
    std::vector<std::size_t> used;
    for (std::size_t k = 0; k < covariances.size(); ++k) {
        if (fit.take(covariances[k],
                     snapshots,
                     num_sources,
                     row_or_empty(known.azimuth, k),
                     row_or_empty(known.range, k))) {
            used.push_back(k);
        }
    }

    diffmusic_result result;
    result.azimuth = Eigen::MatrixXd::Constant(covariances.size(), num_sources, nan);
    result.calibration = fit.parameters().calibration(array);
    result.sigma_positions = Eigen::MatrixXd::Zero(array.num_elements(), 3);
    if (used.empty()) {
        return result;
    }
    if (config.method == diffmusic_method::gauss_newton) {
        result.loss = fit.run();
    } else {
        result.loss = fit.run_adam(num_sources);
    }
    const double loss = fit.finish();
    const fit_accuracy accuracy = fit.accuracy(loss);
    result.orientation = fit.orientation();
    result.calibration = fit.parameters().calibration(array);
    accuracy.fill(result.calibration);
    result.sigma_positions = accuracy.sigma_positions(*result.calibration.reference) *
                             array.wavelength().value_or(1.0);
    for (std::size_t i = 0; i < used.size(); ++i) {
        result.azimuth.row(used[i]) =
            fit.azimuth(i, row_or_empty(known.azimuth, used[i]));
    }
    const bool knows_noise = snapshots > static_cast<std::size_t>(num_sources);
    if (!std::isfinite(loss) || !(accuracy.largest_shape_deviation() <= unknown_phase)) {
        result.status = status::not_identifiable;
    } else if (knows_noise && loss > mismatch_loss) {
        result.status = status::model_mismatch;
    } else {
        result.status = status::ok;
    }
    return result;
}

} // namespace core
} // namespace bearing
} // namespace gr
