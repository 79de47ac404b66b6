/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "lifted_coefficients.h"
#include <gnuradio/bearing/core/subspace/nearest_roots.h>
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

using complex = std::complex<double>;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Beyond this degree the tables would take more than a megabyte.
constexpr int largest_degree = 128;
// A step that is shorter, as a share of |z|, is the last one: the next would be its square.
constexpr double last_step = 1e-8;
// From a good start it takes four or five, with merging minima ten.
constexpr int max_rounds = 20;
// A root starts at least this far from the circle, as a share of the grid's step: there
// it would meet its image.
constexpr double smallest_start = 0.01;
// The minima are seen on this many points for each root, or more.
constexpr int points_per_root = 4;
// How many samples of Re h may follow where the first do not tell.
constexpr int most_further_samples = 64;
// rho lies deeper than the farthest root by this share of its depth, -log |r|, ..
constexpr double clearance = 0.05;
// .. and at least as deep as this, times 1/n: near the circle f may be as small as rounding.
constexpr double smallest_depth = 0.1;
// The roots r are moved inwards by this depth, times 1/n: about as deep as the others lie, n
// to a turn.
constexpr double filling_depth = 4.0;
// The most that rounding and the discs may be of a divisor.
constexpr double largest_divisor_error = 0.01;

// Points are worked on in lanes, by instructions on several numbers at once
// where the machine has them.
constexpr int num_lanes = 4;
using lanes = Eigen::Array<double, num_lanes, 1>;

// The samples of Re h for each degree, or more: where its least value is above 4 % of its
// range, these tell.
constexpr int samples_per_degree = 8;
constexpr int largest_grid = 2 * samples_per_degree * largest_degree;
// On the stack: these are filled a hundred thousand times a second.
using series =
    Eigen::Array<double, Eigen::Dynamic, 1, Eigen::ColMajor, largest_degree + 1, 1>;
using samples = Eigen::Array<double, Eigen::Dynamic, 1, Eigen::ColMajor, largest_grid, 1>;

// M points on the circle, half a step off z = 1: so four of them, +-w and pi -+ w, share
// their cosines and sines.
class circle_grid
{
public:
    circle_grid(int num_points, int degree)
        : d_stride(degree + 1),
          d_table(2 * (num_points / 4) * (degree + 1)),
          d_angle(num_points)
    {
        for (int i = 0; i < num_points; ++i) {
            d_angle(i) = angle(i);
        }
        d_cosine = d_angle.cos();
        d_sine = d_angle.sin();
        double* entry = d_table.data();
        for (int first = 0; first < num_points / 4; first += num_lanes) {
            for (int k = 0; k <= degree; ++k) {
                for (int lane = 0; lane < num_lanes; ++lane) {
                    entry[lane] = std::cos(k * angle(first + lane));
                    entry[num_lanes + lane] = std::sin(k * angle(first + lane));
                }
                entry += 2 * num_lanes;
            }
        }
    }

    Eigen::Index num_points() const { return d_angle.size(); }
    double step() const { return 2.0 * M_PI / static_cast<double>(num_points()); }
    // In steps from z = 1, which need not be whole.
    double angle(double i) const { return (i + 0.5) * step(); }
    const Eigen::ArrayXd& cosine() const { return d_cosine; }
    const Eigen::ArrayXd& sine() const { return d_sine; }

