# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording as callers see it: its captures, its samples and the array that received them."""

import dataclasses
from pathlib import Path
from typing import Optional, Tuple

import numpy as np

from ..bearing_python import array as antenna_array
from .sample_time import advanced
from .sigmf_format import DATATYPES, index_argument


class recording_error(ValueError):
    """A recording that cannot be read; the message names the file, the field and what is
    allowed."""


def reason(error):
    """What an exception says, for a message: without the file's name, short and printable."""
    text = getattr(error, "strerror", None) or str(error)
    text = "".join(c if c.isprintable() else "?" for c in text[:300])
    return text if len(text) < 300 else text[:297] + "..."


@dataclasses.dataclass(frozen=True)
class capture:
    """A run of samples under one tuning and without a loss, up to the next capture.

    start: its first sample, counted from the first in the file.
    rx_freq: tuned frequency in Hz, or None.
    rx_time: (seconds since 1970-01-01 UTC, fraction of a second in [0, 1)) of its first sample,
        or None.
    gap: samples lost before it, 0 for an unknown number; None: none were lost.
    rx_freq_repeated: the frequency is that of the capture before, written again because SigMF
        demands it; it comes from no tag and becomes none.
    """

    start: int
    rx_freq: Optional[float] = None
    rx_time: Optional[Tuple[int, float]] = None
    gap: Optional[int] = None
    rx_freq_repeated: bool = False


@dataclasses.dataclass(frozen=True)
class recording:
    """What the metadata of a recording say; the samples stay in the file.

    path, data_path: the two files.
    datatype: "ci8", "ci16_le" or "cf32_le"; integers of full scale (128, 32768) stand for 1.
    sample_rate: in Hz.
    num_channels: N, interleaved in the file.
    num_samples: T, of each channel.
    captures: in the order of their starts; the first one starts at 0.
    array: bearing.array with its calibration, or None.
    heading_deg: of the array's +y axis in degrees clockwise from north, or None.
    description: text, perhaps empty.
    """

    path: Path
    data_path: Path
    datatype: str
    sample_rate: float
    num_channels: int
    num_samples: int
    captures: Tuple[capture, ...]
    array: Optional[antenna_array] = None
    heading_deg: Optional[float] = None
    description: str = ""

    @property
    def duration(self):
        """Seconds."""
        return self.num_samples / self.sample_rate

    @property
    def frame_size(self):
        """Bytes of one sample of all channels."""
        return self.num_channels * DATATYPES[self.datatype].item_size

    def read(self, start=0, count=None):
        """Samples [start, start + count) of all channels as N x count complex64; without a count
        up to the end. Only these are read from the file; cf32_le comes bit by bit as stored.

        Raises ValueError naming start or count that leave the recording, recording_error when
        the data file has shrunk or gone.
        """
        start = index_argument("start", start, self.num_samples)
        rest = self.num_samples - start
        count = rest if count is None else index_argument("count", count, rest)
        samples = np.empty((self.num_channels, count), np.complex64)
        if count == 0:
            return samples
        kind = DATATYPES[self.datatype]
        try:
            stored = np.memmap(
                self.data_path,
                kind.component,
                "r",
                offset=start * self.frame_size,
                shape=(count, self.num_channels, 2),
            )
        except (OSError, ValueError) as error:
            raise recording_error(
                f"{self.data_path}: cannot be read: {reason(error)}"
            ) from None
        if kind.component.kind == "f":
            # Moved as integers: a NaN keeps its payload.
            samples.view(np.uint64)[...] = stored.view("<u8")[:, :, 0].T
        else:
            components = samples.view(np.float32).reshape(self.num_channels, count, 2)
            components[...] = stored.transpose(1, 0, 2)
            components *= np.float32(1 / kind.full_scale)
        return samples

    def capture_at(self, sample):
        """The capture that holds the sample, as if it began there: its rx_time is advanced to the
        sample, also from an earlier capture when the number of samples lost since is known. The
        gap is told only at a capture's own first sample.

        Raises ValueError naming a sample outside the recording.
        """
        sample = index_argument("sample", sample, max(0, self.num_samples - 1))
        time = None  # told last, and the samples since then, lost ones included
        since = 0
        previous = 0
        for segment in self.captures:
            if segment.start > sample:
                break
            since += segment.start - previous + (segment.gap or 0)
            if segment.rx_time is not None:
                time, since = segment.rx_time, 0
            elif segment.gap == 0:
                time = None
            previous = segment.start
            found = segment
        since += sample - previous
        if time is not None and since > 0:
            time = advanced(time, since, self.sample_rate)
        gap = found.gap if found.start == sample else None
        return dataclasses.replace(found, start=sample, rx_time=time, gap=gap)
