/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_STRICT_JSON_H
#define INCLUDED_BEARING_CORE_COUPLING_STRICT_JSON_H

#include <nlohmann/json.hpp>
#include <string>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief An object in JSON from a source that need not be trusted.
 *
 * Repeated names, which the standard lets a parser settle as it likes, are refused, and so
 * is a depth that none of our formats has.
 *
 * \throws std::runtime_error saying what is wrong, in printable characters
 */
nlohmann::json parse_strict_object(const std::string& text);

//! \p text, fit to be printed: it quotes what was read, which need not be text; shortened.
std::string quoted(std::string text);

//! Members of an object that have a known kind.
//! \throws std::runtime_error naming the key
double require_number(const nlohmann::json& object, const std::string& key);
//! Between \p lowest and \p highest.
int require_integer(const nlohmann::json& object,
                    const std::string& key,
                    int lowest,
                    int highest);
std::string require_string(const nlohmann::json& object, const std::string& key);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_STRICT_JSON_H */
