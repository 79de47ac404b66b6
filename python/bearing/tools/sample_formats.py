# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of files with samples, by name, and how samples are stored in them."""

import dataclasses

import numpy as np

from .command_line import bad_input


@dataclasses.dataclass(frozen=True)
class sample_format:
    """How a file stores a component (I or Q): value = (stored - zero) / full_scale."""

    name: str
    component: np.dtype
    full_scale: float = 1.0
    zero: float = 0.0

    @property
    def is_integer(self):
        return self.component.kind in "iu"

    @property
    def is_wide(self):
        """Whether single precision does not hold every value."""
        return self.component.itemsize * 8 > (16 if self.is_integer else 32)


FORMATS = {
    f.name: f
    for f in (
        sample_format("ci8", np.dtype("i1"), 2.0**7),
        # As tuners of eight bits deliver it: no value stands for zero.
        sample_format("cu8", np.dtype("u1"), 2.0**7, 127.5),
        sample_format("ci16_le", np.dtype("<i2"), 2.0**15),
        sample_format("ci16_be", np.dtype(">i2"), 2.0**15),
        sample_format("ci32_le", np.dtype("<i4"), 2.0**31),
        sample_format("ci32_be", np.dtype(">i4"), 2.0**31),
        sample_format("cf32_le", np.dtype("<f4")),
        sample_format("cf32_be", np.dtype(">f4")),
        sample_format("cf64_le", np.dtype("<f8")),
        sample_format("cf64_be", np.dtype(">f8")),
    )
}
FORMAT_OF_COMPONENT = {f.component: f for f in FORMATS.values() if f.name != "cu8"}

# Suffixes of raw files, and what such a file holds when nothing else is said.
RAW_SUFFIXES = {
    ".bin": None,
    ".dat": None,
    ".iq": None,
    ".raw": None,
    ".c64": "cf32_le",
    ".cf32": "cf32_le",
    ".cfile": "cf32_le",
    ".fc32": "cf32_le",
    ".ci8": "ci8",
    ".cs8": "ci8",
    ".cu8": "cu8",
    ".ci16": "ci16_le",
    ".cs16": "ci16_le",
    ".sc16": "ci16_le",
}


def kind_of(path):
    """One of "npy", "mat", "sigmf" and "raw", by the file's name."""
    suffix = path.suffix.lower()
    if suffix in (".npy", ".mat"):
        return suffix[1:]
    if suffix in (".sigmf-meta", ".sigmf-data"):
        return "sigmf"
    if suffix in RAW_SUFFIXES:
        return "raw"
    if suffix == ".sigmf":
        raise bad_input(f"{path}: is a SigMF archive; unpack it with tar -xf first")
    raise bad_input(
        f"{path}: must end in .npy, .mat, .sigmf-meta, or, if it is raw, in one of "
        f"{', '.join(RAW_SUFFIXES)}"
    )
