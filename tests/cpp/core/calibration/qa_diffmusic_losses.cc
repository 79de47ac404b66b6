/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE diffmusic_losses
#include "scenes.h"
#include <gnuradio/bearing/core/calibration/adam_fit.h>
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/covariance/sample_covariance.h>
#include <gnuradio/bearing/core/simulation/snapshots.h>
#include <gnuradio/bearing/core/subspace/eigendecomposition.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

// Every allocation, Eigen's and operator new's, ends in malloc.
extern "C" void* __libc_malloc(std::size_t size);
namespace {
std::atomic<long> num_allocations{ 0 };
}
extern "C" void* malloc(std::size_t size)
{
    ++num_allocations;
    return __libc_malloc(size);
}

namespace gr {
namespace bearing {
namespace core {
std::ostream& operator<<(std::ostream& out, diffmusic_loss loss)
{
    constexpr const char* names[] = { "sl_p", "sl_p_raw", "sl_theta", "ul" };
    return out << names[static_cast<int>(loss)];
}
std::ostream& operator<<(std::ostream& out, diffmusic_method method)
{
    constexpr const char* names[] = { "gauss_newton", "sl_p", "sl_theta", "ul" };
    return out << names[static_cast<int>(method)];
}
} // namespace core
} // namespace bearing
} // namespace gr

namespace {

const diffmusic_loss all_losses[] = { diffmusic_loss::sl_p,
                                      diffmusic_loss::sl_p_raw,
                                      diffmusic_loss::sl_theta,
                                      diffmusic_loss::ul };

// The kernels that this processor can run.
std::vector<std::string> kernels()
{
    std::vector<std::string> names;
    for (const char* name : { "generic", "avx2", "avx512" }) {
        try {
            covariance_accumulator(1, name);
            names.push_back(name);
        } catch (const std::invalid_argument&) {
        }
    }
    return names;
}
const std::vector<std::string> all_kernels = kernels();

struct training_set {
    antenna_array drawn;
    antenna_array truth;
    std::vector<Eigen::MatrixXcd> covariances;
    std::vector<Eigen::MatrixXcd> subspaces;
    Eigen::MatrixXd labels;
};

void add(training_set& set,
         int count,
         int num_sources,
         double widest,
         std::size_t snapshots,
         std::mt19937& random)
{
    std::uniform_real_distribution<double> azimuth(-widest, widest);
    set.covariances.clear();
    set.subspaces.clear();
    set.labels.resize(count, num_sources);
    for (int k = 0; k < count; ++k) {
        for (int m = 0; m < num_sources; ++m) {
            set.labels(k, m) = azimuth(random);
        }
        set.covariances.push_back(
            sample_covariance(simulate(set.truth,
                                       set.labels.row(k).transpose(),
                                       Eigen::VectorXd::Constant(1, 15.0),
                                       snapshots,
                                       random())));
        set.subspaces.push_back(
            decompose(set.covariances.back()).vectors.leftCols(num_sources));
    }
}

// A line or a circle whose calibration is a bit off.
training_set small_set(bool is_line, int num_sources, int count)
{
    const int n = is_line ? 7 : 6;
    const antenna_array drawn = is_line ? antenna_array::uniform_line(n, 0.5)
                                        : antenna_array::uniform_circle(n, 0.5);
    calibration_state errors = random_calibration(n, 4);
    errors.coupling.resize(0, 0);
    training_set set{ drawn, drawn.with_calibration(errors), {}, {}, {} };
    std::mt19937 random(11);
    add(set, count, num_sources, is_line ? 1.0 : 3.0, 50, random);
    return set;
}

array_parameters off_by_a_bit(const training_set& set)
{
    array_parameters parameters = array_parameters::of(set.truth);
    std::srand(5);
    parameters.gains += 0.1 * Eigen::VectorXcd::Random(parameters.num_elements());
    parameters.positions += 0.02 * Eigen::MatrixXd::Random(parameters.num_elements(), 3);
    return parameters;
}

// Derivatives by differences of fourth order: their error is step^4 f^(5) / 30 and
// rounding / step, both below 1e-9 of derivatives that are about as large as f itself.
template <typename Change>
double difference(diffmusic_losses& losses, const array_parameters& at, Change change)
{
    constexpr double step = 2e-4;
    const auto value = [&](double h) {
        array_parameters moved = at;
        change(moved, h);
        return losses.evaluate(moved).value;
    };
    return (8.0 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) /
           (12.0 * step);
}

loss_gradient differences(diffmusic_losses& losses, const array_parameters& at)
{
    const int n = at.num_elements();
    loss_gradient result{ 0.0, Eigen::VectorXcd(n), Eigen::MatrixXd(n, 3) };
    for (int l = 0; l < n; ++l) {
        result.gains(
            l) = { difference(losses,
                              at,
                              [l](array_parameters& p, double h) { p.gains(l) += h; }),
                   difference(losses, at, [l](array_parameters& p, double h) {
                       p.gains(l) += std::complex<double>(0.0, h);
                   }) };
        for (int axis = 0; axis < 3; ++axis) {
            result.positions(l, axis) =
                difference(losses, at, [l, axis](array_parameters& p, double h) {
                    p.positions(l, axis) += h;
                });
        }
    }
    return result;
}

// Value of a loss from the definitions, with Eigen and the array's own manifold.
double
spectrum(const antenna_array& array, const Eigen::MatrixXcd& subspace, double azimuth)
{
    const Eigen::VectorXcd a = array.steering(azimuth);
    return a.squaredNorm() / (a - subspace * (subspace.adjoint() * a)).squaredNorm();
}

double periodic_error(const Eigen::VectorXd& x, Eigen::VectorXd y, double period)
{
    std::sort(y.begin(), y.end());
    double least = std::numeric_limits<double>::infinity();
    do {
        double sum = 0.0;
        for (int i = 0; i < x.size(); ++i) {
            sum += std::pow(std::remainder(x(i) - y(i), period), 2);
        }
        least = std::min(least, sum);
    } while (std::next_permutation(y.begin(), y.end()));
    return std::sqrt(least / x.size() + 1e-12);
}

} // namespace

