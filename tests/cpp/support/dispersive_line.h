/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_DISPERSIVE_LINE_H
#define INCLUDED_BEARING_TESTS_DISPERSIVE_LINE_H

#include <gnuradio/bearing/core/propagation/propagator.h>
#include <Eigen/Dense>
#include <type_traits>
#include <unsupported/Eigen/FFT>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

//! What was simulated; Scalar is double or std::complex<double>.
template <class Scalar>
struct line_record {
    using matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
    matrix data;                 //!< d, T x N
    matrix signal;               //!< sum of the sources' signals, T x N
    std::vector<matrix> signals; //!< of each source, T x N
    matrix source;               //!< s0, T x K
    //! true two-sided densities at the bins (T/2 + 1, or T in the order of the DFT): F x K,
    //! F x N
    Eigen::MatrixXd source_psd;
    Eigen::MatrixXd noise_psd;
};

/*!
 * \brief Sensors on a line of a medium in which attenuation and velocity depend on
 * frequency; low-pass noise as the source, white noise at the sensors.
 *
 * Independent of the library but for propagator(): formulas by hand, FFT from Eigen. Delays
 * are circular over the record, so that the densities are exact at its bins.
 */
struct dispersive_line {
    int num_sensors = 10;
    double spacing = 10.0; //!< metres
    double sample_rate = 1000.0;
    double corner = 10.0; //!< of the source's first-order Butterworth, Hz
    double noise_deviation = 0.05;
    Eigen::VectorXd sensor_factor; //!< of the deviation, N; empty: 1
    double center_frequency = 0.0; //!< of complex records
    double velocity_scale = 1.0;   //!< true velocity over that of propagator()
    //! a second source, of half the corner, that comes from the other end
    bool has_second_source = false;

    static double velocity(double frequency)
    {
        return 25.0 * (1.0 + std::sqrt(1.0 + std::pow(frequency / 100.0, 2)));
    }
    //! over one interval
    static double gain(double frequency)
    {
        return std::exp(-std::sqrt(0.01 + std::pow(frequency / 100.0, 2)));
    }

    //! T/2 + 1 bins of real records, T of complex ones in the order of the DFT; Hz
    Eigen::VectorXd bins(Eigen::Index num_samples, bool is_real) const
    {
        const Eigen::Index size = is_real ? num_samples / 2 + 1 : num_samples;
        Eigen::VectorXd result(size);
        for (Eigen::Index k = 0; k < size; ++k) {
            const Eigen::Index signed_bin =
                is_real || 2 * k < num_samples ? k : k - num_samples;
            result(k) = static_cast<double>(signed_bin) * sample_rate /
                        static_cast<double>(num_samples);
        }
        return result;
    }

    //! P at absolute frequencies, F x N, by the formula; the conjugate at -f.
    Eigen::MatrixXcd response(const Eigen::VectorXd& frequency, double scale = 1.0) const
    {
        Eigen::MatrixXcd result(frequency.size(), num_sensors);
        for (Eigen::Index k = 0; k < frequency.size(); ++k) {
            const double f = frequency(k);
            for (int i = 0; i < num_sensors; ++i) {
                result(k, i) = std::polar(std::pow(gain(std::abs(f)), i),
                                          -2.0 * M_PI * f * i * spacing /
                                              (scale * velocity(std::abs(f))));
            }
        }
        return result;
    }

    //! By tables of so many frequencies from 0 to 1.5 times the Nyquist frequency; 0.15 Hz
    //! apart, linear interpolation errs by 1e-5 at most.
    gr::bearing::core::propagator propagator(int table_size = 5001) const
    {
        const Eigen::VectorXd positions =
            Eigen::VectorXd::LinSpaced(num_sensors, 0.0, (num_sensors - 1) * spacing);
        const Eigen::VectorXd frequency =
            Eigen::VectorXd::LinSpaced(table_size, 0.0, 0.75 * sample_rate);
        return gr::bearing::core::propagator::dispersive(positions,
                                                         frequency,
                                                         frequency.unaryExpr(&gain),
                                                         frequency.unaryExpr(&velocity));
    }

    //! From the other end, relative to the last sensor: a table that is exact at the bins of
    //! T samples, and good for nothing between them.
    gr::bearing::core::propagator reverse_propagator(Eigen::Index num_samples,
                                                     bool is_real) const
    {
        Eigen::VectorXd frequency = bins(num_samples, is_real);
        std::sort(frequency.begin(), frequency.end());
        frequency.array() += center_frequency;
        return gr::bearing::core::propagator::table(
            frequency, response(frequency).rowwise().reverse());
    }

