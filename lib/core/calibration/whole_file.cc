/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "whole_file.h"
#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace gr {
namespace bearing {
namespace core {

namespace {

[[noreturn]] void fail_to_write(const std::string& path)
{
    throw std::runtime_error("calibration file " + path +
                             " cannot be written: " + std::strerror(errno));
}

// A file that is gone again unless it was renamed into place.
class temporary_file
{
public:
    explicit temporary_file(const std::string& target) : d_target(target)
    {
        // Not mkstemp(), which makes a private file: a calibration is for every reader
        // that the umask allows. Names that a dead process or one on another machine
        // left behind are passed over.
        static std::atomic<unsigned> count{ 0 };
        do {
            d_name = target + "." + std::to_string(getpid()) + "-" +
                     std::to_string(count++) + ".tmp";
            d_descriptor =
                open(d_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        } while (d_descriptor < 0 && errno == EEXIST);
        if (d_descriptor < 0) {
            fail_to_write(d_target);
        }
    }
    ~temporary_file()
    {
        if (d_descriptor >= 0) {
            close(d_descriptor);
        }
        if (!d_is_in_place) {
            unlink(d_name.c_str());
        }
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;

    void write_all(const std::string& text)
    {
        std::size_t done = 0;
        while (done < text.size()) {
            const ssize_t count =
                write(d_descriptor, text.data() + done, text.size() - done);
            if (count < 0 && errno != EINTR) {
                fail_to_write(d_target);
            }
            done += count > 0 ? count : 0;
        }
    }

    void rename_into_place()
    {
        if (fsync(d_descriptor) != 0 || rename(d_name.c_str(), d_target.c_str()) != 0) {
            fail_to_write(d_target);
        }
        d_is_in_place = true;
        sync_folder();
    }

private:
    // The rename itself survives a power cut only once the folder is on the disk.
    void sync_folder() const
    {
        const std::size_t slash = d_target.find_last_of('/');
        const std::string folder =
            slash == std::string::npos ? "." : d_target.substr(0, slash + 1);
        const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (descriptor >= 0) {
            fsync(descriptor);
            close(descriptor);
        }
    }

    const std::string& d_target;
    std::string d_name;
    int d_descriptor = -1;
    bool d_is_in_place = false;
};

} // namespace

void write_whole_file(const std::string& path, const std::string& text)
{
    temporary_file file(path);
    file.write_all(text);
    file.rename_into_place();
}

std::string read_whole_file(const std::string& path)
{
    try {
        std::ifstream file;
        file.exceptions(std::ios::failbit | std::ios::badbit);
        file.open(path);
        // A folder opens and only fails when it is read.
        return std::string(std::istreambuf_iterator<char>(file), {});
    } catch (const std::ios_base::failure&) {
        throw std::runtime_error("calibration file " + path +
                                 " cannot be read: " + std::strerror(errno));
    }
}

std::string printable(std::string reason)
{
    std::replace_if(
        reason.begin(), reason.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return reason;
}

} // namespace core
} // namespace bearing
} // namespace gr
