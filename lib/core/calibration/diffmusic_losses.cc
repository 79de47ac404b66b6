/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "null_kernel.h"
#include <gnuradio/bearing/core/array/vector_kernels.h>
#include <gnuradio/bearing/core/calibration/diffmusic_losses.h>
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// A null this deep is rounding error; see the header.
constexpr double null_floor = 1e-16;
// Peaks are looked for on a grid of this step or finer: nulls of arrays of up to ten
// wavelengths are at least ten times as wide.
constexpr double search_step = 0.25 * M_PI / 180.0;
// Keeps the square root of a vanishing error differentiable, in square radians.
constexpr double smallest_square = 1e-12;

struct loss_name {
    const char* name;
    diffmusic_loss loss;
};
constexpr loss_name loss_names[] = { { "sl_p", diffmusic_loss::sl_p },
                                     { "sl_p_raw", diffmusic_loss::sl_p_raw },
                                     { "sl_theta", diffmusic_loss::sl_theta },
                                     { "ul", diffmusic_loss::ul } };

bool is_amplitude(diffmusic_loss loss)
{
    return loss == diffmusic_loss::sl_p || loss == diffmusic_loss::sl_p_raw;
}

void require_subspaces(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                       const antenna_array& drawn)
{
    if (signal_subspaces.empty()) {
        throw std::invalid_argument(
            "signal_subspaces is empty; at least one covariance is needed");
    }
    const Eigen::Index num_sources = signal_subspaces.front().cols();
    for (const Eigen::MatrixXcd& subspace : signal_subspaces) {
        if (subspace.rows() != drawn.num_elements() || subspace.cols() != num_sources ||
            num_sources < 1 || num_sources >= drawn.num_elements()) {
            throw std::invalid_argument(
                "signal_subspaces holds a matrix of " + std::to_string(subspace.rows()) +
                " x " + std::to_string(subspace.cols()) +
                "; all must be N x M with N = " + std::to_string(drawn.num_elements()) +
                " and the same M, 1 .. N-1");
        }
    }
}

void require_labels(const Eigen::MatrixXd& azimuth,
                    std::size_t num_covariances,
                    Eigen::Index num_sources)
{
    if (azimuth.rows() != static_cast<Eigen::Index>(num_covariances) ||
        azimuth.cols() != num_sources) {
        throw std::invalid_argument(
            "azimuth is " + std::to_string(azimuth.rows()) + " x " +
            std::to_string(azimuth.cols()) + "; a supervised loss needs K x M labels, " +
            std::to_string(num_covariances) + " x " + std::to_string(num_sources));
    }
}

void require_windows(const diffmusic_losses_config& config)
{
    const double half_width = config.window_half_width * config.window_step;
    if (!(config.window_half_width >= 1 && config.window_step > 0.0 &&
          half_width <= M_PI / 2.0)) {
        throw std::invalid_argument(
            "window_half_width is " + std::to_string(config.window_half_width) +
            " and window_step " + std::to_string(config.window_step) +
            " rad; both must be positive and their product at most pi / 2");
    }
    if (!(config.temperature > 0.0 && std::isfinite(config.temperature))) {
        throw std::invalid_argument("temperature is " +
                                    std::to_string(config.temperature) +
                                    "; it must be finite and > 0");
    }
}

const null_kernel& choose_kernel(const std::string& name)
{
    if (name.empty()) {
        return *find_null_kernel(default_kernel_name());
    }
    // The accumulator's kernels bear the same names and throw where this processor cannot
    // run them.
    covariance_accumulator(1, name);
    return *find_null_kernel(name.c_str());
}

angle_grid search_grid(const antenna_array& drawn)
{
    const double range = drawn.is_front_only() ? M_PI : 2.0 * M_PI;
    const angle_grid coarsest = angle_grid::whole_range(
        drawn, static_cast<int>(std::ceil(range / search_step)) + 1);
    const angle_grid needed = coarsest.searched_by(drawn);
    return needed.size() > coarsest.size() ? needed : coarsest;
}

int rounded_up(int count, int multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

double wrapped(double angle, double period)
{
    return angle - period * std::floor(angle / period);
}

// The least of f at three points one step apart, by their parabola: where, in steps from
// the middle one, and how much.
struct vertex {
    double offset;
    double value;
};
vertex parabola_vertex(double before, double middle, double after)
{
    const double curvature = before - 2.0 * middle + after;
    if (!(curvature > 0.0)) {
        return { 0.0, middle };
    }
    const double offset = 0.5 * (before - after) / curvature;
    return { offset, middle - 0.5 * curvature * offset * offset };
}

} // namespace

