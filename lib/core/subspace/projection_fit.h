/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_SUBSPACE_PROJECTION_FIT_H
#define INCLUDED_BEARING_CORE_SUBSPACE_PROJECTION_FIT_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/manifold_table.h>
#include <Eigen/Dense>
#include <set>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What several steering vectors leave unexplained of a matrix T = F F^H:
 * V(theta) = tr[(I - P_A) T] with P_A the projector on the columns of A(theta).
 *
 * The gradient and the Hessian are exact, so a minimum can be refined to rounding.
 * Working on the factor F keeps V accurate where it is many orders below tr T.
 */
class projection_residual
{
public:
    /*!
     * \param array manifold; must outlive this object
     * \param factor F, N x r; must outlive this object
     */
    projection_residual(const antenna_array& array, const Eigen::MatrixXcd& factor);

    struct expansion {
        double value;             //!< V
        Eigen::VectorXd gradient; //!< dV/dtheta_i, K
        Eigen::MatrixXd hessian;  //!< d2V/dtheta_i dtheta_j, K x K
    };

    //! V at K azimuths in radians, no two of them equal
    double value(const Eigen::VectorXd& azimuth) const;
    //! V and its first two derivatives
    expansion at(const Eigen::VectorXd& azimuth) const;

    /*!
     * \brief The local minimum of V that \p start leads to.
     *
     * Newton's method on all angles jointly, turned downhill where V is not convex and
     * with every step shortened until V falls. Two angles that run into each other stop
     * at closest_angles.
     *
     * \param start K azimuths in radians
     * \param longest_step of one angle in one iteration, radians
     */
    Eigen::VectorXd minimum(Eigen::VectorXd start, double longest_step) const;

    //! Radians. Nearer angles than this are not told apart.
    static constexpr double closest_angles = 1e-5;

private:
    const antenna_array& d_array;
    const Eigen::MatrixXcd& d_factor;
    const double d_total; // tr T
};

/*!
 * \brief Searches the directions that minimise a projection_residual, all at once.
 *
 * Alternating projection: one angle at a time is placed best on a grid while the others
 * stand still, first each new one beside those before it, then all in turn. The outcome
 * is refined continuously.
 *
 * Reference: I. Ziskind, M. Wax, "Maximum likelihood localization of multiple sources by
 * alternating projection", IEEE Trans. ASSP 36(10), 1988.
 */
class alternating_projection
{
public:
    explicit alternating_projection(const antenna_array& array);

    /*!
     * \param array the one given at construction
     * \param factor F, N x r, the strongest columns first
     * \param num_sources K
     * \returns the minima that were come across, the lowest first: K azimuths in
     * radians each, not wrapped
     */
    std::vector<Eigen::VectorXd> search(const antenna_array& array,
                                        const Eigen::MatrixXcd& factor,
                                        int num_sources) const;

    /*!
     * \brief Other minima, reached by moving one source elsewhere and refining all.
     *
     * Only from where the source explains at least half of what it does in its place.
     *
     * \param azimuth K azimuths in radians, a minimum
     */
    std::vector<Eigen::VectorXd> rivals(const antenna_array& array,
                                        const Eigen::MatrixXcd& factor,
                                        const Eigen::VectorXd& azimuth) const;

private:
    class grid_gain;
    struct placement {
        std::vector<int> points; // of the grid
        double gain;             // what they explain of T
    };
    // A first point and the best further ones one by one; alone: beside nothing.
    placement place(const antenna_array& array,
                    const grid_gain& alone,
                    int num_sources,
                    int first,
                    double gain) const;
    // Moves the points in turn until none moves; ascending.
    void
    settle(const antenna_array& array, grid_gain beside, std::vector<int>& points) const;
    // What alternation ends at from the most promising first points.
    std::set<std::vector<int>> outcomes(const antenna_array& array,
                                        const Eigen::MatrixXcd& factor,
                                        int num_sources) const;
    // Off the ends of a front-only array's range: they are stationary whatever T is.
    //! value of V and directions
    using local_minima_found = std::vector<std::pair<double, Eigen::VectorXd>>;
    void follow(const projection_residual& residual,
                const Eigen::VectorXd& start,
                local_minima_found& minima) const;
    void split(const antenna_array& array,
               const Eigen::MatrixXcd& factor,
               const projection_residual& residual,
               local_minima_found& minima) const;
    double start_at(int point) const;
    double step() const { return d_grid.at(1) - d_grid.at(0); }

    angle_grid d_grid;
    manifold_table d_table;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_SUBSPACE_PROJECTION_FIT_H */
