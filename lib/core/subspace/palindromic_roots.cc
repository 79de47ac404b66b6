/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "lifted_coefficients.h"
#include <gnuradio/bearing/core/subspace/palindromic_roots.h>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

using complex = std::complex<double>;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Truncation of a Fourier series takes the function further below zero, and then the
// iteration finds no root inside. These are tried next: they move the direction of a root
// in proportion only, far less than the double root's parting along the circle does.
constexpr std::array<double, 4> lifts_complex = { lift_complex, 1e-10, 1e-8, 1e-6 };
// Simple roots take six to eight rounds, pairs 1e-6 apart twenty.
constexpr int max_rounds = 60;

// Points are worked on in lanes, by instructions on several numbers at once
// where the machine has them.
constexpr int num_lanes = 4;
using lanes = Eigen::Array<double, num_lanes, 1>;

// A polynomial at points x + j y: its value, its derivative, bounds of their
// rounding errors.
struct evaluation {
    lanes re, im, slope_re, slope_im, error, slope_error;
};

// z^n sum_(k=-n..n) c_k z^k by Horner's rule, |z| <= 1.
class palindromic_polynomial
{
public:
    // Every root inside the circle has an image outside.
    static constexpr bool has_images = true;

    explicit palindromic_polynomial(const Eigen::VectorXcd& c)
        : d_degree(2 * (c.size() - 1)),
          d_re(d_degree + 1),
          d_im(d_degree + 1),
          d_abs(d_degree + 1)
    {
        const Eigen::Index n = c.size() - 1;
        d_re << c.real().tail(n).reverse(), c.real();
        d_im << -c.imag().tail(n).reverse(), c.imag();
        const Eigen::VectorXd moduli = c.cwiseAbs();
        d_abs << moduli.tail(n).reverse(), moduli;
    }

    Eigen::Index degree() const { return d_degree; }

    evaluation operator()(const lanes& x, const lanes& y) const
    {
        const lanes modulus = (x * x + y * y).sqrt();
        lanes re = lanes::Constant(d_re(d_degree));
        lanes im = lanes::Constant(d_im(d_degree));
        lanes slope_re = lanes::Zero();
        lanes slope_im = lanes::Zero();
        lanes total = lanes::Constant(d_abs(d_degree));
        for (Eigen::Index k = d_degree - 1; k >= 0; --k) {
            const lanes old_slope_re = slope_re;
            slope_re = slope_re * x - slope_im * y + re;
            slope_im = old_slope_re * y + slope_im * x + im;
            const lanes old_re = re;
            re = re * x - im * y + d_re(k);
            im = old_re * y + im * x + d_im(k);
            total = total * modulus + d_abs(k);
        }
        // The term of z^k errs by less than 1.7 k epsilon, and as that of z^(2n-k)
        // is the smaller one, k is n on average at most.
        const double size = static_cast<double>(d_degree);
        const lanes error = size * epsilon * total;
        return { re, im, slope_re, slope_im, error, size * error / modulus };
    }

private:
    Eigen::Index d_degree;
    Eigen::ArrayXd d_re, d_im, d_abs;
};

// c_0 + 2 sum_k c_k T_k(x/2) by Clenshaw's recurrence b_k = 2 c_k + x b_(k+1) -
// b_(k+2).
class chebyshev_polynomial
{
public:
    static constexpr bool has_images = false;

    explicit chebyshev_polynomial(const Eigen::VectorXd& c) : d_c(c) {}

    Eigen::Index degree() const { return d_c.size() - 1; }

    evaluation operator()(const lanes& x, const lanes& y) const
    {
        lanes re = lanes::Zero(), im = lanes::Zero();
        lanes next_re = lanes::Zero(), next_im = lanes::Zero();
        lanes slope_re = lanes::Zero(), slope_im = lanes::Zero();
        lanes next_slope_re = lanes::Zero(), next_slope_im = lanes::Zero();
        // Points of one 1/|z| lie on an ellipse with foci 2 and -2.
        const lanes axis = 0.5 * (((x - 2.0).square() + y * y).sqrt() +
                                  ((x + 2.0).square() + y * y).sqrt());
        const lanes growth = 0.5 * (axis + (axis * axis - 4.0).max(0.0).sqrt());
        lanes total = lanes::Zero();
        for (Eigen::Index k = degree(); k > 0; --k) {
            const lanes old_slope_re = slope_re, old_slope_im = slope_im;
            slope_re = x * old_slope_re - y * old_slope_im + (re - next_slope_re);
            slope_im = x * old_slope_im + y * old_slope_re + (im - next_slope_im);
            next_slope_re = old_slope_re;
            next_slope_im = old_slope_im;
            const lanes old_re = re, old_im = im;
            re = x * old_re - y * old_im + (2.0 * d_c(k) - next_re);
            im = x * old_im + y * old_re - next_im;
            next_re = old_re;
            next_im = old_im;
            total = total * growth + (re.abs() + im.abs());
        }
        // An error in b_k, of less than 5 epsilon times the terms of its sum,
        // counts as one in c_k: it grows by T_k(x/2), less than 1/|z|^k.
        const lanes error = 5.0 * epsilon * (total * growth + std::abs(d_c(0)));
        const double size = static_cast<double>(degree());
        return { 0.5 * (x * re - y * im) + (d_c(0) - next_re),
                 0.5 * (x * im + y * re) - next_im,
                 0.5 * (x * slope_re - y * slope_im + re) - next_slope_re,
                 0.5 * (x * slope_im + y * slope_re + im) - next_slope_im,
                 error,
                 size * size * error };
    }

private:
    const Eigen::VectorXd& d_c;
};

