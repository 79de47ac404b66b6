/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "heimdall_frame.h"

namespace gr {
namespace bearing {

const char* name_of(frame_use use)
{
    switch (use) {
    case frame_use::usable:
        return "usable";
    case frame_use::dummy:
        return "dummy";
    case frame_use::ramp:
        return "ramp";
    case frame_use::cal:
        return "cal";
    case frame_use::trigger:
        return "trigger";
    case frame_use::noise_source:
        return "noise_source";
    case frame_use::not_sample_synchronous:
        return "not_sample_synchronous";
    case frame_use::not_phase_synchronous:
        return "not_phase_synchronous";
    case frame_use::retuning:
        return "retuning";
    case frame_use::frequencies_differ:
        return "frequencies_differ";
    case frame_use::phase_state_0:
        return "phase_state_0";
    case frame_use::phase_state_1:
        return "phase_state_1";
    case frame_use::phase_state_2:
        return "phase_state_2";
    case frame_use::phase_state_3:
        return "phase_state_3";
    case frame_use::phase_state_5:
        return "phase_state_5";
    case frame_use::phase_state_6:
        return "phase_state_6";
    case frame_use::phase_state_other:
        return "phase_state_other";
    }
    return "";
}

const char* words_for(frame_use use)
{
    switch (use) {
    case frame_use::usable:
        return "data";
    case frame_use::dummy:
        return "the server has no samples yet";
    case frame_use::ramp:
        return "the server sends a test pattern";
    case frame_use::cal:
    case frame_use::noise_source:
        return "the noise source is on";
    case frame_use::trigger:
        return "the server sends triggers";
    case frame_use::not_sample_synchronous:
        return "the channels are not aligned to the sample";
    case frame_use::not_phase_synchronous:
        return "the channels are not aligned in phase";
    case frame_use::retuning:
        return "the receiver is being tuned";
    case frame_use::frequencies_differ:
        return "the channels are tuned to different frequencies";
    case frame_use::phase_state_0:
        return "the server waits for the channels' lag";
    case frame_use::phase_state_1:
        return "the server measures the channels' phases";
    case frame_use::phase_state_2:
        return "the server applies the channels' phases";
    case frame_use::phase_state_3:
        return "the server verifies the channels' phases";
    case frame_use::phase_state_5:
        return "the server waits after a change, and is not calibrated";
    case frame_use::phase_state_6:
        return "the server calibrates bin by bin";
    case frame_use::phase_state_other:
        return "the server's phase state is unknown";
    }
    return "";
}

const char* name_of(header_fault fault)
{
    switch (fault) {
    case header_fault::none:
        return "";
    case header_fault::sync_word:
        return "it does not start as headers do";
    case header_fault::frame_type:
        return "its frame type is unknown";
    case header_fault::num_channels:
        return "it has no channels or more than 32";
    case header_fault::num_samples:
        return "it has no samples or absurdly many";
    case header_fault::sample_format:
        return "its samples are no 32-bit floats";
    case header_fault::sample_rate:
        return "its sample rate makes no sense";
    case header_fault::frequency:
        return "its frequency makes no sense";
    case header_fault::payload_too_big:
        return "it announces more than 256 MiB";
    }
    return "";
}

} // namespace bearing
} // namespace gr
