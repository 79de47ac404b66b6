/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "stream_filter.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

namespace {

// Responses below are as good as none, and their squares would be denormal: slow.
constexpr double negligible = 1e-17;

// What P^H R^-1 P is loaded with, relative to its mean eigenvalue, so that it has an
// inverse where sources look alike; bins are known to single precision.
constexpr double loading = 1e-6;

/* Inverse of a Hermitian positive definite matrix, by Cholesky; both column-major, and may
 * not be the same. False where it is not definite. */
bool invert(std::complex<double>* matrix, int size, std::complex<double>* inverse)
{
    using complex = std::complex<double>;
    const auto at = [size](complex* m, int i, int j) -> complex& {
        return m[i + size * j];
    };
    for (int j = 0; j < size; ++j) {
        double pivot = at(matrix, j, j).real();
        for (int k = 0; k < j; ++k) {
            pivot -= std::norm(at(matrix, j, k));
        }
        if (!(pivot > 0.0) || !std::isfinite(pivot)) {
            return false;
        }
        pivot = std::sqrt(pivot);
        at(matrix, j, j) = pivot;
        for (int i = j + 1; i < size; ++i) {
            complex sum = at(matrix, i, j);
            for (int k = 0; k < j; ++k) {
                sum -= at(matrix, i, k) * std::conj(at(matrix, j, k));
            }
            at(matrix, i, j) = sum / pivot;
        }
    }
    for (int column = 0; column < size; ++column) {
        for (int i = 0; i < size; ++i) {
            complex sum = i == column ? 1.0 : 0.0;
            for (int k = 0; k < i; ++k) {
                sum -= at(matrix, i, k) * at(inverse, k, column);
            }
            at(inverse, i, column) = sum / at(matrix, i, i).real();
        }
        for (int i = size - 1; i >= 0; --i) {
            complex sum = at(inverse, i, column);
            for (int k = i + 1; k < size; ++k) {
                sum -= std::conj(at(matrix, k, i)) * at(inverse, k, column);
            }
            at(inverse, i, column) = sum / at(matrix, i, i).real();
        }
    }
    return true;
}

// In several sums at once, which the compiler may not make out of one.
double dot(const float* a, const float* b, int size)
{
    constexpr int lanes = 16;
    float sums[lanes] = {};
    int k = 0;
    for (; k + lanes <= size; k += lanes) {
        for (int j = 0; j < lanes; ++j) {
            sums[j] += a[k + j] * b[k + j];
        }
    }
    double result = 0.0;
    for (; k < size; ++k) {
        result += a[k] * b[k];
    }
    for (const float sum : sums) {
        result += sum;
    }
    return result;
}

} // namespace

