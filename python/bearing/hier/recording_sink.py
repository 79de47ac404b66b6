# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams into recordings."""

import errno
import math
import os
import shutil
import stat
import threading
import time
from pathlib import Path

import numpy as np
import pmt
from gnuradio import blocks, gr

from .packed_stream import GAP, RX_FREQ, RX_RATE, RX_TIME, lengthen_runs
from .recording import capture
from .sample_time import is_datable, normalised_time
from .sigmf_format import (
    DATATYPES,
    MAX_FREQUENCY,
    check_description,
    check_format,
    recording_paths,
)
from .sigmf_writer import write_metadata

# Captures in one recording: some 10 MB of metadata. Streams that are lost, retuned or timed more
# often than this in one recording are not what files are for.
MAX_CAPTURES = 50000

_KEYS = (RX_RATE, RX_TIME, RX_FREQ, GAP)

# Rates closer than this are one rate that went through somebody's arithmetic: it is half a sample
# in the largest item of 2^29 samples.
_RATE_TOLERANCE = 1e-9
# Seconds between two looks at captures and disk; writing metadata takes at most a twentieth of
# the time.
_WATCH_S = 1.0
_REST_PER_WRITE = 20.0
# Seconds without progress after which the file blocks are taken to have stopped.
_PATIENCE_S = 0.5
# Free space that a recording leaves: what may come until the next look, within bounds.
_SPARE_S = 2.5
_LEAST_SPARE_BYTES = 16 * 2**20
_MOST_SPARE_BYTES = 2**30


class _recorder(gr.basic_block):
    """Passes packed samples on to the files, and keeps the metadata that go with them.

    Tags are read in the flowgraph's thread; files are touched by a thread of its own, so that a
    slow disk holds up no samples because of metadata.
    """

    def __init__(self, frame_size, sample_rate, folder, files, write, truncate):
        """write(captures, num_samples, unfinished) or None; truncate(num_samples) or None."""
        packed = [(np.uint8, frame_size)]
        gr.basic_block.__init__(self, "recorder", packed, packed)
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self._log = gr.logger("recording_sink")
        self._sample_rate = sample_rate
        self._folder = folder
        self._files = files
        self._write = write
        self._truncate = truncate
        self._spare = spare_bytes(frame_size, sample_rate)
        self.ended = None  # why nothing more is recorded
        self.captures = [capture(0)]
        self.count = 0  # samples passed on
        self._written = 0  # samples that are known to be in the files
        self._ignored = False
        self._is_dirty = False
        self._is_broken = False
        self._wake = threading.Condition()
        self._is_running = False
        self._watcher = None

    # The flowgraph's thread

    def start(self):
        if self.nitems_written(0) == 0 and self.count:
            # A flowgraph that starts again has dropped what was on its way to the files.
            self.count = self._written
            self.captures = [c for c in self.captures if c.start < max(1, self.count)]
            self._add_capture(self.count, None, None, 0)
        self._is_running = True
        self._is_dirty = True
        self._watcher = threading.Thread(
            target=self._watch, name="recording_sink", daemon=True
        )
        self._watcher.start()
        return True

    def forecast(self, noutput_items, ninputs):
        return [noutput_items] * ninputs

    def general_work(self, input_items, output_items):
        size = min(len(input_items[0]), len(output_items[0]))
        if self.ended is not None:
            self.consume(0, len(input_items[0]))
            return 0
        first = self.nitems_read(0)
        keep = size
        for offset, told in self._told(size):
            self._follow(self.count + offset - first, told)
            if self.ended is not None:
                keep = offset - first
                break
        output_items[0][:keep] = input_items[0][:keep]
        self.consume(0, size)
        self.count += keep
        return keep

    def _told(self, size):
        """(offset, {key: value}) of the tags that matter, in order; of several inputs' tags the
        first input's."""
        found = {}
        for key in _KEYS:
            for tag in self.get_tags_in_window(0, 0, size, key):
                found.setdefault(tag.offset, {}).setdefault(key, tag.value)
        return sorted(found.items(), key=lambda item: item[0])

    def _follow(self, sample, told):
        """Opens a capture at this sample when the tags say so, or ends the recording."""
        rate = self._number(told, RX_RATE)
        if rate is not None and not math.isclose(
            rate, self._sample_rate, rel_tol=_RATE_TOLERANCE
        ):
            self._end(f"rx_rate became {rate:g} Hz, sample_rate is {self._sample_rate:g} Hz")
            return
        rx_time = self._time(told)
        rx_freq = self._number(told, RX_FREQ)
        if rx_freq is not None and abs(rx_freq) > MAX_FREQUENCY:
            self._ignore(RX_FREQ)
            rx_freq = None
        gap = self._gap(told)
        if self._write is not None and (rx_time, rx_freq, gap) != (None, None, None):
            self._add_capture(sample, rx_freq, rx_time, gap)

    def _add_capture(self, sample, rx_freq, rx_time, gap):
        last = self.captures[-1]
        if sample == last.start:
            # The first sample, or a restart on which the first tags now tell more.
            if rx_freq is None:
                rx_freq, repeated = last.rx_freq, last.rx_freq_repeated
            else:
                repeated = False
            rx_time = last.rx_time if rx_time is None else rx_time
            gap = last.gap if gap is None else gap
            self.captures[-1] = capture(sample, rx_freq, rx_time, gap, repeated)
        elif len(self.captures) >= MAX_CAPTURES:
            self._end(f"more than {MAX_CAPTURES} captures")
            return
        else:
            repeated = rx_freq is None and last.rx_freq is not None
            rx_freq = last.rx_freq if rx_freq is None else rx_freq
            self.captures.append(capture(sample, rx_freq, rx_time, gap, repeated))
        self._is_dirty = True

    def _end(self, reason):
        if self.ended is None:
            self.ended = reason
            self._log.error(f"the recording ends here: {reason}")

    def _ignore(self, key):
        if not self._ignored:
            self._ignored = True
            self._log.warn(
                f"a tag {pmt.symbol_to_string(key)} has a value that no recording can hold; it "
                "and all further such values are ignored"
            )

    def _number(self, told, key):
        value = told.get(key)
        if value is None:
            return None
        if pmt.is_real(value) or pmt.is_integer(value):
            number = pmt.to_double(value)
            if math.isfinite(number):
                return number
        self._ignore(key)
        return None

    def _time(self, told):
        value = told.get(RX_TIME)
        if value is None:
            return None
        if pmt.is_tuple(value) and pmt.length(value) == 2:
            seconds, fraction = pmt.tuple_ref(value, 0), pmt.tuple_ref(value, 1)
            if pmt.is_uint64(seconds) and pmt.is_real(fraction):
                found = normalised_time(pmt.to_uint64(seconds), pmt.to_double(fraction))
                if found is not None and is_datable(found):
                    return found
        self._ignore(RX_TIME)
        return None

    def _gap(self, told):
        value = told.get(GAP)
        if value is None:
            return None
        if pmt.is_uint64(value):
            return pmt.to_uint64(value)
        if pmt.is_integer(value):
            return max(0, pmt.to_long(value))
        # Whatever its value, samples are missing here.
        self._ignore(GAP)
        return 0

    def stop(self):
        with self._wake:
            self._is_running = False
            self._wake.notify()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
            self._close()
        return True

    def _close(self):
        """What was passed on is in the files, or never will be: then metadata say how much."""
        behind = self._behind()
        patience = time.monotonic() + _PATIENCE_S
        while behind > 0 and time.monotonic() < patience:
            time.sleep(0.002)
            before, behind = behind, self._behind()
            if behind < before:
                patience = time.monotonic() + _PATIENCE_S
        self._written = self.count - behind
        if self._truncate is not None:
            self._guarded(self._truncate, self._written)
        if self._write is not None:
            captures = [c for c in self.captures if c.start < max(1, self._written)]
            self._guarded(self._write, captures, self._written, False)

    def _behind(self):
        """Samples that are passed on but not in all files."""
        passed = self.nitems_written(0)
        return max(0, passed - min(file.nitems_read(0) for file in self._files))

    # The thread of its own

    def _watch(self):
        next_write = 0.0
        while True:
            begun = time.monotonic()
            if self._is_dirty and self._write is not None and begun >= next_write:
                self._is_dirty = False
                self._guarded(self._write, list(self.captures), None, True)
                now = time.monotonic()
                next_write = now + _REST_PER_WRITE * (now - begun)
            try:
                if shutil.disk_usage(self._folder).free < self._spare:
                    self._end(f"less than {self._spare // 2**20} MiB are free on the disk")
            except OSError:
                pass  # writing tells
            with self._wake:
                if self._is_running:
                    self._wake.wait(_WATCH_S)
                if not self._is_running:
                    return

    def _guarded(self, action, *arguments):
        try:
            action(*arguments)
        except (OSError, ValueError) as error:
            if not self._is_broken:
                self._is_broken = True
                self._log.error(f"the recording is incomplete: {error}")