diffmusic_loss diffmusic_loss_from_string(const std::string& name)
{
    for (const loss_name& known : loss_names) {
        if (name == known.name) {
            return known.loss;
        }
    }
    throw std::invalid_argument(
        "loss is \"" + name +
        "\"; it must be \"sl_p\", \"sl_p_raw\", \"sl_theta\" or \"ul\"");
}

struct diffmusic_losses::state {
    state(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
          const antenna_array& drawn,
          diffmusic_loss kind,
          const Eigen::MatrixXd& azimuth,
          const diffmusic_losses_config& configuration);

    void take_subspaces(const std::vector<Eigen::MatrixXcd>& signal_subspaces);
    void take_labels(const Eigen::MatrixXd& azimuth);
    void take_parameters(const array_parameters& parameters);
    split_points points_of(int covariance) const;
    void project(int covariance, const split_points& points, double* nulls);

    bool find_peaks(int covariance);
    void keep_peak(double azimuth, double depth);
    void place_windows(int covariance);

    double fill_slopes(int covariance);
    double fill_amplitude_slopes(int covariance);
    double fill_sharpness_slopes();
    double fill_angle_slopes(int covariance);
    double soften_peak(int source);
    void pair_with_labels(int covariance);
    void add_gradient(int covariance);
    void finish_gradient(const array_parameters& parameters);

    int window_size() const { return 2 * config.window_half_width + 1; }

    diffmusic_loss loss;
    diffmusic_losses_config config;
    const null_kernel& kernel;
    int num_elements;
    int num_sources;
    int num_covariances;
    double period; // of angles
    bool is_circle;
    Eigen::VectorXd grid; // where peaks are looked for
    Eigen::VectorXd grid_sine;
    Eigen::VectorXd grid_cosine;

    Eigen::MatrixXd subspaces; // 2 N M x K
    Eigen::MatrixXd labels;    // M x K, each column ascending modulo the period
    std::vector<bool> is_usable;
    std::vector<int> num_points; // K; 0: takes no part
    int num_used = 0;
    Eigen::MatrixXd sine; // of the points, padded, x K
    Eigen::MatrixXd cosine;
    Eigen::MatrixXd centers; // of the windows, M x K

    Eigen::VectorXd gain_re;
    Eigen::VectorXd gain_im;
    Eigen::VectorXd x;
    Eigen::VectorXd y;
    split_array array;
    double squared_norm = 0.0; // S

    Eigen::VectorXd grid_nulls;
    Eigen::VectorXd peak_depth; // M, ascending
    Eigen::VectorXd peak_azimuth;
    int num_peaks = 0;

    Eigen::VectorXd scratch;
    Eigen::VectorXd correlation; // c of the kernel
    Eigen::VectorXd nulls;       // D
    Eigen::VectorXd spectrum;    // P
    Eigen::VectorXd slopes;      // dL/dP
    Eigen::VectorXd weights;
    Eigen::VectorXd soft_offset; // of each soft peak from its window's center
    Eigen::VectorXd soft_peak;
    Eigen::VectorXd error;
    std::vector<int> order; // of the soft peaks, ascending modulo the period
    Eigen::VectorXd sums;
    double scale_pull = 0.0; // sum of dL/dP / D
    loss_gradient result;
};