    // Re sum_k (re_k + j im_k) e^(j k w)
    samples sum(const series& re, const series& im) const
    {
        const Eigen::Index size = re.size();
        const Eigen::Index m = num_points();
        samples values(m);
        for (Eigen::Index first = 0; first < m / 4; first += num_lanes) {
            const double* entry = d_table.data() + 2 * first * d_stride;
            lanes even_cosines = lanes::Zero(), odd_cosines = lanes::Zero();
            lanes even_sines = lanes::Zero(), odd_sines = lanes::Zero();
            Eigen::Index k = 0;
            for (; k + 1 < size; k += 2) {
                even_cosines += re(k) * Eigen::Map<const lanes>(entry);
                even_sines += im(k) * Eigen::Map<const lanes>(entry + num_lanes);
                odd_cosines += re(k + 1) * Eigen::Map<const lanes>(entry + 2 * num_lanes);
                odd_sines += im(k + 1) * Eigen::Map<const lanes>(entry + 3 * num_lanes);
                entry += 4 * num_lanes;
            }
            if (k < size) {
                even_cosines += re(k) * Eigen::Map<const lanes>(entry);
                even_sines += im(k) * Eigen::Map<const lanes>(entry + num_lanes);
            }
            const lanes front = even_cosines + odd_cosines;
            const lanes back = even_cosines - odd_cosines;
            const lanes left = even_sines + odd_sines;
            const lanes right = even_sines - odd_sines;
            values.segment<num_lanes>(first) = front - left;
            values.segment<num_lanes>(m / 2 + first) = back - right;
            values.segment<num_lanes>(m - num_lanes - first) = (front + left).reverse();
            values.segment<num_lanes>(m / 2 - num_lanes - first) =
                (back + right).reverse();
        }
        return values;
    }

private:
    Eigen::Index d_stride;
    std::vector<double> d_table; // cos(k w) and sin(k w) of lanes of w, for each k
    Eigen::ArrayXd d_angle, d_cosine, d_sine;
};

} // namespace

// Grids of 16, 32, .. points.
class circle_grids
{
public:
    explicit circle_grids(int degree)
    {
        int num_points = smallest;
        do {
            d_grids.emplace_back(num_points, degree);
            num_points *= 2;
        } while (num_points < 2 * samples_per_degree * (degree + 1));
    }

    // At least that many points; the largest grid where none has.
    const circle_grid& at_least(Eigen::Index num_points) const
    {
        std::size_t k = 0;
        while (k + 1 < d_grids.size() && d_grids[k].num_points() < num_points) {
            ++k;
        }
        return d_grids[k];
    }

private:
    static constexpr int smallest = 16;
    std::vector<circle_grid> d_grids;
};

namespace {

// Without the care for overflow that the operators and std::abs() take.
complex product(const complex& a, const complex& b)
{
    return { a.real() * b.real() - a.imag() * b.imag(),
             a.real() * b.imag() + a.imag() * b.real() };
}

complex image_of(const complex& z)
{
    const double scale = 1.0 / std::norm(z);
    return { scale * z.real(), scale * z.imag() };
}

complex reciprocal(const complex& z) { return std::conj(image_of(z)); }

// A root as it was found, and the radius of a disc around it that is sure to hold one.
struct enclosed_root {
    complex root;
    double radius;
};

// What the circle tells of a root.
struct starting_point {
    complex root;
    double depth; // how far inside it lies
};

// A parabola through the three points around each minimum, of which f has the complex zeros.
std::vector<starting_point> starting_points(const circle_grid& grid,
                                            const Eigen::VectorXcd& c)
{
    series re = 2.0 * c.real();
    series im = 2.0 * c.imag();
    re(0) = c(0).real();
    im(0) = 0.0;
    const samples f = grid.sum(re, im);
    std::vector<starting_point> starts;
    starts.reserve(c.size());
    const Eigen::Index m = f.size();
    for (Eigen::Index i = 0; i < m; ++i) {
        const double before = f(i > 0 ? i - 1 : m - 1);
        const double after = f(i + 1 < m ? i + 1 : 0);
        if (!(f(i) < before && f(i) <= after)) {
            continue;
        }
        const double curvature = before - 2.0 * f(i) + after;
        const double shift = 0.5 * (before - after) / curvature;
        const double value = f(i) - 0.5 * curvature * shift * shift;
        const double depth =
            grid.step() *
            std::max(std::sqrt(std::max(2.0 * value / curvature, 0.0)), smallest_start);
        // As near to exp(j w - depth) as the parabola is to f.
        const complex turn(1.0, shift * grid.step());
        const complex direction(grid.cosine()(i), grid.sine()(i));
        starts.push_back({ product(direction, turn) / (1.0 + depth), depth });
    }
    return starts;
}

// f and z f' at two points, and at their images: f(z) = P(z) + P(1/z*)* - c_0 with
// P = sum_(k>=0) c_k z^k.
struct two_values {
    complex value[2], slope[2];
};

struct point {
    complex z;
    complex image;

