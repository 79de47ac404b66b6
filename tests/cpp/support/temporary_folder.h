/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_TESTS_TEMPORARY_FOLDER_H
#define INCLUDED_BEARING_TESTS_TEMPORARY_FOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

//! A folder of its own for each test, gone afterwards.
struct folder {
    folder()
    {
        std::string name =
            (std::filesystem::temp_directory_path() / "bearing-qa-XXXXXX").string();
        path = mkdtemp(name.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
    std::string file() const { return (path / "tested.json").string(); }
    std::filesystem::path path;
};

inline std::string read(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

inline void write(const std::string& path, const std::string& text)
{
    std::ofstream(path, std::ios::binary) << text;
}

#endif /* INCLUDED_BEARING_TESTS_TEMPORARY_FOLDER_H */
