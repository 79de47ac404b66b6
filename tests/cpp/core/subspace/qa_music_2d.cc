/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE music_2d
#include "scenes.h"
#include <gnuradio/bearing/core/subspace/music.h>
#include <gnuradio/bearing/core/subspace/music_2d.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

using complex = std::complex<double>;
constexpr complex j{ 0.0, 1.0 };

// Exact covariances leave only rounding, which the flat bottom of the null function does
// not amplify: the slope is solved, not the value.
constexpr double exact = 1e-9;

antenna_array custom(const std::vector<std::vector<double>>& rows)
{
    Eigen::MatrixXd positions(rows.size(), rows[0].size());
    for (std::size_t l = 0; l < rows.size(); ++l) {
        positions.row(l) =
            Eigen::Map<const Eigen::RowVectorXd>(rows[l].data(), rows[l].size());
    }
    return antenna_array::custom(positions);
}

antenna_array circle() { return antenna_array::uniform_circle(5, 0.383); }

antenna_array uneven()
{
    return custom({ { 0.0, 0.0 },
                    { 0.5, 0.1 },
                    { 0.9, -0.3 },
                    { 0.2, 0.6 },
                    { -0.4, 0.4 },
                    { -0.5, -0.5 } });
}

antenna_array heap()
{
    return custom({ { 0.0, 0.0, 0.0 },
                    { 0.5, 0.1, 0.2 },
                    { 0.9, -0.3, -0.1 },
                    { 0.2, 0.6, 0.4 },
                    { -0.4, 0.4, -0.3 },
                    { -0.5, -0.5, 0.1 },
                    { 0.1, -0.3, 0.5 } });
}

antenna_array panel()
{
    std::vector<std::vector<double>> rows;
    for (int l = 0; l < 9; ++l) {
        rows.push_back({ 0.45 * (l % 3), 0.0, 0.45 * (l / 3) });
    }
    return custom(rows);
}

// Two coordinates of a source: azimuth, and elevation or range; degrees, wavelengths.
struct source {
    double azimuth;
    double second;
};

struct scene {
    const char* name;
    antenna_array array;
    search_plane search;
    std::vector<source> sources;
    double snr_db;
};

std::ostream& operator<<(std::ostream& out, const scene& s) { return out << s.name; }

constexpr search_plane elevation = search_plane::azimuth_elevation;
constexpr search_plane range = search_plane::azimuth_range;

// The wave's phase from distances alone: no unit vector, no derivative, no expansion.
Eigen::VectorXcd wave(const antenna_array& array, search_plane search, const source& s)
{
    const double theta = s.azimuth * degree;
    const double phi = search == elevation ? s.second * degree : 0.0;
    // At 1e6 wavelengths the wave is flat to aperture^2 / (2 * distance), 1e-6 of a
    // wavelength; the difference of distances is rounded to 1e-10.
    const double distance = search == elevation ? 1e6 : s.second;
    const Eigen::RowVector3d at =
        distance * Eigen::RowVector3d(std::sin(theta) * std::cos(phi),
                                      std::cos(theta) * std::cos(phi),
                                      std::sin(phi));
    Eigen::VectorXcd a(array.num_elements());
    for (int l = 0; l < a.size(); ++l) {
        const double path = (at - array.positions().row(l)).norm() - distance;
        a(l) = std::exp(-2.0 * M_PI * j * path);
    }
    return a;
}

// The same from the array's own model, with its derivatives by azimuth and by elevation or
// inverse range.
Eigen::MatrixXcd model(const antenna_array& array, search_plane search, const source& s)
{
    const bool is_far = search == elevation;
    const near_field_point here = array.near_field(s.azimuth * degree,
                                                   is_far ? s.second * degree : 0.0,
                                                   is_far ? 0.0 : 1.0 / s.second);
    Eigen::MatrixXcd columns(array.num_elements(), 3);
    columns << here.a, here.by_azimuth,
        is_far ? here.by_elevation : here.by_inverse_range;
    return columns;
}

Eigen::MatrixXcd manifold(const scene& s)
{
    Eigen::MatrixXcd a(s.array.num_elements(), s.sources.size());
    for (std::size_t k = 0; k < s.sources.size(); ++k) {
        a.col(k) = model(s.array, s.search, s.sources[k]).col(0);
    }
    return a;
}

Eigen::MatrixXcd population(const Eigen::MatrixXcd& a, double snr_db)
{
    return std::pow(10.0, snr_db / 10.0) * a * a.adjoint() +
           Eigen::MatrixXcd::Identity(a.rows(), a.rows());
}