BOOST_DATA_TEST_CASE(gradients_agree_with_differences,
                     data::make(all_losses) * data::make({ true, false }) *
                         data::make(all_kernels),
                     loss,
                     is_line,
                     kernel)
{
    const training_set set = small_set(is_line, 2, 5);
    diffmusic_losses_config config;
    config.kernel = kernel;
    diffmusic_losses losses(set.subspaces, set.drawn, loss, set.labels, config);
    const array_parameters at = off_by_a_bit(set);
    losses.move_windows(at);
    BOOST_TEST(losses.num_used() == 5);
    const loss_gradient ours = losses.evaluate(at);
    const loss_gradient theirs = differences(losses, at);
    BOOST_TEST((ours.gains - theirs.gains).cwiseAbs().maxCoeff() <
               1e-6 * theirs.gains.cwiseAbs().maxCoeff());
    BOOST_TEST((ours.positions - theirs.positions).cwiseAbs().maxCoeff() <
               1e-6 * theirs.positions.cwiseAbs().maxCoeff());
    BOOST_TEST(ours.positions.col(2).isZero(0.0));
}

BOOST_DATA_TEST_CASE(amplitude_losses_are_what_the_spectrum_is_at_the_labels,
                     data::make({ true, false }) * data::make(all_kernels),
                     is_line,
                     kernel)
{
    training_set set = small_set(is_line, 2, 4);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    set.labels(1, 0) = nan;
    set.labels.row(2).setConstant(nan);
    double sum = 0.0, log_sum = 0.0;
    for (int k = 0; k < 4; ++k) {
        for (const double label : set.labels.row(k)) {
            if (std::isfinite(label)) {
                const double p = spectrum(set.truth, set.subspaces[k], label);
                sum += p;
                log_sum += std::log(p);
            }
        }
    }
    diffmusic_losses_config config;
    config.kernel = kernel;
    const array_parameters at = array_parameters::of(set.truth);
    diffmusic_losses raw(
        set.subspaces, set.drawn, diffmusic_loss::sl_p_raw, set.labels, config);
    diffmusic_losses logarithmic(
        set.subspaces, set.drawn, diffmusic_loss::sl_p, set.labels, config);
    BOOST_TEST(raw.num_used() == 3);
    // P is 1e4 here: the amplitude of its null is known to 1e-15 times the square root.
    BOOST_TEST(std::abs(raw.evaluate(at).value + sum / 3) < 1e-11 * sum);
    BOOST_TEST(std::abs(logarithmic.evaluate(at).value + log_sum / 3) < 1e-11 * log_sum);
}