// A root, and a disc that is sure to hold one.
struct enclosed_root {
    complex root;
    complex centre;
    double radius;

    bool is_apart_from(const complex& z, double r) const
    {
        return std::norm(centre - z) > (radius + r) * (radius + r);
    }
};

// All roots at once (O. Aberth, "Iteration methods for finding all zeros of a
// polynomial simultaneously", 1973): Newton's method on the polynomial over its
// factors of the other roots, as far as they are known. Empty where that does
// not converge.
template <typename polynomial>
std::vector<enclosed_root> all_roots(const polynomial& f, const Eigen::VectorXcd& start)
{
    const Eigen::Index n = start.size();
    const double degree = static_cast<double>(f.degree());
    const double smallest_step = 4.0 * epsilon * epsilon;
    // All the points, in arrays of their own for the lanes: the roots, then their
    // images.
    Eigen::ArrayXd all_x(f.degree());
    Eigen::ArrayXd all_y(f.degree());
    const auto place = [&](Eigen::Index k, complex z) {
        if constexpr (polynomial::has_images) {
            complex image = z / std::norm(z);
            if (std::norm(z) > 1.0) {
                std::swap(z, image);
            }
            all_x(n + k) = image.real();
            all_y(n + k) = image.imag();
        }
        all_x(k) = z.real();
        all_y(k) = z.imag();
    };
    std::vector<Eigen::Index> active(n);
    for (Eigen::Index k = 0; k < n; ++k) {
        active[k] = k;
        place(k, start(k));
    }
    std::vector<enclosed_root> roots(n);
    for (int round = 0; round < max_rounds && !active.empty(); ++round) {
        std::size_t num_left = 0;
        for (std::size_t first = 0; first < active.size(); first += num_lanes) {
            std::array<Eigen::Index, num_lanes> index;
            const int count = std::min<int>(num_lanes, active.size() - first);
            lanes x, y;
            for (int lane = 0; lane < num_lanes; ++lane) {
                index[lane] = active[first + std::min(lane, count - 1)];
                x(lane) = all_x(index[lane]);
                y(lane) = all_y(index[lane]);
            }
            const evaluation value = f(x, y);
            // sum 1/(z - z_k) over the others; the smallest of numbers keeps the
            // point itself at zero.
            lanes sum_re = lanes::Zero();
            lanes sum_im = lanes::Zero();
            for (Eigen::Index k = 0; k < f.degree(); ++k) {
                const lanes dx = x - all_x(k);
                const lanes dy = y - all_y(k);
                const lanes scale =
                    1.0 / (dx * dx + dy * dy + std::numeric_limits<double>::min());
                sum_re += dx * scale;
                sum_im -= dy * scale;
            }
            // The step is f / (f' - f sum).
            const lanes re = value.slope_re - (value.re * sum_re - value.im * sum_im);
            const lanes im = value.slope_im - (value.re * sum_im + value.im * sum_re);
            const lanes scale = 1.0 / (re * re + im * im);
            const lanes step_x = (value.re * re + value.im * im) * scale;
            const lanes step_y = (value.im * re - value.re * im) * scale;
            const lanes squared_step = step_x * step_x + step_y * step_y;
            const lanes squared_value = value.re * value.re + value.im * value.im;
            for (int lane = 0; lane < count; ++lane) {
                if (!std::isfinite(squared_step(lane))) {
                    return {};
                }
                const Eigen::Index k = index[lane];
                const complex before(x(lane), y(lane));
                place(k, before - complex(step_x(lane), step_y(lane)));
                const double error = value.error(lane);
                if (squared_value(lane) <= error * error ||
                    squared_step(lane) <= smallest_step * std::norm(before)) {
                    // Laguerre: within degree |f/f'| of any point there is a root.
                    const double slope =
                        std::hypot(value.slope_re(lane), value.slope_im(lane)) -
                        value.slope_error(lane);
                    const double radius =
                        slope > 0.0
                            ? degree * (std::sqrt(squared_value(lane)) + error) / slope
                            : std::numeric_limits<double>::infinity();
                    roots[k] = { complex(all_x(k), all_y(k)), before, radius };
                } else {
                    active[num_left++] = k;
                }
            }
        }
        active.resize(num_left);
    }
    if (!active.empty()) {
        return {};
    }
    return roots;
}