def spare_bytes(frame_size, sample_rate):
    """Free bytes of disk that a recording needs to go on."""
    coming = int(_SPARE_S * frame_size * sample_rate)
    return min(max(_LEAST_SPARE_BYTES, coming), _MOST_SPARE_BYTES)


class recording_sink(gr.hier_block2):
    """Records N streams of complex samples, as one SigMF recording or one raw file a channel.

    The data file is written by GNU Radio's file_sink. The metadata are there from the start,
    follow the stream at most once a second, and are completed, with the number of samples, when
    the flowgraph stops: after a power cut the recording is readable up to there. Existing files
    are replaced.

    Tags rx_time, rx_freq and gap on any input start a capture; where inputs disagree at a sample,
    the lowest of them is believed. The recording ends, and the flowgraph goes on, at an rx_rate
    that is not sample_rate, at capture 50 001, and before the disk is full; `ended` tells why.

    Parameters
    ----------
    path : str, os.PathLike or a list of them
        NAME or NAME.sigmf-meta of a SigMF recording, or the paths of N raw files, which have no
        metadata.
    num_channels : int, 1 .. 64
        N.
    sample_rate : float
        Hz, 1 to 1e12.
    datatype : "ci8", "ci16_le" or "cf32_le"
        Integers hold magnitudes of I and Q up to 1, what is larger is clipped.
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
        folder = data_paths[0].parent
        _check_disk(folder, spare_bytes(frame_size, sample_rate))
        for data_path in data_paths:
            _make_file(data_path)

        def write(captures, num_samples, unfinished):
            write_metadata(
                meta_path,
                datatype,
                sample_rate,
                num_channels,
                captures,
                array,
                heading_deg,
                description,
                num_samples,
                unfinished,
            )

        def truncate(num_samples):
            for path in data_paths:
                os.truncate(path, num_samples * item_size)

        if is_sigmf:
            try:
                write((), None, True)
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
        self._files = [blocks.file_sink(size, str(p), True) for p in data_paths]
        for file in self._files:
            file.set_unbuffered(True)
        self._recorder = _recorder(
            frame_size,
            sample_rate,
            folder,
            self._files,
            write if is_sigmf else None,
            None if is_sigmf else truncate,
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
