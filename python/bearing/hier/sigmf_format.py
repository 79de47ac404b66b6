# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SigMF recording can hold: its files, sample types and limits, and checks of values that
are meant for one."""

import dataclasses
import math
import os
from pathlib import Path

import numpy as np

from ..bearing_python import array as antenna_array

SIGMF_VERSION = "1.0.0"
EXTENSION_VERSION = "0.1.0"
MAX_CHANNELS = 64
MAX_METADATA_BYTES = 64 * 2**20
# SigMF's own limits of core:sample_rate and core:frequency.
MIN_SAMPLE_RATE = 1.0
MAX_SAMPLE_RATE = 1e12
MAX_FREQUENCY = 1e12
# No file is longer, and sums of two still fit into 64 bits.
MAX_INDEX = 2**62
# Of bearing:gap and core:global_index.
MAX_COUNT = 2**64 - 1
SPEED_OF_LIGHT = 299792458.0

_META = ".sigmf-meta"
_DATA = ".sigmf-data"


@dataclasses.dataclass(frozen=True)
class sample_type:
    """How one component (I or Q) of a sample is stored: its NumPy type, and the stored value that
    stands for 1."""

    component: np.dtype
    full_scale: int

    @property
    def item_size(self):
        """Bytes of one complex sample of one channel."""
        return 2 * self.component.itemsize


DATATYPES = {
    "ci8": sample_type(np.dtype("i1"), 128),
    "ci16_le": sample_type(np.dtype("<i2"), 32768),
    "cf32_le": sample_type(np.dtype("<f4"), 1),
}


def recording_paths(path):
    """(NAME.sigmf-meta, NAME.sigmf-data) for a path to either file or their common stem."""
    text = os.fsdecode(path)
    for suffix in (_META, _DATA):
        if text.endswith(suffix):
            text = text[: -len(suffix)]
            break
    return Path(text + _META), Path(text + _DATA)


def is_number(value):
    """Whether it is a finite real number, of Python or NumPy."""
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)


def index_argument(name, value, limit):
    """The value as an int; ValueError naming it unless it is an integer from 0 to limit."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is {value!r}; it must be an integer")
    if not 0 <= value <= limit:
        raise ValueError(f"{name} is {value}; it must be from 0 to {limit}")
    return int(value)


def check_format(datatype, sample_rate, num_channels):
    """Raises ValueError naming the parameter that no recording can have."""
    if datatype not in DATATYPES:
        allowed = ", ".join(DATATYPES)
        raise ValueError(f"datatype is {datatype!r}; it must be one of {allowed}")
    if not is_number(sample_rate) or not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise ValueError(
            f"sample_rate is {sample_rate!r}; it must be a number from "
            f"{MIN_SAMPLE_RATE:g} to {MAX_SAMPLE_RATE:g} (Hz)"
        )
    if isinstance(num_channels, bool) or not isinstance(num_channels, (int, np.integer)):
        raise ValueError(f"num_channels is {num_channels!r}; it must be an integer")
    if not 1 <= num_channels <= MAX_CHANNELS:
        raise ValueError(f"num_channels is {num_channels}; it must be from 1 to {MAX_CHANNELS}")


def check_description(array, heading_deg, description, num_channels):
    """Raises ValueError naming the first that a recording of that many channels cannot have."""
    if array is not None:
        if not isinstance(array, antenna_array):
            raise ValueError(f"array is {array!r}; it must be a bearing.array or None")
        if array.n != num_channels:
            raise ValueError(
                f"array has {array.n} elements; it must have as many as there are channels, "
                f"{num_channels}"
            )
    if heading_deg is not None and not (is_number(heading_deg) and abs(heading_deg) <= 360.0):
        raise ValueError(
            f"heading_deg is {heading_deg!r}; it must be a number from -360 to 360 or None"
        )
    if not isinstance(description, str):
        raise ValueError(f"description is {description!r}; it must be a str")
