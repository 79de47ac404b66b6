/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimation_steps.h"
#include "projection_fit.h"
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

constexpr int fewest_points = 361;
constexpr int most_sweeps = 6;
// Coherent sources make wrong places look best to begin with. So many first points for
// each element are tried beside the best one, and the most promising are followed.
constexpr int first_points_per_element = 4;
constexpr int most_first_points = 32;
// Few elements see wide and ambiguous beams: of coherent pairs and a third source on a circle
// of five one in eight ended in a wrong minimum from five starts, one in four hundred from
// twenty.
constexpr int fewest_starts = 5;
constexpr int starts_times_elements = 100;
// Two directions that were one start this far to either side of it, in 1 / aperture; and
// more than so many splits are not needed one after another.
constexpr double part_of_beam = 0.25;
constexpr int most_splits = 3;
// A source that explains less than this share of its own elsewhere is not worth refining
// there: noise does not close such a gap, nor does a grid this fine open it.
constexpr double share_of_rival = 0.5;
// Minima nearer to each other than this, in radians, are one.
constexpr double same_minimum = 1e-6;
// A direction of which the others already explain all but this much of the power has
// nothing of its own to fit with.
constexpr double nothing_left = 1e-8;

constexpr int most_iterations = 100;
constexpr int most_halvings = 40;
// Rounding of the gradient moves its zero by about as much (radians).
constexpr double converged_step = 1e-13;
// What rounding does to V, relative to tr T.
constexpr double rounding_of_value = 1e-15;
// Curvatures are raised to this share of the largest one: a nearly flat direction must
// not send the angles away.
constexpr double flattest_curvature = 1e-9;

Eigen::MatrixXcd basis_of(const Eigen::MatrixXcd& a)
{
    const Eigen::HouseholderQR<Eigen::MatrixXcd> qr(a);
    return qr.householderQ() * Eigen::MatrixXcd::Identity(a.rows(), a.cols());
}

Eigen::MatrixXcd steering_of(const antenna_array& array, const Eigen::VectorXd& azimuth)
{
    return array.steering(azimuth, Eigen::VectorXd::Zero(azimuth.size()));
}

Eigen::MatrixXcd left_by(const Eigen::MatrixXcd& basis, const Eigen::MatrixXcd& vectors)
{
    return vectors - basis * (basis.adjoint() * vectors);
}

// The unit vector along what an orthonormal basis leaves of a, or 0 when that is nothing.
Eigen::VectorXcd own_direction(const Eigen::MatrixXcd& basis, const Eigen::VectorXcd& a)
{
    // Twice, or rounding would point a short one back into the basis.
    const Eigen::VectorXcd own = left_by(basis, left_by(basis, a));
    const bool has_own = own.squaredNorm() > nothing_left * a.squaredNorm();
    return has_own ? Eigen::VectorXcd(own.normalized())
                   : Eigen::VectorXcd(Eigen::VectorXcd::Zero(a.size()));
}

Eigen::MatrixXcd basis_without(const Eigen::MatrixXcd& a, Eigen::Index k)
{
    Eigen::MatrixXcd others(a.rows(), a.cols() - 1);
    others << a.leftCols(k), a.rightCols(others.cols() - k);
    return basis_of(others);
}

double smallest_distance(const Eigen::VectorXd& azimuth)
{
    double smallest = 2.0 * M_PI;
    for (Eigen::Index i = 0; i < azimuth.size(); ++i) {
        for (Eigen::Index k = 0; k < i; ++k) {
            smallest = std::min(
                smallest, std::abs(std::remainder(azimuth(i) - azimuth(k), 2.0 * M_PI)));
        }
    }
    return smallest;
}

// In whatever order, and however many turns apart.
bool are_the_same(const Eigen::VectorXd& one, const Eigen::VectorXd& other)
{
    return std::all_of(one.begin(), one.end(), [&other](double azimuth) {
        return std::any_of(other.begin(), other.end(), [azimuth](double candidate) {
            return std::abs(std::remainder(azimuth - candidate, 2.0 * M_PI)) <
                   same_minimum;
        });
    });
}

