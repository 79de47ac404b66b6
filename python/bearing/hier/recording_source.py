# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings as streams."""

import dataclasses
import os
import stat

import numpy as np
import pmt
from gnuradio import blocks, gr

from .. import stream_time
from .packed_stream import GAP, RX_FREQ, RX_RATE, RX_TIME, lengthen_runs
from .recording import capture, reason, recording, recording_error
from .sigmf_format import DATATYPES, MAX_CHANNELS, check_format, is_number
from .sigmf_reader import load_recording

_BEGIN = pmt.intern("begin")

# Throttled samples come in runs of at most this many seconds.
_LONGEST_RUN_S = 0.05


class _tagger(gr.sync_block):
    """Passes packed samples on and puts the tags of the captures on them.

    Where the file begins is told by file_source's own tag, which comes with every repeat.
    """

    def __init__(self, frame_size, sample_rate, captures, repeat_tags):
        packed = [(np.uint8, frame_size)]
        gr.sync_block.__init__(self, "recording_tagger", packed, packed)
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self._source = pmt.intern("recording_source")
        self._rate = pmt.from_double(sample_rate)
        self._captures = captures
        self._repeat_tags = repeat_tags
        self._forget()

    def _forget(self):
        self._begin = None  # output item with which the file began last
        self._next = 0  # capture to come
        self._is_new = True
        self._repeats = 0

    def start(self):
        # A flowgraph that starts anew counts its items anew; the file goes on somewhere.
        if self.nitems_written(0) == 0:
            self._forget()
        return True

    def work(self, input_items, output_items):
        run = output_items[0]
        run[:] = input_items[0]
        size = len(run)
        first = self.nitems_written(0)
        begins = {tag.offset for tag in self.get_tags_in_window(0, 0, size, _BEGIN)}
        if self._is_new and first not in begins:
            # Samples from somewhere in the file: neither time nor tuning are known.
            self._tag(first, RX_RATE, self._rate)
            self._tag(first, GAP, pmt.from_uint64(0))
        self._is_new = False
        for begin in sorted(begins):
            self._place_until(begin)
            self._begin, self._next = begin, 0
            self._tag(begin, RX_RATE, self._rate)
            if self._repeats:
                for key, value in self._repeat_tags:
                    self._tag(begin, key, value)
            self._repeats += 1
        self._place_until(first + size)
        return size

    def _place_until(self, end):
        """Tags of the captures that begin before output item end."""
        if self._begin is None:
            return
        while self._next < len(self._captures):
            segment = self._captures[self._next]
            item = self._begin + segment.start
            if item >= end:
                return
            if segment.rx_time is not None:
                self._tag(item, RX_TIME, stream_time.to_pmt(segment.rx_time))
            if segment.rx_freq is not None and not segment.rx_freq_repeated:
                self._tag(item, RX_FREQ, pmt.from_double(segment.rx_freq))
            if segment.gap is not None:
                self._tag(item, GAP, pmt.from_uint64(segment.gap))
            self._next += 1

    def _tag(self, item, key, value):
        self.add_item_tag(0, item, key, value, self._source)