diffmusic_losses::state::state(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                               const antenna_array& drawn,
                               diffmusic_loss kind,
                               const Eigen::MatrixXd& azimuth,
                               const diffmusic_losses_config& configuration)
    : loss(kind),
      config(configuration),
      kernel(choose_kernel(config.kernel)),
      num_elements(drawn.num_elements()),
      num_sources(static_cast<int>(signal_subspaces.front().cols())),
      num_covariances(static_cast<int>(signal_subspaces.size())),
      period(drawn.is_front_only() ? M_PI : 2.0 * M_PI),
      is_circle(!drawn.is_front_only())
{
    const int n = num_elements;
    take_subspaces(signal_subspaces);
    const int most_points =
        is_amplitude(loss) ? num_sources : num_sources * window_size();
    const int padded = rounded_up(most_points, kernel.lanes);
    sine.setZero(padded, num_covariances);
    cosine.setOnes(padded, num_covariances);
    num_points.assign(num_covariances, 0);
    is_usable.assign(num_covariances, true);
    if (loss != diffmusic_loss::ul) {
        take_labels(azimuth);
    }
    centers.setZero(num_sources, num_covariances);

    grid = search_grid(drawn).azimuth();
    const int padded_grid = rounded_up(static_cast<int>(grid.size()), kernel.lanes);
    grid_sine.setZero(padded_grid);
    grid_cosine.setOnes(padded_grid);
    grid_sine.head(grid.size()) = grid.array().sin();
    grid_cosine.head(grid.size()) = grid.array().cos();
    grid_nulls.setZero(padded_grid);
    peak_depth.setZero(num_sources);
    peak_azimuth.setZero(num_sources);

    gain_re.setZero(n);
    gain_im.setZero(n);
    x.setZero(n);
    y.setZero(n);
    array = { n, gain_re.data(), gain_im.data(), x.data(), y.data() };
    scratch.setZero(2 * (n + num_sources) * kernel.lanes);
    correlation.setZero(2 * n * padded);
    nulls.setZero(padded);
    spectrum.setZero(padded);
    slopes.setZero(padded);
    weights.setZero(padded);
    soft_offset.setZero(num_sources);
    soft_peak.setZero(num_sources);
    error.setZero(num_sources);
    order.resize(num_sources);
    sums.setZero(4 * n * kernel.lanes);
    result.gains.setZero(n);
    result.positions.setZero(n, 3);
}

void diffmusic_losses::state::take_subspaces(
    const std::vector<Eigen::MatrixXcd>& signal_subspaces)
{
    subspaces.resize(2 * num_elements * num_sources, num_covariances);
    for (int k = 0; k < num_covariances; ++k) {
        double* out = subspaces.col(k).data();
        for (int n = 0; n < num_elements; ++n) {
            for (int m = 0; m < num_sources; ++m) {
                *out++ = signal_subspaces[k](n, m).real();
                *out++ = signal_subspaces[k](n, m).imag();
            }
        }
    }
}

void diffmusic_losses::state::take_labels(const Eigen::MatrixXd& azimuth)
{
    labels = azimuth.transpose();
    for (int k = 0; k < num_covariances; ++k) {
        is_usable[k] = labels.col(k).allFinite();
        if (is_usable[k]) {
            std::sort(
                labels.col(k).begin(), labels.col(k).end(), [this](double a, double b) {
                    return wrapped(a, period) < wrapped(b, period);
                });
        }
        if (!is_amplitude(loss)) {
            continue;
        }
        for (const double label : labels.col(k)) {
            if (std::isfinite(label)) {
                sine(num_points[k], k) = std::sin(label);
                cosine(num_points[k], k) = std::cos(label);
                ++num_points[k];
            }
        }
        num_used += num_points[k] > 0 ? 1 : 0;
    }
}

void diffmusic_losses::state::take_parameters(const array_parameters& parameters)
{
    if (parameters.gains.size() != num_elements ||
        parameters.positions.rows() != num_elements || parameters.positions.cols() != 3) {
        throw std::invalid_argument(
            "parameters have " + std::to_string(parameters.gains.size()) +
            " gains and positions of " + std::to_string(parameters.positions.rows()) +
            " x " + std::to_string(parameters.positions.cols()) + "; " +
            std::to_string(num_elements) + " and N x 3 are needed");
    }
    gain_re = parameters.gains.real();
    gain_im = parameters.gains.imag();
    x = parameters.positions.col(0);
    y = parameters.positions.col(1);
    squared_norm = parameters.gains.squaredNorm();
}

split_points diffmusic_losses::state::points_of(int covariance) const
{
    return { static_cast<int>(sine.rows()),
             sine.col(covariance).data(),
             cosine.col(covariance).data() };
}

void diffmusic_losses::state::project(int covariance,
                                      const split_points& points,
                                      double* out)
{
    kernel.project(&array,
                   &points,
                   subspaces.col(covariance).data(),
                   num_sources,
                   scratch.data(),
                   out,
                   correlation.data());
}

// Peaks, deepest null first; false when there are fewer than M.
bool diffmusic_losses::state::find_peaks(int covariance)
{
    const int chunk = static_cast<int>(sine.rows());
    for (int g = 0; g < grid_sine.size(); g += chunk) {
        const int count = std::min(chunk, static_cast<int>(grid_sine.size()) - g);
        project(covariance,
                { count, grid_sine.data() + g, grid_cosine.data() + g },
                grid_nulls.data() + g);
    }
    num_peaks = 0;
    const int last = static_cast<int>(grid.size()) - 1;
    const double step = grid(1) - grid(0);
    for (int g = 0; g <= last; ++g) {
        const bool is_edge = !is_circle && (g == 0 || g == last);
        const double here = grid_nulls(g);
        const double before = grid_nulls(g > 0 ? g - 1 : (is_circle ? last : 1));
        const double after = grid_nulls(g < last ? g + 1 : (is_circle ? 0 : last - 1));
        if (here < before && here <= after) {
            const vertex least =
                is_edge ? vertex{ 0.0, here } : parabola_vertex(before, here, after);
            keep_peak(grid(g) + least.offset * step, least.value);
        }
    }
    return num_peaks == num_sources;
}