    explicit point(const complex& value) : z(value), image(image_of(value)) {}
};

two_values evaluate(const Eigen::VectorXcd& c, const point& first, const point& second)
{
    lanes x, y;
    x << first.z.real(), second.z.real(), first.image.real(), second.image.real();
    y << first.z.imag(), second.z.imag(), first.image.imag(), second.image.imag();
    const Eigen::Index n = c.size() - 1;
    lanes re = lanes::Constant(c(n).real());
    lanes im = lanes::Constant(c(n).imag());
    lanes slope_re = lanes::Zero();
    lanes slope_im = lanes::Zero();
    for (Eigen::Index k = n - 1; k >= 0; --k) {
        const lanes old_slope_re = slope_re;
        slope_re = slope_re * x - slope_im * y + re;
        slope_im = old_slope_re * y + slope_im * x + im;
        const lanes old_re = re;
        re = re * x - im * y + c(k).real();
        im = old_re * y + im * x + c(k).imag();
    }
    const lanes turned_re = slope_re * x - slope_im * y;
    const lanes turned_im = slope_re * y + slope_im * x;
    two_values result;
    for (int l = 0; l < 2; ++l) {
        result.value[l] = { re(l) + re(l + 2) - c(0).real(), im(l) - im(l + 2) };
        result.slope[l] = { turned_re(l) - turned_re(l + 2),
                            turned_im(l) + turned_im(l + 2) };
    }
    return result;
}

// The sum of |c_k| (r^k + r^-k), which rounding of f at |z| = r is in proportion to.
double sum_of_moduli(const series& moduli, double r)
{
    double total = moduli(0);
    const double image = 1.0 / r;
    double inward = 1.0;
    double outward = 1.0;
    for (Eigen::Index k = 1; k < moduli.size(); ++k) {
        inward *= r;
        outward *= image;
        total += moduli(k) * (inward + outward);
    }
    return total;
}

// Newton's method on f over its factors of the other points and of all images, from the
// points that look nearest to the circle. Empty where that does not settle on as many roots.
std::vector<enclosed_root> settled_roots(const circle_grid& grid,
                                         const Eigen::VectorXcd& c,
                                         const series& moduli,
                                         std::size_t count)
{
    std::vector<starting_point> starts = starting_points(grid, c);
    if (starts.size() < count) {
        return {};
    }
    std::partial_sort(starts.begin(),
                      starts.begin() + count,
                      starts.end(),
                      [](const starting_point& i, const starting_point& k) {
                          return i.depth < k.depth;
                      });
    struct moving_point : point {
        double value, slope, step; // of the last round, squares of moduli
    };
    std::vector<moving_point> points;
    points.reserve(count);
    for (std::size_t k = 0; k < count; ++k) {
        points.push_back({ point(starts[k].root), 0.0, 0.0, 0.0 });
    }
    const double degree = static_cast<double>(c.size() - 1);
    bool is_settled = false;
    for (int round = 0; round < max_rounds && !is_settled; ++round) {
        double longest_step = 0.0;
        for (std::size_t first = 0; first < count; first += 2) {
            const std::size_t second = std::min(first + 1, count - 1);
            const two_values f = evaluate(c, points[first], points[second]);
            std::array<complex, 2> steps;
            for (std::size_t k = first; k <= second; ++k) {
                moving_point& p = points[k];
                const complex value = f.value[k - first];
                const complex slope = f.slope[k - first];
                // z times the logarithmic derivative of prod (z - z_i)(1/z - z_i*).
                complex repulsion = reciprocal(p.z - p.image);
                for (std::size_t i = 0; i < count; ++i) {
                    if (i != k) {
                        repulsion += reciprocal(p.z - points[i].z) +
                                     reciprocal(p.z - points[i].image);
                    }
                }
                repulsion = product(p.z, repulsion) - static_cast<double>(count);
                const complex step =
                    product(value, reciprocal(slope - product(value, repulsion)));
                steps[k - first] = product(p.z, step);
                p.value = std::norm(value);
                p.slope = std::norm(slope);
                p.step = std::norm(step);
            }
            // After both, so that neither waits for the other.
            for (std::size_t k = first; k <= second; ++k) {
                // Written so that NaN ends here too.
                if (!(points[k].step < 1.0)) {
                    return {};
                }
                const complex moved = points[k].z - steps[k - first];
                static_cast<point&>(points[k]) =
                    point(std::norm(moved) < 1.0 ? moved : image_of(moved));
                longest_step = std::max(longest_step, points[k].step);
            }
        }
        is_settled = longest_step < last_step * last_step;
    }
    if (!is_settled) {
        return {};
    }
    std::vector<enclosed_root> roots(count);
    for (std::size_t k = 0; k < count; ++k) {
        // Laguerre's disc of z^n f, around the point before the last step.
        const double modulus = std::sqrt(std::norm(points[k].z));
        // Horner's rule in complex numbers errs by 2 n epsilon of the moduli, and the rounded
        // image 1/z* by as much again.
        const double error = 4.0 * degree * epsilon * sum_of_moduli(moduli, modulus);
        const double value = std::sqrt(points[k].value) + error;
        const double slope = std::sqrt(points[k].slope) - degree * (value + error);
        roots[k] = { points[k].z,
                     slope > 0.0 ? modulus * (2.0 * degree * value / slope +
                                              std::sqrt(points[k].step))
                                 : std::numeric_limits<double>::infinity() };
    }
    std::sort(
        roots.begin(), roots.end(), [](const enclosed_root& i, const enclosed_root& k) {
            return std::norm(i.root) > std::norm(k.root);
        });
    return roots;
}

// Whether the discs are apart from one another and from the circle.
bool hold_a_root_each(const std::vector<enclosed_root>& roots)
{
    for (std::size_t i = 0; i < roots.size(); ++i) {
        if (!(std::sqrt(std::norm(roots[i].root)) + roots[i].radius < 1.0)) {
            return false;
        }
        for (std::size_t k = 0; k < i; ++k) {
            const double reach = roots[i].radius + roots[k].radius;
            if (!(std::norm(roots[i].root - roots[k].root) > reach * reach)) {
                return false;
            }
        }
    }
    return true;
}

// h, f with its roots r moved inwards to t: f prod (z - t)(1/z - t*) over prod (z - r)(1/z - r*),
// on the circle |z| = rho.
class quotient
{
public:
    quotient(const Eigen::VectorXcd& c,
             const series& moduli,
             const std::vector<enclosed_root>& roots,
             double rho)
        : d_c(c), d_roots(roots), d_rho(rho), d_image(1.0 / rho)
    {
        for (const enclosed_root& r : roots) {
            const double modulus = std::sqrt(std::norm(r.root));
            const double inner = modulus - rho;
            const double outer = d_image - modulus;
            d_divisor_error += inner > 2.0 * r.radius
                                   ? 2.0 * r.radius / (inner - r.radius) +
                                         16.0 * epsilon / (inner * outer)
                                   : std::numeric_limits<double>::infinity();
        }
        d_divisor_error *= 1.02; // of the product
        d_error = 4.0 * static_cast<double>(c.size() - 1) * epsilon *
                  sum_of_moduli(moduli, rho);
    }

