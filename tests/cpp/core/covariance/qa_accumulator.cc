/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE covariance_accumulator
#include <gnuradio/bearing/core/covariance/accumulator.h>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace data = boost::unit_test::data;
using gr::bearing::core::covariance_accumulator;
using gr::bearing::core::covariance_kernel_name;
using cfloat = std::complex<float>;
using cdouble = std::complex<double>;

namespace {

// The variants that this processor can run; "generic" is among them everywhere.
std::vector<std::string> kernels()
{
    std::vector<std::string> names;
    for (const char* name : { "generic", "avx2", "avx512" }) {
        try {
            covariance_accumulator probe(1, name);
            names.push_back(name);
        } catch (const std::invalid_argument&) {
            BOOST_TEST_MESSAGE("this processor cannot run the variant " << name);
        }
    }
    return names;
}

const std::vector<std::string> all_kernels = kernels();

// N channel buffers whose starts are a chosen number of samples past a 64-byte boundary.
class channel_buffers
{
public:
    channel_buffers(int n, std::size_t num_snapshots, const std::vector<int>& offsets)
        : d_storage(n), d_channels(n)
    {
        for (int i = 0; i < n; ++i) {
            constexpr std::size_t line = 64 / sizeof(cfloat);
            // NaN around the samples shows at once when anything outside is read.
            const float nan = std::numeric_limits<float>::quiet_NaN();
            d_storage[i].assign(num_snapshots + 4 * line, cfloat(nan, nan));
            void* start = d_storage[i].data() + 1;
            std::size_t room = (num_snapshots + 3 * line) * sizeof(cfloat);
            std::align(64, sizeof(cfloat), start, room);
            d_channels[i] = static_cast<cfloat*>(start) + offsets[i % offsets.size()];
        }
    }
    cfloat* operator[](int i) const { return d_channels[i]; }
    // Channels from sample `first` on.
    std::vector<const cfloat*> from(std::size_t first) const
    {
        std::vector<const cfloat*> p;
        for (cfloat* channel : d_channels)
            p.push_back(channel + first);
        return p;
    }

private:
    std::vector<std::vector<cfloat>> d_storage;
    std::vector<cfloat*> d_channels;
};

// Noise common to all channels plus noise of their own, and powers that differ by 60 dB
// from the first channel to the last: entries of all magnitudes and of any phase.
channel_buffers noise(int n, std::size_t num_snapshots, const std::vector<int>& offsets)
{
    channel_buffers x(n, num_snapshots, offsets);
    std::mt19937 generator(1000 * n + num_snapshots);
    std::normal_distribution<double> normal;
    for (std::size_t t = 0; t < num_snapshots; ++t) {
        const cdouble common(normal(generator), normal(generator));
        for (int i = 0; i < n; ++i) {
            const cdouble own(normal(generator), normal(generator));
            const double level = std::pow(10.0, -1.5 * i / std::max(1, n - 1));
            x[i][t] = cfloat(level * (std::polar(1.0, 2.0 * i) * common + own));
        }
    }
    return x;
}

// The same sum by the definition, in long double.
Eigen::MatrixXcd oracle(const channel_buffers& x, int n, std::size_t num_snapshots)
{
    Eigen::MatrixXcd r(n, n);
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
            long double re = 0.0L, im = 0.0L;
            for (std::size_t t = 0; t < num_snapshots; ++t) {
                const cdouble a(x[i][t]), b(x[j][t]);
                // Products of two floats are exact in double.
                re += a.real() * b.real();
                re += a.imag() * b.imag();
                im += a.imag() * b.real();
                im -= a.real() * b.imag();
            }
            r(i, j) = cdouble(re / num_snapshots, im / num_snapshots);
        }
    }
    return r;
}

Eigen::MatrixXcd float_covariance(const covariance_accumulator& accumulator)
{
    const int n = accumulator.num_elements();
    Eigen::MatrixXcf r(n, n);
    accumulator.covariance(r.data());
    return r.cast<cdouble>();
}

