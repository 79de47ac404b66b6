# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with samples, to be written."""

import numpy as np

from ..hier.sigmf_format import recording_paths
from ..hier.sigmf_writer import format_metadata
from .command_line import bad_input, complaints_about


class sample_target:
    """Samples in one file as they come, the channels interleaved.

    paths: of the files to make. Opened, these are given to begin(); to write(), with blocks of
    samples x N x 2 components; and to finish().
    """

    def __init__(self, *paths):
        self.paths = list(paths)

    def begin(self, files):
        pass

    def write(self, files, block):
        files[0].write(np.ascontiguousarray(block))

    def finish(self, files):
        pass


class split_target(sample_target):
    """A raw file for each channel, numbered from 0."""

    def __init__(self, path, opened):
        width = len(str(opened.num_channels - 1))
        names = [f"{path.stem}{k:0{width}}{path.suffix}" for k in range(opened.num_channels)]
        super().__init__(*(path.with_name(name) for name in names))

    def write(self, files, block):
        for k, file in enumerate(files):
            file.write(np.ascontiguousarray(block[:, k]))


class npy_target(sample_target):
    """N x T (or T x N), in the order of the samples either way: it is written as it comes."""

    def __init__(self, path, opened, target, is_transposed):
        super().__init__(path)
        shape = (opened.num_channels, opened.num_samples)
        self._header = {
            "descr": f"<c{2 * target.component.itemsize}",
            "fortran_order": not is_transposed,
            "shape": shape[::-1] if is_transposed else shape,
        }

    def begin(self, files):
        np.lib.format.write_array_header_1_0(files[0], self._header)


class sigmf_target(sample_target):
    """A recording: data and metadata."""

    def __init__(self, path, opened, target, metadata):
        meta, data = recording_paths(path)
        super().__init__(data, meta)
        # Checked by the one that makes them, before anything is converted.
        with complaints_about(meta):
            self._content = format_metadata(
                target.name,
                num_channels=opened.num_channels,
                num_samples=opened.num_samples,
                **metadata,
            )

    def begin(self, files):
        files[1].write(self._content)


class mat_target(sample_target):
    """A MATLAB file of version 5 (-v6), whose variables have to fit into memory."""

    LARGEST = 2**31 - 1  # bytes of a variable

    def __init__(self, path, opened, target, name, is_transposed, others):
        size = opened.num_channels * opened.num_samples * 2 * target.component.itemsize
        if size > self.LARGEST:
            raise bad_input(
                f"{path}: {size} bytes of samples are more than the {self.LARGEST} that a MATLAB "
                "file can hold"
            )
        super().__init__(path)
        self._name = name
        self._is_transposed = is_transposed
        self._others = others
        self._blocks = []

    def write(self, files, block):
        complex_type = f"<c{2 * block.dtype.itemsize}"
        self._blocks.append(np.ascontiguousarray(block).view(complex_type)[:, :, 0])

    def finish(self, files):
        import scipy.io

        samples = np.concatenate(self._blocks)
        self._blocks.clear()
        samples = samples if self._is_transposed else samples.T
        scipy.io.savemat(files[0], {self._name: samples, **self._others})
