/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <memory>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief Root-MUSIC: bearings with predicted standard deviations, no grid.
 * \ingroup bearing
 *
 * Input: covariance items of N * N complex float from bearing::covariance. No stream
 * output.
 *
 * Message in `calibration`: a dict with any of `gains`, `positions`, `coupling`,
 * `sigma_phase_rad`, `sigma_log_gain`, `reference`, `frequency`, `time`; a missing key
 * leaves that part unchanged. One that does not fit the array, or makes it one that the
 * variant does not suit, is ignored with a warning.
 *
 * A calibration with a `frequency` is applied to items whose `rx_freq` is within a
 * thousandth of it, and to items that tell none; each frequency has its own. One without
 * is applied to all.
 *
 * Message out `bearings`: one PDU per item, cons(dict, f32vector angles_deg), strongest
 * source first. The dict holds `rx_time`, `rx_freq`, `method`, `status`, `num_sources`,
 * `snapshots`, `std_deg`, `true_bearing_deg` (heading + angle, in [0, 360)), `power_db`,
 * `snr_db`; what is unknown is PMT_NIL, angles that could not be found are NaN.
 *
 * An `rx_freq` tag replaces the wavelength of an array that was built with one.
 *
 * Method: core::root_music_estimator. "complex" (A. J. Barabell 1983; M. Ruebsamen,
 * A. B. Gershman 2009) takes any array. On uniform lines without position offsets there
 * are also "unitary" (M. Pesavento, A. B. Gershman, M. Haardt 2000), forward-backward
 * averaged, which resolves most coherent pairs, and "real" (arXiv 2509.01999), from the
 * real part of the covariance, for 2 K < N sources. "auto" follows the
 * calibration in force: unitary on a uniform line that is ideal or calibrated in gain
 * only, else complex. `std_deg` is NaN, and the status says why, where the predicted
 * deviation would not hold.
 */
class BEARING_API root_music : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<root_music> sptr;

    /*!
     * \param array geometry, wavelength and calibration, N >= 2 elements; a uniform line
     * without position offsets for the variants unitary and real
     * \param num_sources K, 1 .. N-1 (real: 2 K < N); 0: count them
     * \param variant "auto", "complex", "unitary" or "real"
     * \param snapshots number behind each item while no `snapshots` tag tells; 0:
     * unknown
     * \param heading_deg direction of the array's +y axis, clockwise from north, in
     * degrees
     * \param counting "ratio", "mdl" or "aic", how sources are counted
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     const std::string& variant = "auto",
                     int snapshots = 0,
                     double heading_deg = 0.0,
                     const std::string& counting = "ratio");

    //! \throws std::invalid_argument unless 0 <= num_sources < N (real: 2 K < N)
    virtual void set_num_sources(int num_sources) = 0;
    //! \throws std::invalid_argument for another than those of make(), and for one that
    //! array, calibration or number of sources do not suit
    virtual void set_variant(const std::string& variant) = 0;
    //! \throws std::invalid_argument unless finite
    virtual void set_heading_deg(double heading_deg) = 0;
    //! Replaces the whole calibration; parts that \p calibration lacks are those of the
    //! array as drawn. \throws std::invalid_argument when it does not fit the array or
    //! the variant
    virtual void set_calibration(const core::calibration_state& calibration) = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_H */