    // What rounding and the discs make of the product of the factors, at most.
    double divisor_error() const { return d_divisor_error; }
    double degree() const { return static_cast<double>(d_c.size() - 1); }

    // Re h, and how far rounding and the discs may take it.
    struct bounds {
        samples low, high;
    };

    bounds on(const circle_grid& grid) const
    {
        const Eigen::Index size = d_c.size();
        series inward(size), outward(size);
        inward(0) = outward(0) = 0.5;
        double power = 1.0, image_power = 1.0;
        for (Eigen::Index k = 1; k < size; ++k) {
            inward(k) = power *= d_rho;
            outward(k) = image_power *= d_image;
        }
        const samples re = grid.sum(d_c.real().array() * (inward + outward),
                                    d_c.imag().array() * (inward + outward));
        const samples im = grid.sum(d_c.imag().array() * (inward - outward),
                                    d_c.real().array() * (outward - inward));
        bounds h{ samples(grid.num_points()), samples(grid.num_points()) };
        for (Eigen::Index i = 0; i < grid.num_points(); i += num_lanes) {
            lanes doubt;
            const lanes value = divided<lanes>(re.segment<num_lanes>(i),
                                               im.segment<num_lanes>(i),
                                               grid.cosine().segment<num_lanes>(i),
                                               grid.sine().segment<num_lanes>(i),
                                               doubt);
            h.low.segment<num_lanes>(i) = value - doubt;
            h.high.segment<num_lanes>(i) = value + doubt;
        }
        return h;
    }