BOOST_DATA_TEST_CASE(angle_loss_is_the_error_in_the_best_of_all_permutations,
                     data::make({ true, false }) * data::make({ 1, 3, 4 }),
                     is_line,
                     num_sources)
{
    const training_set set = small_set(is_line, num_sources, 30);
    // Beyond +-90 degrees of a line, to have errors wrap round.
    const Eigen::MatrixXd labels =
        1.4 * Eigen::MatrixXd::Ones(30, num_sources) - 0.4 * set.labels;
    const array_parameters at = array_parameters::of(set.truth);
    // So sharp a softmax on so coarse a grid is the point on the peak.
    diffmusic_losses_config config;
    config.temperature = 1e-3;
    config.window_half_width = 1;
    config.window_step = 1e-4;
    int num_compared = 0;
    int num_alike = 0;
    for (int k = 0; k < 30; ++k) {
        diffmusic_losses losses({ set.subspaces[k] },
                                set.drawn,
                                diffmusic_loss::sl_theta,
                                labels.row(k),
                                config);
        losses.move_windows(at);
        music_config music;
        music.num_sources = num_sources;
        const bearing_estimate peaks =
            music_estimator(set.truth, angle_grid::whole_range(set.truth), music)
                .estimate(set.covariances[k], 50);
        if (losses.num_used() == 0 || peaks.azimuth.hasNaN()) {
            continue;
        }
        const double error = periodic_error(
            peaks.azimuth, labels.row(k).transpose(), is_line ? M_PI : 2.0 * M_PI);
        // One point of the window, and as much for the parabola through the search grid.
        num_alike += std::abs(losses.evaluate(at).value - error) < 5e-4 ? 1 : 0;
        ++num_compared;
    }
    // With several sources either search may take a side lobe for one that the other, of
    // another grid, does not.
    BOOST_TEST(num_compared >= 20);
    BOOST_TEST(num_alike >= num_compared - (num_sources == 1 ? 0 : 2));
}

BOOST_AUTO_TEST_CASE(jains_index_is_1_for_a_flat_spectrum_and_falls_as_peaks_sharpen)
{
    const training_set set = small_set(true, 1, 20);
    diffmusic_losses_config config;
    config.window_half_width = 1;
    config.window_step = 1e-7;
    diffmusic_losses flat(set.subspaces, set.drawn, diffmusic_loss::ul, {}, config);
    array_parameters at = array_parameters::of(set.truth);
    flat.move_windows(at);
    // Over 1e-7 rad a peak of 1e-2 rad falls by 1e-10.
    BOOST_TEST(std::abs(flat.evaluate(at).value - 1.0) < 1e-9);

    diffmusic_losses losses(set.subspaces, set.drawn, diffmusic_loss::ul, {});
    losses.move_windows(at);
    const double calibrated = losses.evaluate(at).value;
    at = array_parameters::of(set.drawn);
    losses.move_windows(at);
    BOOST_TEST(calibrated < losses.evaluate(at).value);
    BOOST_TEST(calibrated > 1.0 / 41.0);
}

