/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_BLOCK_H
#define INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_BLOCK_H

#include "estimator_runner.h"
#include <string>
#include <utility>
#include <vector>

namespace gr {
namespace bearing {

/*!
 * \brief An estimator block: the setters and the work() of interface \p Block, served by
 * a runner.
 *
 * The most derived class constructs gr::sync_block with its signatures; the first output,
 * where there is one, is the spectrum.
 */
template <class Block>
class estimator_block : public Block
{
public:
    void set_num_sources(int num_sources) override
    {
        d_runner.set_num_sources(num_sources);
    }
    void set_heading_deg(double heading_deg) override
    {
        d_runner.set_heading_deg(heading_deg);
    }
    void set_calibration(const core::calibration_state& calibration) override
    {
        d_runner.set_calibration(calibration);
    }

    int work(int noutput_items,
             gr_vector_const_void_star& input_items,
             gr_vector_void_star& output_items) override
    {
        this->get_tags_in_window(d_new_tags, 0, 0, noutput_items);
        return d_runner.work(static_cast<const gr_complex*>(input_items[0]),
                             noutput_items,
                             d_new_tags,
                             output_items.empty() ? nullptr
                                                  : static_cast<float*>(output_items[0]));
    }

    bool start() override
    {
        d_runner.start();
        return Block::start();
    }
    bool stop() override
    {
        d_runner.stop();
        return Block::stop();
    }

protected:
    estimator_block(estimator_settings settings,
                    estimator_builder build,
                    int snapshots,
                    double heading_deg,
                    settings_check check = {})
        : d_runner(*this,
                   this->d_logger,
                   std::move(settings),
                   std::move(build),
                   snapshots,
                   heading_deg,
                   std::move(check))
    {
    }

    estimator_runner d_runner;

private:
    std::vector<gr::tag_t> d_new_tags;
};

//! One with a spectrum.
template <class Block>
class spectrum_block : public estimator_block<Block>
{
public:
    void set_limits_deg(const std::vector<double>& limits_deg) override
    {
        this->d_runner.set_limits_deg(limits_deg);
    }
    std::vector<double> grid_deg() const override { return this->d_runner.grid_deg(); }

protected:
    using estimator_block<Block>::estimator_block;
};

} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_BLOCKS_ESTIMATOR_BLOCK_H */
