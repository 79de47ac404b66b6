/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_TENSOR_FILE_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_TENSOR_FILE_H

#include <gnuradio/bearing/api.h>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief Tensors of float32 with their names, and texts, as in a safetensors file: a
 * little-endian u64 length of the header, the header as JSON, the values.
 *
 * Anything else than F32 is refused; so are a header beyond the file or above 1 MiB, data
 * that does not cover the file's rest once and exactly (gaps, overlaps, offsets out of range
 * or that do not fit the shape), repeated names, sizes that overflow, and values that are not
 * finite.
 */
struct BEARING_API tensor_file {
    struct tensor {
        std::vector<std::int64_t> shape; //!< empty: one value
        std::vector<float> values;       //!< last index fastest
    };
    std::map<std::string, tensor> tensors;
    std::map<std::string, std::string> metadata;

    /*!
     * \param bytes the whole file
     * \param name of the file, for errors
     * \throws std::runtime_error naming the file and what is wrong with it
     */
    static tensor_file parse(const std::vector<char>& bytes, const std::string& name);
    //! \throws std::runtime_error likewise, and when it cannot be read or is above 64 MiB
    static tensor_file load(const std::string& path);

    //! The tensor with that name and shape. \throws std::runtime_error naming it
    const tensor& require(const std::string& tensor_name,
                          const std::vector<std::int64_t>& shape) const;

    std::string name; //!< of the file
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_TENSOR_FILE_H */