BOOST_DATA_TEST_CASE(an_exact_null_is_floored_and_pulls_at_nothing,
                     data::make(all_kernels),
                     kernel)
{
    training_set set = small_set(true, 1, 1);
    const Eigen::VectorXd azimuth = set.labels.row(0).transpose();
    set.subspaces[0] = set.truth.steering(azimuth(0)).normalized();
    diffmusic_losses_config config;
    config.kernel = kernel;
    diffmusic_losses losses(
        set.subspaces, set.drawn, diffmusic_loss::sl_p, set.labels, config);
    const loss_gradient& at = losses.evaluate(array_parameters::of(set.truth));
    // P = 1e16 to rounding
    BOOST_TEST(std::abs(at.value + 16.0 * std::log(10.0)) < 1e-9);
    BOOST_TEST(at.gains.isZero(0.0));
    BOOST_TEST(at.positions.isZero(0.0));
}

BOOST_AUTO_TEST_CASE(scale_phase_and_shift_do_not_change_a_loss)
{
    const training_set set = small_set(false, 2, 5);
    const array_parameters at = off_by_a_bit(set);
    for (const diffmusic_loss loss : all_losses) {
        diffmusic_losses losses(set.subspaces, set.drawn, loss, set.labels);
        losses.move_windows(at);
        const double value = losses.evaluate(at).value;
        array_parameters same = at;
        same.gains *= std::complex<double>(0.3, -2.0);
        same.positions.rowwise() += Eigen::RowVector3d(0.7, -0.2, 1.0);
        // Rounding of phases a wavelength larger.
        BOOST_TEST(std::abs(losses.evaluate(same).value - value) <
                   1e-10 * std::abs(value));
    }
}

BOOST_DATA_TEST_CASE(steps_allocate_nothing, data::make(all_losses), loss)
{
    const training_set set = small_set(false, 2, 5);
    diffmusic_losses losses(set.subspaces, set.drawn, loss, set.labels);
    const array_parameters at = off_by_a_bit(set);
    const long before = num_allocations;
    BOOST_REQUIRE(before > 0);
    losses.move_windows(at);
    losses.evaluate(at);
    BOOST_TEST(num_allocations == before);
}

namespace {

long descent_allocations(const training_set& set, diffmusic_method method, int iterations)
{
    const long before = num_allocations;
    fit_by_adam(set.subspaces,
                set.drawn,
                array_parameters::of(set.drawn),
                method,
                set.labels,
                iterations,
                true);
    return num_allocations - before;
}

} // namespace

BOOST_DATA_TEST_CASE(a_descent_allocates_no_more_for_more_steps,
                     data::make({ diffmusic_method::sl_p, diffmusic_method::ul }) ^
                         data::make({ true, false }),
                     method,
                     is_line)
{
    const training_set set = small_set(is_line, 2, 5);
    BOOST_TEST(descent_allocations(set, method, 40) ==
               descent_allocations(set, method, 2));
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused)
{
    const training_set set = small_set(true, 2, 2);
    const auto make = [&set](const Eigen::MatrixXd& labels,
                             diffmusic_losses_config config = {}) {
        diffmusic_losses(
            set.subspaces, set.drawn, diffmusic_loss::sl_theta, labels, config);
    };
    BOOST_CHECK_NO_THROW(make(set.labels));
    BOOST_CHECK_THROW(make({}), std::invalid_argument);
    BOOST_CHECK_THROW(make(set.labels.leftCols(1)), std::invalid_argument);
    BOOST_CHECK_THROW(diffmusic_losses({}, set.drawn, diffmusic_loss::ul, {}),
                      std::invalid_argument);
    BOOST_CHECK_THROW(
        diffmusic_losses(
            { Eigen::MatrixXcd::Identity(5, 1) }, set.drawn, diffmusic_loss::ul, {}),
        std::invalid_argument);
    diffmusic_losses_config config;
    config.temperature = 0.0;
    BOOST_CHECK_THROW(make(set.labels, config), std::invalid_argument);
    config = {};
    config.window_half_width = 0;
    BOOST_CHECK_THROW(make(set.labels, config), std::invalid_argument);
    config = {};
    config.kernel = "fastest";
    BOOST_CHECK_THROW(make(set.labels, config), std::invalid_argument);
    BOOST_CHECK_THROW(diffmusic_loss_from_string("sl"), std::invalid_argument);
    diffmusic_losses losses(set.subspaces, set.drawn, diffmusic_loss::ul, {});
    BOOST_CHECK_THROW(
        losses.evaluate(array_parameters::of(antenna_array::uniform_line(4, 0.5))),
        std::invalid_argument);
    const auto fit = [&set](diffmusic_method method, int iterations) {
        fit_by_adam(set.subspaces,
                    set.drawn,
                    array_parameters::of(set.drawn),
                    method,
                    set.labels,
                    iterations,
                    true);
    };
    BOOST_CHECK_THROW(fit(diffmusic_method::gauss_newton, 1), std::invalid_argument);
    BOOST_CHECK_THROW(fit(diffmusic_method::sl_p, -1), std::invalid_argument);
}