// Newton's step, or where V is not convex the step that the absolute curvatures ask for.
Eigen::VectorXd downhill_step(const projection_residual::expansion& v)
{
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(v.hessian);
    const Eigen::ArrayXd curvature = eigen.eigenvalues().array().abs();
    const double floor = std::max(flattest_curvature * curvature.maxCoeff(),
                                  std::numeric_limits<double>::min());
    const Eigen::VectorXd along = eigen.eigenvectors().transpose() * v.gradient;
    return -(eigen.eigenvectors() * (along.array() / curvature.max(floor)).matrix());
}

// An angle of a front-only array that ran across its end.
double within_range(const antenna_array& array, double azimuth)
{
    return array.is_front_only() ? std::clamp(azimuth, -M_PI_2, M_PI_2) : azimuth;
}

} // namespace

projection_residual::projection_residual(const antenna_array& array,
                                         const Eigen::MatrixXcd& factor)
    : d_array(array), d_factor(factor), d_total(factor.squaredNorm())
{
}

double projection_residual::value(const Eigen::VectorXd& azimuth) const
{
    return left_by(basis_of(steering_of(d_array, azimuth)), d_factor).squaredNorm();
}

projection_residual::expansion
projection_residual::at(const Eigen::VectorXd& azimuth) const
{
    const Eigen::Index num_sources = azimuth.size();
    const int num_elements = d_array.num_elements();
    Eigen::MatrixXcd a(num_elements, num_sources);
    Eigen::MatrixXcd d(num_elements, num_sources);
    Eigen::MatrixXcd d2(num_elements, num_sources);
    for (Eigen::Index k = 0; k < num_sources; ++k) {
        const manifold_point here = d_array.manifold(azimuth(k));
        a.col(k) = here.a;
        d.col(k) = here.d;
        d2.col(k) = d_array.azimuth_second_derivative(azimuth(k));
    }
    // A = Q U: A^+ = U^-1 Q^H and (A^H A)^-1 = U^-1 U^-H.
    const Eigen::HouseholderQR<Eigen::MatrixXcd> qr(a);
    const Eigen::MatrixXcd q =
        qr.householderQ() * Eigen::MatrixXcd::Identity(a.rows(), num_sources);
    const Eigen::MatrixXcd u_inverse =
        qr.matrixQR()
            .topRows(num_sources)
            .triangularView<Eigen::Upper>()
            .solve(Eigen::MatrixXcd::Identity(num_sources, num_sources));
    const Eigen::MatrixXcd gram_inverse = u_inverse * u_inverse.adjoint();
    const Eigen::MatrixXcd fitted = u_inverse * (q.adjoint() * d_factor); // A^+ F
    const Eigen::MatrixXcd residual = left_by(q, d_factor);               // (I - P_A) F
    const Eigen::MatrixXcd mixing = u_inverse * (q.adjoint() * d);        // A^+ D
    const Eigen::MatrixXcd own = left_by(q, d);                           // (I - P_A) D
    const Eigen::MatrixXcd seen = residual.adjoint() * d;
    const Eigen::MatrixXcd cross = fitted * seen; // A^+ T (I - P_A) D
    const Eigen::MatrixXcd cross2 = fitted * (residual.adjoint() * d2);
    const Eigen::MatrixXcd power = fitted * fitted.adjoint(); // A^+ T A^+H
    const Eigen::MatrixXcd own_gram = own.adjoint() * own;
    const Eigen::MatrixXcd seen_gram = seen.adjoint() * seen;

    expansion v;
    v.value = residual.squaredNorm();
    v.gradient = -2.0 * cross.diagonal().real();
    // From dA^+ = (A^H A)^-1 dA^H (I - P_A) - A^+ dA A^+ and d(I - P_A) =
    // -(I - P_A) dA A^+ - its adjoint.
    const Eigen::MatrixXcd mixed = mixing.cwiseProduct(cross.transpose());
    v.hessian =
        2.0 * (power.cwiseProduct(own_gram.transpose()) + mixed + mixed.transpose() -
               gram_inverse.cwiseProduct(seen_gram.transpose()))
                  .real();
    v.hessian.diagonal() -= 2.0 * cross2.diagonal().real();
    return v;
}