class recording_source(gr.hier_block2):
    """Plays a recording: N streams of complex samples with the tags it was recorded with.

    The first sample carries rx_rate and, where known, rx_freq and rx_time; the first sample of
    every later capture carries those of rx_freq, rx_time and gap that are known of it. Starting
    inside a capture advances its rx_time to the first sample. Every repeat starts with the same
    tags, and with a gap tag (0: unknown) when there is no rx_time to tell that the stream jumps.

    Built from GNU Radio's file_source; cf32_le samples come out bit by bit as stored, integers
    divided by their full scale.

    Parameters
    ----------
    files : str, os.PathLike, bearing.recording or a list of paths
        A SigMF recording (NAME.sigmf-meta, NAME.sigmf-data or NAME, or what load_recording made
        of it), or N raw files of equal length, one per channel.
    repeat : bool
        Play it again and again, each time from start_s.
    real_time : bool
        No faster than the sample rate by the wall clock; otherwise as fast as the flowgraph
        takes it.
    start_s : float
        Seconds to skip, less than the duration.
    num_channels : int
        N; 0: as the file says.
    datatype : "ci8", "ci16_le" or "cf32_le"
    sample_rate : float
        Hz.
    frequency : float
        Hz; 0: unknown. These three are those of raw files; a SigMF recording knows them.

    Attributes
    ----------
    recording : bearing.recording, or None for raw files
    num_channels, sample_rate, array, heading_deg
        As the recording says; array and heading_deg None where it does not.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    FileNotFoundError
        Naming the file that is missing.
    recording_error
        Naming the file and the field that is wrong; for raw files, the file whose length is.
    """

    def __init__(
        self,
        files,
        repeat=False,
        real_time=False,
        start_s=0.0,
        num_channels=0,
        datatype="cf32_le",
        sample_rate=0.0,
        frequency=0.0,
    ):
        if isinstance(num_channels, bool) or not isinstance(num_channels, (int, np.integer)):
            raise ValueError(f"num_channels is {num_channels!r}; it must be an integer")
        if not 0 <= num_channels <= MAX_CHANNELS:
            raise ValueError(
                f"num_channels is {num_channels}; it must be from 1 to {MAX_CHANNELS}, or 0 for as "
                "many as there are"
            )
        if isinstance(files, (str, os.PathLike, recording)):
            self.recording = files if isinstance(files, recording) else load_recording(files)
            self.array = self.recording.array
            self.heading_deg = self.recording.heading_deg
            name = str(self.recording.path)
            paths = [self.recording.data_path]
            channels = self.recording.num_channels
            datatype = self.recording.datatype
            sample_rate = self.recording.sample_rate
            num_samples = self.recording.num_samples
            if num_samples == 0:
                raise recording_error(f"{name}: the data file {paths[0]} holds no samples")
        else:
            self.recording = self.array = self.heading_deg = None
            name = "files"
            paths = _raw_paths(files)
            channels = len(paths)
            check_format(datatype, sample_rate, channels)
            if not is_number(frequency) or frequency < 0:
                raise ValueError(
                    f"frequency is {frequency!r}; it must be a number >= 0 (Hz; 0: unknown)"
                )
            num_samples = _raw_length(paths, DATATYPES[datatype].item_size)
        if num_channels not in (0, channels):
            raise ValueError(
                f"num_channels is {num_channels}; {name} holds {channels} channels"
            )
        self.num_channels = channels
        self.sample_rate = float(sample_rate)
        start = self._start_sample(start_s, num_samples)

        gr.hier_block2.__init__(
            self,
            "recording_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(channels, channels, gr.sizeof_gr_complex),
        )
        if self.recording is None:
            captures = (capture(0, float(frequency) or None),)
        else:
            captures = _captures_from(self.recording, start)
        self._connect(paths, datatype, repeat, real_time, start, num_samples - start, captures)

    def _start_sample(self, start_s, num_samples):
        duration = num_samples / self.sample_rate
        if not is_number(start_s) or not 0 <= start_s < duration:
            raise ValueError(
                f"start_s is {start_s!r}; it must be from 0 to less than the duration, "
                f"{duration:g} s"
            )
        return min(round(start_s * self.sample_rate), num_samples - 1)

    def _connect(self, paths, datatype, repeat, real_time, start, length, captures):
        channels = self.num_channels
        item_size = DATATYPES[datatype].item_size
        frame_size = channels * item_size
        size = frame_size if self.recording is not None else item_size
        # Python blocks live as long as someone in Python knows them.
        self._files = [
            blocks.file_source(size, os.fsencode(path), bool(repeat), start, length)
            for path in paths
        ]
        self._files[0].set_begin_tag(_BEGIN)
        repeat_tags = []
        if captures[0].rx_time is None and captures[0].gap is None:
            repeat_tags.append((GAP, pmt.from_uint64(0)))
        self._tagger = _tagger(frame_size, self.sample_rate, captures, repeat_tags)

        if self.recording is not None:
            chain = [self._files[0]]
        else:
            chain = [blocks.streams_to_vector(item_size, channels)]
            for k, file in enumerate(self._files):
                self.connect(file, (chain[0], k))
        if real_time:
            throttle = blocks.throttle(frame_size, self.sample_rate, True)
            throttle.set_max_noutput_items(max(1, int(self.sample_rate * _LONGEST_RUN_S)))
            chain.append(throttle)
        else:
            for block in (chain[0], self._tagger):
                lengthen_runs(block, frame_size)
        chain += [self._tagger, blocks.vector_to_streams(item_size, channels)]
        self.connect(*chain)
        for k in range(channels):
            last = _to_complex(datatype)
            if last is None:
                self.connect((chain[-1], k), (self, k))
            else:
                self.connect((chain[-1], k), last, (self, k))


def _to_complex(datatype):
    """A block that makes complex samples of one stored channel; None where they are already."""
    full_scale = float(DATATYPES[datatype].full_scale)
    if datatype == "ci8":
        return blocks.interleaved_char_to_complex(True, full_scale)
    if datatype == "ci16_le":
        return blocks.interleaved_short_to_complex(True, False, full_scale)
    return None


def _captures_from(found, start):
    """Captures as counted from sample start, which becomes the first of the first one."""
    first = found.capture_at(start)
    # Nothing was lost in a stream that begins here, and the tuning is news to it.
    gap = None if start > 0 else first.gap
    captures = [dataclasses.replace(first, start=0, gap=gap, rx_freq_repeated=False)]
    for segment in found.captures:
        if segment.start > start:
            captures.append(dataclasses.replace(segment, start=segment.start - start))
    return tuple(captures)


def _raw_paths(files):
    try:
        paths = [os.fspath(path) for path in files]
    except TypeError:
        raise ValueError(
            f"files is {files!r}; it must be the path of a SigMF recording or a list of raw files"
        ) from None
    if not 1 <= len(paths) <= MAX_CHANNELS:
        raise ValueError(
            f"files holds {len(paths)} paths; it must be 1 to {MAX_CHANNELS}, one per channel"
        )
    return paths


def _raw_length(paths, item_size):
    """Samples in each of the files, which must be equally long."""
    lengths = []
    for path in paths:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            raise FileNotFoundError(f"files: no such file: {path}") from None
        except (OSError, ValueError) as error:
            raise recording_error(f"files: {path} cannot be read: {reason(error)}") from None
        if not stat.S_ISREG(status.st_mode):
            raise recording_error(f"files: {path} is not a file")
        if status.st_size % item_size or status.st_size == 0:
            raise recording_error(
                f"files: {path} has {status.st_size} bytes; it must hold samples of {item_size} "
                "bytes each"
            )
        lengths.append(status.st_size // item_size)
    if len(set(lengths)) > 1:
        shortest = min(range(len(paths)), key=lengths.__getitem__)
        raise recording_error(
            f"files: all must be equally long, but {paths[shortest]} holds {lengths[shortest]} "
            f"samples and the longest {max(lengths)}"
        )
    return lengths[0]