namespace {

// The published test: 16 elements half a wavelength apart, gains 1 + CN(0, 0.36), places
// off by up to a quarter of a wavelength, 100 snapshots, 15 dB, directions within 60
// degrees.
training_set published_set(std::mt19937& random)
{
    constexpr int n = 16;
    std::normal_distribution<double> normal(0.0, std::sqrt(0.18));
    std::uniform_real_distribution<double> offset(-0.25, 0.25);
    calibration_state errors;
    errors.gains.resize(n);
    errors.positions.setZero(n, 3);
    for (int l = 0; l < n; ++l) {
        errors.gains(l) = { 1.0 + normal(random), normal(random) };
        errors.positions(l, 0) = offset(random);
    }
    // The ends go inward only.
    errors.positions(0, 0) = std::abs(errors.positions(0, 0));
    errors.positions(n - 1, 0) = -std::abs(errors.positions(n - 1, 0));
    const antenna_array drawn = antenna_array::uniform_line(n, 0.5);
    return { drawn, drawn.with_calibration(errors), {}, {}, {} };
}

Eigen::MatrixXd estimates(const training_set& test, const antenna_array& array)
{
    music_config config;
    config.num_sources = static_cast<int>(test.labels.cols());
    const music_estimator music(array, angle_grid::whole_range(array), config);
    Eigen::MatrixXd found(test.labels.rows(), test.labels.cols());
    for (Eigen::Index k = 0; k < found.rows(); ++k) {
        // What was not found counts as straight ahead.
        found.row(k) =
            music.estimate(test.covariances[k], 100)
                .azimuth.unaryExpr([](double x) { return std::isfinite(x) ? x : 0.0; })
                .transpose();
    }
    return found;
}

double mean_error(const Eigen::MatrixXd& found, const Eigen::MatrixXd& truth)
{
    double sum = 0.0;
    for (Eigen::Index k = 0; k < found.rows(); ++k) {
        sum += periodic_error(found.row(k).transpose(), truth.row(k).transpose(), M_PI);
    }
    return sum / found.rows() / degree;
}

// After the best affine map of sin(theta).
double aligned_error(const Eigen::MatrixXd& found, const Eigen::MatrixXd& truth)
{
    const Eigen::VectorXd x = found.array().sin();
    const Eigen::VectorXd y = truth.array().sin();
    Eigen::MatrixXd a(x.size(), 2);
    a << Eigen::VectorXd::Ones(x.size()), x;
    const Eigen::VectorXd map = a.colPivHouseholderQr().solve(y);
    const Eigen::VectorXd mapped = (a * map).cwiseMax(-1.0).cwiseMin(1.0);
    return mean_error(mapped.array().asin().matrix(), truth);
}

// Medians over arrays, in degrees, for each row.
struct table {
    std::map<std::string, double> error;
    std::map<std::string, double> aligned;
};

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

table published_table(int num_sources, int num_arrays, int num_training, int num_test)
{
    std::map<std::string, std::vector<double>> errors, aligned;
    std::mt19937 random(num_sources);
    for (int trial = 0; trial < num_arrays; ++trial) {
        training_set training = published_set(random);
        training_set test = training;
        add(training, num_training, num_sources, M_PI / 3.0, 100, random);
        add(test, num_test, num_sources, M_PI / 3.0, 100, random);
        const auto note = [&](const char* name, const antenna_array& array) {
            const Eigen::MatrixXd found = estimates(test, array);
            errors[name].push_back(mean_error(found, test.labels));
            aligned[name].push_back(num_sources == 1 ? aligned_error(found, test.labels)
                                                     : 0.0);
        };
        const auto fitted = [&](diffmusic_method method) {
            const array_parameters start = array_parameters::of(training.drawn);
            const adam_result fit = fit_by_adam(training.subspaces,
                                                training.drawn,
                                                start,
                                                method,
                                                training.labels,
                                                400,
                                                true);
            return training.drawn.with_calibration(
                fit.parameters.calibration(training.drawn));
        };
        note("nominal", training.drawn);
        note("true", training.truth);
        note("sl_p", fitted(diffmusic_method::sl_p));
        note("sl_theta", fitted(diffmusic_method::sl_theta));
        note("ul", fitted(diffmusic_method::ul));
    }
    table result;
    for (const auto& [name, values] : errors) {
        result.error[name] = median(values);
        result.aligned[name] = median(aligned[name]);
        BOOST_TEST_MESSAGE(num_sources << " sources, " << name << ": "
                                       << result.error[name] << " degrees, aligned "
                                       << result.aligned[name]);
    }
    return result;
}

bool is_full()
{
    const char* full = std::getenv("BEARING_TEST_FULL");
    return full && std::string(full) == "1";
}

} // namespace

