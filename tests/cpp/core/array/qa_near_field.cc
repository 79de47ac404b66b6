/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE near_field
#include <gnuradio/bearing/core/array/near_field.h>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace gr::bearing::core;
namespace data = boost::unit_test::data;

namespace {

// An element 1.3 from the origin.
constexpr double squared_distance = 1.69;
// Second differences of this step: rounding / step^2 = 1e-9, and its square times a fourth
// derivative of order 1e2.
constexpr double step = 3e-4;
constexpr double tolerance = 5e-5;

double lead(double c, double q) { return lead_of_path(c, squared_distance, q).value; }

} // namespace

BOOST_DATA_TEST_CASE(derivatives_agree_with_central_differences,
                     data::make({ -1.2, 0.1, 0.9 }) * data::make({ -0.3, 0.0, 0.2, 0.5 }),
                     c,
                     q)
{
    const path_lead here = lead_of_path(c, squared_distance, q);
    const double h = step;
    const auto close = [](double analytic, double numeric) {
        BOOST_TEST(std::abs(analytic - numeric) <
                   tolerance * std::max(1.0, std::abs(numeric)));
    };
    close(here.by_projection, (lead(c + h, q) - lead(c - h, q)) / (2 * h));
    close(here.by_inverse_range, (lead(c, q + h) - lead(c, q - h)) / (2 * h));
    close(here.by_projection_twice,
          (lead(c + h, q) - 2 * lead(c, q) + lead(c - h, q)) / (h * h));
    close(here.by_both,
          (lead(c + h, q + h) - lead(c + h, q - h) - lead(c - h, q + h) +
           lead(c - h, q - h)) /
              (4 * h * h));
    close(here.by_inverse_range_twice,
          (lead(c, q + h) - 2 * lead(c, q) + lead(c, q - h)) / (h * h));
}

BOOST_AUTO_TEST_CASE(a_plane_wave_leads_by_the_projection)
{
    const path_lead here = lead_of_path(0.7, squared_distance, 0.0);
    BOOST_TEST(here.value == 0.7);
    BOOST_TEST(here.by_projection == 1.0);
    BOOST_TEST(here.by_projection_twice == 0.0);
}

BOOST_AUTO_TEST_CASE(a_wave_from_beyond_the_element_leads_by_its_distance)
{
    // Source, element and origin in one line: the path is shorter by |p|, whatever r.
    for (const double q : { 0.0, 0.1, 0.7 }) {
        BOOST_TEST(std::abs(lead(1.3, q) - 1.3) < 1e-14);
        BOOST_TEST(std::abs(lead(-1.3, q) + 1.3) < 1e-14);
    }
}
