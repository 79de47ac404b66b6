/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_WIDEBAND_MUSIC_H
#define INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_WIDEBAND_MUSIC_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/subspace/angle_grid.h>
#include <gnuradio/bearing/core/subspace/bearing_estimate.h>
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/source_count.h>
#include <gnuradio/bearing/core/subspace/spectrum_table.h>
#include <gnuradio/bearing/core/subspace/variant_frame.h>
#include <Eigen/Dense>
#include <cstddef>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

//! How the sub-bands of a wide band become one answer.
enum class subband_combination {
    incoherent, //!< the null functions of the sub-bands are added
    coherent    //!< the covariances are focused on one frequency and added
};

//! \throws std::invalid_argument naming combination and the allowed "incoherent",
//! "coherent"
BEARING_API subband_combination subband_combination_from_string(const std::string& name);

//! What a wideband_music_estimator looks for, and how.
struct BEARING_API wideband_music_config {
    //! K, 1 .. N-1; 0: count the sources
    int num_sources = 0;
    count_method counting = count_method::ratio;
    subband_combination combination = subband_combination::incoherent;
    //! correlation of the errors of two sub-bands' covariances at distances 1, 2, .., each
    //! in [0, 1]; beyond its end 0. By default as subband_accumulator makes them.
    std::vector<double> correlation = default_correlation();

    static std::vector<double> default_correlation();
};

/*!
 * \brief MUSIC for signals whose bandwidth times the aperture's travel time is not small:
 * the covariances of sub-bands, each narrow, combined.
 *
 * Incoherent. Each sub-band has its own signal subspace and, at its own frequency, its own
 * manifold a_m; f(theta) = sum_m w_m f_m(theta), f_m = a_m^H Pn_m a_m / a_m^H a_m, takes
 * the place of the null function. The K deepest minima are refined twice: with one set of
 * weights, and then each with weights of its own, the inverse of what sampling makes of
 * f_m there. Errors of sub-band m with deviation s_m (predict_plug_in()) then combine with
 * weights 1 / s_m^2, and
 *
 *     var(theta) = sum_mm' c_|m-m'| / (s_m s_m') / (sum_m 1 / s_m^2)^2
 *
 * with c the correlation of the sub-bands' errors. Sub-bands whose data are bad, in which
 * K sources do not stand out of the noise, or (K counted) another number of sources than
 * in most, are left out. So are sub-bands with less than half of the median signal (any
 * signal eigenvalue over the noise): there the signal's spectrum ends, and what is left of
 * it is not about the sub-band's centre. Where the result is model_mismatch still, the
 * outermost of each run of sub-bands are left out as well, twice at most and while half of
 * them are left; if that does not help the first result stands. A grating lobe stands
 * elsewhere in every sub-band, so a wide band tells directions apart that one frequency
 * cannot.
 *
 * Coherent. Unitary matrices T_m turn the sub-bands' manifolds around the sources into
 * that of the centre frequency, and MUSIC works on R = sum_m w_m T_m R_m T_m^H, w_m the
 * inverse noise power. T_m is the nearest one, in the least-squares sense, at preliminary
 * directions and a quarter of a beam to both sides; these are the incoherent ones, or the
 * highest beams where that fails, and twice those that MUSIC then finds, nearer to them
 * each time. The sum over frequencies also decorrelates echoes: they are resolved where
 * the delay between them times the bandwidth is about a half or more. What is left out of
 * focus shifts echoes by more than noise does when they are strong, so no deviation is
 * predicted for sources that are coherent in the sub-bands: NaN, and not_identifiable in
 * place of ok.
 *
 * References: M. Wax, T.-J. Shan, T. Kailath, "Spatio-temporal spectral analysis by
 * eigenstructure methods", IEEE Trans. ASSP 32(4), 1984 (incoherent). H. Wang, M. Kaveh,
 * "Coherent signal-subspace processing for the detection and estimation of angles of
 * arrival of multiple wide-band sources", IEEE Trans. ASSP 33(4), 1985. H. Hung, M. Kaveh,
 * "Focussing matrices for coherent signal-subspace processing", IEEE Trans. ASSP 36(8),
 * 1988.
 */
class BEARING_API wideband_music_estimator
{
public:
    /*!
     * \param array manifold at the centre frequency: its wavelength, or the wavelengths
     * that its geometry is in, are those of center_frequency. Gains and coupling hold for
     * the whole band.
     * \param center_frequency Hz, > 0
     * \param frequencies of the M >= 1 sub-bands, Hz, > 0, ascending, evenly spaced
     * \throws std::invalid_argument naming the parameter
     */
    wideband_music_estimator(antenna_array array,
                             double center_frequency,
                             const Eigen::VectorXd& frequencies,
                             angle_grid grid,
                             wideband_music_config config = {});

    /*!
     * \param covariances R_0 .. R_(M-1) side by side, N x N M, lowest frequency first
     * \param snapshots independent ones behind each R_m; 0: unknown (deviations are then
     * NaN, and num_sources = 0 cannot be counted: not_identifiable)
     * \returns powers summed over the sub-bands that were used; the spectrum is that of
     * the sum. Status low_snr: sources do not stand out of the noise in any sub-band
     * \throws std::invalid_argument when covariances has another size
     */
    bearing_estimate estimate(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                              std::size_t snapshots) const;

    const antenna_array& array() const { return d_array; }
    const angle_grid& grid() const { return d_shown; }
    int num_subbands() const { return static_cast<int>(d_subbands.size()); }

private:
    struct subband {
        variant_frame frame; // of the array at the sub-band's frequency
        spectrum_table shown;
        spectrum_table searched;
    };
    //! A sub-band with signal in it.
    struct part;
    //! What the sub-bands say of one direction.
    struct direction;

    const antenna_array& array_of(int m) const { return d_subbands[m].frame.array(); }
    double correlation(int m, int other) const;
    std::vector<part> parts(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                            std::size_t snapshots,
                            int& num_sources,
                            status& why) const;
    static void keep_occupied(std::vector<part>& parts, int num_sources);
    std::vector<part> inner_parts(const std::vector<part>& parts) const;
    std::vector<double> minima(const std::vector<part>& parts) const;
    direction look(const std::vector<part>& parts, double azimuth) const;
    void show(const std::vector<part>& parts, Eigen::VectorXd& spectrum_db) const;
    void fill_accuracy(const std::vector<part>& parts,
                       const std::vector<double>& others,
                       bearing_estimate& estimate) const;
    bearing_estimate fit(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                         const std::vector<part>& used,
                         int num_sources,
                         status why) const;
    bearing_estimate incoherent(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                                std::size_t snapshots) const;
    bearing_estimate coherent(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                              std::size_t snapshots) const;
    std::vector<double>
    highest_beams(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                  const std::vector<double>& weights,
                  int count) const;
    void sum_powers(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                    const std::vector<double>& noise_power,
                    bearing_estimate& estimate) const;
    bool has_echoes(const Eigen::Ref<const Eigen::MatrixXcd>& covariances,
                    const std::vector<double>& weights,
                    const Eigen::VectorXd& azimuths,
                    std::size_t snapshots) const;

    antenna_array d_array;
    wideband_music_config d_config;
    angle_grid d_shown;
    angle_grid d_searched;
    std::vector<subband> d_subbands;
    music_estimator d_focused;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_SUBSPACE_WIDEBAND_MUSIC_H */