// Seeds are fixed. Medians, because the angle loss gets stuck on one array of 40 or so,
// where the nominal spectrum has its peaks elsewhere. Against the exact parameters, sl_p
// measures 1.00, sl_theta 1.4 (published: 1.4) and ul 60; the margins lie well between.
BOOST_AUTO_TEST_CASE(rows_for_one_source_are_in_the_published_order)
{
    const int trials = is_full() ? 40 : 2;
    table t = published_table(1, trials, 60, is_full() ? 400 : 100);
    const double exact = t.error["true"];
    BOOST_TEST(t.error["sl_p"] < 1.1 * exact);
    BOOST_TEST(t.error["sl_theta"] > t.error["sl_p"]);
    BOOST_TEST(t.error["sl_theta"] < 2.0 * exact);
    BOOST_TEST(t.error["ul"] > 5.0 * t.error["sl_theta"]);
    BOOST_TEST(t.error["nominal"] > 20.0 * exact);
    // What is left of the unsupervised and of the nominal error is mostly the tilt that no
    // unlabelled data shows; but for that, the unsupervised one is as good as exact.
    BOOST_TEST(t.aligned["ul"] < 1.02 * t.aligned["true"]);
    BOOST_TEST(t.aligned["nominal"] > 1.5 * t.aligned["ul"]);
    if (is_full()) {
        BOOST_TEST(t.error["nominal"] > t.error["ul"]);
    }
}

// With so many sources most of the error is that of close pairs which MUSIC does not
// resolve, and the two losses that look around peaks come out alike.
BOOST_AUTO_TEST_CASE(rows_for_five_sources_are_in_the_published_order)
{
    const int trials = is_full() ? 12 : 1;
    table t = published_table(5, trials, is_full() ? 240 : 40, is_full() ? 400 : 60);
    const double exact = t.error["true"];
    BOOST_TEST(t.error["sl_p"] < 1.1 * exact);
    BOOST_TEST(t.error["ul"] > t.error["sl_p"]);
    BOOST_TEST(t.error["sl_theta"] > t.error["sl_p"]);
    BOOST_TEST(t.error["nominal"] > 1.2 * t.error["ul"]);
    if (is_full()) {
        BOOST_TEST(t.error["nominal"] > 1.2 * t.error["sl_theta"]);
    }
}