// Largest |a_ij - b_ij| / sqrt(b_ii b_jj).
double relative_error(const Eigen::MatrixXcd& a, const Eigen::MatrixXcd& b)
{
    double worst = 0.0;
    for (int i = 0; i < b.rows(); ++i)
        for (int j = 0; j < b.cols(); ++j) {
            const double scale = std::sqrt(b(i, i).real() * b(j, j).real());
            worst = std::max(worst, std::abs(a(i, j) - b(i, j)) / scale);
        }
    return worst;
}

template <typename T>
bool same_bits(T a, T b)
{
    return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <typename T>
bool hermitian_to_the_bit(const std::complex<T>* r, int n)
{
    for (int j = 0; j < n; ++j) {
        for (int i = 0; i < j; ++i) {
            const std::complex<T> upper = r[i + j * n], lower = r[j + i * n];
            if (!same_bits(upper.real(), lower.real()) ||
                !same_bits(upper.imag(), -lower.imag()))
                return false;
        }
        if (!same_bits(r[j + j * n].imag(), T(0)))
            return false;
    }
    return true;
}

bool hermitian_to_the_bit(const covariance_accumulator& accumulator)
{
    const int n = accumulator.num_elements();
    std::vector<cfloat> r(n * n);
    accumulator.covariance(r.data());
    const Eigen::MatrixXcd rd = accumulator.covariance();
    return hermitian_to_the_bit(r.data(), n) && hermitian_to_the_bit(rd.data(), n);
}

// The bound that the header states, for any number of snapshots. Sums as short as most of
// these here are better by far; the statistical bound is tested on its own.
constexpr double stated_error = 3e-6;

const std::vector<int> aligned = { 0 };
const std::vector<int> all_off = { 1 };
const std::vector<int> each_its_own = { 1, 0, 5, 7, 2, 3, 6, 4 };

} // namespace

BOOST_DATA_TEST_CASE(matches_definition_for_every_size,
                     data::xrange(1, 65) * data::make(all_kernels),
                     n,
                     kernel)
{
    // Not a multiple of any vector, long enough for a peeled head, vectors and a tail.
    constexpr std::size_t num_snapshots = 197;
    for (const auto& offsets : { aligned, all_off, each_its_own }) {
        const channel_buffers x = noise(n, num_snapshots, offsets);
        covariance_accumulator accumulator(n, kernel);
        accumulator.update(x.from(0).data(), num_snapshots);
        const Eigen::MatrixXcd expected = oracle(x, n, num_snapshots);
        // A lane of the narrowest vectors sums 197 / 2 products with a unit roundoff of
        // 6e-8 each: 6e-6 if all were to err alike, a tenth of it by chance.
        BOOST_TEST(relative_error(accumulator.covariance(), expected) < 6e-7);
        // One more rounding of half a unit.
        BOOST_TEST(relative_error(float_covariance(accumulator), expected) < 7e-7);
        BOOST_TEST(hermitian_to_the_bit(accumulator));
        BOOST_TEST(accumulator.num_snapshots() == num_snapshots);
        BOOST_TEST(accumulator.num_elements() == n);
    }
}

BOOST_DATA_TEST_CASE(matches_definition_for_any_length,
                     data::make({ 1,    2,    3,    4,    5,    7,    8,    9,
                                  15,   16,   17,   31,   127,  128,  129,  1023,
                                  1025, 2047, 2049, 4095, 4096, 4097, 8191, 8193 }) *
                         data::make(all_kernels),
                     num_snapshots,
                     kernel)
{
    for (const int n : { 1, 2, 3, 4, 5, 8 }) {
        for (const auto& offsets : { aligned, all_off, each_its_own }) {
            const channel_buffers x = noise(n, num_snapshots, offsets);
            covariance_accumulator accumulator(n, kernel);
            accumulator.update(x.from(0).data(), num_snapshots);
            BOOST_TEST(relative_error(accumulator.covariance(),
                                      oracle(x, n, num_snapshots)) < stated_error);
            BOOST_TEST(hermitian_to_the_bit(accumulator));
        }
    }
}

