# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams into recordings."""

import errno
import os
import shutil
import stat
from pathlib import Path

from gnuradio import blocks, gr

from .packed_stream import lengthen_runs
from .recorder import recorder, spare_bytes
from .sigmf_format import DATATYPES, check_description, check_format, recording_paths
from .sigmf_writer import write_metadata


class recording_sink(gr.hier_block2):
    """Records N streams of complex samples, as one SigMF recording or one raw file per channel.

    The data file is written by GNU Radio's file_sink. The metadata are there from the start,
    follow the stream at most once a second, and are completed, with the number of samples, when
    the flowgraph stops: after a power cut the recording is readable up to there. Existing files
    are replaced.

    Tags rx_time, rx_freq and gap on any input start a capture; where inputs disagree at a sample,
    the lowest of them is believed. From the thousandth capture on, an rx_time that is what the
    last one led to expect starts none. An rx_rate on the first sample replaces sample_rate. The
    recording ends, and the flowgraph goes on, when rx_rate changes, at capture 50 001, before the
    disk is full, and when the system takes no more samples; `ended` tells why.

    Parameters
    ----------
    path : str, os.PathLike or a list of them
        NAME or NAME.sigmf-meta of a SigMF recording, or the paths of N raw files, which have no
        metadata.
    num_channels : int, 1 .. 64
        N.
    sample_rate : float
        Hz, 1 to 1e12, unless the stream tells better.
    datatype : "ci8", "ci16_le" or "cf32_le"
        Integers hold magnitudes of I and Q up to 1; what is larger is clipped, which is logged
        once it is more than one value in a thousand, and counted in `at_full_scale`.
    array : bearing.array, optional
        Of N elements; geometry and calibration go into the metadata.
    heading_deg : float, optional
        Of the array's +y axis, degrees clockwise from north.
    description : str

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    OSError
        Naming path, when it cannot be written or its disk is full.
    """

    def __init__(
        self,
        path,
        num_channels,
        sample_rate,
        datatype="cf32_le",
        array=None,
        heading_deg=None,
        description="",
    ):
        check_format(datatype, sample_rate, num_channels)
        check_description(array, heading_deg, description, num_channels)
        sample_rate = float(sample_rate)
        num_channels = int(num_channels)
        item_size = DATATYPES[datatype].item_size
        frame_size = num_channels * item_size
        is_sigmf = isinstance(path, (str, os.PathLike))
        if is_sigmf:
            meta_path, data_path = recording_paths(path)
            if meta_path.name == ".sigmf-meta":
                raise ValueError(f"path is {os.fspath(path)!r}; it must have a name")
            self.path, data_paths = meta_path, [data_path]
        else:
            self.path, data_paths = None, _raw_paths(path, num_channels)
        _check_disk(data_paths[0].parent, spare_bytes(frame_size, sample_rate))
        for data_path in data_paths:
            _make_file(data_path)

        def write(rate, captures, num_samples, unfinished):
            write_metadata(
                meta_path,
                datatype,
                rate,
                num_channels,
                captures,
                array,
                heading_deg,
                description,
                num_samples,
                unfinished,
            )

        if is_sigmf:
            try:
                write(sample_rate, (), None, True)
            except OSError as error:
                raise _of_path(error) from None

        gr.hier_block2.__init__(
            self,
            "recording_sink",
            gr.io_signature(num_channels, num_channels, gr.sizeof_gr_complex),
            gr.io_signature(0, 0, 0),
        )
        # Appending, so that a flowgraph may be started again. Python blocks live as long as
        # someone in Python knows them.
        size = frame_size if is_sigmf else item_size
        self._files = [blocks.file_sink(size, os.fsencode(p), True) for p in data_paths]
        for file in self._files:
            file.set_unbuffered(True)
        self._recorder = recorder(
            frame_size,
            sample_rate,
            datatype,
            self._files,
            data_paths,
            size,
            write if is_sigmf else None,
        )
        packer = blocks.streams_to_vector(item_size, num_channels)
        for block in (packer, self._recorder):
            lengthen_runs(block, frame_size)
        for k in range(num_channels):
            first = _from_complex(datatype)
            if first is None:
                self.connect((self, k), (packer, k))
            else:
                self.connect((self, k), first, (packer, k))
        self.connect(packer, self._recorder)
        if is_sigmf:
            self.connect(self._recorder, self._files[0])
        else:
            unpacker = blocks.vector_to_streams(item_size, num_channels)
            self.connect(self._recorder, unpacker)
            for k, file in enumerate(self._files):
                self.connect((unpacker, k), file)

    @property
    def ended(self):
        """Why nothing more is recorded although the flowgraph runs; None while all is well."""
        return self._recorder.ended

    @property
    def num_samples(self):
        """Samples of each channel that the recording was given so far."""
        return self._recorder.count

    @property
    def at_full_scale(self):
        """Values of I and Q, of all channels, that stand at an end of an integer's range: they
        were clipped, but for a few. 0 for cf32_le."""
        return self._recorder.at_full_scale


def _from_complex(datatype):
    """A block that makes one stored channel of complex samples; None where they are already."""
    full_scale = float(DATATYPES[datatype].full_scale)
    if datatype == "ci8":
        return blocks.complex_to_interleaved_char(True, full_scale)
    if datatype == "ci16_le":
        return blocks.complex_to_interleaved_short(True, full_scale)
    return None


def _raw_paths(path, num_channels):
    try:
        paths = [Path(os.fsdecode(entry)) for entry in path]
    except TypeError:
        raise ValueError(
            f"path is {path!r}; it must be the path of a SigMF recording or a list of raw files"
        ) from None
    if len(paths) != num_channels or len(set(paths)) != num_channels:
        raise ValueError(
            f"path holds {len(set(paths))} different files; it must be num_channels, "
            f"{num_channels}"
        )
    return paths


def _check_disk(folder, needed):
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _of_path(error) from None
    except ValueError as error:
        raise ValueError(f"path is {str(folder)!r}: {error}") from None
    if free < needed:
        complaint = f"path: less than {needed // 2**20} MiB are free on the disk"
        raise OSError(errno.ENOSPC, complaint, str(folder))


def _make_file(path):
    """An empty file at this path, or an OSError that names the parameter."""
    try:
        # A FIFO without a reader must not make the constructor wait.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise _of_path(error) from None
    except ValueError as error:
        raise ValueError(f"path is {str(path)!r}: {error}") from None
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    os.close(descriptor)
    if not is_file:
        raise ValueError(f"path: {path} exists and is not a file")


def _of_path(error):
    return type(error)(error.errno, f"path: {error.strerror}", error.filename)