    // A bound of Re h from below at one angle.
    double low(double angle) const
    {
        using one = Eigen::Array<double, 1, 1>;
        const complex direction = std::polar(1.0, angle);
        const complex z = d_rho * direction;
        const complex f = evaluate(d_c, point(z), point(z)).value[0];
        one doubt;
        const one value = divided<one>(one(f.real()),
                                       one(f.imag()),
                                       one(direction.real()),
                                       one(direction.imag()),
                                       doubt);
        return value(0) - doubt(0);
    }

private:
    // Re h of f = re + j im, each factor being 1 + |r|^2 - r* z - r/z.
    template <typename array>
    array divided(const array& re,
                  const array& im,
                  const array& cosine,
                  const array& sine,
                  array& doubt) const
    {
        array divisor_re = array::Ones();
        array divisor_im = array::Zero();
        array filling_re = array::Ones();
        array filling_im = array::Zero();
        const auto multiply = [](array& x, array& y, const array& u, const array& v) {
            const array old_x = x;
            x = x * u - y * v;
            y = old_x * v + y * u;
        };
        for (const enclosed_root& r : d_roots) {
            const array along =
                (d_rho + d_image) * (r.root.real() * cosine + r.root.imag() * sine);
            const array across =
                (d_image - d_rho) * (r.root.real() * sine - r.root.imag() * cosine);
            const double square = std::norm(r.root);
            multiply(divisor_re, divisor_im, (1.0 + square) - along, across);
            multiply(filling_re,
                     filling_im,
                     (1.0 + d_share * d_share * square) - d_share * along,
                     d_share * across);
        }
        const array scale = 1.0 / (divisor_re * divisor_re + divisor_im * divisor_im);
        doubt = (d_divisor_error * (re.abs() + im.abs()) + d_error) *
                ((filling_re * filling_re + filling_im * filling_im) * scale).sqrt();
        multiply(filling_re, filling_im, re, im);
        return (filling_re * divisor_re + filling_im * divisor_im) * scale;
    }