    //! Two-sided density of source k at baseband frequencies: bilinear transform of 1 / (1 +
    //! j f / corner) on white noise of variance 1.
    Eigen::VectorXd source_density(const Eigen::VectorXd& frequency, int k = 0) const
    {
        const double edge =
            std::tan(M_PI * (k == 0 ? corner : corner / 2.0) / sample_rate);
        return frequency.unaryExpr([&](double f) {
            const double warped = std::tan(M_PI * f / sample_rate);
            return 1.0 / (1.0 + std::pow(warped / edge, 2)) / sample_rate;
        });
    }

    template <class Scalar = double>
    line_record<Scalar> simulate(Eigen::Index num_samples, unsigned seed) const
    {
        constexpr bool is_real = std::is_same<Scalar, double>::value;
        std::mt19937_64 random(seed);
        std::normal_distribution<double> normal;
        const auto white = [&](double deviation) {
            if constexpr (is_real) {
                return deviation * normal(random);
            } else {
                const double real = normal(random);
                return deviation * std::sqrt(0.5) * Scalar(real, normal(random));
            }
        };

        const Eigen::VectorXd frequency = bins(num_samples, is_real);
        const Eigen::MatrixXcd forward =
            response((frequency.array() + center_frequency).matrix(), velocity_scale);
        const int num_sources = has_second_source ? 2 : 1;
        line_record<Scalar> record;
        record.signal = line_record<Scalar>::matrix::Zero(num_samples, num_sensors);
        record.source.resize(num_samples, num_sources);
        record.source_psd.resize(frequency.size(), num_sources);
        for (int k = 0; k < num_sources; ++k) {
            record.source_psd.col(k) = source_density(frequency, k);
            const Eigen::MatrixXcd p =
                k == 0 ? forward : Eigen::MatrixXcd(forward.rowwise().reverse());
            std::vector<std::complex<double>> spectrum;
            spectrum.reserve(num_samples);
            std::vector<Scalar> samples(num_samples);
            for (Scalar& sample : samples) {
                sample = white(1.0);
            }
            Eigen::FFT<double> fft;
            if (is_real) {
                fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
            }
            fft.fwd(spectrum, samples);
            for (std::size_t bin = 0; bin < spectrum.size(); ++bin) {
                spectrum[bin] *= std::sqrt(record.source_psd(bin, k) * sample_rate);
            }
            const auto back = [&](const std::vector<std::complex<double>>& bins) {
                fft.inv(samples, bins, num_samples);
                return Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>(
                    samples.data(), num_samples);
            };
            record.source.col(k) = back(spectrum);
            record.signals.emplace_back(num_samples, num_sensors);
            std::vector<std::complex<double>> delayed(spectrum.size());
            for (int i = 0; i < num_sensors; ++i) {
                for (std::size_t bin = 0; bin < spectrum.size(); ++bin) {
                    delayed[bin] = p(bin, i) * spectrum[bin];
                }
                // What real samples hold of the Nyquist frequency.
                if (is_real && num_samples % 2 == 0) {
                    delayed.back() = delayed.back().real();
                }
                record.signals.back().col(i) = back(delayed);
            }
            record.signal += record.signals.back();
        }

        record.data = record.signal;
        record.noise_psd.resize(frequency.size(), num_sensors);
        for (int i = 0; i < num_sensors; ++i) {
            const double deviation =
                noise_deviation * (sensor_factor.size() > 0 ? sensor_factor(i) : 1.0);
            record.noise_psd.col(i).setConstant(deviation * deviation / sample_rate);
            for (Eigen::Index t = 0; t < num_samples; ++t) {
                record.data(t, i) += white(deviation);
            }
        }
        return record;
    }
};

//! |estimate - truth|^2 / |truth|^2, dB.
template <class A, class B>
double nmse_db(const Eigen::MatrixBase<A>& estimate, const Eigen::MatrixBase<B>& truth)
{
    return 10.0 * std::log10((estimate - truth).squaredNorm() / truth.squaredNorm());
}

//! Random records in a statistical test: fewer by default.
inline int num_records(int by_default, int full)
{
    const char* const value = std::getenv("BEARING_TEST_FULL");
    return value && std::string(value) == "1" ? full : by_default;
}

#endif /* INCLUDED_BEARING_TESTS_DISPERSIVE_LINE_H */
