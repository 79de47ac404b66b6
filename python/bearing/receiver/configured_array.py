# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The array that a configuration describes, or the recording that it names."""

import zlib

from ..hier.sigmf_reader import load_recording

_LEARNED = "learned_calibration-{:08x}.json"


def make_array(config, frequency_hz):
    """The bearing.array of a receiver_config at a frequency, without a calibration.

    frequency_hz: None: that of the recording. Raises ValueError where neither the configuration nor
    the recording tells what is needed."""
    if config.array is None:
        recorded = load_recording(config.radio.path)
        if recorded.array is None:
            raise ValueError("array is missing; the recording does not tell it either")
        return recorded.array
    if frequency_hz is None:
        recorded = load_recording(config.radio.path)
        frequency_hz = recorded.captures[0].rx_freq
        if frequency_hz is None:
            raise ValueError("frequency_hz is missing; the recording does not tell it either")
    return config.array.make(frequency_hz)


def learned_calibration_path(config):
    """Where a receiver of that configuration keeps what it learns: a Path in its state folder."""
    # What was learnt of one geometry is wrong for any other.
    positions = make_array(config, config.radio.frequency_hz).positions
    geometry = zlib.crc32(repr(positions.round(6).tolist()).encode())
    return config.state_folder / _LEARNED.format(geometry)


def num_elements(config):
    """As the configuration says; None: the recording knows."""
    return None if config.array is None else config.array.elements


def array_kind(config):
    """ "uca", "ula" or "custom"."""
    return "custom" if config.array is None else config.array.kind
