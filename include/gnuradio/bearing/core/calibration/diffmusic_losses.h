/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_LOSSES_H
#define INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_LOSSES_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/calibration/array_parameters.h>
#include <Eigen/Dense>
#include <memory>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief What is wrong with the spectra of an array that is not calibrated.
 *
 * P = S / D is the MUSIC spectrum, D = a^H (I - Es Es^H) a, S = a^H a. B counts the
 * covariances that take part, i their M sources.
 */
enum class diffmusic_loss {
    sl_p,     //!< supervised: -1/B sum log P at the labels
    sl_p_raw, //!< supervised: -1/B sum P at the labels; its gradient grows a thousandfold
              //!< as the array becomes calibrated, so it is not for descending
    sl_theta, //!< supervised: 1/B sum sqrt(mean_i e_i^2 + 1e-12), e = label - soft peak,
              //!< in radians
    ul //!< unsupervised: 1/B sum of Jain's index of P around each peak: 1 for a flat
       //!< spectrum, small for a sharp peak
};
//! \throws std::invalid_argument naming loss and the allowed names
BEARING_API diffmusic_loss diffmusic_loss_from_string(const std::string& name);

//! How the losses that look around peaks do so, and for tests the kernel.
struct diffmusic_losses_config {
    //! distance of the points of a window in radians: 0.05 degrees
    double window_step = 0.05 * M_PI / 180.0;
    //! points on either side of the peak
    int window_half_width = 20;
    //! tau of the softmax that weighs a window's points: w = softmax(P / tau)
    double temperature = 1.0;
    //! "generic", "avx2" or "avx512"; empty: default_kernel_name()
    std::string kernel;
};

//! A loss and its derivatives.
struct loss_gradient {
    double value;              //!< NaN when no covariance took part
    Eigen::VectorXcd gains;    //!< dL/dRe g + j dL/dIm g, N
    Eigen::MatrixXd positions; //!< dL/dp per wavelength, N x 3; no loss depends on z
};

/*!
 * \brief The losses of differentiable MUSIC with analytic gradients, over K covariances.
 *
 * With v_n = exp(j 2 pi p_n . u), y = (I - Es Es^H) a and c_n = conj(v_n) y_n,
 *
 *     dD/dRe g_n = 2 Re c_n,  dD/dIm g_n = 2 Im c_n,  dD/dp_n = 4 pi u Im(conj(g_n) c_n),
 *     dP = dS / D - S / D^2 dD,
 *
 * and each loss is a weighted sum of such dP. P is divided by S because an amplitude loss
 * is unbounded otherwise: smaller gains would always be better. A null below 1e-16 S counts
 * as one of 1e-16 S, and nothing pulls at it: no data shows more than the rounding of Es
 * there, and the gradient of its logarithm would be that rounding divided by itself.
 *
 * The soft peak is sum_k w_k theta_k over the window of points around a peak of the
 * spectrum. Windows stay where move_windows() has put them, and the derivatives are those
 * for windows at rest.
 *
 * move_windows() and evaluate() allocate nothing.
 *
 * Reference: B. Chatelier et al., "Physically parameterized differentiable MUSIC for DoA
 * estimation with uncalibrated arrays", ICC 2025 (arXiv 2411.15144).
 */
class BEARING_API diffmusic_losses
{
public:
    /*!
     * \param signal_subspaces Es of K covariances, N x M, orthonormal columns
     * \param drawn tells the range of directions: half a turn, over which angles are
     * compared modulo pi, for an array that looks forward only, else a turn
     * \param azimuth labels in radians, K x M. sl_p uses those that are finite, sl_theta
     * the rows that are; ul ignores them, and it may be empty
     * \throws std::invalid_argument naming the parameter: sizes that disagree, none at all,
     * a window of no width or of more than a right angle, temperature not positive
     */
    diffmusic_losses(const std::vector<Eigen::MatrixXcd>& signal_subspaces,
                     const antenna_array& drawn,
                     diffmusic_loss loss,
                     const Eigen::MatrixXd& azimuth,
                     const diffmusic_losses_config& config = {});
    ~diffmusic_losses();
    diffmusic_losses(diffmusic_losses&&) noexcept;
    diffmusic_losses& operator=(diffmusic_losses&&) noexcept;

    /*!
     * \brief Puts the windows around the M deepest nulls of each covariance under \p
     * parameters. A covariance that shows fewer takes no part until they are moved again.
     *
     * Nothing for sl_p; for the others none takes part before the first call.
     */
    void move_windows(const array_parameters& parameters);

    //! Loss and gradient; valid until the next call.
    const loss_gradient& evaluate(const array_parameters& parameters);

    //! B
    int num_used() const;

private:
    struct state;
    std::unique_ptr<state> d_state;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_CALIBRATION_DIFFMUSIC_LOSSES_H */