BOOST_DATA_TEST_CASE(keeps_its_error_bounds_at_65536_snapshots,
                     data::make({ 1, 2, 3, 4, 5, 8, 16, 33 }) * data::make(all_kernels),
                     n,
                     kernel)
{
    constexpr std::size_t num_snapshots = 65536;
    const channel_buffers x = noise(n, num_snapshots, each_its_own);
    covariance_accumulator accumulator(n, kernel);
    accumulator.update(x.from(0).data(), num_snapshots);
    const Eigen::MatrixXcd expected = oracle(x, n, num_snapshots);
    const Eigen::MatrixXcd r = accumulator.covariance();
    const double normwise = (r - expected).norm() / expected.norm();
    const double entrywise = relative_error(r, expected);
    BOOST_TEST_MESSAGE("normwise " << normwise << ", entrywise " << entrywise);
    // Both are the header's guarantees.
    BOOST_TEST(normwise <= 5e-8);
    BOOST_TEST(entrywise <= stated_error);
}

BOOST_DATA_TEST_CASE(keeps_its_entrywise_bound_on_a_constant,
                     data::make(all_kernels),
                     kernel)
{
    // All products alike: the float sums grow steadily and every rounding may err the
    // same way, the worst signal for a sum in float.
    constexpr std::size_t num_snapshots = 65536;
    constexpr int n = 5;
    const channel_buffers x(n, num_snapshots, each_its_own);
    for (int i = 0; i < n; ++i)
        std::fill_n(x[i], num_snapshots, cfloat(0.1f * (i + 1), 0.7f));
    covariance_accumulator accumulator(n, kernel);
    accumulator.update(x.from(0).data(), num_snapshots);
    const double error =
        relative_error(accumulator.covariance(), oracle(x, n, num_snapshots));
    BOOST_TEST_MESSAGE("entrywise " << error);
    BOOST_TEST(error <= stated_error);
}

BOOST_DATA_TEST_CASE(splitting_update_changes_rounding_only,
                     data::make({ 1, 4, 5, 11, 32 }) * data::make(all_kernels),
                     n,
                     kernel)
{
    constexpr std::size_t num_snapshots = 6000;
    for (const bool constant : { false, true }) {
        const channel_buffers x = noise(n, num_snapshots, all_off);
        // The signal whose rounding errors depend most on where a sum is cut.
        for (int i = 0; constant && i < n; ++i)
            std::fill_n(x[i], num_snapshots, cfloat(0.1f, 0.7f));
        covariance_accumulator whole(n, kernel), split(n, kernel);
        whole.update(x.from(0).data(), num_snapshots);
        const std::size_t pieces[] = { 1, 7, 0, 64, 1000, 129, 3, 2048, 500 };
        std::size_t done = 0;
        for (int k = 0; done < num_snapshots; ++k) {
            const std::size_t count = std::min(pieces[k % 9], num_snapshots - done);
            split.update(x.from(done).data(), count);
            done += count;
        }
        BOOST_TEST(split.num_snapshots() == num_snapshots);
        // The header's bound: sixteen units of float.
        BOOST_TEST(relative_error(split.covariance(), whole.covariance()) < 1e-6);
        BOOST_TEST(hermitian_to_the_bit(split));
    }
}

BOOST_DATA_TEST_CASE(same_calls_give_the_same_bits, data::make(all_kernels), kernel)
{
    constexpr int n = 7;
    const channel_buffers x = noise(n, 3000, each_its_own);
    covariance_accumulator first(n, kernel), second(n, kernel);
    first.update(x.from(0).data(), 3000);
    second.update(x.from(11).data(), 777);
    second.reset();
    second.update(x.from(0).data(), 3000);
    const Eigen::MatrixXcd a = first.covariance(), b = second.covariance();
    BOOST_TEST(std::memcmp(a.data(), b.data(), n * n * sizeof(cdouble)) == 0);
}

BOOST_AUTO_TEST_CASE(nothing_is_zero)
{
    covariance_accumulator accumulator(3);
    BOOST_TEST(accumulator.num_snapshots() == 0u);
    BOOST_TEST(accumulator.covariance().isZero(0.0));
    BOOST_TEST(float_covariance(accumulator).isZero(0.0));
    const channel_buffers x = noise(3, 10, aligned);
    accumulator.update(x.from(0).data(), 0);
    BOOST_TEST(accumulator.num_snapshots() == 0u);
    BOOST_TEST(accumulator.covariance().isZero(0.0));
}