bool are_apart(const std::vector<enclosed_root>& roots)
{
    for (std::size_t i = 0; i < roots.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (!roots[i].is_apart_from(roots[k].centre, roots[k].radius)) {
                return false;
            }
        }
    }
    return !roots.empty();
}

// Points z to start from, of the moduli that the convex hull of log |c_k| tells
// (D. A. Bini, "Numerical computation of polynomial zeros by means of Aberth's
// method", 1996).
Eigen::VectorXcd starting_points(const Eigen::VectorXd& moduli)
{
    const Eigen::Index n = moduli.size() - 1;
    // Coefficients of z^0 .. z^n; the others mirror them.
    Eigen::VectorXd height = moduli.reverse().array().log();
    // None is larger, or the function would not be positive.
    height(n) = height.maxCoeff();
    std::vector<Eigen::Index> corners;
    const auto slope = [&](Eigen::Index from, Eigen::Index to) {
        return (height(to) - height(from)) / static_cast<double>(to - from);
    };
    for (Eigen::Index k = 0; k <= n; ++k) {
        while (corners.size() > 1 &&
               slope(corners.end()[-2], corners.back()) <= slope(corners.end()[-2], k)) {
            corners.pop_back();
        }
        corners.push_back(k);
    }
    Eigen::VectorXcd points(n);
    // Directions a golden angle apart: well spread, however many, and without a
    // symmetry, which the iteration could never leave.
    const complex turn = std::polar(1.0, M_PI * (3.0 - std::sqrt(5.0)));
    complex direction = std::polar(1.0, 0.7);
    for (std::size_t i = 0; i + 1 < corners.size(); ++i) {
        // A point on the circle would be its own image, and on the real axis of x.
        const double modulus =
            std::min(std::exp(-slope(corners[i], corners[i + 1])), 0.98);
        for (Eigen::Index k = corners[i]; k < corners[i + 1]; ++k) {
            points(k) = modulus * direction;
            direction *= turn;
        }
    }
    return points;
}

bool is_nearer_to_circle(const complex& i, const complex& k)
{
    return std::norm(i) > std::norm(k);
}

Eigen::VectorXcd companion_roots(const Eigen::VectorXcd& c)
{
    // Companion matrix of the monic polynomial of degree 2 n with coefficient
    // c_(k-n) at z^k.
    const Eigen::Index degree = c.size() - 1;
    const Eigen::Index size = 2 * degree;
    Eigen::MatrixXcd companion = Eigen::MatrixXcd::Zero(size, size);
    companion.diagonal(-1).setOnes();
    companion.col(size - 1).head(degree) = -c.tail(degree).reverse().conjugate();
    companion.col(size - 1).tail(degree) = -c.head(degree);
    companion.col(size - 1) /= c(degree);
    const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(companion, false);
    Eigen::VectorXcd roots = solver.eigenvalues();
    std::sort(roots.begin(), roots.end(), is_nearer_to_circle);
    // Of a pair on the circle rounding can leave both outside.
    return roots.tail(degree).unaryExpr(
        [](const complex& z) { return std::abs(z) > 1.0 ? z / std::abs(z) : z; });
}

// The root inside the circle that belongs to x = z + 1/z.
complex inside(const complex& x)
{
    // From here on 1/z = x to the last bit, and the square below might overflow.
    if (std::abs(x) > 1e9) {
        return 1.0 / x;
    }
    const complex root = std::sqrt((x - 2.0) * (x + 2.0));
    const bool is_aligned = x.real() * root.real() + x.imag() * root.imag() >= 0.0;
    return 2.0 / (is_aligned ? x + root : x - root);
}

// The roots inside the circle from all the x, of which those that are not real
// come in conjugate pairs.
Eigen::VectorXcd inside_in_pairs(const Eigen::VectorXcd& x)
{
    std::vector<complex> roots;
    roots.reserve(x.size());
    std::vector<double> on_circle;
    for (const complex& value : x) {
        if (value.imag() > 0.0) {
            roots.push_back(std::conj(inside(value)));
        } else if (value.imag() == 0.0 && std::abs(value.real()) < 2.0) {
            on_circle.push_back(value.real());
        } else if (value.imag() == 0.0) {
            roots.push_back(inside(value).real());
        }
    }
    // Where the function is negative on the circle, against the contract: the
    // middle of each such arc, for the double root it should have been.
    std::sort(on_circle.begin(), on_circle.end());
    for (std::size_t k = 0; k + 1 < on_circle.size(); k += 2) {
        roots.push_back(
            std::polar(1.0, std::acos(0.25 * (on_circle[k] + on_circle[k + 1]))));
    }
    if (on_circle.size() % 2 == 1) {
        roots.push_back(std::copysign(1.0, on_circle.back()));
    }
    std::sort(roots.begin(), roots.end(), is_nearer_to_circle);
    Eigen::VectorXcd paired(x.size());
    Eigen::Index count = 0;
    for (const complex& root : roots) {
        paired(count++) = root;
        if (root.imag() != 0.0) {
            paired(count++) = std::conj(root);
        }
    }
    return paired.head(count);
}