stream_filter::stream_filter(const std::vector<Eigen::MatrixXcd>& response,
                             const Eigen::MatrixXd& noise_shape)
    : d_num_bins(static_cast<int>(response.front().rows())),
      d_num_sensors(static_cast<int>(response.front().cols())),
      d_num_sources(static_cast<int>(response.size())),
      d_stride(2 * static_cast<std::ptrdiff_t>(padded(d_num_bins))),
      d_kernel(default_stream_kernel()),
      d_response(d_stride * d_num_sensors * d_num_sources),
      d_has_noise_shape(noise_shape.size() > 0),
      d_is_source_at_first(response.size() == 1 &&
                           (response.front().col(0).array() == 1.0).all()),
      d_power(static_cast<std::size_t>(d_num_sources) * d_num_sensors * d_num_bins),
      d_scale_power(static_cast<std::size_t>(d_num_sources) * d_num_bins),
      d_inverse_scale(d_stride * d_num_sources),
      d_noise_gain(static_cast<std::size_t>(d_num_sources) * d_num_bins),
      d_degrees_of_freedom(d_num_bins),
      d_inverse_gain(d_stride),
      d_factor(d_stride),
      d_match(d_stride * d_num_sources),
      d_least_squares(d_stride * d_num_sources)
{
    if (d_has_noise_shape) {
        d_matched = aligned_floats(d_stride * d_num_sensors * d_num_sources);
    }
    const std::size_t squares =
        static_cast<std::size_t>(d_num_sources) * d_num_sources * d_num_bins;
    if (d_num_sources == 1) {
        d_gain.resize(d_num_bins);
        d_work_gain.resize(d_num_bins);
    } else {
        d_gram.resize(squares);
        d_inverse.resize(squares);
        d_kept.resize(d_scale_power.size());
        d_alone_gain.resize(d_scale_power.size());
        d_work.resize(2 * d_num_sources * d_num_sources + 2 * d_num_sources);
    }
    d_sensors.reserve(d_num_sensors);
    d_weights.reserve(d_num_sensors);

    for (int m = 0; m < d_num_sources; ++m) {
        for (int k = 0; k < d_num_bins; ++k) {
            const double largest = response[m].row(k).cwiseAbs().maxCoeff();
            const double scale = largest > 0.0 ? largest : 1.0;
            d_scale_power[static_cast<std::size_t>(m) * d_num_bins + k] = scale * scale;
            float* const over_scale = d_inverse_scale.data() + m * d_stride + 2 * k;
            over_scale[0] = static_cast<float>(1.0 / scale);
            over_scale[1] = over_scale[0];
            for (int i = 0; i < d_num_sensors; ++i) {
                complex p = response[m](k, i) / scale;
                if (std::abs(p) < negligible) {
                    p = 0.0;
                }
                const std::size_t channel =
                    static_cast<std::size_t>(m) * d_num_sensors + i;
                float* const at = d_response.data() + channel * d_stride + 2 * k;
                at[0] = static_cast<float>(p.real());
                at[1] = static_cast<float>(p.imag());
                const double shape = d_has_noise_shape ? noise_shape(k, i) : 1.0;
                d_power[channel * d_num_bins + k] =
                    static_cast<float>(std::norm(p) / shape);
                if (d_has_noise_shape) {
                    float* const over = d_matched.data() + channel * d_stride + 2 * k;
                    over[0] = static_cast<float>(p.real() / shape);
                    over[1] = static_cast<float>(p.imag() / shape);
                }
            }
        }
    }
}

void stream_filter::weigh(const std::vector<int>& sensors, const Eigen::VectorXd& gamma)
{
    bool is_same = sensors == d_sensors;
    for (std::size_t i = 0; is_same && i < sensors.size(); ++i) {
        is_same = d_weights[i] == static_cast<float>(1.0 / gamma(sensors[i]));
    }
    if (is_same) {
        return;
    }
    d_sensors = sensors;
    d_weights.clear();
    for (const int sensor : sensors) {
        d_weights.push_back(static_cast<float>(1.0 / gamma(sensor)));
    }
    if (d_num_sources == 1) {
        refresh_one_source();
    } else {
        refresh_many_sources();
    }
}

void stream_filter::refresh_one_source()
{
    std::fill(d_noise_gain.begin(), d_noise_gain.end(), 0.0f);
    // The sum first; then its inverse takes its place.
    for (std::size_t n = 0; n < d_sensors.size(); ++n) {
        const float* const power = d_power.data() + d_sensors[n] * d_num_bins;
        const float weight = d_weights[n];
        for (int k = 0; k < d_num_bins; ++k) {
            d_noise_gain[k] += weight * power[k];
        }
    }
    const double freedom = static_cast<double>(d_sensors.size()) - 1.0;
    for (int k = 0; k < d_num_bins; ++k) {
        const float gain = d_noise_gain[k];
        d_gain[k] = gain;
        const float inverse = gain > 0.0f ? 1.0f / gain : 0.0f;
        d_noise_gain[k] = inverse;
        d_inverse_gain.data()[2 * k] = inverse;
        d_inverse_gain.data()[2 * k + 1] = inverse;
        d_degrees_of_freedom[k] = freedom;
    }
}

