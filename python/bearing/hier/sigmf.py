# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF recordings of several coherent channels, with the array that made them.

Format: Signal Metadata Format (SigMF) 1.x, https://github.com/sigmf/SigMF. A recording is a pair
of files, NAME.sigmf-meta (JSON) and NAME.sigmf-data (samples, the channels interleaved). What the
core namespace has no words for is in the extension namespace "bearing".

This is what callers use; sigmf_format.py says what a recording can hold, sigmf_reader.py and
sigmf_writer.py are the ways from and to the file.
"""

from .recording import capture, recording, recording_error
from .sigmf_format import MAX_METADATA_BYTES
from .sigmf_reader import load_recording
from .sigmf_writer import write_metadata

__all__ = [
    "MAX_METADATA_BYTES",
    "capture",
    "load_recording",
    "recording",
    "recording_error",
    "write_metadata",
]