// Inserts a peak into those kept, if it is deeper than the last of M.
void diffmusic_losses::state::keep_peak(double azimuth, double depth)
{
    if (num_peaks == num_sources && depth >= peak_depth(num_peaks - 1)) {
        return;
    }
    num_peaks = std::min(num_peaks + 1, num_sources);
    int at = num_peaks - 1;
    for (; at > 0 && depth < peak_depth(at - 1); --at) {
        peak_depth(at) = peak_depth(at - 1);
        peak_azimuth(at) = peak_azimuth(at - 1);
    }
    peak_depth(at) = depth;
    peak_azimuth(at) = azimuth;
}

void diffmusic_losses::state::place_windows(int covariance)
{
    centers.col(covariance) = peak_azimuth;
    double* s = sine.col(covariance).data();
    double* c = cosine.col(covariance).data();
    for (const double center : peak_azimuth) {
        for (int k = -config.window_half_width; k <= config.window_half_width; ++k) {
            *s++ = std::sin(center + k * config.window_step);
            *c++ = std::cos(center + k * config.window_step);
        }
    }
    num_points[covariance] = num_sources * window_size();
}

// Fills dL/dP at the points of a covariance and returns its share of the loss, both but
// for 1/B.
double diffmusic_losses::state::fill_slopes(int covariance)
{
    switch (loss) {
    case diffmusic_loss::sl_theta:
        return fill_angle_slopes(covariance);
    case diffmusic_loss::ul:
        return fill_sharpness_slopes();
    default:
        return fill_amplitude_slopes(covariance);
    }
}

double diffmusic_losses::state::fill_amplitude_slopes(int covariance)
{
    const int count = num_points[covariance];
    if (loss == diffmusic_loss::sl_p_raw) {
        slopes.head(count).setConstant(-1.0);
        return -spectrum.head(count).sum();
    }
    slopes.head(count) = -spectrum.head(count).cwiseInverse();
    return -spectrum.head(count).array().log().sum();
}

// Jain's index J = (sum P)^2 / (L sum P^2) of each window.
double diffmusic_losses::state::fill_sharpness_slopes()
{
    const int size = window_size();
    double sum = 0.0;
    for (int i = 0; i < num_sources; ++i) {
        const auto p = spectrum.segment(i * size, size);
        const double s1 = p.sum();
        const double s2 = p.squaredNorm();
        const double factor = 2.0 * s1 / (size * s2);
        slopes.segment(i * size, size) = factor * (1.0 - p.array() * (s1 / s2));
        sum += s1 * s1 / (size * s2);
    }
    return sum;
}

double diffmusic_losses::state::fill_angle_slopes(int covariance)
{
    const int size = window_size();
    for (int i = 0; i < num_sources; ++i) {
        soft_offset(i) = soften_peak(i);
        soft_peak(i) = centers(i, covariance) + soft_offset(i);
    }
    pair_with_labels(covariance);
    const double root = std::sqrt(error.squaredNorm() / num_sources + smallest_square);
    for (int i = 0; i < num_sources; ++i) {
        const double factor = -error(i) / (num_sources * root * config.temperature);
        for (int k = 0; k < size; ++k) {
            const double offset = (k - config.window_half_width) * config.window_step;
            slopes(i * size + k) *= factor * (offset - soft_offset(i));
        }
    }
    return root;
}

// Leaves the softmax of a window in slopes and returns the mean offset from its center.
double diffmusic_losses::state::soften_peak(int source)
{
    const int size = window_size();
    const auto p = spectrum.segment(source * size, size);
    auto w = slopes.segment(source * size, size);
    // Off the greatest, exponents are at most 0 and cannot overflow.
    const double greatest = p.maxCoeff();
    w = ((p.array() - greatest) / config.temperature).exp();
    w /= w.sum();
    double offset = 0.0;
    for (int k = 0; k < size; ++k) {
        offset += w(k) * (k - config.window_half_width) * config.window_step;
    }
    return offset;
}