BOOST_AUTO_TEST_CASE(reset_forgets_everything)
{
    covariance_accumulator accumulator(3);
    const channel_buffers x = noise(3, 100, aligned);
    x[1][50] = cfloat(std::numeric_limits<float>::infinity(), 0.0f);
    accumulator.update(x.from(0).data(), 100);
    BOOST_TEST(accumulator.num_snapshots() == 100u);
    accumulator.reset();
    BOOST_TEST(accumulator.num_snapshots() == 0u);
    BOOST_TEST(accumulator.covariance().isZero(0.0));
}

BOOST_AUTO_TEST_CASE(phase_and_order_follow_the_convention)
{
    // x_1 leads x_0 by 90 degrees: R_10 = E x_1 conj(x_0) = +j, stored in the first
    // column of the column-major result.
    const cfloat x0[] = { { 1.0f, 0.0f } }, x1[] = { { 0.0f, 1.0f } };
    const cfloat* channels[] = { x0, x1 };
    covariance_accumulator accumulator(2);
    accumulator.update(channels, 1);
    cfloat r[4];
    accumulator.covariance(r);
    BOOST_TEST(r[0] == cfloat(1.0f, 0.0f));
    BOOST_TEST(r[1] == cfloat(0.0f, 1.0f));
    BOOST_TEST(r[2] == cfloat(0.0f, -1.0f));
    BOOST_TEST(r[3] == cfloat(1.0f, 0.0f));
}

BOOST_DATA_TEST_CASE(bad_samples_stay_in_their_channel,
                     data::make(all_kernels) *
                         data::make({ std::numeric_limits<float>::quiet_NaN(),
                                      std::numeric_limits<float>::infinity() }) *
                         // in the peeled head, in a vector, in the tail
                         data::make({ 0, 1000, 1500 }),
                     kernel,
                     bad_value,
                     position)
{
    constexpr std::size_t num_snapshots = 1501;
    for (const int n : { 2, 5, 8, 13 }) {
        const int bad = n / 2;
        const channel_buffers x = noise(n, num_snapshots, all_off);
        x[bad][position] = cfloat(1.0f, bad_value);
        covariance_accumulator accumulator(n, kernel);
        accumulator.update(x.from(0).data(), num_snapshots);
        const Eigen::MatrixXcd r = accumulator.covariance();
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j) {
                const bool finite =
                    std::isfinite(r(i, j).real()) && std::isfinite(r(i, j).imag());
                BOOST_TEST(finite == (i != bad && j != bad));
            }
    }
}

BOOST_DATA_TEST_CASE(refuses_a_bad_number_of_elements,
                     data::make({ 0, -1, 65, std::numeric_limits<int>::min() }),
                     n)
{
    const auto names_parameter = [&](const std::invalid_argument& error) {
        const std::string what = error.what();
        return what.find("num_elements") != std::string::npos &&
               what.find(std::to_string(n)) != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(
        covariance_accumulator{ n }, std::invalid_argument, names_parameter);
    BOOST_CHECK_EXCEPTION(
        covariance_accumulator(n, "generic"), std::invalid_argument, names_parameter);
}

BOOST_AUTO_TEST_CASE(refuses_an_unknown_kernel)
{
    BOOST_CHECK_EXCEPTION(covariance_accumulator(4, "mmx"),
                          std::invalid_argument,
                          [](const std::invalid_argument& error) {
                              const std::string what = error.what();
                              return what.find("kernel_name") != std::string::npos &&
                                     what.find("mmx") != std::string::npos;
                          });
    BOOST_CHECK_THROW(covariance_accumulator(4, ""), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(default_kernel_obeys_the_environment)
{
    // kernels() lists from the narrowest to the widest.
    const std::string best = all_kernels.back();
    const char* wanted = std::getenv("GR_BEARING_KERNEL");
    const bool known =
        wanted &&
        std::find(all_kernels.begin(), all_kernels.end(), wanted) != all_kernels.end();
    BOOST_TEST(std::string(covariance_kernel_name()) == (known ? wanted : best));
}
