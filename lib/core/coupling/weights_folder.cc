/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "weights_file.h"
#include <gnuradio/bearing/core/coupling/weights_folder.h>
#include <dlfcn.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

namespace {

namespace fs = std::filesystem;

// Beside the library: <prefix>/lib or, on Debian, <prefix>/lib/<machine>.
fs::path installed_folder()
{
    const fs::path below = fs::path("share") / "gnuradio-bearing" / "weights";
    Dl_info info;
    if (dladdr(reinterpret_cast<const void*>(&find_weights), &info) == 0 ||
        !info.dli_fname) {
        return below;
    }
    std::error_code ignored;
    const fs::path library = fs::canonical(info.dli_fname, ignored).parent_path();
    const fs::path nearest = library.parent_path() / below;
    const fs::path farther = library.parent_path().parent_path() / below;
    return !fs::is_directory(nearest, ignored) && fs::is_directory(farther, ignored)
               ? farther
               : nearest;
}

fs::path weights_folder()
{
    const char* const named = std::getenv("GR_BEARING_WEIGHTS");
    return named && *named ? fs::path(named) : installed_folder();
}

std::vector<std::string> weights_in(const fs::path& folder)
{
    std::vector<std::string> files;
    std::error_code unreadable;
    for (fs::directory_iterator entry(folder, unreadable), end; entry != end;
         entry.increment(unreadable)) {
        if (entry->path().extension() == ".safetensors") {
            files.push_back(entry->path().string());
        }
        if (unreadable) {
            break;
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

} // namespace

std::string find_weights(const antenna_array& array, const std::string& kind)
{
    const fs::path folder = weights_folder();
    std::string others;
    for (const std::string& path : weights_in(folder)) {
        try {
            const weights_file file = weights_file::load(path);
            if (file.kind != kind) {
                continue;
            }
            if (file.family.has(array)) {
                return path;
            }
            others += "; " + fs::path(path).filename().string() + " is for a " +
                      file.family.description();
        } catch (const std::runtime_error& error) {
            // A damaged file does not stand in the way of a good one.
            others += std::string("; ") + error.what();
        }
    }
    if (others.empty()) {
        others = "; there are none of that kind";
    }
    throw std::runtime_error("no weights of kind " + kind + " for this array in " +
                             folder.string() + others);
}

} // namespace core
} // namespace bearing
} // namespace gr