// Sample covariances of Gaussian sources in noise of power 1.
class sampler
{
public:
    explicit sampler(unsigned seed) : d_random(seed) {}

    Eigen::MatrixXcd operator()(const Eigen::MatrixXcd& a, double snr_db, int snapshots)
    {
        const Eigen::MatrixXcd x =
            std::pow(10.0, snr_db / 20.0) * a * draw(a.cols(), snapshots) +
            draw(a.rows(), snapshots);
        return x * x.adjoint() / snapshots;
    }
    double uniform(double first, double last)
    {
        return std::uniform_real_distribution<double>(first, last)(d_random);
    }
    double gaussian() { return d_gaussian(d_random); }

private:
    Eigen::MatrixXcd draw(Eigen::Index rows, Eigen::Index columns)
    {
        Eigen::MatrixXcd values(rows, columns);
        for (complex& value : values.reshaped()) {
            value = M_SQRT1_2 * complex(gaussian(), gaussian());
        }
        return values;
    }
    std::mt19937_64 d_random;
    std::normal_distribution<double> d_gaussian;
};

music_2d_estimator
estimator(const antenna_array& array, search_plane search, int num_sources)
{
    music_2d_config config;
    config.num_sources = num_sources;
    config.search = search;
    return { array, angle_grid::whole_range(array, 64), config };
}

// Elevation in radians, or inverse range.
double second_of(const bearing_estimate& estimate, int k)
{
    return estimate.elevation.size() > 0 ? estimate.elevation(k)
                                         : 1.0 / estimate.range(k);
}
double second_of(const scene& s, const source& truth)
{
    return s.search == elevation ? truth.second * degree : 1.0 / truth.second;
}

double azimuth_error(double azimuth, const source& truth)
{
    return std::remainder(azimuth - truth.azimuth * degree, 2.0 * M_PI);
}

// The estimate that is nearest to a source.
int nearest(const bearing_estimate& estimate, const scene& s, const source& truth)
{
    int best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (int k = 0; k < estimate.num_sources; ++k) {
        const double distance = std::abs(azimuth_error(estimate.azimuth(k), truth)) +
                                std::abs(second_of(estimate, k) - second_of(s, truth));
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    return best;
}

// Stochastic Cramer-Rao bound (P. Stoica, E. G. Larsson, A. B. Gershman, "The stochastic
// CRB for array processing: a textbook derivation", IEEE Signal Process. Lett. 8(5), 2001)
// of two coordinates a source: standard deviations, source by source.
Eigen::VectorXd bound(const scene& s, int snapshots)
{
    const Eigen::Index k = s.sources.size();
    const double p = std::pow(10.0, s.snr_db / 10.0);
    const Eigen::MatrixXcd a = manifold(s);
    const Eigen::Index n = a.rows();
    Eigen::MatrixXcd d(n, 2 * k);
    for (Eigen::Index i = 0; i < k; ++i) {
        d.middleCols(2 * i, 2) = model(s.array, s.search, s.sources[i]).rightCols(2);
    }
    const Eigen::MatrixXcd projector =
        Eigen::MatrixXcd::Identity(n, n) - a * (a.adjoint() * a).inverse() * a.adjoint();
    const Eigen::MatrixXcd g =
        p * p * a.adjoint() * population(a, s.snr_db).inverse() * a;
    const Eigen::MatrixXcd h = d.adjoint() * projector * d;
    Eigen::MatrixXd information(2 * k, 2 * k);
    for (Eigen::Index i = 0; i < 2 * k; ++i) {
        for (Eigen::Index m = 0; m < 2 * k; ++m) {
            information(i, m) = 2.0 * snapshots * (h(i, m) * g(m / 2, i / 2)).real();
        }
    }
    return information.inverse().diagonal().cwiseSqrt();
}

bool full_size() { return std::getenv("BEARING_TEST_FULL") != nullptr; }

} // namespace