// The errors of the soft peaks against the labels in the best pairing. On a circle, sums
// of squares are least for two sequences in ascending order, one of them shifted.
void diffmusic_losses::state::pair_with_labels(int covariance)
{
    for (int i = 0; i < num_sources; ++i) {
        order[i] = i;
    }
    std::sort(order.begin(), order.end(), [this](int i, int k) {
        return wrapped(soft_peak(i), period) < wrapped(soft_peak(k), period);
    });
    const auto error_of = [this, covariance](int i, int shift) {
        return std::remainder(
            labels((i + shift) % num_sources, covariance) - soft_peak(order[i]), period);
    };
    int best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int shift = 0; shift < num_sources; ++shift) {
        double sum = 0.0;
        for (int i = 0; i < num_sources; ++i) {
            sum += error_of(i, shift) * error_of(i, shift);
        }
        if (sum < least) {
            least = sum;
            best = shift;
        }
    }
    for (int i = 0; i < num_sources; ++i) {
        error(order[i]) = error_of(i, best);
    }
}

void diffmusic_losses::state::add_gradient(int covariance)
{
    const split_points points = points_of(covariance);
    project(covariance, points, nulls.data());
    spectrum = squared_norm * nulls.cwiseMax(null_floor * squared_norm).cwiseInverse();
    result.value += fill_slopes(covariance) / num_used;

    // dP = dS / D - S / D^2 dD. Padding and nulls of rounding do not pull.
    weights.setZero();
    for (int k = 0; k < num_points[covariance]; ++k) {
        if (nulls(k) > null_floor * squared_norm) {
            const double pull = slopes(k) / (num_used * nulls(k));
            weights(k) = pull * spectrum(k);
            scale_pull += pull;
        }
    }
    kernel.pull(&array, &points, weights.data(), correlation.data(), sums.data());
}

void diffmusic_losses::state::finish_gradient(const array_parameters& parameters)
{
    const Eigen::Map<const Eigen::MatrixXd> by_lane(
        sums.data(), kernel.lanes, 4 * num_elements);
    for (int n = 0; n < num_elements; ++n) {
        const std::complex<double> correlated(by_lane.col(4 * n).sum(),
                                              by_lane.col(4 * n + 1).sum());
        result.gains(n) = 2.0 * (scale_pull * parameters.gains(n) - correlated);
        result.positions(n, 0) = -4.0 * M_PI * by_lane.col(4 * n + 2).sum();
        result.positions(n, 1) = -4.0 * M_PI * by_lane.col(4 * n + 3).sum();
    }
}

diffmusic_losses::diffmusic_losses(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                                   const antenna_array& drawn,
                                   diffmusic_loss loss,
                                   const Eigen::MatrixXd& azimuth,
                                   const diffmusic_losses_config& config)
{
    require_subspaces(signal_subspaces, drawn);
    require_windows(config);
    if (loss != diffmusic_loss::ul) {
        require_labels(azimuth, signal_subspaces.size(), signal_subspaces.front().cols());
    }
    d_state = std::make_unique<state>(signal_subspaces, drawn, loss, azimuth, config);
}

diffmusic_losses::~diffmusic_losses() = default;
diffmusic_losses::diffmusic_losses(diffmusic_losses&&) noexcept = default;
diffmusic_losses& diffmusic_losses::operator=(diffmusic_losses&&) noexcept = default;

void diffmusic_losses::move_windows(const array_parameters& parameters)
{
    state& s = *d_state;
    if (is_amplitude(s.loss)) {
        return;
    }
    s.take_parameters(parameters);
    s.num_used = 0;
    for (int k = 0; k < s.num_covariances; ++k) {
        s.num_points[k] = 0;
        if (s.is_usable[k] && s.find_peaks(k)) {
            s.place_windows(k);
            ++s.num_used;
        }
    }
}

const loss_gradient& diffmusic_losses::evaluate(const array_parameters& parameters)
{
    state& s = *d_state;
    s.take_parameters(parameters);
    s.result.value = s.num_used > 0 ? 0.0 : std::numeric_limits<double>::quiet_NaN();
    s.scale_pull = 0.0;
    s.sums.setZero();
    for (int k = 0; k < s.num_covariances; ++k) {
        if (s.num_points[k] > 0) {
            s.add_gradient(k);
        }
    }
    s.finish_gradient(parameters);
    return s.result;
}

int diffmusic_losses::num_used() const { return d_state->num_used; }

} // namespace core
} // namespace bearing
} // namespace gr
