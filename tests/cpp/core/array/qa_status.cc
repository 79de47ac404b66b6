/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#define BOOST_TEST_MODULE status
#include <gnuradio/bearing/core/array/status.h>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

using gr::bearing::core::status;
using gr::bearing::core::to_string;

BOOST_AUTO_TEST_CASE(every_status_has_the_name_that_messages_carry)
{
    BOOST_TEST(to_string(status::ok) == std::string("ok"));
    BOOST_TEST(to_string(status::bad_data) == std::string("bad_data"));
    std::set<std::string> names;
    for (int s = 0; s <= static_cast<int>(status::frozen); ++s) {
        names.insert(to_string(static_cast<status>(s)));
    }
    const std::set<std::string> expected = {
        "ok",       "no_source", "unresolved",     "collapsed",
        "bad_data", "low_snr",   "model_mismatch", "not_identifiable",
        "learning", "tracking",  "frozen"
    };
    BOOST_TEST(names == expected, boost::test_tools::per_element());
}
