/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "estimate_parameters.h"
#include "filter_support.h"
#include "record_spectrum.h"
#include "stream_fft.h"
#include "stream_filter.h"
#include "stream_learner.h"
#include <gnuradio/bearing/core/propagation/propagator_stream.h>
#include <gnuradio/bearing/core/propagation/velocity_scale.h>
#include <type_traits>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace gr {
namespace bearing {
namespace core {

namespace {

// What stands beside the support in the shortest block.
constexpr int shortest_hop = 64;
constexpr int longest_block = 1 << 24;
// Longer blocks save FFTs, but less than this is not worth their latency.
constexpr double worth_longer_blocks = 1.25;

// Samples beyond are no data: squares of their bins would leave single precision. Those
// below are silence, for the same reason.
constexpr float loudest = 1e10f;
constexpr float faintest = 1e-15f;

int shortest_block(int support) { return 2 * support + shortest_hop; }

// The power of two that makes the FFTs cheapest, or nearly.
int cheapest_block(int support)
{
    const auto cost = [support](int length) {
        return length * std::log2(length) / (length - 2.0 * support);
    };
    int shortest = 256;
    while (shortest < shortest_block(support)) {
        shortest *= 2;
    }
    double least = std::numeric_limits<double>::infinity();
    for (int length = shortest; length <= longest_block; length *= 2) {
        least = std::min(least, cost(length));
    }
    int result = shortest;
    while (cost(result) > worth_longer_blocks * least) {
        result *= 2;
    }
    return result;
}

[[noreturn]] void refuse(const std::string& why)
{
    throw std::invalid_argument("propagator_stream: " + why);
}

void require_valid(const propagator_stream_config& config)
{
    if (!(config.averaging >= 1.0) || !std::isfinite(config.averaging)) {
        refuse("averaging is " + std::to_string(config.averaging) +
               " blocks; it must be finite and at least 1");
    }
    if (config.support < 0) {
        refuse("support is " + std::to_string(config.support) +
               " samples; it must be >= 0, 0: by the propagators' group delays");
    }
    if (!(config.taper >= 0.0 && config.taper <= 1.0)) {
        refuse("taper is " + std::to_string(config.taper) +
               "; it must be between 0 and 1");
    }
}

constexpr double widest_velocity_search = 0.1;

template <class Sample>
struct wide {
    using type = double;
};
template <>
struct wide<std::complex<float>> {
    using type = std::complex<double>;
};

// Sums of the square of a Hann window's square: of the first n samples, n = 0 .. M.
std::vector<double> window_sums(int length)
{
    std::vector<double> result{ 0.0 };
    for (int k = 0; k < length; ++k) {
        const double sine = std::sin(M_PI * (k + 0.5) / length);
        result.push_back(result.back() + std::pow(sine, 8));
    }
    for (double& sum : result) {
        sum /= result.back();
    }
    return result;
}

// Raised cosine from 1 to 0 over the last share of the band, over M for the inverse
// transform.
std::vector<double> band_factor(const Eigen::VectorXd& frequency,
                                double sample_rate,
                                double taper,
                                int length)
{
    std::vector<double> result;
    for (const double f : frequency) {
        const double below_edge = 1.0 - std::abs(f) / (sample_rate / 2.0);
        const double gain =
            below_edge < taper ? 0.5 - 0.5 * std::cos(M_PI * below_edge / taper) : 1.0;
        result.push_back(gain / length);
    }
    return result;
}

// What a channel's samples are good for.
struct loudness {
    bool is_number; // none is NaN or Inf, or beyond the loudest
    bool is_loud;   // not all are silence
};

std::int32_t bits_of(float value)
{
    std::int32_t result;
    std::memcpy(&result, &value, sizeof(result));
    return result;
}

// As integers, magnitudes are in the same order, and Inf and NaN come last: differences show
// in the sign what is larger, and sums of signs need no branch.
template <class Sample>
loudness hear(const Sample* samples, std::size_t count)
{
    const std::size_t num_parts = count * sizeof(Sample) / sizeof(float);
    const char* const bytes = reinterpret_cast<const char*>(samples);
    const std::int32_t most = bits_of(loudest);
    const std::int32_t least = bits_of(faintest);
    std::int32_t beyond = 0;
    std::int32_t above = 0;
    for (std::size_t k = 0; k < num_parts; ++k) {
        std::int32_t bits;
        std::memcpy(&bits, bytes + k * sizeof(bits), sizeof(bits));
        bits &= 0x7fffffff;
        beyond |= most - bits;
        above |= least - bits;
    }
    return { beyond >= 0, above < 0 };
}

// Samples of one channel, by time; the last few of them are kept.
template <class Sample>
class sample_ring
{
public:
    explicit sample_ring(std::size_t size) : d_samples(size) {}