std::complex<float> stream_filter::response(int source, int sensor, int bin) const
{
    const float* const at =
        d_response.data() +
        (static_cast<std::ptrdiff_t>(source) * d_num_sensors + sensor) * d_stride +
        2 * bin;
    return { at[0], at[1] };
}

void stream_filter::refresh_many_sources()
{
    const int size = d_num_sources;
    const float* const matched = d_has_noise_shape ? d_matched.data() : d_response.data();
    complex* const loaded = d_work.data();
    for (int k = 0; k < d_num_bins; ++k) {
        complex* const gram = d_gram.data() + static_cast<std::size_t>(k) * size * size;
        complex* const inverse =
            d_inverse.data() + static_cast<std::size_t>(k) * size * size;
        double trace = 0.0;
        for (int row = 0; row < size; ++row) {
            for (int column = 0; column < size; ++column) {
                complex sum = 0.0;
                for (std::size_t n = 0; n < d_sensors.size(); ++n) {
                    const float* const over =
                        matched +
                        (static_cast<std::ptrdiff_t>(row) * d_num_sensors +
                         d_sensors[n]) *
                            d_stride +
                        2 * k;
                    sum += static_cast<double>(d_weights[n]) *
                           complex(over[0], -over[1]) *
                           complex(response(column, d_sensors[n], k));
                }
                gram[row + size * column] = sum;
            }
            trace += gram[row + size * row].real();
        }
        const double load = loading * trace / size;
        std::copy_n(gram, size * size, loaded);
        for (int row = 0; row < size; ++row) {
            loaded[row + size * row] += load;
        }
        if (!invert(loaded, size, inverse)) {
            std::fill_n(inverse, size * size, complex(0.0));
        }
        double taken = size;
        for (int row = 0; row < size; ++row) {
            const double gain = inverse[row + size * row].real();
            d_noise_gain[row * d_num_bins + k] = static_cast<float>(gain);
            const double own = gram[row + size * row].real();
            d_alone_gain[row * d_num_bins + k] =
                static_cast<float>(own > 0.0 ? 1.0 / own : 0.0);
            taken -= load * gain;
        }
        d_degrees_of_freedom[k] =
            std::max(static_cast<double>(d_sensors.size()) - taken, 0.0);
    }
}

void stream_filter::match(const float* spectra)
{
    const float* const matched = d_has_noise_shape ? d_matched.data() : d_response.data();
    const channel_weights weights{ static_cast<int>(d_sensors.size()),
                                   d_sensors.data(),
                                   d_weights.data() };
    for (int m = 0; m < d_num_sources; ++m) {
        d_kernel->match(&weights,
                        { spectra, d_stride },
                        { matched + m * d_num_sensors * d_stride, d_stride },
                        d_stride,
                        d_match.data() + m * d_stride);
    }
}

void stream_filter::solve_least_squares()
{
    float* const z = d_least_squares.data();
    const float* const b = d_match.data();
    if (d_num_sources == 1) {
        const float* const inverse_gain = d_inverse_gain.data();
        for (std::ptrdiff_t k = 0; k < d_stride; ++k) {
            z[k] = inverse_gain[k] * b[k];
        }
        return;
    }
    const int size = d_num_sources;
    for (int k = 0; k < d_num_bins; ++k) {
        const complex* const inverse =
            d_inverse.data() + static_cast<std::size_t>(k) * size * size;
        for (int row = 0; row < size; ++row) {
            complex sum = 0.0;
            for (int column = 0; column < size; ++column) {
                const float* const from = b + column * d_stride + 2 * k;
                sum += inverse[row + size * column] * complex(from[0], from[1]);
            }
            z[row * d_stride + 2 * k] = static_cast<float>(sum.real());
            z[row * d_stride + 2 * k + 1] = static_cast<float>(sum.imag());
        }
    }
}