Eigen::VectorXd projection_residual::minimum(Eigen::VectorXd x, double longest_step) const
{
    double best = value(x);
    for (int iteration = 0; iteration < most_iterations; ++iteration) {
        Eigen::VectorXd step = downhill_step(at(x));
        if (!step.allFinite()) {
            break;
        }
        step *= std::min(1.0, longest_step / step.cwiseAbs().maxCoeff());
        Eigen::VectorXd next = x;
        bool has_fallen = false;
        for (int halving = 0; halving < most_halvings && !has_fallen; ++halving) {
            next = (x + step).unaryExpr(
                [this](double azimuth) { return within_range(d_array, azimuth); });
            if (smallest_distance(next) >= closest_angles) {
                const double there = value(next);
                has_fallen = there <= best + rounding_of_value * d_total;
                if (has_fallen) {
                    best = there;
                }
            }
            step *= 0.5;
        }
        if (!has_fallen) {
            break;
        }
        const double moved = (next - x).cwiseAbs().maxCoeff();
        x = next;
        if (moved < converged_step) {
            break;
        }
    }
    return x;
}

// How much of T = F F^H a source at each point of the grid explains besides others. Those
// come and go one orthogonalised direction at a time, at the cost of one product each.
class alternating_projection::grid_gain
{
public:
    // Beside none. Both arguments must outlive this object.
    grid_gain(const manifold_table& steering, const Eigen::MatrixXcd& factor)
        : d_steering(&steering),
          d_factor(&factor),
          d_own(steering.squared_norm()),
          d_real(steering.real() * factor.real() + steering.imag() * factor.imag()),
          d_imag(steering.imag() * factor.real() - steering.real() * factor.imag())
    {
    }

    // A unit vector orthogonal to all that were taken, or 0.
    void take(const Eigen::VectorXcd& direction) { change(direction, -1.0); }
    void give_back(const Eigen::VectorXcd& direction) { change(direction, 1.0); }

    Eigen::VectorXd values() const
    {
        const Eigen::VectorXd seen =
            d_real.rowwise().squaredNorm() + d_imag.rowwise().squaredNorm();
        return (d_own.array() > nothing_left * d_steering->squared_norm().array())
            .select(seen.array() / d_own.array(), 0.0);
    }

private:
    void change(const Eigen::VectorXcd& direction, double sign)
    {
        const Eigen::VectorXd re = direction.real();
        const Eigen::VectorXd im = direction.imag();
        // direction^H a, and F^H direction
        const Eigen::VectorXd along_re =
            d_steering->real() * re + d_steering->imag() * im;
        const Eigen::VectorXd along_im =
            d_steering->imag() * re - d_steering->real() * im;
        const Eigen::VectorXcd share = sign * (d_factor->adjoint() * direction);
        d_own.array() += sign * (along_re.array().square() + along_im.array().square());
        for (Eigen::Index r = 0; r < share.size(); ++r) {
            d_real.col(r) += share(r).real() * along_re - share(r).imag() * along_im;
            d_imag.col(r) += share(r).real() * along_im + share(r).imag() * along_re;
        }
    }

    const manifold_table* d_steering;
    const Eigen::MatrixXcd* d_factor;
    Eigen::VectorXd d_own; // what the others leave of a^H a, G
    // What they leave of F^H a, G x r
    Eigen::MatrixXd d_real;
    Eigen::MatrixXd d_imag;
};

alternating_projection::alternating_projection(const antenna_array& array)
    : d_grid(angle_grid::whole_range(
          array,
          std::max(fewest_points,
                   angle_grid::whole_range(array).searched_by(array).size()))),
      d_table(array, d_grid)
{
}

double alternating_projection::start_at(int point) const
{
    return d_grid.is_circle() ? d_grid.at(point)
                              : std::clamp(d_grid.at(point),
                                           d_grid.first() + 0.25 * step(),
                                           d_grid.last() - 0.25 * step());
}