    // function(samples, offset, count) for the pieces of [time, time + count).
    template <class Function>
    void pieces(std::int64_t time, std::int64_t count, const Function& function)
    {
        const auto size = static_cast<std::int64_t>(d_samples.size());
        const std::int64_t begin = time % size;
        const std::int64_t first = std::min(count, size - begin);
        function(d_samples.data() + begin, 0, first);
        if (first < count) {
            function(d_samples.data(), first, count - first);
        }
    }

private:
    std::vector<Sample> d_samples;
};

} // namespace

/*
 * Times are in samples since the stream began. Block b begins at t and holds samples t +
 * delta_i to t + delta_i + M of channel i, so that all hear the source at about the same
 * place; its filters' outputs are good from support samples after its beginning to support
 * before its end. A channel is therefore estimated delta_i further than all of them are.
 */
template <class Sample>
struct propagator_stream<Sample>::state {
    static constexpr bool is_real = std::is_same<Sample, float>::value;
    static constexpr spectrum_sides sides =
        is_real ? spectrum_sides::one : spectrum_sides::two;

    state(double rate,
          std::vector<propagator> sources,
          const propagator_stream_config& requested);

    void restart();
    std::int64_t block_end() const { return time + length + span; }
    std::size_t ready() const { return static_cast<std::size_t>(done - read_to); }
    void take(const Sample* const* channels, std::size_t offset, std::size_t count);
    void pad();
    void process();
    void advance();

    std::vector<Eigen::MatrixXcd> aligned(const std::vector<propagator>& p) const;
    Eigen::MatrixXd noise_shape() const;
    void scan();
    double window_share() const;
    bool change();
    void make_channels(const stream_filter& last, bool is_fading);
    void transform(const stream_filter& by,
                   const aligned_floats& estimated,
                   int channel,
                   const aligned_floats& result);
    void fade();
    void give(int channel);
    core::status find_status() const;
    Eigen::Matrix<typename wide<Sample>::type, Eigen::Dynamic, Eigen::Dynamic>
    last_block() const;

    double sample_rate;
    propagator_ls_config config;
    std::vector<propagator> propagators;
    int num_sensors;
    int num_sources;
    double center;
    Eigen::VectorXi alignment;
    int support;
    int needed_support; // by group delays, whatever was asked for
    int length;
    int hop;
    int span;               // largest delta
    std::vector<int> delta; // of sensors, then of the sources
    Eigen::VectorXd frequency;
    std::unique_ptr<stream_fft<Sample>> fft;
    std::vector<double> factor;
    std::vector<double> window;

    std::unique_ptr<stream_learner> learner;
    std::unique_ptr<stream_filter> filter;
    stream_settings settings;
    // From the next block on.
    std::unique_ptr<stream_filter> next_filter;
    std::optional<stream_settings> next_settings;
    // Up to the last block.
    std::unique_ptr<stream_filter> last_filter; // null: as now
    stream_settings last_settings;
    stream_prior last_prior;

    std::int64_t time;    // at which the next block begins
    std::int64_t filled;  // up to which samples were taken, or zeros after their end
    std::int64_t written; // up to which samples were taken
    std::int64_t done;    // up to which all channels are estimated
    std::int64_t read_to;
    bool is_ending = false;

    std::ptrdiff_t sample_stride;
    std::ptrdiff_t bin_stride; // floats
    aligned_floats input;      // of each sensor
    aligned_floats spectra;
    aligned_floats bins;
    aligned_floats estimate;      // of the sources
    aligned_floats last_estimate; // by what was before
    aligned_floats block;
    aligned_floats faded_block;
    std::vector<float> ramp;                  // hop
    std::vector<sample_ring<Sample>> outputs; // of sensors, then of sources

