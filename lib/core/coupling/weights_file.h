/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_BEARING_CORE_COUPLING_WEIGHTS_FILE_H
#define INCLUDED_BEARING_CORE_COUPLING_WEIGHTS_FILE_H

#include <gnuradio/bearing/core/coupling/antenna_family.h>
#include <gnuradio/bearing/core/coupling/noise_schedule.h>
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <string>

namespace gr {
namespace bearing {
namespace core {

//! What the weights files of all kinds have.
struct weights_file {
    std::string kind;
    antenna_family family;
    noise_schedule schedule;
    tensor_file tensors;

    //! \throws std::runtime_error naming the file and the text or tensor
    static weights_file load(const std::string& path);
    //! The same, of that kind only.
    static weights_file load(const std::string& path, const std::string& kind);

    //! The one value of tensor `scale`, > 0.
    double scale() const;
};

//! \throws std::runtime_error naming the file
[[noreturn]] void fail_weights(const std::string& file, const std::string& what);

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_BEARING_CORE_COUPLING_WEIGHTS_FILE_H */