alternating_projection::placement
alternating_projection::place(const antenna_array& array,
                              const grid_gain& alone,
                              int num_sources,
                              int first,
                              double gain) const
{
    placement placed{ { first }, gain };
    grid_gain beside = alone;
    Eigen::MatrixXcd basis(array.num_elements(), num_sources - 1);
    for (int k = 0; k < num_sources - 1; ++k) {
        basis.col(k) = own_direction(basis.leftCols(k),
                                     array.steering(d_grid.at(placed.points.back())));
        beside.take(basis.col(k));
        int best = 0;
        placed.gain += beside.values().maxCoeff(&best);
        placed.points.push_back(best);
    }
    return placed;
}

void alternating_projection::settle(const antenna_array& array,
                                    grid_gain beside,
                                    std::vector<int>& points) const
{
    const int num_sources = static_cast<int>(points.size());
    Eigen::MatrixXcd a(array.num_elements(), num_sources);
    Eigen::MatrixXcd basis(array.num_elements(), num_sources);
    for (int k = 0; k < num_sources; ++k) {
        a.col(k) = array.steering(d_grid.at(points[k]));
        basis.col(k) = own_direction(basis.leftCols(k), a.col(k));
        beside.take(basis.col(k));
    }
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
        const std::vector<int> before = points;
        for (int k = 0; k < num_sources; ++k) {
            const Eigen::MatrixXcd others = basis_without(a, k);
            beside.give_back(own_direction(others, a.col(k)));
            beside.values().maxCoeff(&points[k]);
            a.col(k) = array.steering(d_grid.at(points[k]));
            beside.take(own_direction(others, a.col(k)));
        }
        if (points == before) {
            break;
        }
    }
    std::sort(points.begin(), points.end());
}

std::set<std::vector<int>> alternating_projection::outcomes(
    const antenna_array& array, const Eigen::MatrixXcd& factor, int num_sources) const
{
    const grid_gain all(d_table, factor);
    // Which starts are promising, the strongest columns tell as well as all.
    const Eigen::MatrixXcd leading =
        factor.leftCols(std::min<Eigen::Index>(num_sources, factor.cols()));
    const grid_gain seen(d_table, leading);
    const Eigen::VectorXd alone = seen.values();
    const auto place_from = [&](int first) {
        return place(array, seen, num_sources, first, alone(first));
    };
    int highest = 0;
    alone.maxCoeff(&highest);
    std::vector<placement> starts{ place_from(highest) };
    if (num_sources > 1) {
        const int count =
            std::min(first_points_per_element * array.num_elements(), most_first_points);
        for (int k = 0; k < count; ++k) {
            starts.push_back(place_from((2 * k + 1) * d_grid.size() / (2 * count)));
        }
        std::sort(starts.begin() + 1,
                  starts.end(),
                  [](const placement& i, const placement& k) { return i.gain > k.gain; });
        const std::size_t num_starts =
            std::max(fewest_starts, starts_times_elements / array.num_elements());
        starts.resize(std::min(num_starts, starts.size()));
    }
    std::set<std::vector<int>> settled;
    for (placement& start : starts) {
        settle(array, all, start.points);
        settled.insert(start.points);
    }
    return settled;
}

void alternating_projection::follow(const projection_residual& residual,
                                    const Eigen::VectorXd& start,
                                    local_minima_found& minima) const
{
    const Eigen::VectorXd azimuth = residual.minimum(start, step());
    const bool is_new =
        std::none_of(minima.begin(), minima.end(), [&azimuth](const auto& other) {
            return are_the_same(azimuth, other.second);
        });
    if (is_new) {
        minima.emplace_back(residual.value(azimuth), azimuth);
    }
}

