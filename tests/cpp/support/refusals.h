/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_REFUSALS_H
#define INCLUDED_BEARING_TESTS_REFUSALS_H

#include <stdexcept>
#include <string>

//! Whether a call throws std::invalid_argument with a sentence that has \p part in it.
template <class Call>
bool refuses(Call call, const std::string& part)
{
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return std::string(error.what()).find(part) != std::string::npos;
    }
    return false;
}

#endif /* INCLUDED_BEARING_TESTS_REFUSALS_H */