Eigen::VectorXcd colleague_pencil_roots(const Eigen::VectorXd& c)
{
    const Eigen::Index degree = c.size() - 1;
    const double leading = 2.0 * c(degree);
    if (degree == 1) {
        return inside_in_pairs(Eigen::VectorXcd::Constant(1, -2.0 * c(0) / leading));
    }
    Eigen::MatrixXd a = Eigen::MatrixXd::Zero(degree, degree);
    Eigen::MatrixXd b = Eigen::MatrixXd::Identity(degree, degree);
    a.diagonal(1).setConstant(0.5);
    a.diagonal(-1).setConstant(0.5);
    a(0, 1) = 1.0;
    a(degree - 1, degree - 2) *= 2.0 * leading;
    a.row(degree - 1) -= 2.0 * c.head(degree).transpose();
    a(degree - 1, 0) += c(0);
    b(degree - 1, degree - 1) = 2.0 * leading;
    const Eigen::GeneralizedEigenSolver<Eigen::MatrixXd> solver(a, b, false);
    Eigen::VectorXcd x(degree);
    for (Eigen::Index k = 0; k < degree; ++k) {
        // Without a beta x is at infinity and the root at zero.
        const double beta = solver.betas()(k);
        x(k) = 2.0 * solver.alphas()(k) /
               std::copysign(std::max(std::abs(beta), 1e-300), beta);
    }
    return inside_in_pairs(x);
}

} // namespace

Eigen::VectorXcd roots_inside_by_qr(const Eigen::VectorXcd& coefficients)
{
    const Eigen::VectorXcd c = lifted_without_vanishing(coefficients, lift_complex);
    return c.size() < 2 ? Eigen::VectorXcd() : companion_roots(c);
}

Eigen::VectorXcd roots_inside_by_qz(const Eigen::VectorXd& coefficients)
{
    const Eigen::VectorXd c = lifted_without_vanishing(coefficients, lift_real);
    return c.size() < 2 ? Eigen::VectorXcd() : colleague_pencil_roots(c);
}

Eigen::VectorXcd roots_inside(const Eigen::VectorXcd& coefficients)
{
    for (const double lift : lifts_complex) {
        const Eigen::VectorXcd c = lifted_without_vanishing(coefficients, lift);
        if (c.size() < 2) {
            return {};
        }
        const std::vector<enclosed_root> found =
            all_roots(palindromic_polynomial(c), starting_points(c.cwiseAbs()));
        // Discs that are apart hold a root each; n inside the circle are all there are.
        const bool are_inside =
            std::all_of(found.begin(), found.end(), [](const enclosed_root& root) {
                return std::abs(root.centre) + root.radius < 1.0;
            });
        if (are_inside && are_apart(found)) {
            Eigen::VectorXcd roots(found.size());
            std::transform(found.begin(),
                           found.end(),
                           roots.begin(),
                           [](const enclosed_root& root) { return root.root; });
            std::sort(roots.begin(), roots.end(), is_nearer_to_circle);
            return roots;
        }
    }
    return roots_inside_by_qr(coefficients);
}

Eigen::VectorXcd roots_inside(const Eigen::VectorXd& coefficients)
{
    const Eigen::VectorXd c = lifted_without_vanishing(coefficients, lift_real);
    if (c.size() < 2) {
        return {};
    }
    Eigen::VectorXcd start = starting_points(c.cwiseAbs());
    for (complex& z : start) {
        z += 1.0 / z;
    }
    const std::vector<enclosed_root> found = all_roots(chebyshev_polynomial(c), start);
    if (!are_apart(found)) {
        return colleague_pencil_roots(c);
    }
    Eigen::VectorXcd x(found.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
        x(k) = found[k].root;
        if (std::abs(found[k].centre.imag()) > found[k].radius) {
            continue;
        }
        // The conjugate of the root lies in the mirrored disc: where no other disc
        // does, that is the root itself, and it is real.
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (i != k &&
                !found[i].is_apart_from(std::conj(found[k].centre), found[k].radius)) {
                return colleague_pencil_roots(c);
            }
        }
        x(k) = x(k).real();
    }
    return inside_in_pairs(x);
}

} // namespace core
} // namespace bearing
} // namespace gr