    const Eigen::VectorXcd& d_c;
    const std::vector<enclosed_root>& d_roots;
    double d_rho, d_image;
    double d_divisor_error = 0.0;
    double d_share = std::exp(-filling_depth / static_cast<double>(d_c.size() - 1));
    double d_error;
};

// Whether Re h is positive between two angles at which it is; \p bend bounds its second
// derivative. A function is above its chord less an eighth of that times the squared step.
bool is_positive_between(const quotient& h,
                         double from,
                         double low_from,
                         double to,
                         double low_to,
                         double bend,
                         int& points_left)
{
    const double step = to - from;
    if (std::min(low_from, low_to) > 0.125 * bend * step * step) {
        return true;
    }
    if (!(std::min(low_from, low_to) > 0.0) || --points_left < 0) {
        return false;
    }
    const double middle = 0.5 * (from + to);
    const double low = h.low(middle);
    return is_positive_between(h, from, low_from, middle, low, bend, points_left) &&
           is_positive_between(h, middle, low, to, low_to, bend, points_left);
}

// Whether h has no roots between |z| = rho and its image.
bool is_without_roots(const circle_grids& grids, const quotient& h)
{
    if (!(h.divisor_error() < largest_divisor_error)) {
        return false;
    }
    const circle_grid& grid =
        grids.at_least(static_cast<Eigen::Index>(samples_per_degree * h.degree()));
    const quotient::bounds bounds = h.on(grid);
    const samples& low = bounds.low;
    const double lowest = low.minCoeff();
    if (!(lowest > 0.0)) {
        return false;
    }
    const double amplitude = 0.5 * (bounds.high.maxCoeff() - lowest) /
                             std::cos(0.5 * grid.step() * h.degree());
    const double bend = h.degree() * h.degree() * amplitude;
    if (lowest > 0.125 * bend * grid.step() * grid.step()) {
        return true;
    }
    int points_left = most_further_samples;
    for (Eigen::Index i = 0; i < low.size(); ++i) {
        if (!is_positive_between(h,
                                 grid.angle(static_cast<double>(i)),
                                 low(i),
                                 grid.angle(static_cast<double>(i + 1)),
                                 low(i + 1 < low.size() ? i + 1 : 0),
                                 bend,
                                 points_left)) {
            return false;
        }
    }
    return true;
}

// Of coefficients that are lifted. Empty where the certificate fails.
std::vector<enclosed_root>
certified_roots(const circle_grids& grids, const Eigen::VectorXcd& c, std::size_t count)
{
    const Eigen::Index n = c.size() - 1;
    if (n < static_cast<Eigen::Index>(count) || count < 1) {
        return {};
    }
    const series moduli = c.array().abs2().sqrt();
    std::vector<enclosed_root> roots =
        settled_roots(grids.at_least(points_per_root * (n + 1)), c, moduli, count);
    if (roots.empty() || !hold_a_root_each(roots)) {
        return {};
    }
    const double depth = -std::log(std::abs(roots.back().root));
    const double rho = std::exp(
        -std::max((1.0 + clearance) * depth, smallest_depth / static_cast<double>(n)));
    if (!is_without_roots(grids, quotient(c, moduli, roots, rho))) {
        return {};
    }
    return roots;
}

} // namespace

nearest_roots::nearest_roots(int degree) : d_degree(degree)
{
    if (degree < 0) {
        throw std::invalid_argument("degree is " + std::to_string(degree) +
                                    "; it must not be negative");
    }
    if (degree <= largest_degree) {
        d_grids = std::make_shared<const circle_grids>(degree);
    }
}

std::optional<Eigen::VectorXcd>
nearest_roots::find_by_newton(const Eigen::VectorXcd& coefficients, int count) const
{
    const Eigen::VectorXcd c = lifted_without_vanishing(coefficients, lift_complex);
    if (!d_grids || c.size() < 2 || c.size() > d_degree + 1) {
        return std::nullopt;
    }
    const std::vector<enclosed_root> found = certified_roots(*d_grids, c, count);
    if (found.empty()) {
        return std::nullopt;
    }
    Eigen::VectorXcd roots(count);
    for (int k = 0; k < count; ++k) {
        roots(k) = found[k].root;
    }
    return roots;
}

Eigen::VectorXcd nearest_roots::find(const Eigen::VectorXcd& coefficients,
                                     int count) const
{
    const std::optional<Eigen::VectorXcd> found = find_by_newton(coefficients, count);
    return found ? *found : roots_inside(coefficients);
}

} // namespace core
} // namespace bearing
} // namespace gr
