/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_H
#define INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/sync_block.h>
#include <memory>
#include <string>

namespace gr {
namespace bearing {

/*!
 * \brief Subspace fitting: bearings with predicted standard deviations also of close and
 * of coherent sources. \ingroup bearing
 *
 * Input: covariance items of N * N complex float from bearing::covariance. No stream
 * output.
 *
 * Message in `calibration`: a dict with any of `gains`, `positions`, `coupling`,
 * `sigma_phase_rad`, `sigma_log_gain`, `reference`, `frequency`, `time`; a missing key
 * leaves that part unchanged. One that does not fit the array is ignored with a warning.
 *
 * A calibration with a `frequency` is applied to items whose `rx_freq` is within a
 * thousandth of it, and to items that tell none; each frequency has its own. One without
 * is applied to all.
 *
 * Message out `bearings`: one PDU per item, cons(dict, f32vector angles_deg), strongest
 * source first. The dict holds `rx_time`, `rx_freq`, `method` ("wsf" or "dml"), `status`,
 * `num_sources`, `snapshots`, `std_deg`, `true_bearing_deg` (heading + angle, in
 * [0, 360)), `power_db`, `snr_db`; what is unknown is PMT_NIL, angles that could not be
 * found are NaN.
 *
 * An `rx_freq` tag replaces the wavelength of an array that was built with one.
 *
 * Method: core::subspace_fit_estimator (I. Ziskind, M. Wax 1988; M. Viberg, B. Ottersten
 * 1991). `std_deg` is NaN, and the status says why, where the predicted deviation would
 * not hold; with status "unresolved" the finite ones hold. N = 64 with K = 16 takes a
 * quarter of a second an item.
 */
class BEARING_API subspace_fit : virtual public gr::sync_block
{
public:
    typedef std::shared_ptr<subspace_fit> sptr;

    /*!
     * \param array geometry, wavelength and calibration, N >= 2 elements
     * \param num_sources K, 1 .. N-1; 0: count them (coherent ones count as one)
     * \param criterion "wsf", weighted subspace fitting, or "dml", deterministic maximum
     * likelihood
     * \param snapshots number behind each item while no `snapshots` tag tells; 0:
     * unknown
     * \param heading_deg direction of the array's +y axis, clockwise from north, in
     * degrees
     * \param counting "ratio", "mdl" or "aic", how sources are counted
     * \throws std::invalid_argument naming the parameter
     */
    static sptr make(const core::antenna_array& array,
                     int num_sources,
                     const std::string& criterion = "wsf",
                     int snapshots = 0,
                     double heading_deg = 0.0,
                     const std::string& counting = "ratio");

    //! \throws std::invalid_argument unless 0 <= num_sources < N
    virtual void set_num_sources(int num_sources) = 0;
    //! \throws std::invalid_argument unless "wsf" or "dml"
    virtual void set_criterion(const std::string& criterion) = 0;
    //! \throws std::invalid_argument unless finite
    virtual void set_heading_deg(double heading_deg) = 0;
    //! Replaces the whole calibration; parts that \p calibration lacks are those of the
    //! array as drawn. \throws std::invalid_argument when it does not fit the array
    virtual void set_calibration(const core::calibration_state& calibration) = 0;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_SUBSPACE_FIT_H */