// Where sources fell together one is left over, which then stands anywhere, and no move of
// one source alone mends that. So the one that explains least is put beside each of the
// others, which steps aside.
void alternating_projection::split(const antenna_array& array,
                                   const Eigen::MatrixXcd& factor,
                                   const projection_residual& residual,
                                   local_minima_found& minima) const
{
    const Eigen::VectorXd best = minima.front().second;
    const Eigen::MatrixXcd a = steering_of(array, best);
    Eigen::VectorXd explained(best.size());
    for (Eigen::Index k = 0; k < best.size(); ++k) {
        explained(k) = (own_direction(basis_without(a, k), a.col(k)).adjoint() * factor)
                           .squaredNorm();
    }
    Eigen::Index spare = 0;
    explained.minCoeff(&spare);
    const double aside = part_of_beam / array.aperture();
    for (Eigen::Index k = 0; k < best.size(); ++k) {
        if (k == spare) {
            continue;
        }
        Eigen::VectorXd start = best;
        if (array.is_front_only()) {
            start(k) = std::asin(std::clamp(std::sin(best(k)) - aside, -1.0, 1.0));
            start(spare) = std::asin(std::clamp(std::sin(best(k)) + aside, -1.0, 1.0));
        } else {
            start(k) = best(k) - aside;
            start(spare) = best(k) + aside;
        }
        follow(residual, start, minima);
    }
}

std::vector<Eigen::VectorXd> alternating_projection::search(
    const antenna_array& array, const Eigen::MatrixXcd& factor, int num_sources) const
{
    const projection_residual residual(array, factor);
    local_minima_found minima;
    const auto sort = [&minima] {
        std::sort(minima.begin(), minima.end(), [](const auto& i, const auto& k) {
            return i.first < k.first;
        });
    };
    for (const std::vector<int>& points : outcomes(array, factor, num_sources)) {
        Eigen::VectorXd azimuth(num_sources);
        for (int k = 0; k < num_sources; ++k) {
            azimuth(k) = start_at(points[k]);
        }
        follow(residual, azimuth, minima);
    }
    sort();
    for (int round = 0; num_sources > 2 && round < most_splits; ++round) {
        const double before = minima.front().first;
        split(array, factor, residual, minima);
        sort();
        if (!(minima.front().first < before)) {
            break;
        }
    }
    std::vector<Eigen::VectorXd> directions;
    for (const auto& minimum : minima) {
        directions.push_back(minimum.second);
    }
    return directions;
}

std::vector<Eigen::VectorXd>
alternating_projection::rivals(const antenna_array& array,
                               const Eigen::MatrixXcd& factor,
                               const Eigen::VectorXd& azimuth) const
{
    const projection_residual residual(array, factor);
    const Eigen::MatrixXcd a = steering_of(array, azimuth);
    const Eigen::MatrixXcd basis = basis_of(a);
    grid_gain beside(d_table, factor);
    for (Eigen::Index k = 0; k < a.cols(); ++k) {
        beside.take(basis.col(k));
    }
    std::vector<Eigen::VectorXd> found;
    for (Eigen::Index k = 0; k < a.cols(); ++k) {
        const Eigen::VectorXcd own = own_direction(basis_without(a, k), a.col(k));
        const double in_place = (own.adjoint() * factor).squaredNorm();
        beside.give_back(own);
        const Eigen::VectorXd gain = beside.values();
        beside.take(own);
        for (const int point : local_minima(-gain, d_grid.is_circle())) {
            const bool is_in_place =
                std::abs(std::remainder(d_grid.at(point) - azimuth(k), 2.0 * M_PI)) <
                step();
            // The ends of a front-only array's range are no minima, only flanks of one: at
            // half-wavelength spacing of one near the other end.
            const bool is_end =
                !d_grid.is_circle() && (point == 0 || point == d_grid.size() - 1);
            if (is_in_place || is_end || gain(point) < share_of_rival * in_place) {
                continue;
            }
            Eigen::VectorXd moved = azimuth;
            moved(k) = start_at(point);
            moved = residual.minimum(moved, step());
            if (!are_the_same(moved, azimuth)) {
                found.push_back(moved);
            }
        }
    }
    return found;
}

} // namespace core
} // namespace bearing
} // namespace gr
