/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_IMPL_H
#define INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_IMPL_H

#include "estimator_block.h"
#include <gnuradio/bearing/root_music.h>

namespace gr {
namespace bearing {

class root_music_impl : public estimator_block<root_music>
{
public:
    root_music_impl(const core::antenna_array& array,
                    int num_sources,
                    const std::string& variant,
                    int snapshots,
                    double heading_deg,
                    const std::string& counting);

    void set_variant(const std::string& variant) override;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_ROOT_MUSIC_IMPL_H */