    std::vector<int> good;      // sensors of the last block
    std::vector<char> is_heard; // as far as blocks told
    std::uint64_t num_blocks = 0;
    // Of the last block that was not mostly before or after the stream.
    bool is_silent = true;
    std::size_t num_good = 0;
    mutable core::status status_then = core::status::learning;
    mutable bool is_status_old = false;

    Sample* input_of(int sensor) const
    {
        return reinterpret_cast<Sample*>(input.data()) + sensor * sample_stride;
    }
    static Sample* samples(const aligned_floats& floats)
    {
        return reinterpret_cast<Sample*>(floats.data());
    }
};

template <class Sample>
propagator_stream<Sample>::state::state(double rate,
                                        std::vector<propagator> sources,
                                        const propagator_stream_config& requested)
    : sample_rate(rate), config(requested.estimate), propagators(std::move(sources))
{
    require_sample_rate(sample_rate);
    require_valid(requested);
    // Sizes of densities are those of blocks, whose length is not known yet.
    propagator_ls_config without_densities = config;
    without_densities.source_psd.resize(0, 0);
    if (!estimates_noise(config)) {
        without_densities.noise_psd.setZero(1, 1);
        without_densities.noise = sensor_noise::common;
    }
    core::require_valid(propagators, without_densities, 1);
    num_sensors = propagators.front().num_sensors();
    num_sources = static_cast<int>(propagators.size());
    center = center_frequency_of(propagators, config.center_frequency, is_real);

    const filter_support found =
        find_filter_support(propagators, sample_rate, center, is_real, requested.align);
    alignment = found.alignment;
    needed_support = found.support;
    support = requested.support > 0 ? requested.support : needed_support;
    const int shortest = shortest_block(support);
    length = requested.block_length;
    if (length == 0) {
        if (shortest > longest_block) {
            refuse("block_length cannot be found: a support of " +
                   std::to_string(support) + " samples asks for more than " +
                   std::to_string(longest_block));
        }
        length = cheapest_block(support);
    }
    if (length < shortest || length > longest_block || length % 2 != 0) {
        refuse("block_length is " + std::to_string(length) + "; a support of " +
               std::to_string(support) +
               " samples to each side asks for an even number of at least " +
               std::to_string(shortest) + ", at most " + std::to_string(longest_block));
    }
    frequency = bin_frequencies(length, sample_rate, sides);
    config = at_all_bins(std::move(config), frequency.size());
    core::require_valid(propagators, config, frequency.size());

    hop = length - 2 * support;
    const int least = std::min(alignment.minCoeff(), 0);
    span = std::max(alignment.maxCoeff(), 0) - least;
    for (const int delay : alignment) {
        delta.push_back(delay - least);
    }
    delta.insert(delta.end(), num_sources, -least);

    settings = { config.mode, config.mu, config.ridge.value_or(0.0) };
    factor = band_factor(frequency, sample_rate, requested.taper, length);
    window = window_sums(length);
    filter = std::make_unique<stream_filter>(aligned(propagators), noise_shape());
    learner = std::make_unique<stream_learner>(config,
                                               sides,
                                               length,
                                               num_sensors,
                                               num_sources,
                                               requested.averaging,
                                               length * sample_rate);
    learner->follow(*filter);
    last_prior = learner->prior();

    constexpr int floats = sizeof(Sample) / sizeof(float);
    sample_stride = static_cast<std::ptrdiff_t>(padded(length + span));
    bin_stride = filter->stride();
    input = aligned_floats(num_sensors * sample_stride * floats);
    spectra = aligned_floats(num_sensors * bin_stride);
    bins = aligned_floats(bin_stride);
    block = aligned_floats(padded(length) * floats);
    faded_block = aligned_floats(padded(length) * floats);
    estimate = aligned_floats(num_sources * bin_stride);
    last_estimate = aligned_floats(num_sources * bin_stride);
    for (int k = 0; k < hop; ++k) {
        ramp.push_back((static_cast<float>(k) + 0.5f) / static_cast<float>(hop));
    }
    outputs.assign(num_sensors + num_sources,
                   sample_ring<Sample>(2 * static_cast<std::size_t>(hop) + span));
    good.reserve(num_sensors);
    is_heard.assign(num_sensors, 1);
    fft = std::make_unique<stream_fft<Sample>>(length);
    restart();
}

template <class Sample>
void propagator_stream<Sample>::state::restart()
{
    time = -static_cast<std::int64_t>(support) - span;
    filled = written = done = read_to = 0;
    is_ending = false;
    for (int i = 0; i < num_sensors; ++i) {
        std::fill_n(input_of(i), sample_stride, Sample(0));
    }
}

// P as aligned channels have it.
template <class Sample>
std::vector<Eigen::MatrixXcd>
propagator_stream<Sample>::state::aligned(const std::vector<propagator>& p) const
{
    std::vector<Eigen::MatrixXcd> result =
        bin_responses(p, length, sample_rate, center, sides);
    for (Eigen::MatrixXcd& response : result) {
        for (Eigen::Index k = 0; k < response.rows(); ++k) {
            for (Eigen::Index i = 0; i < response.cols(); ++i) {
                if (alignment(i) == 0) {
                    continue;
                }
                // Whole turns taken off in integers: M bins of alignment can be many.
                const std::int64_t turns = k * alignment(i) % length;
                response(k, i) *=
                    std::polar(1.0, 2.0 * M_PI * static_cast<double>(turns) / length);
            }
        }
    }
    return result;
}

// Noise of sensors relative to their mean, where it was given for each.
template <class Sample>
Eigen::MatrixXd propagator_stream<Sample>::state::noise_shape() const
{
    if (num_sensors == 1 || config.noise_psd.cols() != num_sensors) {
        return {};
    }
    // Without any noise a sensor would be the only one that counts.
    constexpr double least = 1e-9;
    Eigen::MatrixXd result = config.noise_psd;
    for (Eigen::Index k = 0; k < result.rows(); ++k) {
        const double mean = result.row(k).mean();
        if (mean > 0.0) {
            result.row(k) = (result.row(k) / mean).cwiseMax(least);
        } else {
            result.row(k).setOnes();
        }
    }
    return result;
}

template <class Sample>
void propagator_stream<Sample>::state::take(const Sample* const* channels,
                                            std::size_t offset,
                                            std::size_t count)
{
    for (int i = 0; i < num_sensors; ++i) {
        std::copy_n(
            channels[i] + offset, count, input_of(i) + (filled - time - delta[i]));
    }
    filled += static_cast<std::int64_t>(count);
    written += static_cast<std::int64_t>(count);
}

// Zeros to the end of the block.
template <class Sample>
void propagator_stream<Sample>::state::pad()
{
    for (int i = 0; i < num_sensors; ++i) {
        std::fill(input_of(i) + (filled - time - delta[i]),
                  input_of(i) + sample_stride,
                  Sample(0));
    }
    filled = block_end();
}

template <class Sample>
void propagator_stream<Sample>::state::advance()
{
    for (int i = 0; i < num_sensors; ++i) {
        Sample* const begin = input_of(i);
        std::copy(begin + hop, begin + length + span - delta[i], begin);
    }
    time += hop;
}

// Which channels are good, and whether there is anything at all.
template <class Sample>
void propagator_stream<Sample>::state::scan()
{
    good.clear();
    bool is_all_silent = true;
    for (int i = 0; i < num_sensors; ++i) {
        const auto [is_number, is_loud] = hear(input_of(i), length);
        is_all_silent = is_all_silent && !is_loud;
        // A block mostly before or after the stream tells nothing about a silent channel.
        const std::int64_t begin = time + delta[i];
        const std::int64_t told =
            std::min(begin + length, written) - std::max<std::int64_t>(begin, 0);
        if (is_loud || told >= length / 2) {
            is_heard[i] = is_loud;
        }
        if (is_number && is_heard[i]) {
            good.push_back(i);
        }
    }
    constexpr double tells = 0.05;
    if (num_blocks == 0 || window_share() >= tells) {
        is_silent = is_all_silent;
        num_good = good.size();
        is_status_old = true;
    }
}

// What part of the window's power lies on samples.
template <class Sample>
double propagator_stream<Sample>::state::window_share() const
{
    const std::int64_t begin = time + span / 2;
    const std::int64_t from = std::clamp<std::int64_t>(-begin, 0, length);
    const std::int64_t to = std::clamp<std::int64_t>(written - begin, from, length);
    return window[to] - window[from];
}

// To what was asked for since the last block; whether that is something else.
template <class Sample>
bool propagator_stream<Sample>::state::change()
{
    if (!next_filter && !next_settings) {
        return false;
    }
    last_settings = settings;
    last_prior = learner->prior();
    if (next_filter) {
        last_filter = std::move(filter);
        filter = std::move(next_filter);
        learner->follow(*filter);
    }
    if (next_settings) {
        settings = *next_settings;
        next_settings.reset();
    }
    return num_blocks > 0;
}

template <class Sample>
void propagator_stream<Sample>::state::process()
{
    const bool is_fading = change();
    scan();
    for (const int i : good) {
        fft->forward(input_of(i), spectra.data() + i * bin_stride);
    }
    learner->learn(*filter, spectra.data(), good, window_share());
    filter->estimate(learner->prior(), settings, factor, estimate.data());
    stream_filter& last = last_filter ? *last_filter : *filter;
    if (is_fading) {
        last.weigh(good, learner->gamma());
        last.match(spectra.data());
        last.estimate(last_prior, last_settings, factor, last_estimate.data());
    }
    make_channels(last, is_fading);
    last_filter.reset();

    done = std::max(done, time + support + hop);
    if (is_ending) {
        done = std::min(done, written);
    }
    ++num_blocks;
    advance();
}

template <class Sample>
void propagator_stream<Sample>::state::make_channels(const stream_filter& last,
                                                     bool is_fading)
{
    // Often the source is what the first sensor would have without noise.
    const bool is_at_first = num_sources == 1 && delta[num_sensors] == delta[0] &&
                             filter->is_source_at_first() && last.is_source_at_first();
    const int num_channels = num_sensors + (is_at_first ? 0 : num_sources);
    for (int channel = 0; channel < num_channels; ++channel) {
        transform(*filter, estimate, channel, block);
        if (is_fading) {
            transform(last, last_estimate, channel, faded_block);
            fade();
        }
        give(channel);
        if (is_at_first && channel == 0) {
            give(num_sensors);
        }
    }
}

template <class Sample>
void propagator_stream<Sample>::state::transform(const stream_filter& by,
                                                 const aligned_floats& estimated,
                                                 int channel,
                                                 const aligned_floats& result)
{
    if (channel < num_sensors) {
        by.respond(estimated.data(), channel, bins.data());
    } else {
        by.unscale(estimated.data(), channel - num_sensors, bins.data());
    }
    fft->inverse(bins.data(), samples(result));
}

template <class Sample>
void propagator_stream<Sample>::state::fade()
{
    Sample* const now = samples(block) + support;
    const Sample* const before = samples(faded_block) + support;
    for (int k = 0; k < hop; ++k) {
        now[k] = before[k] + ramp[k] * (now[k] - before[k]);
    }
}

// The good part of the block to a channel's outputs.
template <class Sample>
void propagator_stream<Sample>::state::give(int channel)
{
    const std::int64_t begin = time + support + delta[channel];
    const std::int64_t skipped = std::clamp<std::int64_t>(-begin, 0, hop);
    const Sample* const from = samples(block) + support + skipped;
    outputs[channel].pieces(begin + skipped,
                            hop - skipped,
                            [from](Sample* to, std::int64_t offset, std::int64_t count) {
                                std::copy_n(from + offset, count, to);
                            });
}

template <class Sample>
core::status propagator_stream<Sample>::state::find_status() const
{
    if (is_silent) {
        return core::status::no_source;
    }
    if (static_cast<int>(num_good) < num_sources + (estimates_noise(config) ? 1 : 0)) {
        return core::status::not_identifiable;
    }
    if (static_cast<int>(num_good) < num_sensors) {
        return core::status::bad_data;
    }
    return learner->has_signal(*filter) ? core::status::ok : core::status::no_source;
}

// What all channels had in the last block at the same times, T x N; NaN in bad ones.
template <class Sample>
Eigen::Matrix<typename wide<Sample>::type, Eigen::Dynamic, Eigen::Dynamic>
propagator_stream<Sample>::state::last_block() const
{
    const int num_samples = std::max(length - span, 0);
    const aligned_floats of_block(padded(length) * (sizeof(Sample) / sizeof(float)));
    const aligned_floats of_bins(bin_stride);
    Eigen::Matrix<typename wide<Sample>::type, Eigen::Dynamic, Eigen::Dynamic> result;
    result.setConstant(
        num_samples, num_sensors, std::numeric_limits<double>::quiet_NaN());
    for (const int i : good) {
        std::copy_n(spectra.data() + i * bin_stride, bin_stride, of_bins.data());
        fft->inverse(of_bins.data(), samples(of_block));
        const Sample* const from = samples(of_block) + span - delta[i];
        for (int k = 0; k < num_samples; ++k) {
            result(k, i) = from[k];
        }
    }
    return result / static_cast<double>(length);
}

template <class Sample>
propagator_stream<Sample>::propagator_stream(double sample_rate,
                                             std::vector<propagator> propagators,
                                             propagator_stream_config config)
    : d_state(std::make_unique<state>(sample_rate, std::move(propagators), config))
{
}

template <class Sample>
propagator_stream<Sample>::~propagator_stream() = default;
template <class Sample>
propagator_stream<Sample>::propagator_stream(propagator_stream&&) noexcept = default;
template <class Sample>
propagator_stream<Sample>&
propagator_stream<Sample>::operator=(propagator_stream&&) noexcept = default;

template <class Sample>
int propagator_stream<Sample>::num_sensors() const
{
    return d_state->num_sensors;
}

template <class Sample>
int propagator_stream<Sample>::num_sources() const
{
    return d_state->num_sources;
}

template <class Sample>
int propagator_stream<Sample>::block_length() const
{
    return d_state->length;
}

template <class Sample>
int propagator_stream<Sample>::support() const
{
    return d_state->support;
}

template <class Sample>
int propagator_stream<Sample>::hop() const
{
    return d_state->hop;
}

template <class Sample>
int propagator_stream<Sample>::latency() const
{
    return d_state->hop + d_state->support + d_state->span;
}

template <class Sample>
std::size_t propagator_stream<Sample>::write(const Sample* const* channels,
                                             std::size_t count)
{
    state& s = *d_state;
    if (s.is_ending) {
        return 0;
    }
    const auto hop = static_cast<std::size_t>(s.hop);
    std::size_t taken = 0;
    while (true) {
        if (s.filled == s.block_end()) {
            if (s.ready() >= hop) {
                break;
            }
            s.process();
        }
        if (taken == count) {
            break;
        }
        const std::size_t part =
            std::min(count - taken, static_cast<std::size_t>(s.block_end() - s.filled));
        s.take(channels, taken, part);
        taken += part;
    }
    return taken;
}

template <class Sample>
std::size_t propagator_stream<Sample>::available() const
{
    const state& s = *d_state;
    return s.is_ending ? static_cast<std::size_t>(s.written - s.read_to) : s.ready();
}

template <class Sample>
std::size_t propagator_stream<Sample>::read(Sample* const* signal,
                                            Sample* const* sources,
                                            std::size_t count)
{
    state& s = *d_state;
    count = std::min(count, available());
    std::size_t given = 0;
    while (given < count) {
        while (s.ready() == 0) {
            s.pad();
            s.process();
        }
        const std::size_t part = std::min(count - given, s.ready());
        for (int i = 0; i < s.num_sensors + s.num_sources; ++i) {
            if (i >= s.num_sensors && !sources) {
                break;
            }
            Sample* const to =
                (i < s.num_sensors ? signal[i] : sources[i - s.num_sensors]) + given;
            s.outputs[i].pieces(
                s.read_to,
                static_cast<std::int64_t>(part),
                [to](const Sample* from, std::int64_t offset, std::int64_t length) {
                    std::copy_n(from, length, to + offset);
                });
        }
        s.read_to += static_cast<std::int64_t>(part);
        given += part;
    }
    if (s.is_ending && s.read_to == s.written) {
        s.restart();
    }
    return given;
}

template <class Sample>
void propagator_stream<Sample>::finish()
{
    state& s = *d_state;
    s.is_ending = true;
    s.done = std::min(s.done, s.written);
    if (s.read_to == s.written) {
        s.restart();
    }
}

template <class Sample>
void propagator_stream<Sample>::forget()
{
    d_state->learner->forget();
}

template <class Sample>
void propagator_stream<Sample>::set_mode(ls_mode mode)
{
    state& s = *d_state;
    propagator_ls_config changed = s.config;
    changed.mode = mode;
    require_valid(s.propagators, changed, s.frequency.size());
    s.config = changed;
    if (!s.next_settings) {
        s.next_settings = s.settings;
    }
    s.next_settings->mode = mode;
}

template <class Sample>
void propagator_stream<Sample>::set_mu(double mu)
{
    state& s = *d_state;
    propagator_ls_config changed = s.config;
    changed.mu = mu;
    require_valid(s.propagators, changed, s.frequency.size());
    s.config = changed;
    if (!s.next_settings) {
        s.next_settings = s.settings;
    }
    s.next_settings->mu = mu;
}

template <class Sample>
void propagator_stream<Sample>::set_propagators(std::vector<propagator> propagators)
{
    state& s = *d_state;
    if (static_cast<int>(propagators.size()) != s.num_sources) {
        refuse("propagators are " + std::to_string(propagators.size()) +
               "; a stream keeps its " + std::to_string(s.num_sources));
    }
    require_valid(propagators, s.config, s.frequency.size());
    if (propagators.front().num_sensors() != s.num_sensors) {
        refuse("propagators have " + std::to_string(propagators.front().num_sensors()) +
               " sensors; a stream keeps its " + std::to_string(s.num_sensors));
    }
    const double center =
        center_frequency_of(propagators, s.config.center_frequency, state::is_real);
    const int needed =
        support_after(propagators, s.sample_rate, center, state::is_real, s.alignment);
    if (needed > std::max(s.support, s.needed_support)) {
        refuse("block_length is " + std::to_string(s.length) + " with a support of " +
               std::to_string(s.support) + " samples; the propagators need " +
               std::to_string(needed) + ", and so a block_length of at least " +
               std::to_string(shortest_block(needed)));
    }
    s.center = center;
    s.next_filter =
        std::make_unique<stream_filter>(s.aligned(propagators), s.noise_shape());
    s.propagators = std::move(propagators);
}

template <class Sample>
stream_spectra propagator_stream<Sample>::spectra() const
{
    const state& s = *d_state;
    const Eigen::Index num_bins = s.frequency.size();
    const double unit = s.length * s.sample_rate;
    const stream_prior& prior = s.learner->prior();
    const Eigen::MatrixXd shape = s.noise_shape();
    stream_spectra result;
    result.frequency = s.frequency;
    result.noise_psd.resize(num_bins, s.num_sensors);
    result.source_psd.resize(num_bins, s.num_sources);
    for (Eigen::Index k = 0; k < num_bins; ++k) {
        for (int i = 0; i < s.num_sensors; ++i) {
            result.noise_psd(k, i) = prior.noise[k] / unit * s.learner->gamma()(i) *
                                     (shape.size() > 0 ? shape(k, i) : 1.0);
        }
        for (int m = 0; m < s.num_sources; ++m) {
            const std::size_t at = static_cast<std::size_t>(m) * num_bins + k;
            result.source_psd(k, m) =
                prior.source[at] / s.filter->scale_power()[at] / unit;
        }
    }
    return result;
}

template <class Sample>
Eigen::VectorXd propagator_stream<Sample>::sensor_noise() const
{
    return d_state->learner->gamma();
}

template <class Sample>
core::status propagator_stream<Sample>::status() const
{
    const state& s = *d_state;
    if (s.is_status_old) {
        s.status_then = s.find_status();
        s.is_status_old = false;
    }
    return s.status_then;
}

template <class Sample>
double propagator_stream<Sample>::velocity_scale(int source) const
{
    return velocity_fit(source)();
}

template <class Sample>
std::function<double()> propagator_stream<Sample>::velocity_fit(int source) const
{
    const state& s = *d_state;
    if (source < 0 || source >= s.num_sources) {
        refuse("source is " + std::to_string(source) + "; there are " +
               std::to_string(s.num_sources));
    }
    // Less than half of a block, after what alignment takes, is not worth a fit.
    if (s.num_blocks == 0 || s.span > s.length / 2) {
        return [] { return std::numeric_limits<double>::quiet_NaN(); };
    }
    return [data = s.last_block(),
            sample_rate = s.sample_rate,
            p = s.propagators[source],
            center = s.center] {
        if constexpr (state::is_real) {
            return core::velocity_scale(data, sample_rate, p, widest_velocity_search)
                .scale;
        } else {
            return core::velocity_scale(
                       data, sample_rate, p, widest_velocity_search, center)
                .scale;
        }
    };
}

template class propagator_stream<float>;
template class propagator_stream<std::complex<float>>;

} // namespace core
} // namespace bearing
} // namespace gr