BOOST_AUTO_TEST_CASE(waves_from_points_are_found_where_they_come_from)
{
    const std::vector<scene> scenes = {
        { "circle", circle(), elevation, { { 70.0, 30.0 }, { 200.0, 55.0 } }, 15.0 },
        { "uneven", uneven(), elevation, { { 350.0, 12.0 }, { 10.0, 60.0 } }, 15.0 },
        { "heap", heap(), elevation, { { 70.0, -40.0 }, { 100.0, 20.0 } }, 15.0 },
        { "panel", panel(), elevation, { { 20.0, -10.0 }, { -50.0, 30.0 } }, 15.0 },
        { "near circle", circle(), range, { { 70.0, 1.0 }, { 200.0, 2.5 } }, 15.0 },
        { "near heap", heap(), range, { { 70.0, 2.0 }, { 200.0, 4.0 } }, 15.0 },
        { "near line",
          antenna_array::uniform_line(8, 0.5),
          range,
          { { 20.0, 8.0 }, { -30.0, 15.0 } },
          15.0 },
    };
    for (const scene& s : scenes) {
        Eigen::MatrixXcd a(s.array.num_elements(), 2);
        a << wave(s.array, s.search, s.sources[0]), wave(s.array, s.search, s.sources[1]);
        const bearing_estimate found =
            estimator(s.array, s.search, 2).estimate(population(a, s.snr_db), 1000);
        BOOST_TEST_CONTEXT(s.name)
        {
            BOOST_CHECK(found.status == status::ok);
            for (const source& truth : s.sources) {
                const int k = nearest(found, s, truth);
                // The far waves are those of points 1e6 wavelengths away.
                const double tolerance = s.search == elevation ? 1e-5 : 1e-7;
                BOOST_TEST(std::abs(azimuth_error(found.azimuth(k), truth)) < tolerance);
                BOOST_TEST(std::abs(second_of(found, k) - second_of(s, truth)) <
                           tolerance);
            }
            BOOST_TEST((found.elevation.size() > 0) == (s.search == elevation));
            BOOST_TEST((found.range.size() > 0) == (s.search == range));
        }
    }
}

