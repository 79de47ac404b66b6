/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_WIDEBAND_SCENE_H
#define INCLUDED_BEARING_TESTS_WIDEBAND_SCENE_H

#include <gnuradio/bearing/core/array/antenna_array.h>
#include <gnuradio/bearing/core/covariance/subband_covariance.h>
#include <Eigen/Dense>
#include <unsupported/Eigen/FFT>
#include <cmath>
#include <complex>
#include <random>
#include <vector>

/*!
 * \brief Plane waves of any bandwidth on an array, exact: every element hears the signal
 * earlier by its own travel time, not by a phase.
 *
 * The spectrum of the received signal is S(f) exp(j 2 pi (f_0 + f) p.u / c): a time shift
 * of the modulated carrier, without an approximation. Records are periodic.
 */
class wideband_scene
{
public:
    //! \param array at the wavelength of the centre; its calibration has no part in it
    //! \param relative_rate sample rate over centre frequency
    wideband_scene(const gr::bearing::core::antenna_array& array,
                   double relative_rate,
                   int length,
                   unsigned seed)
        : d_delays(array.positions() / array.wavelength().value_or(1.0)),
          d_relative_rate(relative_rate),
          d_length(length),
          d_spectrum(Eigen::MatrixXcd::Zero(length, array.num_elements())),
          d_random(seed)
    {
    }

    //! White noise of power 1 in each sample.
    Eigen::VectorXcd white_spectrum()
    {
        std::normal_distribution<double> normal(0.0, std::sqrt(0.5));
        Eigen::VectorXcd s(d_length);
        for (std::complex<double>& value : s) {
            value = { normal(d_random), normal(d_random) };
        }
        return s;
    }

    //! Bin k's frequency over the sample rate, in [-1/2, 1/2).
    double frequency(int k) const
    {
        return (k < (d_length + 1) / 2 ? k : k - d_length) /
               static_cast<double>(d_length);
    }

    //! A wave from \p azimuth with this spectrum, \p delay samples late.
    void add(const Eigen::VectorXcd& spectrum,
             double azimuth,
             double snr_db,
             double delay = 0.0)
    {
        const double level = std::pow(10.0, snr_db / 20.0);
        const Eigen::Vector3d u(std::sin(azimuth), std::cos(azimuth), 0.0);
        const Eigen::VectorXd cycles = d_delays * u; // at the centre frequency
        for (int k = 0; k < d_length; ++k) {
            const double f = frequency(k);
            const std::complex<double> late =
                std::polar(level, -2.0 * M_PI * f * delay) * spectrum(k);
            for (Eigen::Index l = 0; l < cycles.size(); ++l) {
                d_spectrum(k, l) +=
                    late *
                    std::polar(1.0, 2.0 * M_PI * (1.0 + f * d_relative_rate) * cycles(l));
            }
        }
    }

    //! N x T, one row an element, with white noise of power 1 added.
    Eigen::Matrix<std::complex<float>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>
    received()
    {
        Eigen::
            Matrix<std::complex<float>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>
                x(d_spectrum.cols(), d_length);
        Eigen::FFT<double> fft;
        Eigen::VectorXcd samples;
        for (Eigen::Index l = 0; l < d_spectrum.cols(); ++l) {
            const Eigen::VectorXcd bins = d_spectrum.col(l) + white_spectrum();
            fft.inv(samples, bins); // divides by T
            x.row(l) = (std::sqrt(1.0 * d_length) * samples)
                           .cast<std::complex<float>>()
                           .transpose();
        }
        return x;
    }

private:
    const Eigen::MatrixXd d_delays; // N x 3, periods of the centre frequency
    const double d_relative_rate;
    const int d_length;
    Eigen::MatrixXcd d_spectrum; // T x N
    std::mt19937_64 d_random;
};

//! Covariances of the sub-bands of a record, N x N M, and the snapshots behind each.
struct subband_record {
    Eigen::MatrixXcd covariances;
    std::size_t snapshots;

    template <class Samples>
    subband_record(const Samples& x, const gr::bearing::core::subband_config& config)
    {
        gr::bearing::core::subband_accumulator r(static_cast<int>(x.rows()), config);
        std::vector<const std::complex<float>*> channels(x.rows());
        for (Eigen::Index l = 0; l < x.rows(); ++l) {
            channels[l] = x.row(l).data();
        }
        r.update(channels.data(), x.cols());
        covariances = r.covariance();
        snapshots = static_cast<std::size_t>(
            gr::bearing::core::subband_snapshots(r.num_frames()));
    }
};

#endif /* INCLUDED_BEARING_TESTS_WIDEBAND_SCENE_H */
