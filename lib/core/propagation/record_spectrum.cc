/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "record_spectrum.h"
#include <fftw3.h>
#include <memory>
#include <new>

namespace gr {
namespace bearing {
namespace core {

namespace {

struct plan_deleter {
    void operator()(fftw_plan_s* plan) const { fftw_destroy_plan(plan); }
};
using plan = std::unique_ptr<fftw_plan_s, plan_deleter>;

plan checked(fftw_plan made)
{
    if (!made) {
        throw std::bad_alloc();
    }
    return plan(made);
}

fftw_complex* raw(Eigen::MatrixXcd& values)
{
    return reinterpret_cast<fftw_complex*>(values.data());
}

// All columns in one plan; estimating leaves the arrays as they are.
plan complex_plan(Eigen::MatrixXcd& from, Eigen::MatrixXcd& to, int sign)
{
    const int length = static_cast<int>(from.rows());
    return checked(fftw_plan_many_dft(1,
                                      &length,
                                      static_cast<int>(from.cols()),
                                      raw(from),
                                      nullptr,
                                      1,
                                      length,
                                      raw(to),
                                      nullptr,
                                      1,
                                      length,
                                      sign,
                                      FFTW_ESTIMATE));
}

} // namespace

Eigen::VectorXd
bin_frequencies(Eigen::Index num_samples, double sample_rate, spectrum_sides sides)
{
    const bool is_one_sided = sides == spectrum_sides::one;
    Eigen::VectorXd result(is_one_sided ? num_samples / 2 + 1 : num_samples);
    for (Eigen::Index k = 0; k < result.size(); ++k) {
        const Eigen::Index bin =
            is_one_sided || 2 * k < num_samples ? k : k - num_samples;
        result(k) =
            static_cast<double>(bin) * sample_rate / static_cast<double>(num_samples);
    }
    return result;
}

Eigen::MatrixXcd record_spectrum(const Eigen::MatrixXd& record)
{
    Eigen::MatrixXd samples = record;
    Eigen::MatrixXcd result(record.rows() / 2 + 1, record.cols());
    const int length = static_cast<int>(record.rows());
    const plan forward = checked(fftw_plan_many_dft_r2c(1,
                                                        &length,
                                                        static_cast<int>(record.cols()),
                                                        samples.data(),
                                                        nullptr,
                                                        1,
                                                        length,
                                                        raw(result),
                                                        nullptr,
                                                        1,
                                                        static_cast<int>(result.rows()),
                                                        FFTW_ESTIMATE));
    fftw_execute(forward.get());
    return result;
}

Eigen::MatrixXcd record_spectrum(const Eigen::MatrixXcd& record)
{
    Eigen::MatrixXcd samples = record;
    Eigen::MatrixXcd result(record.rows(), record.cols());
    fftw_execute(complex_plan(samples, result, FFTW_FORWARD).get());
    return result;
}

void record_of_spectrum(const Eigen::MatrixXcd& spectrum, Eigen::MatrixXd& record)
{
    Eigen::MatrixXcd bins = spectrum;
    const int length = static_cast<int>(record.rows());
    // Nyquist's frequency is there for even lengths only.
    bins.row(0) = spectrum.row(0).real().cast<std::complex<double>>();
    if (length % 2 == 0) {
        bins.bottomRows(1) = spectrum.bottomRows(1).real().cast<std::complex<double>>();
    }
    const plan backward = checked(fftw_plan_many_dft_c2r(1,
                                                         &length,
                                                         static_cast<int>(bins.cols()),
                                                         raw(bins),
                                                         nullptr,
                                                         1,
                                                         static_cast<int>(bins.rows()),
                                                         record.data(),
                                                         nullptr,
                                                         1,
                                                         length,
                                                         FFTW_ESTIMATE));
    fftw_execute(backward.get());
    record /= static_cast<double>(length);
}

void record_of_spectrum(const Eigen::MatrixXcd& spectrum, Eigen::MatrixXcd& record)
{
    Eigen::MatrixXcd bins = spectrum;
    fftw_execute(complex_plan(bins, record, FFTW_BACKWARD).get());
    record /= static_cast<double>(record.rows());
}

} // namespace core
} // namespace bearing
} // namespace gr