BOOST_AUTO_TEST_CASE(calibrated_arrays_give_exact_places)
{
    for (const antenna_array& drawn : { circle(), heap() }) {
        const antenna_array array =
            drawn.calibrated(random_calibration(drawn.num_elements(), 21));
        for (const search_plane search : { elevation, range }) {
            const scene s{ "",
                           array,
                           search,
                           { { 12.3, search == elevation ? 35.0 : 2.0 },
                             { 144.0, search == elevation ? 50.0 : 3.0 } },
                           15.0 };
            const bearing_estimate found =
                estimator(array, search, 2)
                    .estimate(population(manifold(s), s.snr_db), 1000);
            BOOST_CHECK(found.status == status::ok);
            for (const source& truth : s.sources) {
                const int k = nearest(found, s, truth);
                BOOST_TEST(std::abs(azimuth_error(found.azimuth(k), truth)) < exact);
                BOOST_TEST(std::abs(second_of(found, k) - second_of(s, truth)) < exact);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_source_at_any_azimuth_and_elevation_is_found)
{
    const antenna_array array = circle();
    const music_2d_estimator one = estimator(array, elevation, 1);
    for (double azimuth = 0.0; azimuth < 360.0; azimuth += 13.7) {
        for (const double rise : { 0.0, 0.3, 2.0, 44.0, 88.0, 89.9 }) {
            const scene s{ "", array, elevation, { { azimuth, rise } }, 20.0 };
            const bearing_estimate found =
                one.estimate(population(manifold(s), s.snr_db), 1000);
            const double sideways =
                azimuth_error(found.azimuth(0), s.sources[0]) * std::cos(rise * degree);
            BOOST_TEST(std::abs(sideways) < exact);
            // On the horizon elevation enters through its cosine: rounding's square root,
            // and its cube root where the parabola vanishes as well.
            BOOST_TEST(std::abs(found.elevation(0) - rise * degree) <
                       (rise < 0.1 ? 1e-4 : 1e-7));
            BOOST_TEST(found.elevation(0) >= 0.0);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_zenith_has_an_elevation_and_no_azimuth_to_trust)
{
    const antenna_array array = circle();
    const scene s{ "", array, elevation, { { 0.0, 90.0 } }, 20.0 };
    const bearing_estimate found =
        estimator(array, elevation, 1).estimate(population(manifold(s), 20.0), 1000);
    BOOST_TEST(std::abs(found.elevation(0) - M_PI_2) < exact);
    BOOST_TEST(std::isfinite(found.azimuth(0)));
    BOOST_TEST(std::isnan(found.deviation(0)));
    BOOST_TEST(std::isnan(found.elevation_deviation(0)));
    BOOST_CHECK(found.status == status::unresolved);
}

BOOST_AUTO_TEST_CASE(on_the_horizon_azimuth_is_as_good_as_that_of_a_search_for_it_alone)
{
    const antenna_array array = circle();
    const Eigen::MatrixXcd r = population_covariance(array, degrees({ 70.0 }), 15.0);
    const bearing_estimate found = estimator(array, elevation, 1).estimate(r, 100);
    music_config config;
    config.num_sources = 1;
    const bearing_estimate flat =
        music_estimator(array, angle_grid::whole_range(array), config).estimate(r, 100);
    BOOST_CHECK(found.status == status::ok);
    // A circle's azimuth and elevation do not depend on each other.
    BOOST_TEST(found.deviation(0) == flat.deviation(0),
               boost::test_tools::tolerance(1e-5));
    BOOST_TEST(std::isnan(found.elevation_deviation(0)));
}

BOOST_AUTO_TEST_CASE(a_flat_array_looks_at_one_side_of_its_plane)
{
    // Mirror images in the plane have the same steering vector; the one that is reported
    // lies up, or ahead.
    const auto found_at = [](const antenna_array& array, double azimuth, double rise) {
        const scene s{ "", array, elevation, { { azimuth, rise } }, 20.0 };
        return estimator(array, elevation, 1)
            .estimate(population(manifold(s), 20.0), 1000);
    };
    const bearing_estimate below = found_at(circle(), 70.0, -30.0);
    BOOST_TEST(std::abs(below.azimuth(0) - 70.0 * degree) < exact);
    BOOST_TEST(std::abs(below.elevation(0) - 30.0 * degree) < exact);
    const bearing_estimate behind = found_at(panel(), 150.0, 20.0);
    BOOST_TEST(std::abs(behind.azimuth(0) - 30.0 * degree) < exact);
    BOOST_TEST(std::abs(behind.elevation(0) - 20.0 * degree) < exact);
    // A roof that rises to the right, z = x / 2: the mirror image of a source above it lies
    // below it.
    std::vector<std::vector<double>> rows;
    for (const auto& p : { std::pair(0.0, 0.0),
                           std::pair(0.5, 0.1),
                           std::pair(0.3, 0.6),
                           std::pair(-0.4, 0.4),
                           std::pair(-0.5, -0.3) }) {
        rows.push_back({ p.first, p.second, 0.5 * p.first });
    }
    const antenna_array roof = custom(rows);
    const bearing_estimate above = found_at(roof, 250.0, 20.0);
    BOOST_TEST(std::abs(above.azimuth(0) - 250.0 * degree) < exact);
    BOOST_TEST(std::abs(above.elevation(0) - 20.0 * degree) < exact);
    BOOST_CHECK(above.status == status::ok);
}

BOOST_AUTO_TEST_CASE(strong_sources_a_few_steps_of_the_grid_apart_are_two)
{
    // The grid steps by two degrees both ways, and f is a narrow valley around both.
    const antenna_array array = circle();
    const music_2d_estimator two = estimator(array, elevation, 2);
    sampler random(3);
    for (int trial = 0; trial < 300; ++trial) {
        const double azimuth = random.uniform(0.0, 360.0);
        const double rise = random.uniform(20.0, 60.0);
        const double turn = random.uniform(0.0, 2.0 * M_PI);
        const double apart = random.uniform(1.5, 8.0);
        const scene s{ "",
                       array,
                       elevation,
                       { { azimuth, rise },
                         { azimuth + apart * std::cos(turn) / std::cos(rise * degree),
                           rise + apart * std::sin(turn) } },
                       60.0 };
        const bearing_estimate found =
            two.estimate(population(manifold(s), s.snr_db), 100000);
        for (const source& truth : s.sources) {
            const int k = nearest(found, s, truth);
            // At 60 dB and a fortieth of a beam apart rounding is amplified by 1e7.
            BOOST_TEST(std::abs(azimuth_error(found.azimuth(k), truth)) < 1e-5);
            BOOST_TEST(std::abs(found.elevation(k) - truth.second * degree) < 1e-5);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_spectrum_is_the_best_of_the_map)
{
    const antenna_array array = circle();
    music_2d_config config;
    config.num_sources = 1;
    config.keeps_map = true;
    const scene s{ "", array, elevation, { { 100.3, 40.0 } }, 10.0 };
    const bearing_estimate found =
        music_2d_estimator(array, angle_grid::whole_range(array, 90), config)
            .estimate(population(manifold(s), s.snr_db), 100);
    BOOST_TEST(found.map_db.rows() == 90);
    BOOST_TEST(found.map_db.cols() == found.elevation_grid.size());
    BOOST_TEST(found.inverse_range_grid.size() == 0);
    const Eigen::VectorXcd origin = manifold(s).col(0);
    for (int g = 0; g < 90; g += 7) {
        BOOST_TEST(found.spectrum_db(g) == found.map_db.row(g).maxCoeff());
        for (int e = 0; e < found.map_db.cols(); e += 5) {
            const Eigen::VectorXcd a =
                array.steering(found.grid(g), found.elevation_grid(e));
            // One source: the sine of the angle between the two, squared.
            const double null =
                1.0 - std::norm(origin.dot(a)) / (origin.squaredNorm() * a.squaredNorm());
            BOOST_TEST(std::abs(found.map_db(g, e) + 10.0 * std::log10(null)) < 1e-6);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_answer_does_not_depend_on_the_shown_grid)
{
    const antenna_array array = uneven();
    const scene s{ "", array, elevation, { { 80.0, 20.0 }, { 130.0, 50.0 } }, 15.0 };
    sampler sample(1);
    const Eigen::MatrixXcd r = sample(manifold(s), s.snr_db, 100);
    music_2d_config config;
    config.num_sources = 2;
    const auto found = [&](int points) {
        return music_2d_estimator(array, angle_grid::whole_range(array, points), config)
            .estimate(r, 100);
    };
    // To the bit: what is shown has no part in the search.
    BOOST_TEST((found(4).azimuth == found(777).azimuth));
    BOOST_TEST((found(4).elevation == found(777).elevation));
}

BOOST_AUTO_TEST_CASE(powers_are_those_of_the_scene_strongest_first)
{
    const antenna_array array = heap();
    const scene weak{ "", array, elevation, { { 50.0, 10.0 } }, 10.0 };
    const scene strong{ "", array, elevation, { { 200.0, -20.0 } }, 16.0 };
    const bearing_estimate found = estimator(array, elevation, 2)
                                       .estimate(population(manifold(weak), 10.0) +
                                                     population(manifold(strong), 16.0),
                                                 100000000);
    BOOST_TEST(std::abs(found.elevation(0) + 20.0 * degree) < 1e-7);
    BOOST_TEST(std::abs(found.elevation(1) - 10.0 * degree) < 1e-7);
    BOOST_TEST(std::abs(found.power_db(0) - 16.0) < 1e-6);
    BOOST_TEST(std::abs(found.power_db(1) - 10.0) < 1e-6);
    // The two covariances' noise adds to 2.
    BOOST_TEST(std::abs(found.snr_db(0) - (16.0 - 10.0 * std::log10(2.0))) < 1e-6);
}

BOOST_AUTO_TEST_CASE(limits_are_kept)
{
    const antenna_array array = circle();
    music_2d_config config;
    config.num_sources = 1;
    const music_2d_estimator sector(
        array, angle_grid::sector(array, -20.0 * degree, 30.0 * degree, 64), config);
    const scene inside{ "", array, elevation, { { 29.9, 40.0 } }, 20.0 };
    const scene outside{ "", array, elevation, { { 60.0, 40.0 } }, 20.0 };
    BOOST_TEST(
        std::abs(sector.estimate(population(manifold(inside), 20.0), 100).azimuth(0) -
                 29.9 * degree) < exact);
    const bearing_estimate none =
        sector.estimate(population(manifold(outside), 20.0), 100);
    BOOST_CHECK(none.status != status::ok);
    BOOST_TEST(std::isnan(none.deviation(0)));
    // A source nearer than the nearest range: not at its edge.
    config.search = range;
    config.nearest_range = 2.0;
    const scene near{ "", array, range, { { 60.0, 1.0 } }, 20.0 };
    const bearing_estimate nearer =
        music_2d_estimator(array, angle_grid::whole_range(array, 64), config)
            .estimate(population(manifold(near), 20.0), 100);
    BOOST_CHECK(nearer.status != status::ok);
    BOOST_TEST(std::isnan(nearer.range_deviation(0)));
}

BOOST_AUTO_TEST_CASE(a_source_far_away_is_at_infinity)
{
    const antenna_array array = antenna_array::uniform_line(8, 0.5);
    const music_2d_estimator one = estimator(array, range, 1);
    sampler sample(5);
    const Eigen::MatrixXcd a = array.steering(20.0 * degree);
    // 1 / r is 0: one side of its 95 % interval includes it in 97.5 % of cases. Of 1000, 963
    // is 2.4 standard deviations below 975.
    int infinite = 0;
    for (int trial = 0; trial < 1000; ++trial) {
        const bearing_estimate found = one.estimate(sample(a, 15.0, 50), 50);
        infinite += std::isinf(found.range(0));
        if (std::isinf(found.range(0))) {
            BOOST_TEST(std::isnan(found.range_deviation(0)));
        }
        BOOST_TEST(std::isfinite(found.deviation(0)));
        BOOST_CHECK(found.status == status::ok);
    }
    BOOST_TEST(infinite >= 963);
}

namespace {

// Root mean square errors over the bound, and the share of predicted 95 % intervals that
// hold, of the two coordinates.
struct study {
    Eigen::ArrayXd squares = Eigen::ArrayXd::Zero(2);
    Eigen::ArrayXd covered = Eigen::ArrayXd::Zero(2);
    Eigen::ArrayXd published = Eigen::ArrayXd::Zero(2);
    int count = 0;

    void add(const bearing_estimate& found, const scene& s, const Eigen::VectorXd& limit)
    {
        for (std::size_t i = 0; i < s.sources.size(); ++i) {
            const source& truth = s.sources[i];
            const int k = nearest(found, s, truth);
            const bool has_elevation = s.search == elevation;
            const Eigen::Array2d error(azimuth_error(found.azimuth(k), truth),
                                       second_of(found, k) - second_of(s, truth));
            const Eigen::Array2d error_of_interval(
                error(0), has_elevation ? error(1) : found.range(k) - truth.second);
            const Eigen::Array2d deviation(found.deviation(k),
                                           has_elevation ? found.elevation_deviation(k)
                                                         : found.range_deviation(k));
            squares += (error / limit.segment(2 * i, 2).array()).square();
            for (int c = 0; c < 2; ++c) {
                published(c) += std::isfinite(deviation(c));
                covered(c) += std::abs(error_of_interval(c)) < 1.96 * deviation(c);
            }
            ++count;
        }
    }
};

std::vector<scene> studied()
{
    return {
        { "circle", circle(), elevation, { { 70.0, 30.0 } }, 15.0 },
        { "circle, two", circle(), elevation, { { 70.0, 30.0 }, { 200.0, 50.0 } }, 15.0 },
        { "heap, below", heap(), elevation, { { 70.0, -30.0 } }, 10.0 },
        { "heap, two", heap(), elevation, { { 70.0, 0.0 }, { 80.0, 35.0 } }, 15.0 },
        { "near circle",
          antenna_array::uniform_circle(8, 0.65),
          range,
          { { 70.0, 3.0 } },
          20.0 },
        { "near line, two",
          antenna_array::uniform_line(8, 0.5),
          range,
          { { 20.0, 8.0 }, { -30.0, 9.0 } },
          15.0 },
        { "calibrated circle",
          circle().calibrated(random_calibration(5, 3)),
          elevation,
          { { 70.0, 30.0 } },
          15.0 },
    };
}

} // namespace

BOOST_DATA_TEST_CASE(errors_reach_the_bound_and_intervals_cover_what_they_promise,
                     data::make(studied()),
                     s)
{
    constexpr int snapshots = 100;
    const int trials = full_size() ? 10000 : 1000;
    const music_2d_estimator found =
        estimator(s.array, s.search, static_cast<int>(s.sources.size()));
    const Eigen::VectorXd limit = bound(s, snapshots);
    const Eigen::MatrixXcd a = manifold(s);
    sampler sample(11);
    study result;
    for (int trial = 0; trial < trials; ++trial) {
        result.add(found.estimate(sample(a, s.snr_db, snapshots), snapshots), s, limit);
    }
    const Eigen::ArrayXd ratio = (result.squares / result.count).sqrt();
    const Eigen::ArrayXd coverage = result.covered / result.published;
    for (int c = 0; c < 2; ++c) {
        BOOST_TEST_MESSAGE(s << ", coordinate " << c << ": " << ratio(c)
                             << " times the bound, coverage " << coverage(c)
                             << ", published " << result.published(c) / result.count);
        // MUSIC is within 1.5 % of the bound in these scenes; the standard error of a root
        // mean square of 1000 is 2.2 %.
        BOOST_TEST(ratio(c) < 1.10);
        BOOST_TEST(ratio(c) > 0.92);
        // Standard error 0.7 %.
        BOOST_TEST(coverage(c) > 0.93);
        BOOST_TEST(coverage(c) < 0.97);
        BOOST_TEST(result.published(c) > 0.98 * result.count);
    }
}

BOOST_AUTO_TEST_CASE(intervals_cover_all_over_the_sky)
{
    // Sources anywhere above a circle, one a scene. What is withheld, near the horizon and
    // the zenith, does not count; what is published and wrong does.
    constexpr int snapshots = 100;
    const int trials = full_size() ? 20000 : 2000;
    const antenna_array array = circle();
    const music_2d_estimator one = estimator(array, elevation, 1);
    sampler random(17);
    study result;
    for (int trial = 0; trial < trials; ++trial) {
        const scene s{ "",
                       array,
                       elevation,
                       { { random.uniform(0.0, 360.0), random.uniform(0.0, 90.0) } },
                       random.uniform(5.0, 20.0) };
        result.add(one.estimate(random(manifold(s), s.snr_db, snapshots), snapshots),
                   s,
                   Eigen::VectorXd::Ones(2));
    }
    const Eigen::ArrayXd coverage = result.covered / result.published;
    for (int c = 0; c < 2; ++c) {
        BOOST_TEST_MESSAGE("sky, coordinate " << c << ": coverage " << coverage(c)
                                              << ", published "
                                              << result.published(c) / trials);
        // Standard error 0.5 %.
        BOOST_TEST(coverage(c) > 0.93);
        BOOST_TEST(coverage(c) < 0.97);
        BOOST_TEST(result.published(c) > 0.8 * trials);
    }
}

BOOST_AUTO_TEST_CASE(
    near_the_plane_of_a_flat_array_elevation_is_withheld_and_azimuth_is_not)
{
    constexpr int snapshots = 100;
    const int trials = full_size() ? 10000 : 1000;
    const scene s{ "", uneven(), elevation, { { 70.0, 1.0 } }, 15.0 };
    const music_2d_estimator one = estimator(s.array, elevation, 1);
    const Eigen::MatrixXcd a = manifold(s);
    sampler sample(19);
    study result;
    int num_ok = 0;
    for (int trial = 0; trial < trials; ++trial) {
        const bearing_estimate found =
            one.estimate(sample(a, s.snr_db, snapshots), snapshots);
        num_ok += found.status == status::ok;
        result.add(found, s, Eigen::VectorXd::Ones(2));
    }
    // The gate on the null's depth turns one of 10^4 away.
    BOOST_TEST(num_ok >= 0.998 * trials);
    BOOST_TEST(result.published(0) == num_ok);
    BOOST_TEST(result.published(1) <= 1e-3 * trials);
    const double coverage = result.covered(0) / result.published(0);
    BOOST_TEST_MESSAGE("horizon: coverage " << coverage);
    // Standard error 0.7 %.
    BOOST_TEST(coverage > 0.93);
    BOOST_TEST(coverage < 0.97);
}

BOOST_AUTO_TEST_CASE(intervals_include_the_uncertainty_of_the_calibration)
{
    // Gains in error by 0.02, as the calibration says, and fifteen times the error that
    // noise makes.
    constexpr double sigma = 0.02;
    constexpr int snapshots = 400;
    const int trials = full_size() ? 10000 : 1000;
    calibration_state calibration;
    calibration.sigma_phase_rad = Eigen::VectorXd::Constant(5, sigma);
    calibration.sigma_log_gain = calibration.sigma_phase_rad;
    const scene s{
        "", circle().calibrated(calibration), elevation, { { 70.0, 30.0 } }, 25.0
    };
    const music_2d_estimator one = estimator(s.array, elevation, 1);
    sampler random(23);
    study result;
    for (int trial = 0; trial < trials; ++trial) {
        Eigen::MatrixXcd a = manifold(s);
        for (int l = 0; l < 5; ++l) {
            a.row(l) *= std::exp(sigma * complex(random.gaussian(), random.gaussian()));
        }
        result.add(one.estimate(random(a, s.snr_db, snapshots), snapshots),
                   s,
                   Eigen::VectorXd::Ones(2));
    }
    const Eigen::ArrayXd coverage = result.covered / result.published;
    for (int c = 0; c < 2; ++c) {
        // Standard error 0.7 %.
        BOOST_TEST(coverage(c) > 0.93);
        BOOST_TEST(coverage(c) < 0.97);
        BOOST_TEST(result.published(c) >= 0.998 * trials);
    }
}

BOOST_AUTO_TEST_CASE(what_the_data_cannot_tell_is_said)
{
    const antenna_array array = circle();
    // Four sources leave one noise eigenvector, to which more than four places are
    // orthogonal.
    const scene crowd{
        "",
        array,
        elevation,
        { { 10.0, 30.0 }, { 100.0, 40.0 }, { 200.0, 20.0 }, { 290.0, 50.0 } },
        20.0
    };
    const bearing_estimate four =
        estimator(array, elevation, 4).estimate(population(manifold(crowd), 20.0), 1000);
    BOOST_CHECK(four.status == status::not_identifiable);
    BOOST_TEST(four.deviation.array().isNaN().all());

    // Elements of a square grid 0.9 wavelengths apart see every direction twice or more.
    std::vector<std::vector<double>> rows;
    for (int l = 0; l < 9; ++l) {
        rows.push_back({ 0.9 * (l % 3), 0.9 * (l / 3) });
    }
    const scene sparse{ "", custom(rows), elevation, { { 40.0, 30.0 } }, 20.0 };
    const bearing_estimate lobes =
        estimator(sparse.array, elevation, 1)
            .estimate(population(manifold(sparse), 20.0), 1000);
    BOOST_CHECK(lobes.status == status::not_identifiable);
    BOOST_TEST(std::isnan(lobes.deviation(0)));

    // Another array than the one that is there.
    const scene real{ "",
                      array.calibrated(random_calibration(5, 4)),
                      elevation,
                      { { 80.0, 30.0 } },
                      15.0 };
    const bearing_estimate wrong =
        estimator(array, elevation, 1).estimate(population(manifold(real), 15.0), 1000);
    BOOST_CHECK(wrong.status == status::model_mismatch);
    BOOST_TEST(std::isnan(wrong.elevation_deviation(0)));
}

BOOST_AUTO_TEST_CASE(bad_data_has_a_status)
{
    const antenna_array array = circle();
    const scene s{ "", array, elevation, { { 80.0, 30.0 } }, 15.0 };
    const Eigen::MatrixXcd good = population(manifold(s), 15.0);
    Eigen::MatrixXcd with_nan = good;
    with_nan(0, 1) = std::numeric_limits<double>::quiet_NaN();
    Eigen::MatrixXcd dead = good;
    dead.row(3).setZero();
    dead.col(3).setZero();
    for (const search_plane search : { elevation, range }) {
        const music_2d_estimator one = estimator(array, search, 1);
        const music_2d_estimator counting = estimator(array, search, 0);
        for (const Eigen::MatrixXcd& bad :
             { Eigen::MatrixXcd(Eigen::MatrixXcd::Zero(5, 5)), with_nan, dead }) {
            const bearing_estimate found = one.estimate(bad, 100);
            BOOST_CHECK(found.status == status::bad_data);
            BOOST_TEST(std::isnan(found.azimuth(0)));
            const Eigen::VectorXd& second =
                search == elevation ? found.elevation : found.range;
            BOOST_TEST(second.size() == 1);
            BOOST_TEST(std::isnan(second(0)));
            BOOST_TEST(found.spectrum_db.allFinite());
            BOOST_TEST(counting.estimate(bad, 100).num_sources == 0);
        }
        const Eigen::MatrixXcd noise = Eigen::MatrixXcd::Identity(5, 5);
        BOOST_CHECK(counting.estimate(noise, 100).status == status::no_source);
        BOOST_CHECK(one.estimate(noise, 100).status == status::low_snr);
        BOOST_CHECK(counting.estimate(good, 0).status == status::not_identifiable);
        BOOST_CHECK(one.estimate(good, 0).status == status::not_identifiable);
    }
    const bearing_estimate unknown = estimator(array, elevation, 1).estimate(good, 0);
    BOOST_TEST(std::abs(unknown.elevation(0) - 30.0 * degree) < exact);
    BOOST_TEST(std::isnan(unknown.elevation_deviation(0)));
    const Eigen::MatrixXcd a = manifold(s);
    const bearing_estimate rank_one =
        estimator(array, elevation, 1).estimate(a * a.adjoint(), 1);
    BOOST_TEST(std::abs(rank_one.elevation(0) - 30.0 * degree) < exact);
    BOOST_TEST(std::isnan(rank_one.deviation(0)));
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_refused_by_name)
{
    const auto message = [](const antenna_array& array, const music_2d_config& config) {
        try {
            music_2d_estimator(array, angle_grid::whole_range(array, 64), config);
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const auto names = [](const std::string& text, const char* word) {
        return text.find(word) != std::string::npos;
    };
    music_2d_config config;
    BOOST_TEST(names(message(antenna_array::uniform_line(8, 0.5), config), "one line"));
    BOOST_TEST(names(message(custom({ { 0.0, 0.0, 0.0 }, { 0.5, 0.0, 0.4 } }), config),
                     "one line"));
    // A grid of half a million points for each of eight elements is too much.
    BOOST_TEST(
        names(message(antenna_array::uniform_circle(30, 300.0), config), "aperture"));
    config.num_sources = 5;
    BOOST_TEST(names(message(circle(), config), "num_sources"));
    config.num_sources = 1;
    config.search = range;
    BOOST_TEST(message(antenna_array::uniform_line(8, 0.5), config) == "");
    for (const double bad : { 0.383, 0.1, -2.0, std::nan("") }) {
        config.nearest_range = bad;
        BOOST_TEST(names(message(circle(), config), "nearest_range"));
    }
    BOOST_CHECK_THROW(search_plane_from_string("elevation"), std::invalid_argument);
    BOOST_CHECK(search_plane_from_string("azimuth_range") == range);
    BOOST_CHECK_THROW(
        estimator(circle(), elevation, 1).estimate(Eigen::MatrixXcd::Identity(4, 4), 10),
        std::invalid_argument);
}