void stream_filter::solve_alone(int source, float* bins) const
{
    const float* const b = d_match.data() + source * d_stride;
    const float* const gain =
        d_alone_gain.data() + static_cast<std::ptrdiff_t>(source) * d_num_bins;
    for (int k = 0; k < d_num_bins; ++k) {
        bins[2 * k] = gain[k] * b[2 * k];
        bins[2 * k + 1] = gain[k] * b[2 * k + 1];
    }
}

void stream_filter::estimate(const stream_prior& prior,
                             const stream_settings& settings,
                             const std::vector<double>& factor,
                             float* sources)
{
    if (d_num_sources == 1) {
        estimate_one(prior, settings, factor, sources);
    } else {
        estimate_many(prior, settings, factor, sources);
    }
}

void stream_filter::estimate_one(const stream_prior& prior,
                                 const stream_settings& settings,
                                 const std::vector<double>& factor,
                                 float* sources)
{
    const double* const gain = d_gain.data();
    const double* const scale = d_scale_power.data();
    const double* const taper = factor.data();
    float* const result = d_factor.data();
    const auto fill = [&](const auto& over_gain) {
        for (int k = 0; k < d_num_bins; ++k) {
            const float x = static_cast<float>(over_gain(k) * taper[k]);
            result[2 * k] = x;
            result[2 * k + 1] = x;
        }
    };
    // Smaller than any that matters; it keeps 0 / 0 away.
    constexpr double tiny = 1e-300;
    switch (settings.mode) {
    case ls_mode::ls:
        fill([&](int k) { return static_cast<double>(d_noise_gain[k]); });
        break;
    case ls_mode::ridge:
        fill([&](int k) {
            return scale[k] / (scale[k] * gain[k] + settings.ridge + tiny) *
                   (gain[k] > 0.0);
        });
        break;
    case ls_mode::wiener: {
        const double* const noise = prior.noise.data();
        const double* const source = prior.source.data();
        const double mu = settings.mu;
        fill([&](int k) {
            return source[k] / (source[k] * gain[k] + mu * noise[k] + tiny);
        });
        break;
    }
    }
    const float* const b = d_match.data();
    for (std::ptrdiff_t k = 0; k < d_stride; ++k) {
        sources[k] = result[k] * b[k];
    }
}

void stream_filter::estimate_many(const stream_prior& prior,
                                  const stream_settings& settings,
                                  const std::vector<double>& factor,
                                  float* sources)
{
    const int size = d_num_sources;
    complex* const matrix = d_work.data();
    complex* const inverse = matrix + size * size;
    complex* const from = inverse + size * size;
    complex* const deviation = from + size; // D; real
    for (int k = 0; k < d_num_bins; ++k) {
        const complex* const gram =
            d_gram.data() + static_cast<std::size_t>(k) * size * size;
        // s = D (D P^H R^-1 P D + load)^-1 D P^H R^-1 d; without a prior D is the identity.
        double trace = 0.0;
        for (int m = 0; m < size; ++m) {
            const std::size_t at = static_cast<std::size_t>(m) * d_num_bins + k;
            deviation[m] =
                settings.mode == ls_mode::wiener ? std::sqrt(prior.source[at]) : 1.0;
            const float* const b = d_match.data() + m * d_stride + 2 * k;
            from[m] = deviation[m] * complex(b[0], b[1]);
            trace += gram[m + size * m].real() * std::norm(deviation[m]);
        }
        for (int column = 0; column < size; ++column) {
            for (int row = 0; row < size; ++row) {
                matrix[row + size * column] =
                    gram[row + size * column] * deviation[row] * deviation[column];
            }
        }
        double noise = 0.0;
        for (int m = 0; m < size; ++m) {
            const std::size_t at = static_cast<std::size_t>(m) * d_num_bins + k;
            double load = loading * trace / size;
            if (settings.mode == ls_mode::wiener) {
                // Priors need less: they are added to what the data says.
                noise = std::max(settings.mu * prior.noise[k], 1e-3 * load);
                load = noise;
            } else if (settings.mode == ls_mode::ridge) {
                load += settings.ridge / d_scale_power[at];
            }
            matrix[m + size * m] += load;
        }
        const bool is_solved = trace > 0.0 && invert(matrix, size, inverse);
        for (int row = 0; row < size; ++row) {
            complex sum = 0.0;
            double kept = 0.0;
            if (is_solved) {
                for (int column = 0; column < size; ++column) {
                    sum += inverse[row + size * column] * from[column];
                }
                sum *= deviation[row] * factor[k];
                kept = 1.0 - noise * inverse[row + size * row].real();
            }
            float* const s = sources + row * d_stride + 2 * k;
            s[0] = static_cast<float>(sum.real());
            s[1] = static_cast<float>(sum.imag());
            d_kept[static_cast<std::size_t>(row) * d_num_bins + k] =
                std::clamp(kept, 0.0, 1.0);
        }
    }
}

void stream_filter::residual(const float* spectra,
                             const float* share,
                             float* total,
                             std::vector<double>& power) const
{
    const channel_weights weights{ static_cast<int>(d_sensors.size()),
                                   d_sensors.data(),
                                   d_weights.data() };
    d_kernel->residual(&weights,
                       { spectra, d_stride },
                       { d_response.data(), d_stride },
                       d_stride * d_num_sensors,
                       d_least_squares.data(),
                       d_stride,
                       d_num_sources,
                       d_stride,
                       share,
                       total,
                       power.data());
}

std::complex<float>
stream_filter::residual(const float* spectra, int sensor, int bin) const
{
    const float* const d = spectra + sensor * d_stride + 2 * bin;
    std::complex<float> result(d[0], d[1]);
    for (int m = 0; m < d_num_sources; ++m) {
        const float* const z = d_least_squares.data() + m * d_stride + 2 * bin;
        result -= response(m, sensor, bin) * std::complex<float>(z[0], z[1]);
    }
    return result;
}

void stream_filter::respond(const float* sources, int sensor, float* bins) const
{
    d_kernel->respond(d_response.data() + sensor * d_stride,
                      d_stride * d_num_sensors,
                      sources,
                      d_stride,
                      d_num_sources,
                      d_stride,
                      bins);
}

void stream_filter::unscale(const float* sources, int source, float* bins) const
{
    const float* const from = sources + source * d_stride;
    const float* const over_scale = d_inverse_scale.data() + source * d_stride;
    for (std::ptrdiff_t k = 0; k < d_stride; ++k) {
        bins[k] = over_scale[k] * from[k];
    }
}

void stream_filter::left_noise(const float* share, std::vector<double>& left)
{
    double counted = 0.0;
    for (int k = 0; k < d_num_bins && d_num_sources == 1; ++k) {
        const bool counts = share[2 * k] > 0.0f;
        counted += counts;
        d_work_gain[k] = counts ? d_noise_gain[k] : 0.0f;
    }
    for (std::size_t n = 0; n < d_sensors.size(); ++n) {
        const int i = d_sensors[n];
        const float weight = d_weights[n];
        double sum = 0.0;
        if (d_num_sources == 1) {
            sum = counted - weight * dot(d_power.data() + i * d_num_bins,
                                         d_work_gain.data(),
                                         d_num_bins);
        } else {
            const int size = d_num_sources;
            for (int k = 0; k < d_num_bins; ++k) {
                if (!(share[2 * k] > 0.0f)) {
                    continue;
                }
                const complex* const inverse =
                    d_inverse.data() + static_cast<std::size_t>(k) * size * size;
                double leverage = 0.0;
                for (int column = 0; column < size; ++column) {
                    for (int row = 0; row < size; ++row) {
                        leverage +=
                            (complex(response(row, i, k)) * inverse[row + size * column] *
                             std::conj(complex(response(column, i, k))))
                                .real();
                    }
                }
                sum += 1.0 - weight * leverage;
            }
        }
        left[n] = sum;
    }
}

} // namespace core
} // namespace bearing
} // namespace gr
